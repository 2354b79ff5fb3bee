"""What is remembered of exits that no pod tells."""

from __future__ import annotations

import pytest

from kubeyarn.cluster import names
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.model.ids import ApplicationId
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.nodes.tracker import NodeTracker
from kubeyarn.resourcemanager.requests import request_view
from kubeyarn.resourcemanager.requests.container_exits import ContainerExits
from unit.resourcemanager.objects import APP, a_pod, a_request, container, request_of

ASK, TASK = names.ROLE_ASK, names.ROLE_TASK
KEY = ("team-a", "wordcount")
STOPPED, RELEASED = ContainerExit(-105, "stopped"), ContainerExit(-100, "released")


def request(role, **status):
    labels = {names.ROLE: role, names.ATTEMPT: "1"}
    return request_view.view(request_of(a_request(labels=labels, status=status)), APP)


@pytest.fixture
def cache():
    return Cache()


@pytest.fixture
def nodes():
    return NodeTracker(expiry_s=600, timeout_s=60, clock_ms=lambda: 10**12)


@pytest.fixture
def looked_at():
    return []


@pytest.fixture
def exits(cache, nodes, looked_at):
    return ContainerExits(cache, nodes, lambda: 10**12, looked_at.append)


def test_nothing_is_known_of_a_container_that_nobody_ended(exits):
    assert exits.of(KEY, container(2)) is None
    assert exits.stopped_as(container(2)) is None


def test_what_we_stop_counts_before_what_was_noted_or_seen(exits, cache):
    cache.put_pod(a_pod(container(2)))
    cache.put_pod(a_pod(container(2)), deleted=True)
    assert exits.of(KEY, container(2)).exit_status == ExitStatus.ABORTED

    exits.note(KEY, container(2), RELEASED)
    assert exits.of(KEY, container(2)).diagnostics == "The container's pod was deleted."

    exits.stop(container(2), STOPPED)
    assert exits.of(KEY, container(2)) == exits.stopped_as(container(2)) == STOPPED


def test_an_exit_that_no_watch_will_tell_of_has_its_application_looked_at(exits, looked_at):
    exits.stop(container(2), STOPPED)
    assert looked_at == []

    exits.note(KEY, container(3), RELEASED)
    assert looked_at == [KEY]


def test_a_container_held_its_room_for_as_long_as_its_pod_tells_and_no_longer(exits, cache):
    pod = a_pod(container(2), phase="Running", main={"running": {}})
    cache.put_pod(pod)
    held_s = exits.held_s(KEY, container(2))
    assert held_s == cache.pods(KEY)[container(2)].held_s(10**12)

    cache.put_pod(pod, deleted=True)
    assert exits.held_s(KEY, container(2)) == held_s
    assert exits.held_s(KEY, container(3)) == 0


def test_the_first_note_of_an_expired_container_counts(exits):
    exits.note(KEY, container(2), RELEASED)
    exits.note_unless_known(KEY, container(2), STOPPED)
    exits.note_unless_known(KEY, container(3), STOPPED)

    assert exits.of(KEY, container(2)) == RELEASED
    assert exits.of(KEY, container(3)) == STOPPED


def test_a_recorded_exit_is_forgotten_everywhere(exits, cache):
    cache.put_pod(a_pod(container(2)))
    cache.put_pod(a_pod(container(2)), deleted=True)
    exits.note(KEY, container(2), RELEASED)
    exits.stop(container(2), STOPPED)

    exits.recorded(KEY, container(2))

    assert exits.of(KEY, container(2)) is None


def test_a_deleted_applications_exits_are_forgotten_and_others_are_not(exits):
    exits.stop(container(2), STOPPED)
    exits.note(KEY, container(3), RELEASED)

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
    found = exits.of(KEY, container(2), request(role, grants=grants))

    assert (found is not None) is ended
