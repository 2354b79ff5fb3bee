"""Compact ranges of container numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeyarn.crd import ranges
from kubeyarn.model.errors import SpecError


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([7], "7"), ([1, 2, 3, 4, 5, 9], "1-5,9"), ([9, 3, 2, 9], "2-3,9")],
)
def test_numbers_are_written_once_in_order_and_as_spans(numbers, text):
    assert ranges.compact(numbers) == text


@given(st.sets(st.integers(0, 3000)))
def test_what_was_written_reads_back_the_same(numbers):
    assert ranges.expand(ranges.compact(numbers)) == sorted(numbers)


@pytest.mark.parametrize("text", ["1-", "-1", "1,,2", "a", "1 ", "1-2-3", "٣", "1\n"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(SpecError, match="expected ranges such as 1-5,9"):
        ranges.expand(text)


def test_a_backward_range_is_refused():
    with pytest.raises(SpecError, match="the smaller number first"):
        ranges.expand("5-1")


@pytest.mark.parametrize("text", ["1-99999999999999999999", "9" * 5000])
def test_numbers_longer_than_64_bits_are_refused(text):
    with pytest.raises(SpecError, match="at most 19 digits"):
        ranges.expand(text)


def test_a_range_longer_than_an_index_is_refused():
    with pytest.raises(SpecError, match="allowed: 1000000"):
        ranges.expand("1-9999999999999999999")


def test_a_mistyped_range_costs_nothing():
    with pytest.raises(SpecError, match="allowed: 1000000"):
        ranges.expand("1-99999999999999")
