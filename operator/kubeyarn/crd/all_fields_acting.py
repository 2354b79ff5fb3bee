"""The condition AllFieldsActing: which fields of a spec nobody acts on.

Users write their whole configuration once, so a field that does nothing is told, never silently
ignored. There are two kinds. Some are accepted and do not act yet; when a capability lands, its
line goes from here. Others are read by only one of the two schedulers: a tree may set both, so that
root can switch between them, and those that the scheduler in force does not read are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubeyarn.crd.conditions import NewCondition
from kubeyarn.crd.object import Object
from kubeyarn.model.queues import SchedulerKind

CONDITION = "AllFieldsActing"
ACTING = "AllFieldsAct"
NOT_YET_ACTING = "NotYetActing"
OTHER_SCHEDULER = "OtherScheduler"

Table = Mapping[str, tuple[object, ...]]
"""Fields by path below spec, `[]` for every entry of a list, with the values that do act.

A field that is not set, or is empty, always acts.
"""

QUEUE: Table = {}

APPLICATION: Table = {}

REQUEST: Table = {
    "gang": (),
}

BY_KIND: Mapping[str, Table] = {
    "YarnQueue": QUEUE,
    "YarnApplication": APPLICATION,
    "ContainerRequest": REQUEST,
}


# What only the Capacity Scheduler reads.
_CAPACITY: Table = {
    "cluster.resourceCalculator": ("Dominant",),
    "cluster.partitions": (),
    "cluster.placementRules": (),
    "cluster.placementRulesOverride": (False,),
    "cluster.maximumApplications": (10_000,),
    "cluster.maximumApplicationsPerQueue": (),
    "cluster.maximumAMShare": ("10%",),
    "cluster.userLimitFactor": ("1",),
    "cluster.minimumUserLimitPercent": (100,),
    "cluster.maximumParallelApplications": (),
    "cluster.mastersInSharedPartitions": (False,),
    "cluster.masterPartition": (),
    "cluster.maximumParallelApplicationsPerUser": (),
    "cluster.maximumParallelApplicationsOf": (),
    "cluster.preemption.observeOnly": (False,),
    "cluster.preemption.lazy": (False,),
    "cluster.preemption.conservativeDrf": (False,),
    "cluster.preemption.forReservedContainers": (False,),
    "cluster.preemption.balanceReservedContainers": (False,),
    "cluster.preemption.balanceAfterSatisfied": (False,),
    "cluster.preemption.intraQueue.enabled": (False,),
    "cluster.preemption.underutilized.enabled": (False,),
    "state": ("Running",),
    "capacity": (),
    "capacityByResource": (),
    "maximumCapacity": (),
    "maximumCapacityByResource": (),
    "partitions": (),
    "accessiblePartitions": (),
    "defaultPartition": (),
    "minimumUserLimitPercent": (),
    "userLimitFactor": (),
    "userWeights": (),
    "maximumAMShare": (),
    "maximumApplications": (),
    "maximumParallelApplications": (),
    "maximumParallelApplicationsPerUser": (),
    "maximumAllocation": (),
    "ordering.applications": (),
    "ordering.sizeBasedWeight": (False,),
    "ordering.children": (),
    "ordering.enforcedPartitions": (),
    "priorityAccess": (),
    "allowZeroCapacitySum": (False,),
    "priority": (0,),
    "defaultApplicationPriority": (0,),
    "preemption.disabled": (False,),
    "preemption.intraQueueDisabled": (False,),
    "nodeOrdering": ("Spread",),
    "autoCreate.enabled": (False,),
}

# What only the Fair Scheduler reads.
_FAIR: Table = {"fair": (), "cluster.fair": ()}

_READ_BY_THE_OTHER = {SchedulerKind.FAIR: _CAPACITY, SchedulerKind.CAPACITY: _FAIR}


def not_yet(kind: str, item: Object) -> list[str]:
    """The fields of an object with a value that nobody acts on yet, as `spec.<path>: <value>`."""
    return fields(item, BY_KIND[kind])


def fields(item: Object, table: Table) -> list[str]:
    """The fields of *table* to which an object gives another value than those that act."""
    spec = item.get("spec") or {}
    return [
        f"spec.{place}: {_shown(value)}"
        for path, acting in table.items()
        for place, value in _values(spec, path.split("."), "")
        if value not in (None, "", [], {}) and value not in acting
    ]


def condition(kind: str, item: Object) -> NewCondition:
    """The condition AllFieldsActing of an object."""
    idle = not_yet(kind, item)
    if not idle:
        return NewCondition(CONDITION, True, ACTING, "everything the spec says is acted on")
    message = f"accepted, but not acted on by this version: {'; '.join(idle)}"
    return NewCondition(CONDITION, False, NOT_YET_ACTING, message)


def queue_condition(spec: Mapping[str, Any], scheduler: SchedulerKind) -> NewCondition:
    """The condition AllFieldsActing of a YarnQueue's spec under the scheduler in force."""
    queue = {"spec": spec}
    all_acting = condition("YarnQueue", queue)
    unread = fields(queue, _READ_BY_THE_OTHER[scheduler])
    if not unread:
        return all_acting
    message = (
        f"not read while root says cluster.scheduler: {scheduler.value}, and kept for the other "
        f"scheduler: {'; '.join(unread)}"
    )
    # A field that nobody acts on is the worse news, so its reason stands when both are the case.
    if all_acting.status:
        return NewCondition(CONDITION, False, OTHER_SCHEDULER, message)
    return NewCondition(CONDITION, False, all_acting.reason, f"{all_acting.message}; {message}")


def _values(value: Any, path: list[str], at: str) -> Iterator[tuple[str, Any]]:
    """Every value at *path*, with its place."""
    if not path:
        yield at, value
        return
    name, *rest = path
    key, entries = name.removesuffix("[]"), name.endswith("[]")
    if not isinstance(value, Mapping) or key not in value:
        return
    place = f"{at}.{key}" if at else key
    if not entries:
        yield from _values(value[key], rest, place)
        return
    for number, entry in enumerate(value[key] or ()):
        yield from _values(entry, rest, f"{place}[{number}]")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(value)) + "}"
    return f"{len(value)} entries" if isinstance(value, list) else str(value)
