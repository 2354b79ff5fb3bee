"""How the three policies compare resources, and which may stand below which.

Fair and fifo look at memory alone (Hadoop: FairSharePolicy, FifoPolicy, DefaultResourceCalculator),
drf at all resource types by their share of the cluster (DominantResourceFairnessPolicy,
DominantResourceCalculator). In which order children are served stands in comparators.
"""

from __future__ import annotations

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import MEMORY, Vector


def is_usage_below_share(policy: FairPolicy, cluster: Vector, used: Vector, share: Vector) -> bool:
    """Whether *used* is below *share* by the largest share alone (Hadoop: isUsageBelowShare)."""
    if policy is not FairPolicy.DRF:
        return used[MEMORY] < share[MEMORY]
    if used == share:
        return False
    return max(0.0, *_shares(cluster, used)) < max(0.0, *_shares(cluster, share))


def is_greater(policy: FairPolicy, cluster: Vector, a: Vector, b: Vector) -> bool:
    """Whether *a* is greater than *b*; equal largest shares are told apart by the next ones.

    Hadoop: Resources.greaterThan with the policy's ResourceCalculator.
    """
    if policy is not FairPolicy.DRF:
        return a[MEMORY] > b[MEMORY]
    return sorted(_shares(cluster, a), reverse=True) > sorted(_shares(cluster, b), reverse=True)


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
