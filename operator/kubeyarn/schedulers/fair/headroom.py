"""What an application may still get (Hadoop: SchedulingPolicy.getHeadroom)."""

from __future__ import annotations

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import CPU, MEMORY, Vector


def headroom(policy: FairPolicy, share: Vector, usage: Vector, available: Vector) -> Vector:
    """The rest of the queue's fair share, and no more than is *available*.

    Fair and fifo look at the share of memory alone. Resource types beyond memory and CPU are 0,
    as Hadoop leaves them.
    """
    memory = min(available[MEMORY], max(share[MEMORY] - usage[MEMORY], 0))
    cpu = available[CPU]
    if policy is FairPolicy.DRF:
        cpu = min(cpu, max(share[CPU] - usage[CPU], 0))
    return (memory, cpu, *(0 for _ in available[2:]))
