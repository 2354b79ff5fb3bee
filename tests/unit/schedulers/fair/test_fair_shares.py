"""Fair shares of one resource, by the numbers of Hadoop's own TestComputeFairShares."""

from __future__ import annotations

import pytest

from kubeyarn.schedulers.fair.fair_shares import Schedulable as One
from kubeyarn.schedulers.fair.fair_shares import compute_shares

UNBOUNDED = One().max_share


@pytest.mark.parametrize(
    ("siblings", "total", "expected"),
    [
        pytest.param([One()] * 4, 40, [10, 10, 10, 10], id="equal siblings share equally"),
        pytest.param(
            [
                One(max_share=100),
                One(max_share=50),
                One(max_share=11),
                One(max_share=3),
            ],
            40,
            [13, 13, 11, 3],
            id="what a maximum leaves over goes to the others",
        ),
        pytest.param(
            [
                One(min_share=20),
                One(min_share=18),
                One(),
                One(min_share=2),
            ],
            40,
            [20, 18, 0, 2],
            id="minima come before equal parts",
        ),
        pytest.param(
            [One(2.0), One(1.0), One(1.0), One(0.5)],
            45,
            [20, 10, 10, 5],
            id="weights are respected",
        ),
        pytest.param(
            [
                One(2.0, max_share=10),
                One(1.0, max_share=11),
                One(max_share=30),
                One(0.5, 0, 20),
            ],
            45,
            [10, 11, 16, 8],
            id="weights and maxima together",
        ),
        pytest.param(
            [One(2.0, 20), One(1.0), One(1.0, 5), One(0.5, 15)],
            45,
            [20, 5, 5, 15],
            id="weights and minima together",
        ),
        pytest.param([One(max_share=3)] * 2, 40, [3, 3], id="maxima below the total"),
        pytest.param([One()] * 3, 0, [0, 0, 0], id="nothing to share"),
        pytest.param([], 10, [], id="nobody to share it"),
    ],
)
def test_shares_are_hadoops(siblings: list[One], total: int, expected: list[int]) -> None:
    assert compute_shares(siblings, total) == expected


def test_a_large_cluster_is_shared_exactly_where_it_can_be() -> None:
    total = 10_000_000 * 4

    assert compute_shares([One()] * 4, total) == [10_000_000] * 4


def test_a_queue_without_runnable_applications_gets_nothing() -> None:
    assert compute_shares([One(), One(active=False)], 10) == [10, 0]


def test_a_queue_whose_maximum_is_zero_gets_nothing() -> None:
    assert compute_shares([One(min_share=5, max_share=0), One()], 10) == [0, 10]


def test_a_queue_of_weight_zero_gets_its_minimum_and_no_more() -> None:
    assert compute_shares([One(0.0, 3), One(0.0), One(1.0)], 10) == [
        3,
        0,
        7,
    ]


def test_minima_are_given_even_when_there_is_less() -> None:
    assert compute_shares([One(min_share=8), One(min_share=7)], 10) == [8, 7]


def test_a_minimum_above_the_maximum_is_cut_at_the_maximum() -> None:
    assert compute_shares([One(min_share=9, max_share=4), One()], 10)[0] == 4
