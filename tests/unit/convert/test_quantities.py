"""Hadoop's numbers as YarnQueues write them."""

from __future__ import annotations

import pytest

from kubeyarn.convert.quantities import number, percentage, quantity, share
from kubeyarn.model.queues import Share, Unit
from kubeyarn.schedulers.java_numbers import single


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1"), (60.0, "60"), (0.5, "0.5"), (33.3, "33.3"), (6.25, "6.25")],
)
def test_a_number_is_the_shortest_that_java_reads_as_the_same_float(
    value: float, text: str
) -> None:
    assert number(single(value)) == text


def test_a_third_has_nine_decimals_at_most() -> None:
    assert single(float(number(100 / 3))) == single(100 / 3)


@pytest.mark.parametrize(
    ("resource", "amount", "text"),
    [
        ("memory", 1024, "1Gi"),
        ("memory", 1536, "1536Mi"),
        ("memory", 0, "0"),
        ("cpu", 4, "4"),
        ("yarn.io/gpu", 2, "2"),
    ],
)
def test_amounts_of_mebibytes_and_vcores_are_quantities(
    resource: str, amount: int, text: str
) -> None:
    assert quantity(resource, amount) == text


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (Share(Unit.PERCENT, 12.5), "12.5%"),
        (Share(Unit.WEIGHT, 3.0), "3w"),
        (Share(Unit.ABSOLUTE, 2048.0), "2Gi"),
    ],
)
def test_a_share_says_its_unit(one: Share, text: str) -> None:
    assert share(one, "memory") == text


def test_a_fraction_is_a_percentage() -> None:
    assert percentage(single(0.1)) == "10%"
