"""Another attempt after one that failed: when there is one, and what it begins with."""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.lifecycle.application import ApplicationState, FinalStatus
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import (
    Admission,
    ContainerExit,
    ObservedState,
    Unregistration,
    advance,
)
from kubeyarn.lifecycle.records import MOST_ATTEMPTS, ApplicationRecord, AttemptRecord
from kubeyarn.lifecycle.retry import RetryRule
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId

APP = ApplicationId(1763850000000, 7)
NEW = ApplicationRecord(APP, user="alice", start_ms=100)
DONE = Unregistration(FinalStatus.SUCCEEDED)


def am(attempt):
    return ContainerId(AttemptId(APP, attempt), 0, 1)


def seen(attempt, rule, **said):
    """An AM of *attempt* that runs, and what more is *said* of it."""
    return ObservedState(
        attempt=attempt,
        retry=rule,
        saved=True,
        admission=Admission(queue="root.default"),
        am_container=am(attempt),
        am_node="n1",
        am_pod=f"wordcount-{attempt:02d}-000001",
        am_running=True,
        **said,
    )


def running(attempt, rule):
    return seen(attempt, rule, registered=True, progress=40, tracking_url="http://am")


def failed(attempt, rule, exit_status=1):
    return replace(running(attempt, rule), am_ending=ContainerExit(exit_status, "gone"))


def story(*facts, record=NEW):
    for second, told in enumerate(facts, start=1):
        record = advance(record, told, second * 1000)
    return record


def attempts(record):
    return [(a.id.number, a.state.value) for a in record.attempts]


TWICE = RetryRule(max_attempts=2)


def test_after_an_attempt_that_failed_the_application_is_accepted_again_with_the_next_one():
    record = story(running(1, TWICE), failed(1, TWICE))

    assert record.state is ApplicationState.ACCEPTED
    assert attempts(record) == [(1, "FAILED"), (2, "SCHEDULED")]
    assert record.attempt.start_ms == record.attempts[0].finish_ms == 2000
    assert record.attempt.container is None
    assert (record.progress, record.tracking_url, record.diagnostics) == (0, "", "")
    assert (record.final_status, record.finish_ms) == (FinalStatus.UNDEFINED, 0)


def test_what_is_seen_of_the_former_am_is_nothing_to_the_new_attempt():
    second = story(running(1, TWICE), failed(1, TWICE))

    late = replace(failed(1, TWICE), expired="silent", unregistration=DONE, am_revoked=True)
    assert advance(second, late, 9000) == second


def test_the_second_attempt_runs_and_finishes_as_the_first_would():
    ended = replace(running(2, TWICE), unregistration=DONE, am_ending=ContainerExit(0))
    record = story(running(1, TWICE), failed(1, TWICE), running(2, TWICE), ended)

    assert record.state is ApplicationState.FINISHED
    assert record.final_status is FinalStatus.SUCCEEDED
    assert attempts(record) == [(1, "FAILED"), (2, "FINISHED")]
    assert record.attempt.container == am(2)
    # When the first one was launched.
    assert record.launch_ms == 1000


def test_an_application_fails_when_its_last_attempt_does():
    record = story(running(1, TWICE), failed(1, TWICE), failed(2, TWICE, 3))

    assert record.state is ApplicationState.FAILED
    assert attempts(record) == [(1, "FAILED"), (2, "FAILED")]
    assert record.diagnostics.startswith(f"Application attempt {AttemptId(APP, 2)} failed. ")


def test_an_am_that_is_given_up_ends_its_attempt_and_counts():
    record = story(running(1, TWICE), replace(running(1, TWICE), expired="has not called"))
    assert attempts(record) == [(1, "FAILED"), (2, "SCHEDULED")]
    assert record.attempts[0].exit_status == ExitStatus.INVALID
    assert record.attempts[0].diagnostics == "has not called"

    record = story(replace(seen(2, TWICE), expired="has not registered"), record=record)
    assert record.state is ApplicationState.FAILED


def test_an_application_that_is_being_killed_gets_no_other_attempt():
    kill = replace(running(1, TWICE), kill=True)
    record = story(running(1, TWICE), kill, replace(kill, am_ending=ContainerExit(137)))

    assert record.state is ApplicationState.KILLED
    assert len(record.attempts) == 1


def test_a_kill_between_two_attempts_ends_the_application_at_once():
    record = story(failed(1, TWICE), replace(failed(1, TWICE), kill=True))

    assert record.state is ApplicationState.KILLED
    assert attempts(record) == [(1, "FAILED"), (2, "KILLED")]


def test_of_very_many_attempts_the_ones_that_do_not_count_are_forgotten_first():
    taken = AttemptRecord(AttemptId(APP, 2), AttemptState.FAILED, exit_status=-102)
    own = [
        AttemptRecord(AttemptId(APP, n), AttemptState.FAILED, exit_status=1)
        for n in (1, *range(3, MOST_ATTEMPTS + 1))
    ]
    record = replace(NEW, attempts=(own[0], taken, *own[1:])).with_another_attempt(5)
    assert [a.id.number for a in record.attempts] == [1, *range(3, MOST_ATTEMPTS + 2)]

    record = record.with_another_attempt(6)
    assert [a.id.number for a in record.attempts] == list(range(3, MOST_ATTEMPTS + 3))
