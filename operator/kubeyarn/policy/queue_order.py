"""In which order a parent offers room to its children.

Hadoop: PriorityUtilizationQueueOrderingPolicy, with and without respect for queue priority.
"""

from __future__ import annotations

OrderKey = tuple[int | float | tuple[int, ...], ...]


def compare_shares(share1: float, share2: float, priority1: int, priority2: int) -> int:
    """Who is served first of two queues at *share* of their guarantee: negative is the first.

    Equal priorities: the lower share. Different ones: the higher priority as long as both are
    below or both at or above their guarantee, else the one that is below.
    """
    if priority1 == priority2 or (share1 < 1.0) != (share2 < 1.0):
        return (share1 > share2) - (share1 < share2)
    return (priority2 > priority1) - (priority2 < priority1)


def child_order_key(
    *,
    accessible: bool,
    absolute_capacity: float,
    used_capacity: float,
    absolute_used_capacity: float,
    configured_minimum: tuple[int, ...],
    priority: int,
) -> OrderKey:
    """A key that sorts siblings as `compare_shares` and Hadoop's tie rules do; smaller is first.

    Queues without capacity come after those with; of equal shares the one with more configured
    (absolute mode) or more absolute capacity comes first; then the configured order.
    """
    empty = absolute_capacity == 0
    used = absolute_used_capacity if empty else used_capacity
    more_first = tuple(-x for x in configured_minimum) if any(configured_minimum) else ()
    return (
        0 if accessible else 1,
        1 if empty else 0,
        0 if used < 1.0 else 1,
        -priority,
        used,
        more_first,
        -absolute_capacity if not more_first else 0,
    )
