"""Comparing, dividing and rounding vectors, as Hadoop's two calculators do.

DefaultResourceCalculator looks at memory alone, and what it computes has one core if it has memory;
DominantResourceCalculator looks at every type, the largest share of the cluster first.
"""

from __future__ import annotations

import math

import pytest

from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.calculator import (
    Calculator,
    DefaultCalculator,
    DominantCalculator,
    FittingDefaultCalculator,
    calculator,
    multiply,
    multiply_and_round_up,
)
from kubeyarn.schedulers.java_numbers import single

MEMORY, DOMINANT = DefaultCalculator(), DominantCalculator()
CLUSTER = (10240, 20)
STEP = (1024, 1)


@pytest.mark.parametrize(
    ("calc", "cluster", "a", "b", "order"),
    [
        pytest.param(MEMORY, CLUSTER, (1024, 20), (2048, 1), -1, id="memory: less is less"),
        pytest.param(MEMORY, CLUSTER, (1024, 20), (1024, 1), 0, id="memory: cores do not count"),
        pytest.param(MEMORY, CLUSTER, (2048, 1), (1024, 20), 1, id="memory: more is more"),
        pytest.param(DOMINANT, CLUSTER, (1024, 20), (2048, 1), 1, id="all cores are a share of 1"),
        pytest.param(DOMINANT, CLUSTER, (5120, 5), (5120, 4), 1, id="then the lesser share counts"),
        pytest.param(DOMINANT, CLUSTER, (5120, 5), (2560, 10), 0, id="the types are alike"),
        pytest.param(DOMINANT, CLUSTER, (5120, 5), (5120, 5), 0, id="equal vectors are level"),
        pytest.param(DOMINANT, (0, 0), (1, 2), (1, 1), 1, id="in an empty cluster, by amounts"),
        pytest.param(DOMINANT, (0, 0), (2, 1), (1, 2), 0, id="more of one and less of another"),
        pytest.param(DOMINANT, (10240, 0), (5, 9), (4, 99), 1, id="a type that is not there"),
        pytest.param(
            DOMINANT, (10240, 20, 4), (1024, 1, 2), (5000, 9, 1), 1, id="a GPU is scarcer"
        ),
        pytest.param(
            DOMINANT, (10240, 20, 4), (1024, 2, 1), (1024, 1, 1), 1, id="the least share decides"
        ),
    ],
)
def test_vectors_compare(
    calc: Calculator, cluster: Vector, a: Vector, b: Vector, order: int
) -> None:
    assert calc.compare(cluster, a, b) == order
    assert calc.compare(cluster, b, a) == -order


@pytest.mark.parametrize(
    ("calc", "a", "b", "fits"),
    [
        pytest.param(MEMORY, (1024, 99), (1024, 1), True, id="memory: cores do not count"),
        pytest.param(MEMORY, (1025, 1), (1024, 99), False, id="memory: one MiB too much"),
        pytest.param(DOMINANT, (1024, 99), (1024, 1), False, id="every type has to fit"),
        pytest.param(DOMINANT, (1024, 1), (1024, 1), True, id="exactly"),
        pytest.param(DOMINANT, (0, 0), (-1, 5), False, id="nothing does not fit below zero"),
        pytest.param(DOMINANT, (1, 1, 2), (9, 9, 1), False, id="a third type counts as well"),
    ],
)
def test_a_vector_fits(calc: Calculator, a: Vector, b: Vector, fits: bool) -> None:
    assert calc.fits(a, b) is fits


@pytest.mark.parametrize(
    ("calc", "a", "b", "ratio"),
    [
        pytest.param(MEMORY, (1024, 9), (4096, 1), 0.25, id="memory over memory"),
        pytest.param(MEMORY, (1024, 9), (0, 1), math.inf, id="over no memory it is infinite"),
        pytest.param(DOMINANT, (1024, 9), (4096, 12), 0.75, id="the larger of the types'"),
        pytest.param(DOMINANT, (1, 3), (3, 100), single(1 / 3), id="in single precision"),
        pytest.param(DOMINANT, (1024, 1, 3), (4096, 4, 4), 0.75, id="of a third type, too"),
        pytest.param(DOMINANT, (1024, 1), (4096, 0), math.inf, id="infinite of a type without any"),
    ],
)
def test_the_ratio_of_two_vectors_is(calc: Calculator, a: Vector, b: Vector, ratio: float) -> None:
    assert calc.ratio(a, b) == ratio


@pytest.mark.parametrize(
    ("calc", "a", "b", "quotient"),
    [
        pytest.param(MEMORY, (2048, 0), (4096, 99), 0.5, id="memory over memory"),
        pytest.param(DOMINANT, (1024, 10), (2048, 5), 2.0, id="dominant over dominant share"),
        pytest.param(DOMINANT, (-1024, -1), (2048, 5), 0.0, id="a negative share counts as 0"),
        pytest.param(DOMINANT, (1024, 1), (0, 0), math.inf, id="over nothing it is infinite"),
    ],
)
def test_dividing_relates_shares(calc: Calculator, a: Vector, b: Vector, quotient: float) -> None:
    assert calc.divide(CLUSTER, a, b) == quotient


