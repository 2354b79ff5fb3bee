"""How applications move on, as stories."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeyarn.lifecycle.application import TERMINAL, ApplicationState, FinalStatus
from kubeyarn.lifecycle.attempt import ENDED, AttemptState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import (
    Admission,
    ContainerExit,
    ObservedState,
    Unregistration,
    advance,
)
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.lifecycle.retry import RetryRule
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId

APP = ApplicationId(1763850000000, 7)
AM = ContainerId(AttemptId(APP, 1), 0, 1)
NEW = ApplicationRecord(APP, user="alice", start_ms=100)
DONE = Unregistration(FinalStatus.SUCCEEDED, "all words counted", "http://history/7")

SUBMITTED = ObservedState(saved=True)
ACCEPTED = replace(SUBMITTED, admission=Admission(queue="root.default"))
ALLOCATED = replace(ACCEPTED, am_container=AM, am_node="n1", am_pod="wordcount-01-000001")
LAUNCHED = replace(ALLOCATED, am_running=True)
RUNNING = replace(LAUNCHED, registered=True, tracking_url="http://am", progress=40)
UNREGISTERED = replace(RUNNING, unregistration=DONE)
FINISHED = replace(UNREGISTERED, am_ending=ContainerExit(0))


def story(*facts, record=NEW):
    """The record after each of *facts* was looked at, a second after the other."""
    for second, seen in enumerate(facts, start=1):
        record = advance(record, seen, second * 1000)
    return record


def states(record):
    return record.state.value, record.attempt.state.value if record.attempt else None


def test_an_application_goes_from_new_to_finished_step_by_step():
    seen = [
        ObservedState(),
        SUBMITTED,
        ACCEPTED,
        ALLOCATED,
        LAUNCHED,
        RUNNING,
        UNREGISTERED,
        FINISHED,
    ]
    record, told = NEW, []
    for second, facts in enumerate(seen, start=1):
        record = advance(record, facts, second * 1000)
        told.append(states(record))

    assert told == [
        ("NEW_SAVING", None),
        ("SUBMITTED", None),
        ("ACCEPTED", "SCHEDULED"),
        ("ACCEPTED", "ALLOCATED"),
        ("ACCEPTED", "LAUNCHED"),
        ("RUNNING", "RUNNING"),
        ("FINISHING", "FINISHING"),
        ("FINISHED", "FINISHED"),
    ]
    assert record.final_status is FinalStatus.SUCCEEDED
    assert record.diagnostics == "all words counted"
    assert record.tracking_url == "http://history/7"
    assert record.progress == 100
    assert (record.start_ms, record.launch_ms, record.finish_ms) == (100, 5000, 7000)
    assert record.attempt.container == AM
    assert (record.attempt.node, record.attempt.pod) == ("n1", "wordcount-01-000001")
    assert (record.attempt.start_ms, record.attempt.finish_ms) == (3000, 8000)
    assert record.attempt.exit_status == 0


def test_facts_that_piled_up_during_a_restart_are_walked_through_at_once():
    record = story(FINISHED)

    assert states(record) == ("FINISHED", "FINISHED")
    assert record.final_status is FinalStatus.SUCCEEDED
    assert record.progress == 100


def test_an_application_that_the_scheduler_refuses_fails_with_its_words():
    refused = Admission(refused="QueueNotFound: queue 'root.x' does not exist")
    record = story(replace(SUBMITTED, admission=refused))

    assert states(record) == ("FAILED", None)
    assert record.final_status is FinalStatus.FAILED
    assert record.diagnostics == "QueueNotFound: queue 'root.x' does not exist"
    assert record.finish_ms == 1000


def test_a_spec_that_cannot_be_acted_on_fails_before_anything_is_asked():
    record = story(replace(ACCEPTED, invalid="spec.applicationMaster.image: found nothing"))

    assert states(record) == ("FAILED", None)
    assert record.diagnostics == "spec.applicationMaster.image: found nothing"


def test_a_spec_that_became_wrong_after_acceptance_does_not_end_what_runs():
    record = story(RUNNING, replace(RUNNING, invalid="spec: wrong now"))

    assert states(record) == ("RUNNING", "RUNNING")


@pytest.mark.parametrize("saved", [False, True])
def test_a_kill_before_acceptance_ends_the_application_at_once(saved):
    record = story(ObservedState(saved=saved), ObservedState(saved=saved, kill=True))

    assert states(record) == ("KILLED", None)
    assert record.final_status is FinalStatus.KILLED
    assert record.finish_ms == 2000
    assert record.diagnostics == "Application killed by its user."


def test_a_kill_while_the_am_is_not_yet_granted_ends_it_at_once():
    record = story(ACCEPTED, replace(ACCEPTED, kill=True))

    assert states(record) == ("KILLED", "KILLED")
    assert record.attempt.exit_status == ExitStatus.KILLED_BY_RESOURCEMANAGER


@pytest.mark.parametrize("facts", [ALLOCATED, LAUNCHED, RUNNING])
def test_a_kill_waits_until_the_am_is_gone(facts):
    record = story(facts, replace(facts, kill=True))
    assert record.state is ApplicationState.KILLING
    assert record.before_kill.value == ("RUNNING" if facts is RUNNING else "ACCEPTED")

    record = story(replace(facts, kill=True, am_ending=ContainerExit(143)), record=record)
    assert states(record) == ("KILLED", "KILLED")
    assert record.final_status is FinalStatus.KILLED
    assert record.attempt.exit_status == 143


def test_an_am_that_unregisters_in_time_wins_over_the_kill():
    record = story(RUNNING, replace(UNREGISTERED, kill=True))
    assert states(record) == ("FINISHING", "FINISHING")

    record = story(replace(FINISHED, kill=True), record=record)
    assert states(record) == ("FINISHED", "FINISHED")
    assert record.final_status is FinalStatus.SUCCEEDED


def test_an_unregistration_while_being_killed_wins_too():
    record = story(RUNNING, replace(RUNNING, kill=True), replace(UNREGISTERED, kill=True))

    assert record.state is ApplicationState.FINISHING


def test_an_am_that_registers_while_being_killed_is_still_killed():
    record = story(LAUNCHED, replace(LAUNCHED, kill=True), replace(RUNNING, kill=True))
    assert record.state is ApplicationState.KILLING

    record = story(replace(RUNNING, kill=True, am_ending=ContainerExit(137)), record=record)
    assert states(record) == ("KILLED", "KILLED")


def test_an_am_that_exits_with_0_without_unregistering_failed():
    record = story(RUNNING, replace(RUNNING, am_ending=ContainerExit(0)))

    assert states(record) == ("FAILED", "FAILED")
    assert record.final_status is FinalStatus.FAILED
    assert record.attempt.exit_status == 0
    assert record.diagnostics == (
        f"Application attempt {record.attempt.id} failed. "
        "The ApplicationMaster exited with status 0 without unregistering"
    )


def test_an_am_that_exits_before_registering_says_so_with_its_exit_status():
    record = story(LAUNCHED, replace(LAUNCHED, am_ending=ContainerExit(3, "Error")))

    assert states(record) == ("FAILED", "FAILED")
    assert record.attempt.diagnostics == (
        "The ApplicationMaster exited with status 3 without registering: Error"
    )


def test_an_am_whose_container_could_not_even_be_started_failed():
    gone = ContainerExit(ExitStatus.INVALID, "pod was refused")
    record = story(ALLOCATED, replace(ALLOCATED, am_ending=gone))

    assert states(record) == ("FAILED", "FAILED")
    assert record.attempt.exit_status == -1000


@pytest.mark.parametrize("facts", [ALLOCATED, LAUNCHED, RUNNING])
def test_an_am_that_is_given_up_fails_the_application_with_the_reason(facts):
    record = story(facts, replace(facts, expired="has not called for 900 s"))

    assert states(record) == ("FAILED", "FAILED")
    assert "has not called for 900 s" in record.diagnostics
    assert record.attempt.exit_status == ExitStatus.INVALID


def test_waiting_for_a_grant_never_expires():
    record = story(ACCEPTED, replace(ACCEPTED, expired="too long"))

    assert states(record) == ("ACCEPTED", "SCHEDULED")


def test_an_am_that_unregistered_but_never_exits_is_taken_for_finished():
    record = story(UNREGISTERED, replace(UNREGISTERED, expired="has not called for 900 s"))

    assert states(record) == ("FINISHED", "FINISHED")
    assert record.final_status is FinalStatus.SUCCEEDED


def test_an_am_that_fails_after_unregistering_does_not_change_the_final_status():
    record = story(UNREGISTERED, replace(UNREGISTERED, am_ending=ContainerExit(1, "Error")))

    assert states(record) == ("FINISHED", "FINISHED")
    assert record.final_status is FinalStatus.SUCCEEDED
    assert record.attempt.exit_status == 1


def test_a_failed_final_status_is_kept_with_progress_100_as_yarn_has_it():
    said = Unregistration(FinalStatus.FAILED, "a map failed four times")
    record = story(RUNNING, replace(RUNNING, unregistration=said))

    assert record.final_status is FinalStatus.FAILED
    assert (record.state, record.progress) == (ApplicationState.FINISHING, 100)
    assert record.tracking_url == "http://am"


def test_progress_and_tracking_url_follow_the_am_while_it_runs():
    record = story(RUNNING, replace(RUNNING, progress=55, tracking_url="http://am/2"))

    assert (record.progress, record.tracking_url) == (55, "http://am/2")


def test_what_a_restarted_resourcemanager_does_not_know_any_more_is_kept():
    known = story(RUNNING)

    assert advance(known, replace(LAUNCHED, progress=None), 9000) == known


def test_nothing_happens_to_an_application_that_has_ended():
    ended = story(FINISHED)

    assert advance(ended, replace(RUNNING, kill=True, expired="x"), 99_000) == ended


ANY_FACTS = st.builds(
    ObservedState,
    attempt=st.sampled_from([1, 1, 2, 3]),
    retry=st.sampled_from([RetryRule(), RetryRule(2), RetryRule(3, 2500)]),
    saved=st.booleans(),
    invalid=st.sampled_from(["", "", "wrong"]),
    kill=st.sampled_from([False, False, True]),
    admission=st.sampled_from(
        [None, Admission("root.a"), Admission("root.a"), Admission("", "no")]
    ),
    am_container=st.sampled_from([None, AM]),
    am_node=st.just("n1"),
    am_running=st.booleans(),
    am_ending=st.sampled_from([None, None, ContainerExit(0), ContainerExit(1, "x")]),
    am_revoked=st.booleans(),
    registered=st.booleans(),
    progress=st.sampled_from([None, 0, 50]),
    unregistration=st.sampled_from([None, None, DONE]),
    expired=st.sampled_from(["", "", "silent"]),
)


@given(st.lists(ANY_FACTS, max_size=12))
def test_looking_twice_at_the_same_facts_changes_nothing(seen):
    record = NEW
    for second, facts in enumerate(seen, start=1):
        record = advance(record, facts, second * 1000)
        assert advance(record, facts, second * 1000 + 500) == record


@given(st.lists(ANY_FACTS, max_size=12))
def test_an_ended_application_has_an_end_a_final_status_and_an_ended_attempt(seen):
    record = NEW
    for second, facts in enumerate(seen, start=1):
        after = advance(record, facts, second * 1000)
        if record.state in TERMINAL:
            assert after == record
        record = after
    assert (record.state in TERMINAL) == record.ended
    if record.ended:
        assert record.finish_ms > 0
        assert record.final_status is not FinalStatus.UNDEFINED
        assert record.attempt is None or record.attempt.state in ENDED
    elif record.attempt is not None:
        assert record.attempt.state not in ENDED - {AttemptState.FINISHED}


def test_an_application_of_which_nothing_is_known_waits_to_be_saved():
    assert states(advance(NEW, ObservedState(), 1000)) == ("NEW_SAVING", None)


REVOKED = replace(ALLOCATED, am_revoked=True)


def test_an_am_whose_grant_is_taken_back_is_scheduled_again():
    record = story(ALLOCATED, REVOKED)

    assert states(record) == ("ACCEPTED", "SCHEDULED")
    assert record.attempt.container is None
    assert (record.attempt.node, record.attempt.pod) == ("", "")

    second = ContainerId(AM.attempt, 0, 2)
    record = story(replace(LAUNCHED, am_container=second, am_node="n2"), record=record)
    assert states(record) == ("ACCEPTED", "LAUNCHED")
    assert (record.attempt.container, record.attempt.node) == (second, "n2")


@pytest.mark.parametrize("facts", [LAUNCHED, RUNNING, UNREGISTERED])
def test_an_am_that_has_started_is_never_revoked(facts):
    known = story(facts)

    assert advance(known, replace(facts, am_revoked=True), 9000) == known


def test_a_kill_of_an_application_whose_grant_was_taken_back_ends_it():
    record = story(ALLOCATED, replace(REVOKED, kill=True))

    assert states(record) == ("KILLED", "KILLED")


@pytest.mark.parametrize("facts", [ObservedState(saved=True), ACCEPTED])
def test_an_application_that_outlived_its_time_is_killed_and_says_so(facts):
    record = story(facts, replace(facts, outlived="It is too old."))

    assert record.state is ApplicationState.KILLED
    assert record.final_status is FinalStatus.KILLED
    assert record.diagnostics == "It is too old."


def test_an_application_that_outlived_its_time_is_killed_with_its_running_am():
    record = story(RUNNING, replace(RUNNING, outlived="It is too old."))
    assert record.state is ApplicationState.KILLING

    gone = replace(RUNNING, outlived="It is too old.", am_ending=ContainerExit(143))
    record = story(gone, record=record)
    assert states(record) == ("KILLED", "KILLED")
    assert record.diagnostics == "It is too old."
