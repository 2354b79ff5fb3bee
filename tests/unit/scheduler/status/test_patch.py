"""What of a status differs, and how it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeapi import _merged
from kubeyarn.cluster.merging import replacing
from kubeyarn.scheduler.status.patch import changes, shown


def test_a_word_that_was_taken_out_of_a_queue_leaves_its_status():
    before = {"inForce": {"capacity": "60%", "maximumCapacity": "80%"}}
    wanted = {"inForce": {"capacity": "60%"}}
    body = changes(before, wanted)

    assert body == {"inForce": {"capacity": "60%", "maximumCapacity": None}}
    assert _merged(before, body) == wanted


def test_a_resource_that_is_not_used_any_more_leaves_the_status():
    before = {"used": {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"}}
    wanted = {"used": {"cpu": "0", "memory": "0"}}

    assert _merged(before, changes(before, wanted)) == wanted


@pytest.mark.parametrize("empty", [None, "", [], {}, 0])
@pytest.mark.parametrize("other", [None, "", [], {}, 0])
def test_nothing_and_an_empty_value_say_the_same(empty, other):
    assert changes({"x": empty}, {"x": other}) == {}
    assert changes({}, {"x": other}) == {}


def test_false_and_zero_are_words_when_something_was_said():
    assert changes({"x": 5}, {"x": 0}) == {"x": 0}
    assert changes({"x": [1]}, {"x": []}) == {"x": []}


JSON = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from("abc"), JSON), st.dictionaries(st.sampled_from("abc"), JSON))
def test_a_replacing_patch_makes_of_anything_exactly_what_is_wanted(before, after):
    assert _merged(before, replacing(before, after)) == after


@pytest.mark.parametrize(
    ("amounts", "quantities"),
    [
        ({"memory": 0, "cpu": 0, "nvidia.com/gpu": 0}, {"memory": "0", "cpu": "0"}),
        ({"memory": 2**30, "cpu": 1500, "nvidia.com/gpu": 2},
         {"memory": "1Gi", "cpu": "1500m", "nvidia.com/gpu": "2"}),
        ({"memory": 2**63 - 1, "cpu": 1000}, {"cpu": "1"}),
    ],
)  # fmt: skip
def test_amounts_are_shown_as_quantities(amounts, quantities):
    assert shown(amounts) == quantities
