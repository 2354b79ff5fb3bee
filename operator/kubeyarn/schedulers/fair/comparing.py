"""Whether one vector is less than another, in the eyes of a policy.

Fair and fifo look at memory alone (Hadoop: DefaultResourceCalculator), drf at dominant shares
(DominantResourceCalculator).
"""

from __future__ import annotations

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import MEMORY, Vector


def below(policy: FairPolicy, cluster: Vector, usage: Vector, share: Vector) -> bool:
    """Whether *usage* is below *share* by the largest share alone (Hadoop: isUsageBelowShare)."""
    if policy is not FairPolicy.DRF:
        return usage[MEMORY] < share[MEMORY]
    if usage == share:
        return False
    return max(0.0, *_shares(cluster, usage)) < max(0.0, *_shares(cluster, share))


def greater(policy: FairPolicy, cluster: Vector, a: Vector, b: Vector) -> bool:
    """Whether *a* is greater than *b*; equal largest shares are told apart by the next ones."""
    if policy is not FairPolicy.DRF:
        return a[MEMORY] > b[MEMORY]
    return sorted(_shares(cluster, a), reverse=True) > sorted(_shares(cluster, b), reverse=True)


def _shares(cluster: Vector, vector: Vector) -> list[float]:
    if not any(cluster):
        return [float(amount) for amount in vector]
    # What the cluster has nothing of counts for nothing.
    return [amount / total if total else 0.0 for amount, total in zip(vector, cluster, strict=True)]
