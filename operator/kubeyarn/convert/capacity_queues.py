"""The Capacity Scheduler's queues as YarnQueues.

What a file does not say is not said, so that a queue goes on taking what holds for all queues,
which `cluster_spec` writes, or what its parent has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kubeyarn.convert.converted import Converted, SpecWriter
from kubeyarn.convert.quantities import (
    by_resource,
    factor,
    number,
    percentage,
    quantities,
    share,
    user_limit_percent,
)
from kubeyarn.convert.queue_names import QueueNames
from kubeyarn.crd.scheduler_config import ROOT
from kubeyarn.model.queues import (
    AutoCreate,
    AutoCreateKind,
    Capacity,
    PriorityAccess,
    QueueConfig,
    QueuePartition,
    SchedulerConfig,
    Unit,
)

_PREFIX = "yarn.scheduler.capacity."


def capacity_queues(config: SchedulerConfig, names: QueueNames) -> Converted:
    """Every queue of the tree but root's cluster-wide part, parents first."""
    return _CapacityQueues(config, names).convert()


class _CapacityQueues:
    def __init__(self, config: SchedulerConfig, names: QueueNames) -> None:
        self.config = config
        self.names = names
        self.result = Converted()
        self._queues = {queue.path: queue for queue in config.queues}

    def convert(self) -> Converted:
        for queue in self.config.queues:
            writer = SpecWriter(queue.path, self.result)
            self._queue(queue, writer)
            self.result.queue(queue.path, self.names.of(queue.path), writer.spec)
        for path in self.config.branch_templates:
            SpecWriter(path, self.result).note(
                "auto-queue-creation-v2.template",
                "found templates for queues that are not declared; declare the parent as a "
                "YarnQueue with autoCreate, and say them there",
            )
        for path in self.config.undeclared:
            SpecWriter(path, self.result).note(
                "queues",
                "found settings of a queue that is not declared; declare it as a YarnQueue, or "
                "say them in its parent's autoCreate.leafTemplate",
            )
        return self.result

    def _queue(self, queue: QueueConfig, writer: SpecWriter) -> None:
        source = _properties(writer.queue)
        if queue.state is not None:
            writer.say("state", queue.state.value, source("state"))
        self._capacities(queue, writer)
        writer.say("partitions", self._partitions(queue) or None, source("accessible-node-labels"))
        self._plain(queue, writer, source)
        self._lifetime(queue, writer)
        if queue.auto_create is not None:
            self._auto_create(queue.auto_create, writer, source)

    def _capacities(self, queue: QueueConfig, writer: SpecWriter) -> None:
        source = _properties(writer.queue)
        if queue.path != ROOT:
            said = _capacity("capacity", queue.capacity, self.config.types.names)
            for field, value in said.items():
                writer.say(field, value, source("capacity"))
        said = _capacity("maximumCapacity", queue.maximum_capacity, self.config.types.names)
        for field, value in said.items():
            writer.say(field, value, source("maximum-capacity"))

    def _plain(self, queue: QueueConfig, writer: SpecWriter, source: Callable[[str], str]) -> None:
        for name, at, suffix, write in _FIELDS:
            value = getattr(queue, name)
            if value is not None:
                writer.say(at, write(value), source(suffix))
        types = self.config.types.names
        places = sorted((queue.maximum_allocation or {}).items())
        allocation = quantities((types[place], amount) for place, amount in places)
        writer.say("maximumAllocation", allocation, source("maximum-allocation"))

    def _lifetime(self, queue: QueueConfig, writer: SpecWriter) -> None:
        """Say both lifetimes of a queue that has one of its own.

        The one that it has not is the nearest parent's, but a maximum of 0 takes the parent's
        default off, too, and no default is above the maximum (Hadoop: AbstractLeafQueue).
        """
        own_default, own_maximum = queue.default_lifetime_seconds, queue.maximum_lifetime_seconds
        if own_default is None and own_maximum is None:
            return
        maximum = self._inherited(queue, "maximum_lifetime_seconds")
        default = self._inherited(queue, "default_lifetime_seconds")
        if own_default is None and own_maximum is not None and own_maximum <= 0:
            default = 0
        if 0 < maximum < default:
            default = maximum
        source = _properties(writer.queue)
        writer.say("lifetime.defaultSeconds", default, source("default-application-lifetime"))
        writer.say("lifetime.maximumSeconds", maximum, source("maximum-application-lifetime"))

    def _inherited(self, queue: QueueConfig, name: str) -> int:
        above: QueueConfig | None = queue
        while above is not None:
            value: int | None = getattr(above, name)
            if value is not None:
                return max(0, value)
            above = self._queues.get(above.parent)
        return 0

    def _partitions(self, queue: QueueConfig) -> list[dict[str, Any]]:
        """What a queue says of partitions; root has all of each, whatever its file says."""
        partitions = [self._partition(queue, partition) for partition in queue.partitions]
        return [said for said in partitions if len(said) > 1]

    def _partition(self, queue: QueueConfig, partition: QueuePartition) -> dict[str, Any]:
        names = self.config.types.names
        own = None if queue.path == ROOT else partition.capacity
        said: dict[str, Any] = {"name": partition.name, **_capacity("capacity", own, names)}
        said |= _capacity("maximumCapacity", partition.maximum, names)
        if partition.maximum_am_share is not None:
            said["maximumAMShare"] = percentage(partition.maximum_am_share)
        return said

    def _auto_create(
        self, made: AutoCreate, writer: SpecWriter, property_of: Callable[[str], str]
    ) -> None:
        standard = AutoCreate()
        flexible = made.kind is AutoCreateKind.FLEXIBLE
        source = property_of("auto-queue-creation-v2" if flexible else "auto-create-child-queue")
        writer.say("autoCreate.enabled", True, source)
        if made.kind is not standard.kind:
            writer.say("autoCreate.kind", made.kind.value, source)
        if made.maximum_queues != standard.maximum_queues:
            writer.say("autoCreate.maximumQueues", made.maximum_queues, source)
        if flexible:
            if made.maximum_depth != standard.maximum_depth:
                writer.say("autoCreate.maximumDepth", made.maximum_depth, source)
            expiry = self.config.queue_expiry_seconds if made.removal else 0
            writer.say("autoCreate.expirySeconds", expiry, source)
        elif made.fail_on_exceeding_parent:
            name = property_of("auto-create-child-queue.fail-on-exceeding-parent-capacity")
            writer.say("autoCreate.failOnExceedingParentCapacity", True, name)
        for at, template in (
            ("template", made.template),
            ("leafTemplate", made.leaf_template),
            ("parentTemplate", made.parent_template),
        ):
            if template is not None:
                inner = SpecWriter(writer.queue, Converted())
                self._queue(template, inner)
                writer.say(f"autoCreate.{at}", inner.spec, source)


