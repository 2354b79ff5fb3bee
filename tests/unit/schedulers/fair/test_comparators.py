"""Which of a queue's children is served first."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.comparators import (
    DrfQueue,
    compare_drf_queues,
    drf_key,
    fair_share_key,
    fifo_key,
)
from unit.schedulers.fair.building import FairCluster

CLUSTER = (100, 10)


def test_under_fair_what_wants_nothing_comes_last() -> None:
    idle = fair_share_key(0, 0, 0, 1.0, 0, "a")
    busy = fair_share_key(900, 1000, 0, 1.0, 0, "b")

    assert busy < idle


def test_under_fair_what_is_below_its_minimum_comes_first() -> None:
    needy = fair_share_key(50, 100, 60, 1.0, 0, "b")
    light = fair_share_key(10, 100, 0, 4.0, 0, "a")

    assert needy < light


def test_under_fair_the_minimum_counts_only_as_far_as_it_is_wanted() -> None:
    satisfied = fair_share_key(20, 20, 60, 1.0, 0, "a")
    light = fair_share_key(10, 100, 0, 1.0, 0, "b")

    assert light < satisfied


def test_under_fair_of_two_below_their_minima_the_one_with_the_smaller_part_goes_first() -> None:
    half = fair_share_key(50, 200, 100, 1.0, 0, "b")
    most = fair_share_key(8, 200, 10, 1.0, 0, "a")

    assert half < most


def test_under_fair_the_least_usage_for_the_weight_goes_first() -> None:
    assert fair_share_key(30, 99, 0, 3.0, 0, "b") < fair_share_key(20, 99, 0, 1.0, 0, "a")


def test_under_fair_weight_zero_follows_every_other() -> None:
    assert fair_share_key(90, 99, 0, 0.5, 0, "b") < fair_share_key(1, 99, 0, 0.0, 0, "a")


def test_ties_go_to_the_earlier_and_then_to_the_smaller_name() -> None:
    assert fair_share_key(5, 9, 0, 1.0, 1, "b") < fair_share_key(5, 9, 0, 1.0, 2, "a")
    assert fair_share_key(5, 9, 0, 1.0, 1, "a") < fair_share_key(5, 9, 0, 1.0, 1, "b")
    assert fifo_key(1, "a") < fifo_key(1, "b") < fifo_key(2, "a")


def test_under_drf_the_smaller_dominant_share_goes_first() -> None:
    memory_heavy = drf_key((30, 1), (0, 0), 1.0, CLUSTER, 0, "a")
    cpu_heavy = drf_key((10, 2), (0, 0), 1.0, CLUSTER, 0, "b")

    assert cpu_heavy < memory_heavy


def test_under_drf_equal_dominant_shares_are_told_apart_by_the_other() -> None:
    assert drf_key((30, 1), (0, 0), 1.0, CLUSTER, 0, "b") < drf_key(
        (20, 3), (0, 0), 1.0, CLUSTER, 0, "a"
    )


def test_under_drf_below_the_minimum_of_the_dominant_resource_comes_first() -> None:
    needy = drf_key((30, 1), (40, 0), 1.0, CLUSTER, 0, "b")
    light = drf_key((1, 0), (0, 9), 1.0, CLUSTER, 0, "a")

    assert needy < light


def test_under_drf_weights_divide_the_share() -> None:
    assert drf_key((30, 1), (0, 0), 4.0, CLUSTER, 0, "b") < drf_key(
        (10, 1), (0, 0), 1.0, CLUSTER, 0, "a"
    )


def test_under_drf_weight_zero_follows_every_other_that_uses_something() -> None:
    assert drf_key((90, 9), (0, 0), 1.0, CLUSTER, 0, "b") < drf_key(
        (1, 0), (0, 0), 0.0, CLUSTER, 0, "a"
    )


def test_under_drf_further_resource_types_count_as_well() -> None:
    cluster = (100, 10, 4)

    assert drf_key((30, 1, 0), (0, 0, 0), 1.0, cluster, 0, "b") < drf_key(
        (10, 1, 2), (0, 0, 0), 1.0, cluster, 0, "a"
    )


@pytest.mark.parametrize(
    ("first", "then"),
    [
        # used, demand, minimum, weight
        pytest.param((0, 9, 0, 1.0), (1, 9, 0, 1.0), id="less used"),
        pytest.param((9, 99, 0, 1.0), (0, 0, 0, 1.0), id="who wants nothing comes last"),
        pytest.param((9, 99, 10, 1.0), (0, 99, 0, 1.0), id="below its minimum"),
        pytest.param((0, 99, 0, 1.0), (10, 99, 10, 1.0), id="at its minimum is not below it"),
        pytest.param((2, 99, 10, 1.0), (3, 99, 10, 1.0), id="the smaller part of the minimum"),
        pytest.param((3, 99, 30, 1.0), (2, 99, 10, 1.0), id="a tenth before a fifth"),
        pytest.param((0, 99, 10, 1.0), (0, 99, 99, 1.0), id="nothing of two minima: the name"),
        pytest.param((0, 99, 1, 1.0), (1, 99, 9, 1.0), id="a minimum of 1 counts as 1"),
        pytest.param((4, 5, 9, 1.0), (5, 5, 9, 1.0), id="a minimum counts as far as it is wanted"),
        pytest.param((2, 9, 0, 2.0), (2, 9, 0, 1.0), id="twice the weight"),
        pytest.param((5, 9, 0, 3.0), (2, 9, 0, 1.0), id="usage by weight: 5/3 before 2"),
        pytest.param((9, 99, 0, 0.5), (0, 99, 0, 0.0), id="weight 0 after every other"),
        pytest.param((1, 99, 0, 0.0), (2, 99, 0, 0.0), id="two without weight by usage"),
        pytest.param((9, 99, 0, 0.0), (0, 99, 0, -1.0), id="a negative weight after weight 0"),
        pytest.param((9, 99, 0, -1.0), (0, 99, 0, -2.0), id="the more negative later"),
    ],
)
def test_fair_share_order(
    first: tuple[int, int, int, float], then: tuple[int, int, int, float]
) -> None:
    """FairShareComparator; the first is named before the other, so names decide where level."""
    assert fair_share_key(*first, 0, "a") < fair_share_key(*then, 0, "b")


ORDERED = [
    # used, minimum, weight
    pytest.param(((1, 0), (0, 0), 1.0), ((2, 0), (0, 0), 1.0), id="less memory"),
    pytest.param(((0, 1), (0, 0), 1.0), ((0, 2), (0, 0), 1.0), id="less vcores"),
    pytest.param(((19, 0), (0, 0), 1.0), ((0, 2), (0, 0), 1.0), id="19 % before 20 %"),
    pytest.param(((20, 1), (0, 0), 1.0), ((19, 2), (0, 0), 1.0), id="20 and 10 % before 20 and 19"),
    pytest.param(((20, 2), (0, 0), 2.0), ((20, 2), (0, 0), 1.0), id="twice the weight"),
    pytest.param(
        ((20, 0), (0, 0), 4.0), ((10, 0), (0, 0), 1.0), id="a quarter of 20 % before 10 %"
    ),
    pytest.param(((30, 0), (40, 0), 1.0), ((1, 0), (0, 0), 1.0), id="below its minimum"),
    pytest.param(((1, 0), (0, 0), 1.0), ((30, 0), (30, 9), 1.0), id="at its dominant minimum"),
    pytest.param(((1, 0), (0, 0), 1.0), ((30, 1), (0, 9), 1.0), id="below another's minimum"),
    pytest.param(((10, 0), (40, 0), 1.0), ((20, 0), (40, 0), 1.0), id="less of its minimum"),
    pytest.param(((10, 0), (40, 0), 1.0), ((0, 3), (0, 9), 1.0), id="a quarter before a third"),
    pytest.param(((0, 0), (0, 0), 1.0), ((0, 0), (0, 0), 1.0), id="nothing on both: the name"),
]


@pytest.mark.parametrize(("first", "then"), ORDERED)
def test_drf_order(first: tuple[Vector, Vector, float], then: tuple[Vector, Vector, float]) -> None:
    assert drf_key(*first, CLUSTER, 0, "a") < drf_key(*then, CLUSTER, 0, "b")


@pytest.mark.parametrize(("first", "then"), ORDERED)
def test_the_comparator_says_what_the_keys_say(
    first: tuple[Vector, Vector, float], then: tuple[Vector, Vector, float]
) -> None:
    one, other = DrfQueue(*first, "a"), DrfQueue(*then, "b")

    assert compare_drf_queues(one, other, CLUSTER) < 0
    assert compare_drf_queues(other, one, CLUSTER) > 0


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(((9, 0, 0), (0, 0, 0), 1.0), ((1, 1, 0), (0, 0, 0), 1.0), id="9 before 10 %"),
        pytest.param(((0, 0, 1), (0, 0, 0), 3.0), ((9, 0, 0), (0, 0, 0), 1.0), id="by weight"),
        pytest.param(
            ((0, 0, 1), (0, 0, 2), 1.0), ((1, 0, 0), (0, 0, 0), 1.0), id="a minimum of gpus"
        ),
        pytest.param(
            ((25, 1, 0), (0, 0, 0), 1.0), ((0, 2, 1), (0, 0, 0), 1.0), id="the second share"
        ),
        pytest.param(
            ((25, 2, 0), (0, 0, 0), 1.0), ((25, 2, 1), (0, 0, 0), 1.0), id="a third share"
        ),
    ],
)
def test_drf_order_of_three_types(
    first: tuple[Vector, Vector, float], then: tuple[Vector, Vector, float]
) -> None:
    cluster = (100, 10, 4)

    assert drf_key(*first, cluster, 0, "a") < drf_key(*then, cluster, 0, "b")
    assert compare_drf_queues(DrfQueue(*first, "a"), DrfQueue(*then, "b"), cluster) < 0


def test_with_three_types_shares_are_compared_in_single_precision() -> None:
    """Two shares that are equal as floats are told apart by what comes after them."""
    cluster = (2**26, 10, 4)
    more, less = (2**25 + 1, 0, 0), (2**25, 0, 0)

    assert drf_key(more, (0, 0, 0), 1.0, cluster, 0, "a") < drf_key(
        less, (0, 0, 0), 1.0, cluster, 0, "b"
    )
    assert drf_key(less[:2], (0, 0), 1.0, cluster[:2], 0, "b") < drf_key(
        more[:2], (0, 0), 1.0, cluster[:2], 0, "a"
    )


NODE = (10240, 10)
NONE = (0, 0)


def drf_queue(name: str, used: Vector, weight: float = 1.0, min_share: Vector = NONE) -> DrfQueue:
    return DrfQueue(used, min_share, weight, name)


def test_nothing_by_nothing_is_level_with_everything() -> None:
    idle = drf_queue("m", NONE, weight=0.0)

    assert compare_drf_queues(drf_queue("a", (9216, 9)), idle, NODE) < 0
    assert compare_drf_queues(drf_queue("z", (1024, 1)), idle, NODE) > 0


def test_something_by_nothing_comes_last() -> None:
    greedy = drf_queue("a", (1024, 1), weight=0.0)

    assert compare_drf_queues(greedy, drf_queue("b", (9216, 9)), NODE) > 0


def test_below_its_minimum_comes_first_whatever_the_weight() -> None:
    needy = drf_queue("b", (1024, 1), weight=0.0, min_share=(4096, 4))

    assert compare_drf_queues(needy, drf_queue("a", NONE), NODE) < 0


@given(
    st.integers(2, 3).flatmap(
        lambda types: st.tuples(
            *(
                st.tuples(
                    st.tuples(*(st.integers(0, 20) for _ in range(types))),
                    st.tuples(*(st.integers(1, 9) for _ in range(types))),
                    st.sampled_from([0.5, 1.0, 3.0]),
                )
                for _ in range(2)
            )
        )
    )
)
def test_where_weights_are_positive_the_keys_say_the_same(
    pair: tuple[tuple[Vector, Vector, float], tuple[Vector, Vector, float]],
) -> None:
    cluster = (40, 20, 10)[: len(pair[0][0])]
    one, other = (
        DrfQueue(used, min_share, weight, name)
        for name, (used, min_share, weight) in zip("ab", pair, strict=True)
    )
    keys = [drf_key(s.used, s.min_share, s.weight, cluster, 0, s.name) for s in (one, other)]
    assume(keys[0] != keys[1])

    assert (compare_drf_queues(one, other, cluster) < 0) == (keys[0] < keys[1])


def test_an_idle_queue_without_weight_waits_behind_one_of_an_earlier_name() -> None:
    """As a sort key nothing by nothing would come first; Hadoop goes by the names."""
    drf = "<defaultQueueSchedulingPolicy>drf</defaultQueueSchedulingPolicy>"
    cluster = FairCluster(
        f'{drf}<queue name="a"/><queue name="b"><weight>0</weight></queue>', nodes=1
    )
    cluster.run(1, "a", count=20)
    cluster.cycle(3)
    cluster.submit(2, "b")

    cluster.cycle(2)

    assert (cluster.count(1), cluster.count(2)) == (6, 0)
