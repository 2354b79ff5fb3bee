"""Conditions of a status."""

from __future__ import annotations

import msgspec

from kubeyarn.crd import conditions
from kubeyarn.crd.conditions import Condition, NewCondition

EARLY, LATE = "2026-11-23T03:00:00Z", "2026-11-23T04:00:00Z"


def accepted(status=True, reason="Accepted", message=""):
    return NewCondition("Accepted", status, reason, message)


def test_a_new_condition_is_complete():
    assert conditions.updated(None, [accepted(message="m")], 3, EARLY) == [
        {
            "type": "Accepted",
            "status": "True",
            "observedGeneration": 3,
            "lastTransitionTime": EARLY,
            "reason": "Accepted",
            "message": "m",
        }
    ]


def test_the_transition_time_changes_with_the_status_only():
    first = conditions.updated(None, [accepted()], 1, EARLY)
    same = conditions.updated(first, [accepted(reason="Again", message="x")], 2, LATE)
    other = conditions.updated(same, [accepted(status=False, reason="No")], 2, LATE)

    assert same[0]["lastTransitionTime"] == EARLY
    assert same[0]["reason"] == "Again"
    assert other[0]["lastTransitionTime"] == LATE


def test_saying_the_same_again_changes_nothing():
    first = conditions.updated(None, [accepted()], 1, EARLY)

    assert conditions.updated(first, [accepted()], 1, LATE) == first


def test_others_stay_as_and_where_they_are():
    first = conditions.updated(
        None, [accepted(), NewCondition("Ready", None, "Starting")], 1, EARLY
    )
    then = conditions.updated(
        first, [NewCondition("Finished", False, "Running"), accepted(False, "No")], 2, LATE
    )

    assert [found["type"] for found in then] == ["Accepted", "Ready", "Finished"]
    assert then[1] == first[1]
    assert then[1]["status"] == "Unknown"


def test_the_list_given_is_not_changed():
    first = conditions.updated(None, [accepted()], 1, EARLY)
    copy = [dict(found) for found in first]
    conditions.updated(first, [accepted(False, "No")], 2, LATE)

    assert first == copy


def test_a_message_longer_than_kubernetes_allows_is_cut():
    (found,) = conditions.updated(None, [accepted(message="x" * 100_000)], 1, EARLY)

    assert len(found["message"]) == 32768


def test_conditions_are_found_by_type():
    said = conditions.updated(None, [accepted(), NewCondition("Ready", False, "No")], 1, EARLY)
    found = [msgspec.convert(one, Condition) for one in said]

    assert conditions.holds(found, "Accepted")
    assert not conditions.holds(found, "Ready")
    assert not conditions.holds(found, "Missing")
    assert not conditions.holds((), "Accepted")


def test_what_cannot_be_a_condition_is_dropped():
    wanted = conditions.updated(None, [accepted()], 1, EARLY)

    assert conditions.updated([None, {"status": "True"}, 7], [accepted()], 1, EARLY) == wanted
    assert conditions.updated(True, [accepted()], 1, EARLY) == wanted