def _properties(queue: str) -> Callable[[str], str]:
    """The name of a queue's property by its last part."""
    return lambda suffix: f"{_PREFIX}{queue}.{suffix}"


def _capacity(
    field: str, capacity: Capacity | None, names: tuple[str, ...]
) -> dict[str, str | dict[str, str]]:
    if capacity is None:
        return {}
    if capacity.uniform is not None and capacity.uniform.unit is not Unit.ABSOLUTE:
        if capacity.uniform.amount < 0:
            # Hadoop reads a negative maximum as: none.
            return {}
        return {field: share(capacity.uniform, "")}
    return {f"{field}ByResource": by_resource(capacity, names)}


def _sorted(values: Iterable[str]) -> list[str]:
    return sorted(values)


def _priority_access(entries: Iterable[PriorityAccess]) -> list[dict[str, Any]]:
    return [_priority_of(entry) for entry in entries]


def _priority_of(entry: PriorityAccess) -> dict[str, Any]:
    users = ["*"] if entry.users.everyone else sorted(entry.users.users)
    said = {
        "users": users,
        "groups": sorted(entry.users.groups),
        "maximumPriority": entry.maximum,
        "defaultPriority": entry.default,
    }
    return {field: value for field, value in said.items() if value not in (None, [])}


def _same(value: Any) -> Any:
    return getattr(value, "value", value)


_FIELDS: tuple[tuple[str, str, str, Callable[[Any], Any]], ...] = (
    ("accessible_partitions", "accessiblePartitions", "accessible-node-labels", _sorted),
    ("default_partition", "defaultPartition", "default-node-label-expression", _same),
    (
        "minimum_user_limit_percent",
        "minimumUserLimitPercent",
        "minimum-user-limit-percent",
        user_limit_percent,
    ),
    ("user_limit_factor", "userLimitFactor", "user-limit-factor", factor),
    (
        "user_weights",
        "userWeights",
        "user-settings.USER.weight",
        lambda pairs: {user: number(x) for user, x in pairs},
    ),
    ("maximum_am_share", "maximumAMShare", "maximum-am-resource-percent", percentage),
    ("maximum_applications", "maximumApplications", "maximum-applications", _same),
    ("maximum_parallel_applications", "maximumParallelApplications", "max-parallel-apps", _same),
    ("application_ordering", "ordering.applications", "ordering-policy", _same),
    (
        "size_based_weight",
        "ordering.sizeBasedWeight",
        "ordering-policy.fair.enable-size-based-weight",
        _same,
    ),
    ("child_ordering", "ordering.children", "ordering-policy", _same),
    (
        "enforced_partitions",
        "ordering.enforcedPartitions",
        "ordering-policy.exclusive-enforced-partitions",
        _sorted,
    ),
    ("node_ordering", "nodeOrdering", "multi-node-sorting.policy", _same),
    ("priority", "priority", "priority", _same),
    (
        "default_application_priority",
        "defaultApplicationPriority",
        "default-application-priority",
        _same,
    ),
    ("priority_access", "priorityAccess", "acl_application_max_priority", _priority_access),
    ("allow_zero_capacity_sum", "allowZeroCapacitySum", "allow-zero-capacity-sum", _same),
    ("preemption_disabled", "preemption.disabled", "disable_preemption", _same),
    (
        "intra_queue_preemption_disabled",
        "preemption.intraQueueDisabled",
        "intra-queue-preemption.disable_preemption",
        _same,
    ),
)
"""A setting of a queue in `model.queues`, its field, its property, and how it is written."""
