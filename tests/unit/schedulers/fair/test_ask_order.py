"""In which order a starved application's asks are looked at, against what Java's map lists."""

from __future__ import annotations

from kubeyarn.model.asks import AskKey
from kubeyarn.schedulers.fair.ask_order import ask_order


def test_priorities_come_in_the_order_of_their_hashes() -> None:
    order = [key.priority for key in ask_order(AskKey(p) for p in range(12))]

    assert order == [6, 5, 8, 7, 10, 9, 11, 0, 2, 1, 4, 3]


def test_request_ids_count_and_a_large_table_spreads_them() -> None:
    keys = [AskKey(i * 3, i % 4) for i in range(20)]

    order = [key.priority for key in ask_order(keys)]

    assert order[:10] == [24, 57, 27, 30, 15, 48, 18, 21, 54, 51]
    assert order[10:] == [9, 39, 42, 12, 45, 33, 0, 3, 6, 36]
