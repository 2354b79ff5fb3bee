"""Why containers are terminated, and what is remembered of exits that no pod tells."""

from __future__ import annotations

import pytest

from kubeyarn.cluster import names
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.lifecycle.records import ApplicationRecord, AttemptRecord
from kubeyarn.model.ids import ApplicationId, AttemptId
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.nodes.tracker import NodeTracker
from kubeyarn.resourcemanager.requests import request_view
from kubeyarn.resourcemanager.requests.termination import (
    APPLICATION_OVER,
    ATTEMPT_OVER,
    ATTEMPT_OVER_KEEPING,
    ContainerExits,
    termination_reason,
)
from unit.resourcemanager.objects import (
    APP,
    a_pod,
    a_request,
    an_application,
    application_of,
    container,
    request_of,
)

AM, ASK, TASK = names.ROLE_AM, names.ROLE_ASK, names.ROLE_TASK
KEY = ("team-a", "wordcount")
STOPPED, RELEASED = ContainerExit(-105, "stopped"), ContainerExit(-100, "released")


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


@pytest.fixture
def cache():
    return Cache()


@pytest.fixture
def nodes():
    return NodeTracker(expiry_s=600, timeout_s=60, clock_ms=lambda: 10**12)


@pytest.fixture
def exits(cache, nodes):
    return ContainerExits(cache, nodes)


def test_nothing_is_known_of_a_container_that_nobody_ended(exits):
    assert exits.of(KEY, container(2)) is None
    assert exits.stopped_as(container(2)) is None


def test_what_we_stop_counts_before_what_was_noted_or_seen(exits, cache):
    cache.put_pod(a_pod(container(2)))
    cache.put_pod(a_pod(container(2)), deleted=True)
    assert exits.of(KEY, container(2)).exit_status == ExitStatus.ABORTED

    exits.note(container(2), RELEASED)
    assert exits.of(KEY, container(2)).diagnostics == "The container's pod was deleted."

    exits.stop(container(2), STOPPED)
    assert exits.of(KEY, container(2)) == exits.stopped_as(container(2)) == STOPPED


def test_the_first_note_of_an_expired_container_counts(exits):
    exits.note(container(2), RELEASED)
    exits.note_unless_known(container(2), STOPPED)
    exits.note_unless_known(container(3), STOPPED)

    assert exits.of(KEY, container(2)) == RELEASED
    assert exits.of(KEY, container(3)) == STOPPED


def test_a_recorded_exit_is_forgotten_everywhere(exits, cache):
    cache.put_pod(a_pod(container(2)))
    cache.put_pod(a_pod(container(2)), deleted=True)
    exits.note(container(2), RELEASED)
    exits.stop(container(2), STOPPED)

    exits.recorded(KEY, container(2))

    assert exits.of(KEY, container(2)) is None


def test_a_deleted_applications_exits_are_forgotten_and_others_are_not(exits):
    exits.stop(container(2), STOPPED)
    exits.note(container(3), RELEASED)

    exits.forget(ApplicationId(1, 1))
    assert exits.of(KEY, container(2)) == STOPPED

    exits.forget(APP)
    assert exits.of(KEY, container(2)) is exits.of(KEY, container(3)) is None


@pytest.mark.parametrize(
    ("role", "launched", "ended"),
    [
        pytest.param(ASK, False, True, id="an AM was told of it"),
        pytest.param(TASK, False, False, id="nobody was told: it is granted elsewhere"),
        pytest.param(ASK, True, False, id="it has a pod, which tells"),
    ],
)
def test_what_was_granted_on_a_lost_node_has_ended_if_an_am_was_told(
    exits, cache, nodes, role, launched, ended
):
    grants = [{"attempt": 1, "epoch": 0, "node": "n1", "containers": "2"}]
    nodes.see("DELETED", {"metadata": {"name": "n1"}}, ("n1",))
    if launched:
        cache.put_pod(a_pod(container(2)))
    found = exits.of(KEY, container(2), request(role, 1, grants=grants))

    assert (found is not None) is ended
