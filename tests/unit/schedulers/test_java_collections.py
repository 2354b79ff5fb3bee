"""The orders of Java's collections, against what Java's own listed."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.schedulers.java_collections import (
    JavaHeap,
    hash_order,
    request_key_order,
    string_hash,
    tree_order,
)

MEMBERS = 14


@pytest.mark.parametrize(("text", "code"), [("", 0), ("a", 97), ("hello", 99162322)])
def test_strings_hash_as_in_java(text: str, code: int) -> None:
    assert string_hash(text) == code


def test_hash_order_is_by_bucket_not_by_insertion() -> None:
    assert hash_order(["b", "a", "c"]) == ["a", "b", "c"]
    # 'q' is 113: the bucket of 'a', 97, in a table of 16; they stay as inserted.
    assert hash_order(["q", "a"]) == ["q", "a"]
    assert hash_order(["a", "q"]) == ["a", "q"]
    assert sorted(hash_order([f"root.q{i}" for i in range(40)])) == sorted(
        f"root.q{i}" for i in range(40)
    )


def test_priorities_come_in_the_order_of_their_hashes() -> None:
    order = [key.priority for key in request_key_order(AskKey(p) for p in range(12))]

    assert order == [6, 5, 8, 7, 10, 9, 11, 0, 2, 1, 4, 3]


def test_request_ids_count_and_a_large_table_spreads_them() -> None:
    keys = [AskKey(i * 3, i % 4) for i in range(20)]

    order = [key.priority for key in request_key_order(keys)]

    assert order[:10] == [24, 57, 27, 30, 15, 48, 18, 21, 54, 51]
    assert order[10:] == [9, 39, 42, 12, 45, 33, 0, 3, 6, 36]


def drained(items: list[tuple[int, str]]) -> str:
    heap = JavaHeap[tuple[int, str]](lambda one, other: one[0] - other[0])
    for item in items:
        heap.add(item)
    return "".join(heap.take()[1] for _ in range(len(heap)))


def test_the_smallest_comes_first() -> None:
    assert drained([(3, "c"), (1, "a"), (4, "d"), (2, "b")]) == "abcd"


def test_among_equals_the_order_is_javas_and_not_that_of_their_arrival() -> None:
    assert drained([(1, letter) for letter in "abcde"]) == "aedcb"


def test_what_is_in_it_can_be_asked() -> None:
    heap = JavaHeap[int](lambda one, other: one - other)
    heap.add(2)
    heap.add(1)

    assert 2 in heap
    assert 3 not in heap
    assert heap.peek() == 1
    assert len(heap) == 2


def contrary(seed: int) -> list[list[int]]:
    """A comparator that says anything of anybody (a linear congruential generator decides)."""
    table, state = [], seed
    for _ in range(MEMBERS):
        row = []
        for _ in range(MEMBERS):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            row.append(-1 if (state >> 16) % 2 == 0 else 1)
        table.append(row)
    return table


@pytest.mark.parametrize(
    ("seed", "listed"),
    [
        (1, [5, 7, 12, 2, 6, 4, 13, 0, 8, 11, 1, 3, 9, 10]),
        (2, [0, 11, 6, 3, 4, 7, 5, 2, 1, 12, 8, 10, 9, 13]),
        (3, [0, 5, 11, 9, 2, 8, 13, 4, 7, 1, 3, 10, 12, 6]),
        (4, [12, 6, 11, 4, 2, 3, 8, 0, 7, 13, 1, 5, 9, 10]),
    ],
)
def test_a_comparator_that_contradicts_itself_gives_javas_order(
    seed: int, listed: list[int]
) -> None:
    table = contrary(seed)

    assert tree_order(range(MEMBERS), lambda a, b: 0 if a == b else table[a][b]) == listed


def test_a_comparator_that_does_not_sorts() -> None:
    assert tree_order([3, 1, 2, 3], lambda a, b: a - b) == [1, 2, 3]
