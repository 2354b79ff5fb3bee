"""Shares, percentages and numbers in strings."""

from __future__ import annotations

from fractions import Fraction

import pytest

from kubeyarn.crd import shares
from kubeyarn.model.errors import SpecError
from kubeyarn.model.queues import Share, Unit


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("60%", Share(Unit.PERCENT, 60.0)),
        ("33.333%", Share(Unit.PERCENT, 33.333)),
        ("0%", Share(Unit.PERCENT, 0.0)),
        ("100%", Share(Unit.PERCENT, 100.0)),
        ("3w", Share(Unit.WEIGHT, 3.0)),
        ("0.5w", Share(Unit.WEIGHT, 0.5)),
    ],
)
def test_a_share_is_a_percentage_or_a_weight(text, share):
    assert shares.share(text, "capacity") == share


@pytest.mark.parametrize(
    "value",
    ["60", "60 %", "-1%", "101%", "100.1%", "NaN%", "1e1%", "w", "%", "10001w", "٣%", 60, None, ""],
)
def test_anything_else_is_no_share(value):
    with pytest.raises(SpecError) as refused:
        shares.share(value, "spec.capacity")

    assert str(refused.value).startswith(f"spec.capacity: found {value!r}")


def test_a_percentage_is_an_exact_fraction():
    assert shares.percentage("33.3%", "x") == Fraction(333, 1000)
    with pytest.raises(SpecError):
        shares.percentage("3w", "x")
    with pytest.raises(SpecError):
        shares.percentage("100.5%", "x")


@pytest.mark.parametrize(
    ("value", "number"),
    [("1.5", Fraction(3, 2)), ("-1", Fraction(-1)), (2, Fraction(2)), ("0", Fraction(0))],
)
def test_a_number_may_stand_in_quotes(value, number):
    assert shares.number(value, "userLimitFactor") == number


@pytest.mark.parametrize("value", ["", "x", "1.5.5", "1e3", " 1", True, None, 1.5, "1/2"])
def test_anything_else_is_no_number(value):
    with pytest.raises(SpecError, match="expected a number in quotes"):
        shares.number(value, "userLimitFactor")


def test_a_share_of_one_is_shown_in_percent():
    assert shares.show_percentage(0.3) == "30.0%"
    assert shares.show_percentage(1.2345) == "123.4%"
