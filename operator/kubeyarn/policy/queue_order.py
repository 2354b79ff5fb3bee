"""In which order a parent offers room to its children.

Hadoop: PriorityUtilizationQueueOrderingPolicy, with and without respect for queue priority.
"""

from __future__ import annotations

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
    order = sorted(range(len(queues)), key=lambda i: (_tie(*queues[i]), i))
    ranks = [0] * len(queues)
    for rank, i in enumerate(order):
        ranks[i] = rank
    return ranks


def _tie(amounts: tuple[int, ...], absolute: float) -> tuple[tuple[int, ...], float]:
    if any(amounts):
        return tuple(-x for x in amounts), 0.0
    return (), -absolute
