"""The queues of capacity-scheduler.xml (Hadoop: CapacitySchedulerConfiguration)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from kubeyarn.hadoop.access import read_access, read_priority_access
from kubeyarn.hadoop.amounts import read_amounts, read_capacity
from kubeyarn.hadoop.properties import Properties, refuse
from kubeyarn.model.queues import (
    EVERY_PARTITION,
    ApplicationOrdering,
    AutoCreate,
    AutoCreateKind,
    BranchTemplates,
    ChildOrdering,
    ConfiguredState,
    NodeOrdering,
    QueueConfig,
    QueuePartition,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubeyarn.model.queues import Access, Capacity, PriorityAccess
    from kubeyarn.model.resources import ResourceTypes

_T = TypeVar("_T")

PREFIX = "yarn.scheduler.capacity."
_OF_ROOT = f"{PREFIX}root."
_LABELS = "accessible-node-labels"
_POLICIES = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.policy."
_APPLICATION_ORDERINGS = {
    "fifo": ApplicationOrdering.FIFO,
    "fair": ApplicationOrdering.FAIR,
    "fifo-with-partitions": ApplicationOrdering.FIFO_WITH_PARTITIONS,
    "fifo-for-pending-apps": ApplicationOrdering.FIFO_FOR_PENDING,
    _POLICIES + "FifoOrderingPolicy": ApplicationOrdering.FIFO,
    _POLICIES + "FairOrderingPolicy": ApplicationOrdering.FAIR,
    _POLICIES + "FifoOrderingPolicyWithExclusivePartitions": (
        ApplicationOrdering.FIFO_WITH_PARTITIONS
    ),
    _POLICIES + "FifoOrderingPolicyForPendingApps": ApplicationOrdering.FIFO_FOR_PENDING,
}
_CHILD_ORDERINGS = {
    "utilization": ChildOrdering.UTILIZATION,
    "priority-utilization": ChildOrdering.PRIORITY_UTILIZATION,
}
_SORTING = "multi-node-sorting.policy"
_BY_USAGE = (
    "org.apache.hadoop.yarn.server.resourcemanager.scheduler.placement."
    "ResourceUsageMultiNodeLookupPolicy"
)
_MANAGEMENT = (
    "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.queuemanagement."
    "GuaranteedOrZeroCapacityOverTimePolicy"
)
_TEMPLATE = re.compile(
    re.escape(PREFIX) + r"(.+?)\.auto-queue-creation-v2\.(?:leaf-|parent-)?template\."
)
_SETTING = re.compile(
    re.escape(PREFIX)
    + r"(root\.[^*]+)\.(?:state|capacity|maximum-capacity|user-limit-factor|priority"
    r"|minimum-user-limit-percent|maximum-am-resource-percent|maximum-applications"
    r"|max-parallel-apps|ordering-policy|default-application-priority|disable_preemption)"
)
_NESTED = re.compile(
    r"\.(?:auto-queue-creation-v2|leaf-queue-template|accessible-node-labels|user-settings"
    r"|ordering-policy|intra-queue-preemption|auto-create-child-queue)(?:\.|$)"
)
_LABEL = re.compile(r".+\.accessible-node-labels\.([^.]+)\..+")
_WEIGHT = re.compile(r"user-settings\.(.+)\.weight")


def read_queues(properties: Properties, types: ResourceTypes) -> tuple[QueueConfig, ...]:
    """Root and every queue that a `queues` property names, in their order.

    Raises:
        ConfigRefused: root has no queues, or a value cannot be read.
    """
    if not properties.strings(PREFIX + "root.queues") and not properties.flag(
        PREFIX + "root.auto-queue-creation-v2.enabled"
    ):
        refuse(PREFIX + "root.queues", "root has no queues; name at least one")
    found: list[QueueConfig] = []
    _read_below("root", properties, types, found)
    return tuple(found)


def _read_below(
    path: str, properties: Properties, types: ResourceTypes, found: list[QueueConfig]
) -> None:
    children = properties.strings(f"{PREFIX}{path}.queues")
    queue = read_queue(path, properties, types, parent=bool(children))
    found.append(replace(queue, order=len(found)))
    for name in children:
        if not name.replace("-", "").replace("_", "") and not name:
            refuse(f"{PREFIX}{path}.queues", "a queue's name is empty")
        _read_below(f"{path}.{name}", properties, types, found)


def read_queue(
    path: str, properties: Properties, types: ResourceTypes, *, parent: bool
) -> QueueConfig:
    """What the properties say of one queue.

    Raises:
        ConfigRefused: a value cannot be read.
    """
    reader = _QueueReader(f"{PREFIX}{path}.", properties, types)
    if parent and properties.flag(reader.prefix + "reservable"):
        refuse(reader.prefix + "reservable", "only a leaf can be kept for reservations", path)
    auto_create = _read_auto_create(path, properties, types)
    return reader.read(path, auto_create, parent=parent or auto_create is not None)


class _QueueReader:
    """Reads the properties below one prefix."""

    def __init__(self, prefix: str, properties: Properties, types: ResourceTypes) -> None:
        self.prefix = prefix
        self.properties = properties
        self.types = types

    def read(self, path: str, auto_create: AutoCreate | None, *, parent: bool) -> QueueConfig:
        """The queue."""
        p, prefix = self.properties, self.prefix

        def of_leaf(read: Callable[[str], _T], suffix: str) -> _T | None:
            # Of a parent Hadoop does not even read them.
            return None if parent else read(prefix + suffix)

        return QueueConfig(
            path=path,
            state=self._state(),
            capacity=self._capacity("capacity"),
            maximum_capacity=self._capacity("maximum-capacity"),
            partitions=self._partitions(),
            accessible_partitions=self._accessible(),
            default_partition=p.trimmed(prefix + "default-node-label-expression"),
            minimum_user_limit_percent=of_leaf(p.number, "minimum-user-limit-percent"),
            user_limit_factor=of_leaf(p.number, "user-limit-factor"),
            user_weights=self._weights(),
            maximum_am_share=p.number(prefix + "maximum-am-resource-percent"),
            maximum_applications=of_leaf(p.integer, "maximum-applications"),
            maximum_parallel_applications=p.integer(prefix + "max-parallel-apps"),
            maximum_allocation=self._maximum_allocation(),
            application_ordering=None if parent else self._application_ordering(),
            size_based_weight=p.flag(prefix + "ordering-policy.fair.enable-size-based-weight"),
            enforced_partitions=self._enforced(),
            child_ordering=self._child_ordering() if parent else None,
            node_ordering=self._node_ordering(),
            priority=p.integer(prefix + "priority"),
            default_application_priority=of_leaf(p.integer, "default-application-priority"),
            preemption_disabled=p.flag(prefix + "disable_preemption"),
            intra_queue_preemption_disabled=p.flag(
                prefix + "intra-queue-preemption.disable_preemption"
            ),
            default_lifetime_seconds=p.long(prefix + "default-application-lifetime"),
            maximum_lifetime_seconds=p.long(prefix + "maximum-application-lifetime"),
            submit=self._access("acl_submit_applications"),
            administer=self._access("acl_administer_queue"),
            priority_access=self._priority_access(),
            allow_zero_capacity_sum=p.flag(prefix + "allow-zero-capacity-sum"),
            auto_create=auto_create,
        )

    def _state(self) -> ConfiguredState | None:
        said = self.properties.text(self.prefix + "state")
        if said is None:
            return None
        if said.upper() not in ("RUNNING", "STOPPED"):
            refuse(self.prefix + "state", f"found {said!r}, expected RUNNING or STOPPED")
        return ConfiguredState(said.capitalize())

    def _capacity(self, suffix: str) -> Capacity | None:
        said = self.properties.text(self.prefix + suffix)
        if said is None:
            return None
        if self.prefix == _OF_ROOT and suffix.startswith(_LABELS) and "[" not in said:
            # Root has all of each partition: what it says is not even read.
            return None
        return read_capacity(self.prefix + suffix, said, self.types)

    def _partitions(self) -> tuple[QueuePartition, ...]:
        start = f"{self.prefix}{_LABELS}."
        labels = {name[len(start) :].partition(".")[0] for name in self.properties.names(start)}
        if self.prefix == _OF_ROOT:
            labels |= _labels_anywhere(self.properties)
        return tuple(
            QueuePartition(
                name=label,
                capacity=self._capacity(f"{_LABELS}.{label}.capacity"),
                maximum=self._capacity(f"{_LABELS}.{label}.maximum-capacity"),
                maximum_am_share=self.properties.number(
                    f"{start}{label}.maximum-am-resource-percent"
                ),
            )
            for label in sorted(labels)
        )

    def _accessible(self) -> frozenset[str] | None:
        if self.properties.text(self.prefix + _LABELS) is None:
            return None
        labels = frozenset(self.properties.strings(self.prefix + _LABELS))
        return frozenset({EVERY_PARTITION}) if EVERY_PARTITION in labels else labels

    def _weights(self) -> tuple[tuple[str, float], ...]:
        weights: list[tuple[str, float]] = []
        for name in self.properties.names(self.prefix + "user-settings."):
            match = _WEIGHT.fullmatch(name[len(self.prefix) :])
            weight = self.properties.number(name) if match else None
            if match and weight is not None:
                weights.append((match[1], weight))
        return tuple(weights)

    def _maximum_allocation(self) -> dict[int, int] | None:
        said = self.properties.trimmed(self.prefix + "maximum-allocation")
        if said is not None:
            # Once one type is said here, the others are 0 (ResourceUtils).
            nothing = dict.fromkeys(range(len(self.types.names)), 0)
            name = self.prefix + "maximum-allocation"
            return nothing | read_amounts(name, said, self.types)
        amounts = {
            place: amount
            for place, suffix in ((0, "maximum-allocation-mb"), (1, "maximum-allocation-vcores"))
            if (amount := self.properties.long(self.prefix + suffix)) is not None
        }
        return amounts or None

    def _application_ordering(self) -> ApplicationOrdering | None:
        said = self.properties.trimmed(self.prefix + "ordering-policy")
        if said is not None and said not in _APPLICATION_ORDERINGS:
            known = [name for name in _APPLICATION_ORDERINGS if "." not in name]
            refuse(self.prefix + "ordering-policy", f"found {said!r}, expected one of {known}")
        return None if said is None else _APPLICATION_ORDERINGS[said]

    def _child_ordering(self) -> ChildOrdering | None:
        said = self.properties.trimmed(self.prefix + "ordering-policy")
        if said is not None and said not in _CHILD_ORDERINGS:
            known = sorted(_CHILD_ORDERINGS)
            refuse(self.prefix + "ordering-policy", f"found {said!r}, expected one of {known}")
        return None if said is None else _CHILD_ORDERINGS[said]

    def _node_ordering(self) -> NodeOrdering | None:
        p = self.properties
        name = p.trimmed(self.prefix + _SORTING) or p.trimmed(PREFIX + _SORTING)
        return read_node_ordering(name, p) if name else None

    def _enforced(self) -> frozenset[str] | None:
        name = self.prefix + "ordering-policy.exclusive-enforced-partitions"
        return frozenset(self.properties.strings(name)) or None

    def _access(self, suffix: str) -> Access | None:
        said = self.properties.text(self.prefix + suffix)
        return None if said is None else read_access(said)

    def _priority_access(self) -> tuple[PriorityAccess, ...] | None:
        name = self.prefix + "acl_application_max_priority"
        said = self.properties.trimmed(name)
        return None if said in (None, "*") else read_priority_access(name, said or "")


def _read_auto_create(path: str, properties: Properties, types: ResourceTypes) -> AutoCreate | None:
    prefix = f"{PREFIX}{path}."
    if properties.flag(prefix + "auto-create-child-queue.enabled"):
        start = prefix + "auto-create-child-queue."
        _check_management(start + "management-policy", properties)
        return AutoCreate(
            kind=AutoCreateKind.MANAGED,
            maximum_queues=_or(properties.integer(start + "max-queues"), 1000),
            fail_on_exceeding_parent=bool(
                properties.flag(start + "fail-on-exceeding-parent-capacity")
            ),
            leaf_template=_template(prefix + "leaf-queue-template.", properties, types),
        )
    if properties.flag(prefix + "auto-queue-creation-v2.enabled"):
        start = prefix + "auto-queue-creation-v2."
        templates = _templates(path, properties, types)
        return AutoCreate(
            kind=AutoCreateKind.FLEXIBLE,
            maximum_queues=_or(properties.integer(start + "max-queues"), 1000),
            maximum_depth=_or(properties.integer(start + "maximum-queue-depth"), 2),
            removal=properties.flag(start + "queue-auto-removal.enable") is not False,
            template=templates.template,
            leaf_template=templates.leaf_template,
            parent_template=templates.parent_template,
        )
    return None


def _labels_anywhere(properties: Properties) -> set[str]:
    """What root has a word on: each label of any queue, declared or not (ConfiguredNodeLabels)."""
    found = (_LABEL.fullmatch(name) for name in properties.names(_OF_ROOT))
    return {match[1] for match in found if match}


def _check_management(name: str, properties: Properties) -> None:
    said = properties.text(name)
    if said not in (None, _MANAGEMENT):
        refuse(name, f"found {said!r}, expected {_MANAGEMENT}")


def read_node_ordering(name: str, properties: Properties) -> NodeOrdering:
    """The order of nodes of that name.

    Raises:
        ConfigRefused: it is not defined.
    """
    place = f"{PREFIX}{_SORTING}.{name}.class"
    said = properties.trimmed(place)
    if said != _BY_USAGE:
        refuse(place, f"found {said!r}, expected {_BY_USAGE}")
    return NodeOrdering.SPREAD


def read_branch_templates(
    properties: Properties, types: ResourceTypes, declared: Sequence[QueueConfig]
) -> dict[str, BranchTemplates]:
    """Templates said of queues that are not declared, by path; `*` is any name.

    Raises:
        ConfigRefused: a value cannot be read.
    """
    known = {queue.path for queue in declared}
    paths = {
        match[1] for name in properties.names(PREFIX + "root.") if (match := _TEMPLATE.match(name))
    }
    return {path: _templates(path, properties, types) for path in sorted(paths - known)}


def read_undeclared(
    properties: Properties, types: ResourceTypes, declared: Sequence[QueueConfig]
) -> dict[str, QueueConfig]:
    """What is said of queues that are not declared, below those that make branches, by path.

    Hadoop overwrites what is said of their user limit factor and AM share.

    Raises:
        ConfigRefused: a value cannot be read.
    """
    makers = tuple(
        f"{queue.path}."
        for queue in declared
        if queue.auto_create is not None and queue.auto_create.kind is AutoCreateKind.FLEXIBLE
    )
    if not makers:
        return {}
    found = (_SETTING.fullmatch(name) for name in properties.names(PREFIX + "root."))
    paths = {
        match[1]
        for match in found
        if match and match[1].startswith(makers) and not _NESTED.search(match[1])
    } - {queue.path for queue in declared}
    said = (
        _QueueReader(f"{PREFIX}{path}.", properties, types).read(path, None, parent=False)
        for path in sorted(paths)
    )
    return {one.path: replace(one, user_limit_factor=None, maximum_am_share=None) for one in said}


def _templates(path: str, properties: Properties, types: ResourceTypes) -> BranchTemplates:
    start = f"{PREFIX}{path}.auto-queue-creation-v2."
    return BranchTemplates(
        template=_template(start + "template.", properties, types),
        leaf_template=_template(start + "leaf-template.", properties, types),
        parent_template=_template(start + "parent-template.", properties, types, parent=True),
    )


def _template(
    prefix: str, properties: Properties, types: ResourceTypes, *, parent: bool = False
) -> QueueConfig | None:
    if next(properties.names(prefix), None) is None:
        return None
    return _QueueReader(prefix, properties, types).read("", None, parent=parent)


def _or(said: int | None, otherwise: int) -> int:
    return otherwise if said is None else said