@pytest.mark.parametrize("calc", [MEMORY, DOMINANT], ids=["memory", "dominant"])
def test_nothing_over_nothing_is_no_number(calc: Calculator) -> None:
    assert math.isnan(calc.divide(CLUSTER, (0, 0), (0, 0)))


@pytest.mark.parametrize(
    ("calc", "a", "by", "expected"),
    [
        pytest.param(MEMORY, (10240, 10), 3, (3414, 1), id="memory is rounded up, one core"),
        pytest.param(DOMINANT, (10240, 10), 3, (3414, 4), id="every type is rounded up"),
        pytest.param(DOMINANT, (10240, 10), 2.5, (4096, 4), id="by weights that are no integers"),
        pytest.param(MEMORY, (10240, 10), 0, (0, 0), id="by nobody it is nothing"),
        pytest.param(DOMINANT, (10240, 10), 0, (0, 0), id="by nobody of every type"),
    ],
)
def test_dividing_among_users_rounds_up(
    calc: Calculator, a: Vector, by: float, expected: Vector
) -> None:
    assert calc.divide_ceil(a, by) == expected


@pytest.mark.parametrize(
    ("calc", "a", "up", "down"),
    [
        pytest.param(MEMORY, (1500, 3), (2048, 1), (1024, 1), id="memory, and one core with it"),
        pytest.param(MEMORY, (0, 3), (0, 0), (0, 0), id="no core without memory"),
        pytest.param(DOMINANT, (1500, 3), (2048, 3), (1024, 3), id="every type"),
        pytest.param(DOMINANT, (2048, 3), (2048, 3), (2048, 3), id="multiples stay"),
        pytest.param(DOMINANT, (-1500, 3), (-1024, 3), (-1024, 3), id="below zero, to zero"),
    ],
)
def test_rounding_to_steps(calc: Calculator, a: Vector, up: Vector, down: Vector) -> None:
    assert calc.round_up(a, STEP) == up
    assert calc.round_down(a, STEP) == down


def test_a_step_of_zero_rounds_nothing() -> None:
    assert DOMINANT.round_up((1500, 3, 5), (1024, 1, 0)) == (2048, 3, 5)
    assert DOMINANT.round_down((1500, 3, 5), (1024, 1, 0)) == (1024, 3, 5)


@pytest.mark.parametrize(
    ("calc", "a", "by", "up", "down"),
    [
        pytest.param(MEMORY, (10240, 10), 0.15, (2048, 1), (1024, 1), id="memory, to a step"),
        pytest.param(DOMINANT, (10240, 10), 0.15, (2048, 2), (1024, 1), id="every type, to a step"),
        pytest.param(DOMINANT, (10240, 10), 0.5, (5120, 5), (5120, 5), id="halves are exact"),
        pytest.param(
            DOMINANT,
            (10240, 10),
            single(0.1),
            # As a float 0.1 is more than 0.1: 1024.00001 rounds up to 2048 MiB, but single
            # precision makes it 1024 first.
            (1024, 1),
            (1024, 1),
            id="a tenth in single precision is exact",
        ),
        pytest.param(DOMINANT, (10240, 10), 0.0, (0, 0), (0, 0), id="nothing times zero"),
    ],
)
def test_multiplying_and_rounding_to_steps(
    calc: Calculator, a: Vector, by: float, up: Vector, down: Vector
) -> None:
    assert calc.multiply_and_normalize_up(a, by, STEP) == up
    assert calc.multiply_and_normalize_down(a, by, STEP) == down


@pytest.mark.parametrize(
    ("calc", "asked", "granted"),
    [
        pytest.param(DOMINANT, (1500, 1), (2048, 1), id="rounded up (rounding-minimum)"),
        pytest.param(DOMINANT, (1, 0), (1024, 1), id="raised to the minimum"),
        pytest.param(DOMINANT, (8000, 9), (8192, 4), id="capped by the maximum"),
        pytest.param(DOMINANT, (1024, 3), (1024, 3), id="left as it is"),
        pytest.param(MEMORY, (1500, 3), (2048, 1), id="by memory alone one core is granted"),
        pytest.param(MEMORY, (9999, 3), (8192, 1), id="by memory alone memory is capped"),
    ],
)
def test_an_ask_is_normalized(calc: Calculator, asked: Vector, granted: Vector) -> None:
    assert calc.normalize(asked, STEP, (8192, 4), STEP) == granted


def test_a_minimum_of_two_cores_is_the_step_of_cores() -> None:
    # capacity-rounding-minimum-vcores.
    assert DOMINANT.normalize((1, 0), (1024, 2), (8192, 4), (1024, 2)) == (1024, 2)
    assert DOMINANT.normalize((700, 3), (512, 2), (8192, 8), (512, 2)) == (1024, 4)


