"""How the three policies compare resources, and which may stand below which.

Fair and fifo look at memory alone (Hadoop: FairSharePolicy, FifoPolicy, DefaultResourceCalculator),
drf at all resource types by their share of the cluster (DominantResourceFairnessPolicy,
DominantResourceCalculator). In which order children are served stands in comparators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import MEMORY, Vector, subtract

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt


def is_usage_below_share(policy: FairPolicy, cluster: Vector, used: Vector, share: Vector) -> bool:
    """Whether *used* is below *share* by the largest share alone (Hadoop: isUsageBelowShare)."""
    if policy is not FairPolicy.DRF:
        return used[MEMORY] < share[MEMORY]
    if used == share:
        return False
    return max(0.0, *_shares(cluster, used)) < max(0.0, *_shares(cluster, share))


def is_starved(attempt: FSAppAttempt, policy: FairPolicy, cluster: Vector) -> bool:
    """Whether an attempt is below its fair share, or carries part of its queue's minimum.

    Hadoop: FSAppAttempt.isStarved. Without timeouts: it decides who may reserve, and whether
    what was preempted for the attempt is still kept for it.
    """
    return any(attempt.min_share_starvation) or is_usage_below_share(
        policy, cluster, attempt.used, attempt.fair_share
    )


def is_greater(policy: FairPolicy, cluster: Vector, a: Vector, b: Vector) -> bool:
    """Whether *a* is greater than *b*; equal largest shares are told apart by the next ones.

    Hadoop: Resources.greaterThan with the policy's ResourceCalculator.
    """
    if policy is not FairPolicy.DRF:
        return a[MEMORY] > b[MEMORY]
    return sorted(_shares(cluster, a), reverse=True) > sorted(_shares(cluster, b), reverse=True)


def subtract_non_negative(wanted: Vector, held: Vector) -> Vector:
    """What is missing of *wanted*; of memory and CPU never less than nothing.

    Hadoop's Resources.subtractFromNonNegative leaves the other resource types negative, so a queue
    that has more of them than it was promised still counts as starved.
    """
    missing = subtract(wanted, held)
    return (max(missing[0], 0), max(missing[1], 0), *missing[2:])


def is_child_policy_allowed(parent: FairPolicy, child: FairPolicy) -> bool:
    """Whether a queue of one policy may have a child of another (Hadoop: isChildPolicyAllowed)."""
    if parent is FairPolicy.FIFO:
        return False
    return parent is FairPolicy.DRF or child is not FairPolicy.DRF


def shared_types(policy: FairPolicy, count: int) -> range:
    """The places of the resource types that a policy shares out, of *count* types.

    Memory alone under fair and fifo; Hadoop leaves the shares of the others at what they were.
    """
    return range(count) if policy is FairPolicy.DRF else range(1)


def _shares(cluster: Vector, vector: Vector) -> list[float]:
    if not any(cluster):
        return [float(amount) for amount in vector]
    # What the cluster has nothing of counts for nothing.
    return [amount / total if total else 0.0 for amount, total in zip(vector, cluster, strict=True)]
