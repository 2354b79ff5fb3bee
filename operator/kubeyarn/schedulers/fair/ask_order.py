"""In which order a starved application's asks are looked at.

Hadoop takes them as a ConcurrentHashMap of SchedulerRequestKeys lists them
(AppSchedulingInfo.getAllResourceRequests), which is not their order of service: of asks with
priorities 1 and 2, room is sought for priority 2 first.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubeyarn.model.asks import AskKey

_FIRST_TABLE = 16
_WORD = 0xFFFFFFFF
_PRIORITY_HASH = 517861 * 9511


def ask_order(keys: Iterable[AskKey]) -> list[AskKey]:
    """*keys*, in order of insertion, as Hadoop lists them."""
    known = list(keys)
    table = _FIRST_TABLE
    while len(known) >= table - (table >> 2):
        table *= 2
    return sorted(known, key=lambda key: _bucket(key, table))


def _bucket(key: AskKey, table: int) -> int:
    identity = key.allocation_request_id if key.allocation_request_id > 0 else 0
    folded = (identity ^ identity >> 32) & _WORD
    value = 31 * (31 * (_PRIORITY_HASH + key.priority) + folded) & _WORD
    return (value ^ value >> 16) & (table - 1)
