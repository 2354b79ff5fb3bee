"""YarnQueue objects as a scheduler configuration, with the faults of each queue.

A wrong object is reported on itself and changes nothing else: a queue that does not parse is left
out with all below it. Keeping the settings that were in force before is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kubeyarn.crd import amounts, field_reader
from kubeyarn.crd.field_reader import (
    FieldReader,
    count,
    fraction,
    integer,
    one_of,
    text,
    texts,
    truth,
)
from kubeyarn.crd.scheduler_config_cluster import read_cluster
from kubeyarn.crd.scheduler_config_fair import fair_queue
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.model import queues
from kubeyarn.model.errors import Problem
from kubeyarn.model.resources import ResourceTypes

ROOT = "root"


@dataclass(frozen=True, slots=True)
class QueuesRead:
    """What a set of YarnQueues amounts to; *config* is None when there is no root, or a bad one."""

    config: queues.SchedulerConfig | None
    problems: tuple[Problem, ...]


def resource_types(objects: Iterable[UncheckedQueue]) -> ResourceTypes:
    """Every resource that the queues name: memory and cpu first, the others by name."""
    named: set[str] = set()
    for queue in objects:
        spec = queue.spec
        cluster = spec.get("cluster")
        for values in (
            spec.get("capacityByResource"),
            spec.get("maximumCapacityByResource"),
            spec.get("maximumAllocation"),
            cluster.get("maximumAllocation") if isinstance(cluster, Mapping) else None,
            *_of_partitions(spec.get("partitions")),
        ):
            if isinstance(values, Mapping):
                named.update(values)
    return amounts.resource_types(named)


def _of_partitions(partitions: object) -> list[object]:
    entries = partitions if isinstance(partitions, list) else []
    return [
        entry.get(name)
        for entry in entries
        if isinstance(entry, Mapping)
        for name in ("capacityByResource", "maximumCapacityByResource")
    ]


def read_queues(objects: Iterable[UncheckedQueue], types: ResourceTypes) -> QueuesRead:
    """Read all YarnQueue objects.

    The result does not depend on the order of *objects*. What only the whole tree can know, such
    as capacities that do not add up, is for the scheduler to refuse.
    """
    by_path = {queue.metadata.name: queue for queue in objects}
    problems: list[Problem] = []
    good: dict[str, queues.QueueConfig] = {}
    # Parents before their children, who stand only below a queue that is good itself.
    for order, path in enumerate(sorted(by_path, key=lambda name: name.split("."))):
        config, faults = _queue(by_path[path], path, types)
        problems += faults
        if faults:
            continue
        if _stands(path, good):
            good[path] = replace(config, order=order, state=_state(config, good.get(config.parent)))
        else:
            problems.append(_orphan(path))
    # The settings of the whole cluster stand at root. Without them no tree can be in force, and the
    # one that is stays so.
    if ROOT not in good:
        return QueuesRead(None, tuple(problems))
    settings = read_cluster(FieldReader(by_path[ROOT].spec, "spec"), types, tuple(good.values()))
    problems += _problems(ROOT, settings.faults)
    return QueuesRead(None if settings.faults else settings.config, tuple(problems))


def _stands(path: str, good: Mapping[str, queues.QueueConfig]) -> bool:
    return path == ROOT or path.rpartition(".")[0] in good


def _state(
    own: queues.QueueConfig, parent: queues.QueueConfig | None
) -> queues.ConfiguredState | None:
    """Stopped below a stopped parent: Running is only the default, and starts no queue there."""
    stopped = queues.ConfiguredState.STOPPED
    return stopped if parent is not None and parent.state is stopped else own.state


def _orphan(path: str) -> Problem:
    parent = path.rpartition(".")[0]
    message = (
        f"metadata.name: {path} needs the queue {parent or ROOT}, which is missing or not in "
        "force, allowed: a full path below an existing queue; make the parent first"
    )
    return Problem(path, "metadata.name", "ParentNotFound", message)


def _problems(path: str, faults: Iterable[field_reader.FieldFault]) -> list[Problem]:
    return [Problem(path, fault.field, "InvalidField", fault.message) for fault in faults]


def _queue(
    unchecked: UncheckedQueue, path: str, types: ResourceTypes
) -> tuple[queues.QueueConfig, list[Problem]]:
    reader = FieldReader(unchecked.spec, "spec")
    config = queue_config(reader, path, types)
    if unchecked.deleted:
        # A queue that is being deleted while in use drains first.
        config = replace(config, state=queues.ConfiguredState.STOPPED)
    return config, _problems(path, reader.faults)


def queue_config(spec: FieldReader, path: str, types: ResourceTypes) -> queues.QueueConfig:
    """The configuration of one queue by its spec, or by a template that has a spec's fields.

    Its faults are the reader's.
    """
    ordering = spec.inside("ordering") or FieldReader({}, "")
    preemption = spec.inside("preemption") or FieldReader({}, "")
    lifetime = spec.inside("lifetime") or FieldReader({}, "")
    fair = spec.inside("fair")
    return queues.QueueConfig(
        path=path,
        state=spec.read("state", one_of(queues.ConfiguredState)),
        capacity=_capacity(spec, types),
        maximum_capacity=_maximum(spec, types),
        partitions=tuple(_partition(entry, types) for entry in spec.each("partitions")),
        accessible_partitions=spec.read("accessiblePartitions", _names),
        default_partition=spec.read("defaultPartition", text),
        minimum_user_limit_percent=spec.read(
            "minimumUserLimitPercent", field_reader.user_limit_percent
        ),
        user_limit_factor=spec.read("userLimitFactor", field_reader.factor),
        user_weights=spec.read("userWeights", _weights) or (),
        maximum_am_share=spec.read("maximumAMShare", fraction),
        maximum_applications=spec.read("maximumApplications", count),
        maximum_parallel_applications=spec.read("maximumParallelApplications", count),
        maximum_parallel_applications_per_user=spec.read(
            "maximumParallelApplicationsPerUser", count
        ),
        maximum_allocation=spec.read("maximumAllocation", amounts.places(types)),
        application_ordering=ordering.read("applications", one_of(queues.ApplicationOrdering)),
        size_based_weight=ordering.read("sizeBasedWeight", truth),
        child_ordering=ordering.read("children", one_of(queues.ChildOrdering)),
        node_ordering=spec.read("nodeOrdering", one_of(queues.NodeOrdering)),
        priority=spec.read("priority", integer),
        default_application_priority=spec.read("defaultApplicationPriority", count),
        enforced_partitions=ordering.read("enforcedPartitions", _names) or None,
        priority_access=tuple(_priority_access(entry) for entry in spec.each("priorityAccess"))
        or None,
        allow_zero_capacity_sum=spec.read("allowZeroCapacitySum", truth),
        preemption_disabled=preemption.read("disabled", truth),
        intra_queue_preemption_disabled=preemption.read("intraQueueDisabled", truth),
        default_lifetime_seconds=lifetime.read("defaultSeconds", count),
        maximum_lifetime_seconds=lifetime.read("maximumSeconds", count),
        auto_create=_auto_create(spec, types),
        fair=None if fair is None else fair_queue(fair, types),
        maximum_opportunistic=spec.read("maximumOpportunisticContainers", count),
    )


def _capacity(spec: FieldReader, types: ResourceTypes) -> queues.Capacity | None:
    uniform = spec.read("capacity", amounts.capacity)
    mixed = spec.read("capacityByResource", amounts.capacity_by_resource(types))
    return _one(spec, "capacity", uniform, mixed)


def _maximum(spec: FieldReader, types: ResourceTypes) -> queues.Capacity | None:
    uniform = spec.read("maximumCapacity", amounts.maximum)
    mixed = spec.read("maximumCapacityByResource", amounts.maximum_by_resource(types))
    return _one(spec, "maximumCapacity", uniform, mixed)


def _one(
    spec: FieldReader, name: str, uniform: queues.Capacity | None, mixed: queues.Capacity | None
) -> queues.Capacity | None:
    if uniform is not None and mixed is not None:
        place = f"{spec.at}.{name}"
        message = f"{place} and {place}ByResource: found both, allowed: one of them"
        spec.faults.append(field_reader.FieldFault(place, message))
    return uniform or mixed


def _partition(entry: FieldReader, types: ResourceTypes) -> queues.QueuePartition:
    return queues.QueuePartition(
        name=entry.read("name", text) or "",
        capacity=_capacity(entry, types) or queues.percent(0),
        maximum=_maximum(entry, types),
        maximum_am_share=entry.read("maximumAMShare", fraction),
    )


def _priority_access(entry: FieldReader) -> queues.PriorityAccess:
    users = entry.read("users", _names) or frozenset()
    groups = entry.read("groups", _names) or frozenset()
    return queues.PriorityAccess(
        queues.Access(everyone="*" in users | groups, users=users, groups=groups),
        maximum=entry.read("maximumPriority", count),
        default=entry.read("defaultPriority", count),
    )


def _names(value: object, field: str) -> frozenset[str]:
    return frozenset(texts(value, field))


def _weights(value: object, field: str) -> tuple[tuple[str, float], ...]:
    weights = field_reader.mapping(value, field)
    return tuple(
        (user, field_reader.weight(weights[user], f"{field}.{user}")) for user in sorted(weights)
    )


def _auto_create(spec: FieldReader, types: ResourceTypes) -> queues.AutoCreate | None:
    """How queues are created below this one; None where they are not."""
    auto_create = spec.inside("autoCreate")
    if auto_create is None or not auto_create.read("enabled", truth):
        return None
    standard = queues.AutoCreate()
    expiry, most = (
        auto_create.read("expirySeconds", count),
        auto_create.read("maximumQueues", count),
    )
    return queues.AutoCreate(
        kind=auto_create.read("kind", one_of(queues.AutoCreateKind)) or standard.kind,
        maximum_queues=field_reader.otherwise(most, standard.maximum_queues),
        maximum_depth=auto_create.read("maximumDepth", count) or standard.maximum_depth,
        # Unset is Hadoop's expiry, 0 no removal at all; that is another property in Hadoop.
        removal=expiry != 0,
        expiry_seconds=expiry or None,
        fail_on_exceeding_parent=bool(auto_create.read("failOnExceedingParentCapacity", truth)),
        template=_template(auto_create, "template", types),
        leaf_template=_template(auto_create, "leafTemplate", types),
        parent_template=_template(auto_create, "parentTemplate", types),
    )


def _template(above: FieldReader, name: str, types: ResourceTypes) -> queues.QueueConfig | None:
    template = above.inside(name)
    if template is None or not template.values:
        return None
    config = queue_config(template, "", types)
    # `queue_config` has asked for it as for any field of a queue, but what a template says of it
    # nobody acts on. So it is reported like a field that is not known.
    template.asked.discard("autoCreate")
    template.refuse_others()
    return config
