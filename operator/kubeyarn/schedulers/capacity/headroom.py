"""How much more an application may get now (Hadoop: AllocateResponse.getAvailableResources).

Hadoop: AbstractLeafQueue.getHeadroom and CapacityHeadroomProvider. It is an estimate for the AM,
not a limit: nothing is granted or refused by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import MEMORY, Vector, add, component_min, subtract
from kubeyarn.schedulers.calculator import Calculator

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp


def headroom(
    calc: Calculator,
    partition: Vector,
    *,
    user_headroom: Vector,
    queue_headroom: Vector,
    free: Vector,
    minimum_allocation: Vector,
) -> Vector:
    """The lesser of what user and queue may still hold, rounded down, and not more than is *free*.

    *partition* is the whole partition, against which shares are compared.
    """
    # A user or a queue over its limit has no headroom, not less than none; what is free may be less
    # than nothing, and then says so.
    allowed = tuple(max(0, x) for x in component_min(user_headroom, queue_headroom))
    return calc.min(partition, free, calc.round_down(allowed, minimum_allocation))


def headroom_of(app: FiCaSchedulerApp) -> Vector:
    """The headroom of an application in all partitions that its attempt has ever asked in.

    What a partition that shrank has too little is no less than 0 in memory, but may be in other
    types, as in Hadoop.
    """
    total = app.zero
    for partition in app.requested_partitions or ("",):
        total = add(total, _headroom_in(app, partition))
    return (max(total[MEMORY], 0), *total[1:])


def _headroom_in(app: FiCaSchedulerApp, partition: str) -> Vector:
    """The headroom of an application in one partition.

    Its queue's limit is what the queue might use as of its last scheduling opportunity, as in
    Hadoop; of other partitions than the default one it is the queue's maximum.
    """
    queue = app.queue
    user_limit = queue.users.limit(app.user, partition, whole=False)
    user_used = queue.users.get(app.user).used.get(partition, queue.zero)
    # Hadoop keeps one cached limit a queue, of the default partition
    # (cachedResourceLimitsForHeadroom).
    queue_limit = queue.maximum(partition) if partition else queue.headroom_limit
    whole = queue.cluster.partition(partition)
    return headroom(
        queue.calc,
        whole,
        user_headroom=subtract(user_limit, user_used),
        queue_headroom=subtract(queue_limit, queue.use(partition)),
        free=subtract(whole, queue.chain[-1].use(partition)),
        minimum_allocation=queue.minimum_allocation,
    )
