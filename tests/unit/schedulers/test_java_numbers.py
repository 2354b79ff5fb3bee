"""Java's arithmetic: single precision, division, casts."""

from __future__ import annotations

import math

import pytest

from kubeyarn.schedulers.java_numbers import (
    ceil_to_long,
    quotient,
    quotients,
    single,
    sort_ratio,
    to_long,
)


def test_single_rounds_to_what_a_float_holds() -> None:
    assert single(0.1) != 0.1
    assert single(single(0.1)) == single(0.1)
    assert single(1e39) == math.inf


def test_division_by_zero_is_javas() -> None:
    assert quotient(1, 0) == math.inf
    assert quotient(-1, 0) == -math.inf
    assert math.isnan(quotient(0, 0))


def test_a_quotient_has_single_precision_and_a_sort_ratio_double() -> None:
    assert quotient(1, 3) == single(1 / 3) != 1 / 3
    assert sort_ratio(1, 3) == 1 / 3


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((1, 1), (3, 7)),
        ((0, -5), (131_072_000, 128_000)),
        ((2**24 + 1, 2**53 + 1), (2**24 + 3, 3)),
        ((2**62, 10**40), (1, 10**39)),
    ],
    ids=["thirds", "nothing and less", "longs that no float holds", "beyond a float"],
)
def test_two_quotients_at_once_are_those_of_each(a: tuple[int, int], b: tuple[int, int]) -> None:
    each = [single(single(x) / single(y)) for x, y in zip(a, b, strict=True)]

    assert list(map(repr, quotients(a, b))) == list(map(repr, each))


def test_a_sort_ratio_is_never_a_nan() -> None:
    assert sort_ratio(1, 0) == math.inf
    assert sort_ratio(0, 0) == 0.0


@pytest.mark.parametrize(
    ("value", "long"), [(2.9, 2), (-2.9, -2), (math.nan, 0), (math.inf, 2**63 - 1)]
)
def test_a_cast_truncates_and_saturates(value: float, long: int) -> None:
    assert to_long(value) == long


def test_ceiling_of_infinity_is_the_largest_long() -> None:
    assert ceil_to_long(1.1) == 2
    assert ceil_to_long(-math.inf) == -(2**63)
