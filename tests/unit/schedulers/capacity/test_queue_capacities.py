"""Capacities said for each resource type on its own."""

from __future__ import annotations

import pytest

from kubeyarn.model.queues import Capacity, Share, Unit, absolute, percent, weight
from kubeyarn.schedulers.capacity.queue_capacities import CapacityVectors, ParentResource, divide

WHOLE = ParentResource(whole=(10000, 100), minimum=(10000, 100), maximum=(10000, 100))


def vector(memory: Share, cpu: Share) -> Capacity:
    return Capacity(by_resource=(memory, cpu))


def amount(value: float) -> Share:
    return Share(Unit.ABSOLUTE, value)


def part(value: float) -> Share:
    return Share(Unit.PERCENT, value)


def weigh(value: float) -> Share:
    return Share(Unit.WEIGHT, value)


def minima(*capacities: Capacity | None, parent: ParentResource = WHOLE) -> list[tuple[int, ...]]:
    return [
        least for least, _ in divide([CapacityVectors.of(c, None, 2) for c in capacities], parent)
    ]


def test_amounts_come_first_then_percentages_of_the_rest_then_weights() -> None:
    found = minima(
        vector(amount(4000), weigh(1)),
        vector(part(50), amount(40)),
        vector(weigh(1), part(50)),
        vector(weigh(2), weigh(2)),
    )

    assert [memory for memory, _ in found] == [4000, 3000, 1000, 2000]
    assert [cpu for _, cpu in found] == [10, 40, 30, 20]


def test_amounts_shrink_together_when_there_is_too_little() -> None:
    small = ParentResource(whole=(6000, 60), minimum=(6000, 60), maximum=(6000, 60))

    assert minima(absolute((8000, 30)), absolute((4000, 20)), parent=small) == [
        (4000, 30),
        (2000, 20),
    ]


def test_percentages_are_rounded_down_and_weights_to_the_nearest() -> None:
    odd = ParentResource(whole=(10, 10), minimum=(10, 10), maximum=(10, 10))

    assert minima(percent(33), percent(33), parent=odd) == [(3, 3), (3, 3)]
    assert minima(weight(1), weight(2), parent=odd) == [(3, 3), (7, 7)]


def test_the_only_weight_takes_all_that_is_left() -> None:
    assert minima(absolute((3333, 33)), weight(5)) == [(3333, 33), (6667, 67)]


def test_a_queue_without_memory_has_nothing() -> None:
    assert minima(vector(amount(0), part(50)), percent(50)) == [(0, 0), (5000, 50)]


def test_who_says_nothing_has_nothing() -> None:
    assert divide([CapacityVectors.of(None, None, 2)], WHOLE) == [((0, 0), (0, 0))]


@pytest.mark.parametrize(
    ("maximum", "expected"),
    [
        (None, (10000, 100)),
        (percent(30), (3000, 30)),
        (absolute((0, 20)), (10000, 20)),
        (absolute((50000, 20)), (10000, 20)),
    ],
)
def test_a_maximum_is_the_parents_at_most(
    maximum: Capacity | None, expected: tuple[int, int]
) -> None:
    assert divide([CapacityVectors.of(percent(10), maximum, 2)], WHOLE)[0][1] == expected


def test_a_minimum_above_the_maximum_is_the_maximum() -> None:
    assert divide([CapacityVectors.of(percent(50), percent(20), 2)], WHOLE) == [
        ((2000, 20), (2000, 20))
    ]


def test_nothing_is_divided_of_nothing() -> None:
    nothing = ParentResource(whole=(0, 0), minimum=(0, 0), maximum=(0, 0))

    assert minima(percent(50), weight(1), absolute((100, 1)), parent=nothing) == [(0, 0)] * 3