@pytest.mark.parametrize(
    ("calc", "free", "size", "count"),
    [
        pytest.param(MEMORY, (4096, 1), (1024, 4), 4, id="by memory alone"),
        pytest.param(MEMORY, (4095, 1), (1024, 4), 3, id="whole ones"),
        pytest.param(MEMORY, (-1024, 1), (1024, 1), -1, id="less than none of a full node"),
        pytest.param(MEMORY, (4096, 1), (0, 1), 2**31 - 1, id="any number of nothing"),
        pytest.param(DOMINANT, (4096, 1), (1024, 1), 1, id="by the scarcer type"),
        pytest.param(DOMINANT, (4096, 9), (1024, 0), 4, id="a type that is not asked for"),
        pytest.param(DOMINANT, (-1024, 9), (1024, 1), -1, id="less than none of one type"),
        pytest.param(DOMINANT, (4096, 9, 1), (1024, 1, 1), 1, id="by a third type"),
    ],
)
def test_containers_fit_into_what_is_free(
    calc: Calculator, free: Vector, size: Vector, count: int
) -> None:
    assert calc.available(free, size) == count


@pytest.mark.parametrize(
    ("calc", "a", "b", "lesser", "greater"),
    [
        pytest.param(MEMORY, (1, 9), (2, 1), (1, 9), (2, 1), id="by memory"),
        pytest.param(MEMORY, (1, 9), (1, 1), (1, 9), (1, 9), id="the first of level ones"),
        pytest.param(DOMINANT, (1024, 9), (2048, 1), (2048, 1), (1024, 9), id="by dominant share"),
        pytest.param(DOMINANT, (1024, 1), (2048, 2), (1024, 1), (2048, 2), id="less of every type"),
        pytest.param(DOMINANT, (2048, 2), (1024, 1), (1024, 1), (2048, 2), id="more of every type"),
        pytest.param(DOMINANT, (5120, 5), (2560, 10), (5120, 5), (5120, 5), id="level: the first"),
    ],
)
def test_the_lesser_and_the_greater_of_two(
    calc: Calculator, a: Vector, b: Vector, lesser: Vector, greater: Vector
) -> None:
    assert calc.min(CLUSTER, a, b) == lesser
    assert calc.max(CLUSTER, a, b) == greater


@pytest.mark.parametrize(
    ("a", "memory_above", "above", "memory_used_up", "used_up"),
    [
        ((1, 0), True, True, False, True),
        ((0, 1), False, True, True, True),
        ((1, 1), True, True, False, False),
        ((0, 0), False, False, True, True),
        ((-1, 1), False, True, True, True),
    ],
)
def test_something_is_left_or_used_up(
    a: Vector, memory_above: bool, above: bool, memory_used_up: bool, used_up: bool
) -> None:
    assert MEMORY.any_above_zero(a) is memory_above
    assert DOMINANT.any_above_zero(a) is above
    assert MEMORY.any_zero_or_below(a) is memory_used_up
    assert DOMINANT.any_zero_or_below(a) is used_up


@pytest.mark.parametrize(
    ("by", "down", "up"),
    [
        (0.35, (3, 1), (4, 2)),
        (1.0, (10, 3), (10, 3)),
        (0.0, (0, 0), (0, 0)),
        (2.5, (25, 7), (25, 8)),
    ],
)
def test_a_share_of_a_vector_is_truncated_or_rounded_up(
    by: float, down: Vector, up: Vector
) -> None:
    assert multiply((10, 3), by) == down
    assert multiply_and_round_up((10, 3), by) == up


def test_an_infinite_share_is_the_largest_long() -> None:
    assert multiply((10, 3), math.inf) == (2**63 - 1, 2**63 - 1)


@pytest.mark.parametrize(
    ("dominant", "fits", "kind"),
    [
        (False, False, DefaultCalculator),
        (False, True, FittingDefaultCalculator),
        (True, False, DominantCalculator),
        (True, True, DominantCalculator),
    ],
)
def test_the_configuration_chooses_the_calculator(
    dominant: bool, fits: bool, kind: type[Calculator]
) -> None:
    config = SchedulerConfig((), (1, 1), (9, 9), dominant=dominant, fit_every_resource=fits)

    assert type(calculator(config)) is kind


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("gibibytes", [10, 20, 30, 1000])
def test_a_share_of_bytes_is_as_many_steps_as_a_share_of_mebibytes(
    share: float, gibibytes: int
) -> None:
    # A 32-bit 0.1 is a little more than 0.1: 20 GiB times it are 32 bytes more than 2 GiB.
    by, mib = single(share), 2**20
    counted = DefaultCalculator().multiply_and_normalize_up((gibibytes * 1024, 9), by, (1024, 1))
    in_bytes = DefaultCalculator(mib)

    amount, step = (gibibytes * 1024 * mib, 9), (1024 * mib, 1)
    assert in_bytes.multiply_and_normalize_up(amount, by, step) == (counted[0] * mib, 1)
