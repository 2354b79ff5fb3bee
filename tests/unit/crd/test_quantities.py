"""Quantities are read as Kubernetes reads them, or refused with a message that helps."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeyarn.crd import quantities
from kubeyarn.model.errors import SpecError

GO = json.loads((Path(__file__).parent / "go" / "quantities_of_go.json").read_text())
DIGITLESS = {"+", "-", ".", "+.", "Ki", "m", "e3", "E3"}
"""What Go reads as zero although no digit is there; we do not."""
CAPPED = {"8Ei"}
"""What Go silently lowers to its largest number; we refuse it."""


def expected(exact: Fraction) -> int | None:
    amount = math.ceil(exact)
    return amount if exact >= 0 and amount <= quantities.LARGEST else None


def read(parse, text):
    try:
        return parse(text, "field")
    except SpecError:
        return None


@pytest.mark.parametrize("case", GO, ids=[repr(case["text"]) for case in GO])
def test_a_text_is_read_as_gos_parse_quantity_reads_it(case):
    """Recorded with go/quantities.go from k8s.io/apimachinery's own parser."""
    text = case["text"]
    if "exact" not in case or text in DIGITLESS | CAPPED:
        assert read(quantities.memory, text) is None
        assert read(quantities.cpu, text) is None
        return
    exact = Fraction(case["exact"])

    assert read(quantities.memory, text) == expected(exact)
    assert read(quantities.cpu, text) == expected(exact * 1000)


def test_the_recording_holds_texts_that_go_takes_and_texts_that_it_refuses():
    taken = [case for case in GO if "exact" in case]

    assert len(taken) > 200
    assert len(GO) - len(taken) > 50


@pytest.mark.parametrize(
    "text",
    ["1_000", "NaN", "Infinity", " 1 ", "1 Gi", "٣", "\uff11", "1e3Ki", "0x10", "1,5", "", "1Gi\n"],
)
def test_what_pythons_number_parsers_would_let_through_is_refused(text):
    with pytest.raises(SpecError) as refused:
        quantities.memory(text, "spec.resources.memory")

    message = str(refused.value)
    assert message.startswith("spec.resources.memory: found ")
    assert repr(text) in message
    assert "expected a Kubernetes quantity such as" in message


@pytest.mark.parametrize("value", [None, 1.5, True, False, [], {}, b"1"])
def test_what_is_neither_text_nor_an_integer_is_refused(value):
    with pytest.raises(SpecError, match="expected a Kubernetes quantity"):
        quantities.cpu(value, "cpu")


def test_an_integer_is_read_like_its_text():
    assert quantities.cpu(2, "cpu") == 2000
    assert quantities.memory(0, "memory") == 0


@pytest.mark.parametrize("value", ["-1", "-1m", -3, "-0.5Gi"])
def test_a_negative_amount_is_refused(value):
    with pytest.raises(SpecError, match="allowed: 0 or more"):
        quantities.memory(value, "memory")


@pytest.mark.parametrize("value", ["9Ei", 10**30, "1e19", "9" * 64, "1e999999999999", "1E99"])
def test_an_absurd_amount_is_refused_and_not_wrapped_around(value):
    with pytest.raises(SpecError, match="allowed: at most"):
        quantities.memory(value, "memory")


def test_a_huge_negative_exponent_costs_nothing():
    assert quantities.memory("1e-999999999999", "memory") == 1


def test_a_very_long_text_is_refused_unread():
    with pytest.raises(SpecError) as refused:
        quantities.memory("1" * 100_000, "memory")

    assert len(str(refused.value)) < 300


def test_extended_resources_come_in_whole_units():
    assert quantities.whole("2", "gpu") == 2
    with pytest.raises(SpecError, match="whole units only"):
        quantities.whole("1500m", "spec.resources.nvidia.com/gpu")


def test_a_map_names_the_entry_that_is_wrong():
    assert quantities.amounts({"memory": "1Gi", "cpu": 2, "a/gpu": "3"}, "r") == {
        "memory": 2**30,
        "cpu": 2000,
        "a/gpu": 3,
    }
    with pytest.raises(SpecError, match=r"^spec\.resources\.cpu: found 'x'"):
        quantities.amounts({"memory": "1Gi", "cpu": "x"}, "spec.resources")
    with pytest.raises(SpecError, match="a map of resource names"):
        quantities.amounts("1Gi", "spec.resources")


@given(st.integers(0, quantities.LARGEST))
def test_shown_memory_reads_back_as_the_same_bytes(amount):
    assert quantities.memory(quantities.show_memory(amount), "memory") == amount


@given(st.integers(0, quantities.LARGEST))
def test_shown_cpu_reads_back_as_the_same_milli(amount):
    assert quantities.cpu(quantities.show_cpu(amount), "cpu") == amount


@given(st.integers(0, 10**6), st.sampled_from(["", "k", "M", "G", "Ki", "Mi", "Gi"]))
def test_cpu_is_a_thousand_times_memory_of_the_same_text(number, suffix):
    text = f"{number}{suffix}"

    assert quantities.cpu(text, "cpu") == 1000 * quantities.memory(text, "memory")


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused_and_nothing_else(text):
    amount = read(quantities.cpu, text)

    assert amount is None or 0 <= amount <= quantities.LARGEST


@pytest.mark.parametrize(
    ("resource", "amount", "shown"),
    [
        ("memory", 0, "0"),
        ("memory", 1536 * 2**20, "1536Mi"),
        ("memory", 2**34, "16Gi"),
        ("memory", 1000, "1000"),
        ("memory", -(2**30), "-1Gi"),
        ("cpu", 500, "500m"),
        ("cpu", 3000, "3"),
        ("nvidia.com/gpu", 4, "4"),
    ],
)
def test_amounts_are_shown_as_people_write_them(resource, amount, shown):
    assert quantities.show(resource, amount) == shown
