"""Comparing, dividing and rounding vectors."""

from __future__ import annotations

from kubeyarn.schedulers.calculator import DefaultCalculator, DominantCalculator, multiply

MEMORY_ONLY, DOMINANT = DefaultCalculator(), DominantCalculator()
CLUSTER = (10240, 20)


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
    assert multiply((10, 3), 0.35) == (3, 1)
