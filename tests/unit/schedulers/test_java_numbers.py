"""Java's arithmetic: single precision, casts, rounding to steps, the order of hash maps."""

from __future__ import annotations

import math

import pytest

from kubeyarn.schedulers.calculator import DefaultCalculator, DominantCalculator, times
from kubeyarn.schedulers.java_hash_order import hash_order, string_hash
from kubeyarn.schedulers.java_numbers import ceil_to_long, quotient, single, to_long

MEMORY_ONLY, DOMINANT = DefaultCalculator(), DominantCalculator()
CLUSTER = (10240, 20)


def test_single_rounds_to_what_a_float_holds() -> None:
    assert single(0.1) != 0.1
    assert single(single(0.1)) == single(0.1)
    assert single(1e39) == math.inf


def test_division_by_zero_is_javas() -> None:
    assert quotient(1, 0) == math.inf
    assert quotient(-1, 0) == -math.inf
    assert math.isnan(quotient(0, 0))


@pytest.mark.parametrize(
    ("value", "long"), [(2.9, 2), (-2.9, -2), (math.nan, 0), (math.inf, 2**63 - 1)]
)
def test_a_cast_truncates_and_saturates(value: float, long: int) -> None:
    assert to_long(value) == long


def test_ceiling_of_infinity_is_the_largest_long() -> None:
    assert ceil_to_long(1.1) == 2
    assert ceil_to_long(-math.inf) == -(2**63)


def test_the_default_calculator_looks_at_memory_alone() -> None:
    assert MEMORY_ONLY.compare(CLUSTER, (1024, 20), (2048, 1)) < 0
    assert MEMORY_ONLY.fits((1024, 99), (1024, 1))
    assert MEMORY_ONLY.available((4096, 1), (1024, 4)) == 4


def test_the_dominant_calculator_compares_the_larger_share_first() -> None:
    assert DOMINANT.compare(CLUSTER, (1024, 20), (2048, 1)) > 0
    assert DOMINANT.compare(CLUSTER, (5120, 5), (5120, 4)) > 0
    assert DOMINANT.compare(CLUSTER, (5120, 5), (2560, 10)) == 0
    assert not DOMINANT.fits((1024, 99), (1024, 1))
    assert DOMINANT.available((4096, 1), (1024, 1)) == 1


def test_sizes_are_rounded_up_to_steps() -> None:
    assert DOMINANT.normalize((1500, 1), (1024, 1), (8192, 4), (1024, 1)) == (2048, 1)
    assert DOMINANT.normalize((1, 0), (1024, 2), (8192, 4), (1024, 2)) == (1024, 2)
    assert MEMORY_ONLY.normalize((1500, 3), (1024, 1), (8192, 4), (1024, 1))[0] == 2048


def test_a_share_of_a_vector_is_truncated() -> None:
    assert times((10, 3), 0.35) == (3, 1)


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
