"""Who is served first."""

from __future__ import annotations

from kubeyarn.schedulers.fair.comparators import drf_key, fair_share_key, fifo_key

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
