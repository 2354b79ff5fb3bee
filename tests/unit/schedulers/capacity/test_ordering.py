"""Who is served first, of a parent's children and of a leaf's applications."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kubeyarn.schedulers.capacity.ordering import (
    SATISFIED,
    ApplicationKey,
    child_rank,
    compare_shares,
    fair_key,
    fifo_key,
    tie_ranks,
)
from unit.schedulers.small import SmallCluster

# -- queues --------------------------------------------------------------------------------------

FIRST, LEVEL, SECOND = -1, 0, 1


@pytest.mark.parametrize(
    ("one", "other", "who"),
    [
        pytest.param((0.2, 0), (0.3, 0), FIRST, id="the lower share, of equal priorities"),
        pytest.param((0.3, 0), (0.2, 0), SECOND, id="never the higher share, of equal priorities"),
        pytest.param((0.3, 5), (0.3, 5), LEVEL, id="neither, of equal shares and priorities"),
        pytest.param((0.9, 2), (0.1, 1), FIRST, id="the higher priority, both below guarantee"),
        pytest.param((0.1, 1), (0.9, 2), SECOND, id="however much lower the other's share is"),
        pytest.param((0.99, 1), (1.0, 9), FIRST, id="who is below its guarantee"),
        pytest.param((1.0, 9), (0.99, 1), SECOND, id="not who is at its guarantee"),
        pytest.param((3.0, 2), (1.0, 1), FIRST, id="the higher priority, both beyond guarantee"),
        pytest.param((1.0, 2), (1.0, 1), FIRST, id="the higher priority, both just at it"),
        pytest.param((1.5, 0), (1.2, 0), SECOND, id="the lower share beyond guarantee, too"),
        pytest.param((0.0, -1), (0.0, 0), SECOND, id="zero before a negative priority"),
        pytest.param((0.0, 0), (0.0, 0), LEVEL, id="neither, of two that hold nothing"),
    ],
)
def test_of_two_queues_with_shares_and_priorities_first_is(
    one: tuple[float, int], other: tuple[float, int], who: int
) -> None:
    assert compare_shares(one[0], other[0], one[1], other[1]) == who
    assert compare_shares(other[0], one[0], other[1], one[1]) == -who


def test_queues_rank_by_access_then_capacity_then_satisfaction_then_priority() -> None:
    ranks = [
        child_rank(accessible=True, empty=False, priority=9),
        child_rank(accessible=True, empty=False, priority=0),
        child_rank(accessible=True, empty=False, priority=2**31 - 1) + SATISFIED,
        child_rank(accessible=True, empty=False, priority=0) + SATISFIED,
        child_rank(accessible=True, empty=True, priority=2**31 - 1),
        child_rank(accessible=True, empty=True, priority=0),
        child_rank(accessible=True, empty=True, priority=0) + SATISFIED,
        child_rank(accessible=False, empty=False, priority=2**31 - 1),
        child_rank(accessible=False, empty=False, priority=0) + SATISFIED,
        child_rank(accessible=False, empty=True, priority=0),
    ]

    assert all(before < after for before, after in pairwise(ranks))


@pytest.mark.parametrize(
    ("queues", "ranks"),
    [
        pytest.param([((), 0.5), ((), 0.5)], [0, 1], id="equals stay in their configured order"),
        pytest.param([((), 0.2), ((), 0.8)], [1, 0], id="more absolute capacity is first"),
        pytest.param([((), 0.2), ((), 0.5), ((), 0.3)], [2, 0, 1], id="three by absolute capacity"),
        pytest.param(
            [((4096, 4), 0.1), ((8192, 1), 0.9)], [1, 0], id="more memory is first in amounts"
        ),
        pytest.param(
            [((4096, 4), 0.1), ((4096, 8), 0.1)], [1, 0], id="then more cores, of equal memory"
        ),
        pytest.param(
            [((8192, 8), 0.1), ((4096, 4), 0.9)], [0, 1], id="amounts count, not the shares of them"
        ),
        pytest.param(
            [((0, 0), 0.2), ((0, 0), 0.3)], [1, 0], id="amounts of nothing are none: shares count"
        ),
        pytest.param(
            [((4096,), 0.5), ((4096, 1), 0.5)], [1, 0], id="a type that is not said counts as 0"
        ),
        pytest.param([((), 0.0), ((), 0.0), ((), 0.0)], [0, 1, 2], id="no capacity is a tie"),
        pytest.param([], [], id="of no children there is no order"),
    ],
)
def test_level_siblings_are_ordered_by_their_configuration(
    queues: list[tuple[tuple[int, ...], float]], ranks: list[int]
) -> None:
    assert tie_ranks(queues) == ranks


@pytest.mark.parametrize(
    ("settings", "served"),
    [
        # Of 8 GiB a holds 2 and b holds 1, then both ask for 1.
        pytest.param({}, "ba", id="the one that uses less of its guarantee"),
        pytest.param(
            {"root.a.capacity": "75", "root.b.capacity": "25"},
            "ab",
            # 2 of 6 GiB against 1 of 2.
            id="the one that uses less of its own guarantee, though it holds more",
        ),
        pytest.param(
            {"root.ordering-policy": "priority-utilization", "root.a.priority": "1"},
            "ab",
            id="the one of higher priority, both below their guarantee (queue-priority)",
        ),
        pytest.param(
            {
                "root.ordering-policy": "priority-utilization",
                "root.a.priority": "1",
                "root.a.capacity": "25",
                "root.b.capacity": "75",
                "root.a.user-limit-factor": "4",
            },
            "ba",
            # a is at its guarantee of 2 GiB.
            id="the one below its guarantee, whatever priority (queue-priority-over-guarantee)",
        ),
        pytest.param(
            {"root.a.priority": "1"}, "ba", id="not by priority, where the parent ignores it"
        ),
    ],
)
def test_of_two_queues_that_ask_first_is_served(settings: dict[str, str], served: str) -> None:
    cluster = SmallCluster(settings)
    cluster.submit(1, "a")
    cluster.submit(2, "b")
    cluster.ask(1, 1)
    cluster.cycle()
    cluster.ask(1, 1)
    cluster.ask(2, 1)

    granted = [c.id.attempt.application.number for c in cluster.cycle()]

    assert "".join({1: "a", 2: "b"}[number] for number in granted) == served


# -- applications --------------------------------------------------------------------------------


def order(*keys: ApplicationKey) -> list[int]:
    """Places in which keys are served."""
    return sorted(range(len(keys)), key=lambda place: keys[place])


@pytest.mark.parametrize(
    ("apps", "served"),
    [
        pytest.param([(0, 1, 1), (0, 2, 2)], [0, 1], id="by submission"),
        pytest.param([(0, 2, 1), (0, 1, 2)], [1, 0], id="by submission, not by number"),
        pytest.param([(0, 1, 2), (0, 1, 1)], [1, 0], id="by number, of one submission time"),
        pytest.param([(1, 1, 1), (5, 2, 2)], [1, 0], id="by priority before submission"),
        pytest.param([(-1, 1, 1), (0, 2, 2)], [1, 0], id="zero before a negative priority"),
        pytest.param([(3, 3, 3), (3, 1, 1), (9, 9, 9)], [2, 1, 0], id="by both"),
    ],
)
def test_in_fifo_order_applications_are_served(
    apps: list[tuple[int, int, int]], served: list[int]
) -> None:
    assert order(*(fifo_key(*app) for app in apps)) == served


@pytest.mark.parametrize(
    ("apps", "weighed", "served"),
    [
        pytest.param([(4096, 8192, 1), (2048, 8192, 2)], False, [1, 0], id="less in use first"),
        pytest.param([(2048, 2048, 1), (2048, 9999, 2)], False, [0, 1], id="level: by submission"),
        pytest.param([(0, 0, 1), (0, 2048, 2)], False, [0, 1], id="holding nothing: by submission"),
        pytest.param(
            [(4096, 1 << 20, 1), (3000, 4096, 2)],
            True,
            # 4096 / log2(1 + 2^20) = 205; 3000 / log2(4097) = 250.
            [0, 1],
            id="by size-based weight a large demand counts as less use",
        ),
        pytest.param(
            [(4096, 1 << 20, 1), (3000, 4096, 2)],
            False,
            [1, 0],
            id="without the weight the same two are the other way round",
        ),
        pytest.param(
            [(2048, 4096, 1), (0, 4096, 2)], True, [1, 0], id="by weight, holding nothing is first"
        ),
    ],
)
def test_in_fair_order_applications_are_served(
    apps: list[tuple[int, int, int]], weighed: bool, served: list[int]
) -> None:
    keys = [
        fair_key(used, demand, place, place, size_based_weight=weighed)
        for used, demand, place in apps
    ]

    assert order(*keys) == served


def test_of_applications_submitted_together_those_without_demand_come_last() -> None:
    without = fair_key(0, 0, 1, 1, size_based_weight=False)
    with_demand = fair_key(0, 1024, 1, 2, size_based_weight=False)

    assert with_demand < without


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        pytest.param("fair", [2, 2], id="fair: the one that holds less (order-fair)"),
        pytest.param("fifo", [1, 1], id="fifo: the one that came first (order-fifo)"),
    ],
)
def test_a_leaf_serves_by_its_ordering_policy(policy: str, served: list[int]) -> None:
    cluster = SmallCluster({"root.a.ordering-policy": policy})
    cluster.submit(1)
    cluster.submit(2)
    cluster.ask(1, 3)
    cluster.cycle()
    cluster.ask(1, 4)
    cluster.ask(2, 4)

    granted = [c.id.attempt.application.number for c in cluster.cycle()]

    assert granted[:2] == served
