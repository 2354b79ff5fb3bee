"""The order of Java's TreeSet, against what a TreeSet listed for the same comparators."""

from __future__ import annotations

import pytest

from kubeyarn.schedulers.java_tree import tree_order

MEMBERS = 14


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
