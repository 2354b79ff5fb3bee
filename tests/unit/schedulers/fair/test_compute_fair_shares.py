"""Fair shares of one resource, by the numbers of Hadoop's own TestComputeFairShares."""

from __future__ import annotations

import pytest

from kubeyarn.schedulers.fair.compute_fair_shares import Claim, fair_shares

UNBOUNDED = Claim().maximum


@pytest.mark.parametrize(
    ("claims", "total", "expected"),
    [
        pytest.param([Claim()] * 4, 40, [10, 10, 10, 10], id="equal claims share equally"),
        pytest.param(
            [Claim(maximum=100), Claim(maximum=50), Claim(maximum=11), Claim(maximum=3)],
            40,
            [13, 13, 11, 3],
            id="what a maximum leaves over goes to the others",
        ),
        pytest.param(
            [Claim(minimum=20), Claim(minimum=18), Claim(), Claim(minimum=2)],
            40,
            [20, 18, 0, 2],
            id="minima come before equal parts",
        ),
        pytest.param(
            [Claim(2.0), Claim(1.0), Claim(1.0), Claim(0.5)],
            45,
            [20, 10, 10, 5],
            id="weights are respected",
        ),
        pytest.param(
            [Claim(2.0, maximum=10), Claim(1.0, maximum=11), Claim(maximum=30), Claim(0.5, 0, 20)],
            45,
            [10, 11, 16, 8],
            id="weights and maxima together",
        ),
        pytest.param(
            [Claim(2.0, 20), Claim(1.0), Claim(1.0, 5), Claim(0.5, 15)],
            45,
            [20, 5, 5, 15],
            id="weights and minima together",
        ),
        pytest.param([Claim(maximum=3)] * 2, 40, [3, 3], id="maxima below the total"),
        pytest.param([Claim()] * 3, 0, [0, 0, 0], id="nothing to share"),
        pytest.param([], 10, [], id="nobody to share it"),
    ],
)
def test_shares_are_hadoops(claims: list[Claim], total: int, expected: list[int]) -> None:
    assert fair_shares(claims, total) == expected


def test_a_large_cluster_is_shared_exactly_where_it_can_be() -> None:
    total = 10_000_000 * 4

    assert fair_shares([Claim()] * 4, total) == [10_000_000] * 4


def test_a_queue_without_runnable_applications_gets_nothing() -> None:
    assert fair_shares([Claim(), Claim(active=False)], 10) == [10, 0]


def test_a_queue_whose_maximum_is_zero_gets_nothing() -> None:
    assert fair_shares([Claim(minimum=5, maximum=0), Claim()], 10) == [0, 10]


def test_a_queue_of_weight_zero_gets_its_minimum_and_no_more() -> None:
    assert fair_shares([Claim(0.0, 3), Claim(0.0), Claim(1.0)], 10) == [3, 0, 7]


def test_minima_are_given_even_when_there_is_less() -> None:
    assert fair_shares([Claim(minimum=8), Claim(minimum=7)], 10) == [8, 7]


def test_a_minimum_above_the_maximum_is_cut_at_the_maximum() -> None:
    assert fair_shares([Claim(minimum=9, maximum=4), Claim()], 10)[0] == 4
