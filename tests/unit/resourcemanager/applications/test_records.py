"""Records and statuses are the same thing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeyarn.lifecycle.application import TERMINAL, ApplicationState, FinalStatus
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.records import ApplicationRecord, AttemptRecord
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.resourcemanager.applications import records
from unit.resourcemanager.objects import application_of

TIMES = st.integers(0, 4_000_000_000).map(lambda second: second * 1000)
TEXTS = st.text(max_size=50)
APPS = st.builds(ApplicationId, st.integers(1, 2**45), st.integers(1, 99999))
WRITTEN_AS_THEMSELVES = [
    state
    for state in ApplicationState
    if state not in (ApplicationState.FINISHING, ApplicationState.KILLING)
]


@st.composite
def stored(draw):
    app = draw(APPS)
    attempts = []
    for number in range(1, 1 + draw(st.integers(0, 3))):
        attempt = AttemptId(app, number)
        made = ContainerId(attempt, draw(st.integers(0, 200)), draw(st.integers(1, 2**21)))
        attempts.append(
            AttemptRecord(
                id=attempt,
                state=draw(st.sampled_from([s for s in AttemptState if s != "FINISHING"])),
                container=draw(st.sampled_from([None, made])),
                node=draw(TEXTS),
                pod=draw(TEXTS),
                start_ms=draw(TIMES),
                finish_ms=draw(TIMES),
                exit_status=draw(st.sampled_from([None, 0, 1, -100, -1000])),
                diagnostics=draw(TEXTS),
            )
        )
    state = draw(st.sampled_from(WRITTEN_AS_THEMSELVES))
    return ApplicationRecord(
        id=app,
        user=draw(TEXTS),
        start_ms=draw(TIMES),
        state=state,
        before_kill=state,
        final_status=draw(st.sampled_from(list(FinalStatus))),
        queue=draw(TEXTS),
        progress=draw(st.integers(0, 100)),
        tracking_url=draw(TEXTS),
        diagnostics=draw(TEXTS),
        launch_ms=draw(TIMES),
        finish_ms=draw(TIMES),
        attempts=tuple(attempts),
    )


@given(stored())
def test_what_is_written_is_read_back(record):
    assert records.read(application_of({"status": records.write(record)})) == record


@given(stored())
def test_what_was_read_is_written_as_it_was(record):
    status = records.write(record)

    assert records.write(records.read(application_of({"status": status}))) == status


RECORD = ApplicationRecord(ApplicationId(1, 1), "alice", 1000)


def test_an_application_without_an_id_has_no_record():
    assert records.read(application_of({})) is None
    assert records.read(application_of({"status": {"state": "NEW"}})) is None


def test_an_application_whose_am_has_unregistered_is_finishing_again_after_a_restart():
    attempt = AttemptRecord(AttemptId(RECORD.id, 1), AttemptState.FINISHING)
    record = replace(RECORD, state=ApplicationState.FINISHING, attempts=(attempt,))
    status = records.write(record)

    assert status["state"] == "FINISHED"
    assert records.read(application_of({"status": status})).state is ApplicationState.FINISHING


@pytest.mark.parametrize("before", [ApplicationState.ACCEPTED, ApplicationState.RUNNING])
def test_an_application_that_is_being_killed_shows_what_it_was(before):
    record = replace(RECORD, state=ApplicationState.KILLING, before_kill=before)

    assert records.write(record)["state"] == before.value
    assert records.read(application_of({"status": records.write(record)})).state is before


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_an_ended_application_stays_ended_when_read_again(state):
    assert records.read(
        application_of({"status": records.write(replace(RECORD, state=state))})
    ).ended


def test_long_diagnostics_are_cut():
    attempt = AttemptRecord(AttemptId(RECORD.id, 1), diagnostics="y" * 9000)
    status = records.write(replace(RECORD, diagnostics="x" * 9000, attempts=(attempt,)))

    assert len(status["diagnostics"]) == 4096
    assert len(status["attempts"][0]["diagnostics"]) == 1024


def test_no_time_is_written_as_none_so_that_a_patch_removes_it():
    status = records.write(RECORD)

    assert status["startTime"] == "1970-01-01T00:00:01Z"
    assert status["finishTime"] is None
