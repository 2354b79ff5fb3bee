"""What an application may still get (Hadoop: FSAppAttempt.getHeadroom, AllocateResponse.limit)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import CPU, MEMORY, Vector, component_min, subtract

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt


def headroom_of(state: FairClusterState, attempt: FSAppAttempt) -> Vector:
    """What the cluster has left and the leaf's maximum and fair share leave, for one attempt.

    Maxima of the queues above the leaf are not looked at, as in Hadoop.
    """
    queue = attempt.queue
    cluster_available = subtract(state.cluster, state.allocated)
    # What it may not have is no headroom; cut at nothing after each, so that one node takes nothing
    # from the room of another.
    for node in attempt.excluded_nodes:
        less = subtract(cluster_available, node.available)
        cluster_available = tuple(max(0, amount) for amount in less)
    available = component_min(cluster_available, subtract(queue.max_share, queue.used))
    return headroom(queue.policy, queue.fair_share, queue.used, available)


def headroom(policy: FairPolicy, fair_share: Vector, used: Vector, available: Vector) -> Vector:
    """The rest of the queue's fair share, and no more than is *available*.

    Fair and fifo look at the share of memory alone. Resource types beyond memory and CPU are 0,
    as Hadoop leaves them (SchedulingPolicy.getHeadroom).
    """
    memory = min(available[MEMORY], max(fair_share[MEMORY] - used[MEMORY], 0))
    cpu = available[CPU]
    if policy is FairPolicy.DRF:
        cpu = min(cpu, max(fair_share[CPU] - used[CPU], 0))
    return (memory, cpu, *(0 for _ in available[2:]))
