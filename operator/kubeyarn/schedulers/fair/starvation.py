"""How much an application or a queue lacks of what it was promised (Hadoop: FSAppAttempt,
FSLeafQueue). Nothing lacking is a vector of zeros.
"""

from __future__ import annotations

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import Vector, component_min, subtract
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.fair.comparing import below
from kubeyarn.schedulers.java_numbers import single


def lacking(promised: Vector, held: Vector) -> Vector:
    """What is missing; of memory and CPU never less than nothing.

    Hadoop's Resources.subtractFromNonNegative leaves the other resource types negative, so a queue
    that has more of them than it was promised is no longer at rest.
    """
    missing = subtract(promised, held)
    return (max(missing[0], 0), max(missing[1], 0), *missing[2:])


def fair_claim(share: Vector, threshold: float, demand: Vector) -> Vector:
    """What an application may insist on: this part of its fair share, if it wants that much."""
    return component_min(multiply(share, single(threshold)), demand)


def is_starved(policy: FairPolicy, cluster: Vector, usage: Vector, claim: Vector) -> bool:
    """Whether an application has less than it may insist on."""
    return below(policy, cluster, usage, claim)


def min_share_lack(minimum: Vector, demand: Vector, usage: Vector) -> Vector:
    """What a queue lacks of its minimum, as far as it wants it."""
    return lacking(component_min(minimum, demand), usage)


def cluster_is_busy(used: Vector, cluster: Vector, threshold: float) -> bool:
    """Whether the cluster is used so much that containers may be taken back.

    Hadoop: `yarn.scheduler.fair.preemption.cluster-utilization-threshold`, against the larger of
    the memory and CPU shares.
    """
    if not cluster[0] or not cluster[1]:
        return False
    memory, cpu = (single(single(used[i]) / single(cluster[i])) for i in (0, 1))
    return max(memory, cpu) > single(threshold)


def containers_that_fit(lack: int, size: int) -> int:
    """How many containers of this much memory the lack of memory is worth."""
    if size == 0:
        return 0 if lack == 0 else 2**31 - 1
    return int(single(single(lack) / single(size)))
