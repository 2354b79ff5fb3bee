"""The order Java's HashMap lists string keys in.

After a refresh Hadoop keeps a parent's children in such an order, and among equally served
queues the earlier one is offered room first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_TABLE = 16
_LOAD = 0.75


def string_hash(text: str) -> int:
    """Java's String.hashCode, as an unsigned 32-bit number."""
    value = 0
    for unit in _utf16(text):
        value = (31 * value + unit) & 0xFFFFFFFF
    return value


def _utf16(text: str) -> list[int]:
    data = text.encode("utf-16-be")
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]


def hash_order(keys: Sequence[str], most: int = 0) -> list[str]:
    """*keys*, in order of insertion, as a HashMap lists them that once held *most*."""
    table = _FIRST_TABLE
    while max(len(keys), most) > table * _LOAD:
        table *= 2
    return sorted(keys, key=lambda key: _bucket(key, table))


def _bucket(key: str, table: int) -> int:
    value = string_hash(key)
    return (value ^ value >> 16) & (table - 1)
