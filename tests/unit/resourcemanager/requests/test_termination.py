"""Why containers are terminated."""

from __future__ import annotations

import pytest

from kubeyarn.cluster import names
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.records import ApplicationRecord, AttemptRecord
from kubeyarn.model.ids import AttemptId
from kubeyarn.resourcemanager.requests import request_view
from kubeyarn.resourcemanager.requests.termination import (
    APPLICATION_OVER,
    ATTEMPT_OVER,
    ATTEMPT_OVER_KEEPING,
    termination_reason,
)
from unit.resourcemanager.objects import (
    APP,
    a_request,
    an_application,
    application_of,
    request_of,
)

AM, ASK, TASK = names.ROLE_AM, names.ROLE_ASK, names.ROLE_TASK


def record(state, attempts):
    numbers = range(1, attempts + 1)
    made = tuple(AttemptRecord(AttemptId(APP, n), AttemptState.RUNNING) for n in numbers)
    return ApplicationRecord(APP, "alice", 0, ApplicationState(state), attempts=made)


def request(role, attempt, **status):
    labels = {names.ROLE: role, names.ATTEMPT: str(attempt)}
    return request_view.view(request_of(a_request(labels=labels, status=status)), APP)


@pytest.mark.parametrize(
    ("state", "current", "role", "attempt", "keeps", "expected"),
    [
        pytest.param("RUNNING", 1, AM, 1, False, None, id="a running attempt's AM"),
        pytest.param("RUNNING", 1, ASK, 1, False, None, id="what it asked for"),
        pytest.param("RUNNING", 2, AM, 1, False, ATTEMPT_OVER, id="a former attempt's AM"),
        pytest.param("RUNNING", 2, AM, 1, True, ATTEMPT_OVER, id="which is never kept"),
        pytest.param("RUNNING", 2, ASK, 1, False, ATTEMPT_OVER, id="what a former one asked for"),
        pytest.param("RUNNING", 2, ASK, 1, True, ATTEMPT_OVER_KEEPING, id="which may be kept"),
        pytest.param("RUNNING", 2, TASK, 1, False, None, id="written by hand, of no attempt"),
        pytest.param("ACCEPTED", 2, ASK, 2, False, None, id="of an attempt that begins"),
        pytest.param("FINISHING", 1, AM, 1, False, None, id="an AM that cleans up"),
        pytest.param("FINISHING", 2, AM, 1, False, APPLICATION_OVER, id="not a former one"),
        pytest.param("FINISHING", 1, ASK, 1, True, APPLICATION_OVER, id="nor its containers"),
        pytest.param("KILLING", 1, AM, 1, False, APPLICATION_OVER, id="a killed one's AM"),
        pytest.param(
            "FINISHED", 1, TASK, 1, False, APPLICATION_OVER, id="by hand, of an ended one"
        ),
        pytest.param("SUBMITTED", 0, AM, 1, False, None, id="before there is an attempt"),
    ],
)
def test_containers_are_ended_with_their_attempt_or_their_application(
    state, current, role, attempt, keeps, expected
):
    application = application_of(an_application(keepContainersAcrossAttempts=keeps))
    found = termination_reason(application, record(state, current), request(role, attempt))

    assert found is expected
