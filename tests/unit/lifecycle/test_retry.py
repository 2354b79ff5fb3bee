"""The retry table, row by row: which ends of an ApplicationMaster use up an attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.lifecycle import retry
from kubeyarn.lifecycle.application import ApplicationState, FinalStatus
from kubeyarn.lifecycle.exit_status import NOT_COUNTED, ExitStatus
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
NEW = ApplicationRecord(APP, user="alice", start_ms=100)
TWICE = RetryRule(max_attempts=2)


def am(attempt, rule=TWICE, **said):
    """The registered AM of *attempt*, and what more is *said* of it."""
    facts = ObservedState(
        attempt=attempt,
        retry=rule,
        saved=True,
        admission=Admission(queue="root.default"),
        am_container=ContainerId(AttemptId(APP, attempt), 0, 1),
        am_running=True,
        registered=True,
    )
    return replace(facts, **said)


def after_two(**said):
    """The application after two attempts that each ended as *said*."""
    record = advance(NEW, am(1, **said), 1000)
    return advance(record, am(2, **said), 2000)


def uses_up_its_attempts(**said):
    record = after_two(**said)
    assert [a.state.value for a in record.attempts[:2]] == ["FAILED", "FAILED"]
    return record.state is ApplicationState.FAILED


def ends_with(status):
    return {"am_ending": ContainerExit(int(status), "gone")}


def test_success_0_without_unregistering_counts():
    assert uses_up_its_attempts(**ends_with(ExitStatus.SUCCESS))


@pytest.mark.parametrize("code", [1, 3, 137, 143, 255])
def test_an_exit_code_of_the_processs_own_counts(code):
    assert uses_up_its_attempts(**ends_with(code))


def test_invalid_minus_1000_counts():
    assert uses_up_its_attempts(**ends_with(ExitStatus.INVALID))


def test_aborted_minus_100_does_not_count():
    assert not uses_up_its_attempts(**ends_with(ExitStatus.ABORTED))


def test_disks_failed_minus_101_does_not_count():
    assert not uses_up_its_attempts(**ends_with(ExitStatus.DISKS_FAILED))


def test_preempted_minus_102_does_not_count():
    assert not uses_up_its_attempts(**ends_with(ExitStatus.PREEMPTED))


def test_killed_exceeded_vmem_minus_103_counts():
    assert uses_up_its_attempts(**ends_with(ExitStatus.KILLED_EXCEEDED_VMEM))


def test_killed_exceeded_pmem_minus_104_counts():
    assert uses_up_its_attempts(**ends_with(ExitStatus.KILLED_EXCEEDED_PMEM))


def test_killed_by_appmaster_minus_105_counts():
    assert uses_up_its_attempts(**ends_with(ExitStatus.KILLED_BY_APPMASTER))


def test_killed_by_resourcemanager_minus_106_does_not_count():
    assert not uses_up_its_attempts(**ends_with(ExitStatus.KILLED_BY_RESOURCEMANAGER))


def test_killed_after_app_completion_minus_107_counts():
    assert uses_up_its_attempts(**ends_with(ExitStatus.KILLED_AFTER_APP_COMPLETION))


def test_killed_by_container_scheduler_minus_108_counts():
    assert uses_up_its_attempts(**ends_with(ExitStatus.KILLED_BY_CONTAINER_SCHEDULER))


def test_killed_for_excess_logs_minus_109_counts():
    assert uses_up_its_attempts(**ends_with(ExitStatus.KILLED_FOR_EXCESS_LOGS))


def test_a_lost_node_does_not_count():
    """Its containers are reported -100."""
    assert ExitStatus.ABORTED in NOT_COUNTED


def test_an_am_that_is_silent_for_too_long_counts():
    assert uses_up_its_attempts(expired="has not called for 900 s")


def test_an_am_that_never_registers_counts():
    assert uses_up_its_attempts(registered=False, expired="has not registered within 600 s")


def test_an_am_whose_pod_the_api_server_refuses_counts():
    said = {"registered": False, "am_running": False, "unlaunched": "pod was refused: no image"}
    assert uses_up_its_attempts(**said)
    assert after_two(**said).attempts[0].diagnostics == "pod was refused: no image"


def test_an_attempt_that_its_user_fails_counts():
    assert uses_up_its_attempts(fail="Attempt failed by its user.")
    failed = after_two(fail="Attempt failed by its user.")
    assert failed.attempts[1].exit_status == ExitStatus.INVALID
    assert failed.diagnostics.endswith("Attempt failed by its user.")


def test_an_attempt_that_has_unregistered_cannot_be_failed():
    done = {"unregistration": Unregistration(FinalStatus.SUCCEEDED), "fail": "by its user"}
    record = advance(NEW, am(1, **done), 1000)
    assert record.state is ApplicationState.FINISHING

    record = advance(record, am(1, **done, **ends_with(0)), 2000)
    assert record.state is ApplicationState.FINISHED


def test_what_does_not_count_is_tried_again_without_end():
    record = NEW
    for number in range(1, 6):
        record = advance(record, am(number, **ends_with(ExitStatus.PREEMPTED)), number * 1000)
    assert len(record.attempts) == 6

    record = advance(record, am(6, **ends_with(1)), 7000)
    assert record.state is ApplicationState.ACCEPTED
    record = advance(record, am(7, **ends_with(1)), 8000)
    assert record.state is ApplicationState.FAILED


@pytest.mark.parametrize("status", sorted(NOT_COUNTED), ids=lambda status: status.name)
def test_with_one_attempt_at_most_even_what_does_not_count_ends_the_application(status):
    record = advance(NEW, am(1, RetryRule(1), **ends_with(status)), 1000)

    assert record.state is ApplicationState.FAILED
    assert len(record.attempts) == 1


def test_failures_older_than_the_validity_interval_do_not_count():
    rule = RetryRule(max_attempts=2, validity_ms=5000)
    first = advance(NEW, am(1, rule, **ends_with(1)), 1000)
    second = am(2, rule, **ends_with(1))

    assert advance(first, second, 6000).state is ApplicationState.FAILED
    assert advance(first, second, 6001).state is ApplicationState.ACCEPTED


@pytest.mark.parametrize(
    ("asked", "most", "expected"), [(0, 2, 2), (1, 2, 1), (2, 2, 2), (5, 2, 2), (3, 4, 3)]
)
def test_the_clusters_maximum_bounds_the_applications(asked, most, expected):
    assert retry.resolved(asked, most) == expected


def test_a_kill_while_it_fails_ends_it_without_another_attempt():
    record = advance(NEW, am(1), 1000)
    record = advance(record, am(1, kill=True, **ends_with(1)), 2000)

    assert record.state is ApplicationState.KILLED
    assert len(record.attempts) == 1


def unmanaged(**said):
    return ObservedState(
        retry=RetryRule(),
        saved=True,
        unmanaged=True,
        admission=Admission(queue="root.default"),
        **said,
    )


def test_an_unmanaged_am_is_waited_for_and_finishes_as_soon_as_it_unregisters():
    record = advance(NEW, unmanaged(), 1000)
    assert (record.state, record.attempt.state.value) == ("ACCEPTED", "LAUNCHED")
    record = advance(record, unmanaged(registered=True), 2000)
    assert (record.state, record.attempt.state.value) == ("RUNNING", "RUNNING")

    done = Unregistration(FinalStatus.SUCCEEDED, "all counted")
    record = advance(record, unmanaged(registered=True, unregistration=done), 3000)
    assert (record.state, record.attempt.state.value) == ("FINISHED", "FINISHED")
    assert (record.final_status, record.diagnostics) == (FinalStatus.SUCCEEDED, "all counted")
    assert (record.finish_ms, record.attempt.finish_ms, record.progress) == (3000, 3000, 100)


def test_an_unmanaged_am_that_is_silent_fails_its_application_and_is_not_tried_again():
    record = advance(NEW, unmanaged(registered=True), 1000)
    record = advance(record, unmanaged(registered=True, expired="silent"), 2000)

    assert record.state is ApplicationState.FAILED
    assert len(record.attempts) == 1


def test_an_unmanaged_am_that_nobody_registers_as_expires():
    record = advance(NEW, unmanaged(), 1000)
    record = advance(record, unmanaged(expired="nobody registered"), 2000)

    assert (record.state, record.attempt.state.value) == ("FAILED", "FAILED")
    assert record.diagnostics.endswith("nobody registered")


@pytest.mark.parametrize("registered", [False, True])
def test_an_unmanaged_am_is_killed_at_once(registered):
    record = advance(NEW, unmanaged(registered=registered), 1000)
    record = advance(record, unmanaged(registered=registered, kill=True), 2000)

    assert (record.state, record.attempt.state.value) == ("KILLED", "KILLED")


def test_an_unmanaged_am_that_unregisters_in_time_wins_over_the_kill():
    done = Unregistration(FinalStatus.SUCCEEDED)
    record = advance(NEW, unmanaged(registered=True), 1000)
    record = advance(record, unmanaged(registered=True, kill=True, unregistration=done), 2000)

    assert record.state is ApplicationState.FINISHED
