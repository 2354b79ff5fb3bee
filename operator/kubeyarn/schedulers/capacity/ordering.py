"""Who is served first: a parent's children, and a leaf's applications.

Hadoop: PriorityUtilizationQueueOrderingPolicy for queues, FifoOrderingPolicy, FairOrderingPolicy
and FifoOrderingPolicyForPendingApps for applications. Both are sort keys, the smallest first:
nothing is compared pairwise while nodes are offered, and a key is made anew only when what it says
changed.
"""

from __future__ import annotations

import math
from functools import cmp_to_key
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# -- applications --------------------------------------------------------------------------------

ApplicationKey = tuple[float, ...]


def fifo_key(priority: int, order: int, number: int) -> ApplicationKey:
    """Higher priority first, then who was submitted first."""
    return (-priority, order, number)


def fair_key(
    used: int, demand: int, order: int, number: int, *, size_based_weight: bool
) -> ApplicationKey:
    """Less memory in use first; with *size_based_weight* relative to log2 of the demand.

    *demand* is memory used and pending. Of equals, who was submitted first.
    """
    # Math.log1p over Math.log(2), as in Hadoop's FairOrderingPolicy; log2(1 + x) may differ in the
    # last digit, and with it the order of two applications.
    magnitude = float(used)
    if size_based_weight and used:
        magnitude /= math.log1p(demand) / math.log(2)
    # The demand comes after the order of submission, where it never decides but between
    # applications that came at once.
    return (magnitude, order, 0 if demand else 1, number)


# -- queues --------------------------------------------------------------------------------------

SATISFIED = 1 << 33
"""Added to the rank of a queue at or above its guarantee: more than any priority can make good."""


def compare_shares(share1: float, share2: float, priority1: int, priority2: int) -> int:
    """Who is served first of two queues at *share* of their guarantee: negative is the first.

    Equal priorities: the lower share. Different ones: the higher priority as long as both are
    below or both at or above their guarantee, else the one that is below.
    """
    if priority1 == priority2 or (share1 < 1.0) != (share2 < 1.0):
        return (share1 > share2) - (share1 < share2)
    return (priority2 > priority1) - (priority2 < priority1)


def child_rank(*, accessible: bool, empty: bool, priority: int) -> int:
    """What counts before shares, as one number.

    Queues that name the partition come first, then queues with capacity, then those below their
    guarantee (the others add `SATISFIED`), then those of higher priority.
    """
    return ((not accessible) * 4 + empty * 2) * SATISFIED - priority


def tie_ranks(queues: Sequence[tuple[tuple[int, ...], float]]) -> list[int]:
    """Places of siblings among equals, by their configured amounts and absolute capacity.

    More amounts (absolute mode) or more absolute capacity first, then the configured order.
    """

    def compare(i: int, j: int) -> int:
        return _compare_capacity(queues[i], queues[j])

    order = sorted(range(len(queues)), key=cmp_to_key(compare))
    ranks = [0] * len(queues)
    for rank, i in enumerate(order):
        ranks[i] = rank
    return ranks


def _compare_capacity(
    one: tuple[tuple[int, ...], float], two: tuple[tuple[int, ...], float]
) -> int:
    (amounts1, absolute1), (amounts2, absolute2) = one, two
    if any(amounts1) or any(amounts2):
        size = max(len(amounts1), len(amounts2))
        padded1, padded2 = (
            amounts + (0,) * (size - len(amounts)) for amounts in (amounts1, amounts2)
        )
        return (padded2 > padded1) - (padded2 < padded1)
    return (absolute2 > absolute1) - (absolute2 < absolute1)
