"""In which order a parent offers room to its children.

Hadoop: PriorityUtilizationQueueOrderingPolicy, with and without respect for queue priority.
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OrderKey = tuple[int, float, int]

SATISFIED = 1 << 33


def compare_shares(share1: float, share2: float, priority1: int, priority2: int) -> int:
    """Who is served first of two queues at *share* of their guarantee: negative is the first.

    Equal priorities: the lower share. Different ones: the higher priority as long as both are
    below or both at or above their guarantee, else the one that is below.
    """
    if priority1 == priority2 or (share1 < 1.0) != (share2 < 1.0):
        return (share1 > share2) - (share1 < share2)
    return (priority2 > priority1) - (priority2 < priority1)


def child_rank(*, accessible: bool, empty: bool, priority: int) -> int:
    """What counts before shares, as one number: smaller is served first.

    Queues that name the partition, then queues with capacity, then those below their guarantee
    (the others add `SATISFIED`), then higher priority.
    """
    return ((not accessible) * 4 + empty * 2) * SATISFIED - priority


def tie_ranks(queues: Sequence[tuple[tuple[int, ...], float]]) -> list[int]:
    """Places of siblings among equals, by their configured amounts and absolute capacity.

    More amounts (absolute mode) or more absolute capacity first, then the configured order.
    """

    def compare(i: int, j: int) -> int:
        return _tie(queues[i], queues[j])

    order = sorted(range(len(queues)), key=cmp_to_key(compare))
    ranks = [0] * len(queues)
    for rank, i in enumerate(order):
        ranks[i] = rank
    return ranks


def _tie(one: tuple[tuple[int, ...], float], two: tuple[tuple[int, ...], float]) -> int:
    (amounts1, absolute1), (amounts2, absolute2) = one, two
    if any(amounts1) or any(amounts2):
        size = max(len(amounts1), len(amounts2))
        padded1, padded2 = (
            amounts + (0,) * (size - len(amounts)) for amounts in (amounts1, amounts2)
        )
        return (padded2 > padded1) - (padded2 < padded1)
    return (absolute2 > absolute1) - (absolute2 < absolute1)
