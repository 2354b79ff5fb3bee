"""Fields of a YarnQueue that only one of the two schedulers reads.

A tree may say both, so that root can switch between them; what the scheduler in force does not read
is said by the condition AllFieldsActing=False.
"""

from __future__ import annotations

from kubeyarn.crd import not_yet
from kubeyarn.crd.conditions import Saying
from kubeyarn.crd.not_yet import Table
from kubeyarn.crd.object import Object
from kubeyarn.model.queues import SchedulerKind

OTHER_SCHEDULER = "OtherScheduler"

_CAPACITY: Table = {
    "cluster.resourceCalculator": ("Dominant",),
    "cluster.partitions": (),
    "cluster.placementRules": (),
    "cluster.placementRulesOverride": (False,),
    "cluster.maximumApplications": (10_000,),
    "cluster.maximumApplicationsPerQueue": (),
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

_FAIR: Table = {"fair": (), "cluster.fair": ()}

_READ_BY_THE_OTHER = {SchedulerKind.FAIR: _CAPACITY, SchedulerKind.CAPACITY: _FAIR}


def saying(queue: Object, scheduler: SchedulerKind) -> Saying:
    """The condition AllFieldsActing of a YarnQueue under the scheduler in force."""
    said = not_yet.saying("YarnQueue", queue)
    unread = not_yet.fields(queue, _READ_BY_THE_OTHER[scheduler])
    if not unread:
        return said
    message = (
        f"not read while root says cluster.scheduler: {scheduler.value}, and kept for the other "
        f"scheduler: {'; '.join(unread)}"
    )
    if said.status:
        return Saying(not_yet.CONDITION, False, OTHER_SCHEDULER, message)
    return Saying(not_yet.CONDITION, False, said.reason, f"{said.message}; {message}")
