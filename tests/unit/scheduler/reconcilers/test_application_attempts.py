"""Another attempt in the scheduler: from the request for its AM alone, at any moment."""

from __future__ import annotations

import pytest

from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from unit.scheduler.world import World, a_node, a_queue, a_request, charged, two_queues

SMALL = {"cpu": "1", "memory": "1Gi"}
APP = ApplicationId(1763850000000, 1)


@pytest.fixture
def world():
    return World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))


def container(attempt, number, epoch=0):
    return ContainerId(AttemptId(APP, attempt), epoch, number)


def ask(world, name, count, attempt=0):
    """A request; of an *attempt* if its AM asked it at the AM service."""
    request = a_request(name, "words", count=count, resources=SMALL)
    if attempt:
        labels = {"kubeyarn.io/role": "ask", "kubeyarn.io/attempt": str(attempt)}
        request["metadata"]["labels"] = labels
    world.put("request", request)
    world.cycle()


def another_am(world, attempt):
    """The ResourceManager asks for the AM of another attempt."""
    request = a_request(
        f"words-am-{attempt}",
        "words",
        role="ApplicationMaster",
        priority=0,
        resources={"cpu": "1", "memory": "1536Mi"},
    )
    request["metadata"]["labels"] = {
        "kubeyarn.io/role": "am",
        "kubeyarn.io/attempt": str(attempt),
    }
    world.put("request", request)


def am_failed(world):
    """An application that asked five and got them launched; its AM has failed."""
    world.submit("words", 1)
    world.cycle()
    ask(world, "maps", 5, attempt=1)
    pods = {}
    for name in ("words-am-1", "maps"):
        for granted, node in world.granted(name).items():
            pods[granted] = world.launch(granted, node)["metadata"]["name"]
    world.end(pods[container(1, 1)], "Failed")
    world.complete("words-am-1", container(1, 1))
    world.cycle()
    return pods


def status(world, name):
    return world.objects["request"][name]["status"]


def said(world, name, kind):
    found = next(c for c in status(world, name)["conditions"] if c["type"] == kind)
    return found["status"], found["reason"]


def test_another_attempts_am_is_granted_as_container_1_of_that_attempt(world):
    am_failed(world)
    another_am(world, 2)
    world.cycle()

    assert list(world.granted("words-am-2")) == [container(2, 1)]
    assert status(world, "words-am-2")["queue"] == "root.a"
    assert said(world, "words-am-2", "Accepted") == ("True", "Accepted")
    assert said(world, "words-am-2", "Satisfied") == ("True", "AllGranted")


def test_what_the_former_attempt_holds_is_counted_until_it_is_gone(world):
    pods = am_failed(world)
    another_am(world, 2)
    world.cycle()
    assert world.status("root.a").containers == 6
    assert world.status("root.a").used == (7 * 2**30, 6000)
    assert world.live.bound("root.a") == (5 * 2**30, 5000)

    for number in range(2, 7):
        world.remove("pod", pods[container(1, number)])
        world.complete("maps", container(1, number))
    world.cycle()
    assert world.held() == [str(container(2, 1))]
    assert world.granted("maps") == {}


def test_what_the_former_attempt_still_asked_is_cancelled(world):
    world.submit("words", 1)
    ask(world, "maps", 40, attempt=1)
    granted = status(world, "maps")["granted"]
    assert granted < 40
    for one in world.granted("maps"):
        world.complete("maps", one)
    another_am(world, 2)
    for _ in range(3):
        world.cycle()

    assert (status(world, "maps")["granted"], status(world, "maps")["pending"]) == (granted, 0)
    assert said(world, "maps", "Satisfied") == ("False", "AttemptEnded")
    assert [c.attempt.number for c in world.granted("words-am-2")] == [2]


def test_a_request_written_by_hand_goes_on_through_attempts(world):
    am_failed(world)
    ask(world, "by-hand", 2)
    before = set(world.granted("by-hand"))
    another_am(world, 2)
    world.cycle()
    world.patch("request", "by-hand", spec={"count": 4})
    world.cycle()

    after = set(world.granted("by-hand"))
    assert before < after
    assert {c.attempt.number for c in after - before} == {2}
    assert status(world, "by-hand")["granted"] == 4


@pytest.mark.parametrize("moment", ["am failed", "am asked", "am granted", "am launched"])
def test_a_restart_of_the_scheduler_between_two_attempts_changes_nothing(world, moment):
    am_failed(world)
    ask(world, "by-hand", 2)
    if moment == "am failed":
        world.restart()
        world.cycle()
        assert len(world.held()) == 7
    another_am(world, 2)
    if moment == "am asked":
        world.restart()
    world.cycle()
    [(am, node)] = world.granted("words-am-2").items()
    if moment == "am launched":
        world.launch(am, node)
    if moment in ("am granted", "am launched"):
        before = charged(world.live)
        world.restart()
        assert charged(world.live) == before
    world.cycle()

    assert list(world.granted("words-am-2")) == [am]
    assert (am.attempt.number, am.number) == (2, 1)
    assert len(world.held()) == 8
    assert status(world, "words-am-2")["granted"] == 1


def test_an_attempt_whose_am_has_ended_as_well_waits_for_the_next_after_a_restart(world):
    am_failed(world)
    another_am(world, 2)
    world.cycle()
    [am] = world.granted("words-am-2")
    world.complete("words-am-2", am)
    world.cycle()
    world.restart()
    world.cycle()
    assert world.granted("words-am-2") == {}

    another_am(world, 3)
    world.cycle()
    assert list(world.granted("words-am-3")) == [container(3, 1, epoch=1)]


def test_a_new_resource_type_between_attempts_uses_no_container_id_twice(world):
    am_failed(world)
    another_am(world, 2)
    world.cycle()
    ask(world, "reduces", 1, attempt=2)
    world.put("node", a_node("n3", also={"example.org/gpu": "1"}))
    world.cycle()
    world.patch("request", "reduces", spec={"count": 2})
    world.cycle()

    assert set(world.granted("reduces")) == {container(2, 2), container(2, 3)}


def test_a_refused_grant_of_a_former_attempts_am_is_not_asked_for_again(world):
    world.submit("words", 1)
    world.cycle()
    [(am, node)] = world.granted("words-am-1").items()
    world.launch(am, node, bound=False)
    another_am(world, 2)
    world.cycle()
    world.loop.applications.revoke(am, 0)
    world.cycle()

    assert world.granted("words-am-1") == {}
    assert world.held() == [str(container(2, 1))]


def test_the_next_attempt_is_taken_by_a_queue_that_takes_no_applications_any_more(world):
    am_failed(world)
    words = world.objects["queue"]["root.a"]["spec"]
    world.put("queue", a_queue("root.a", **{**words, "state": "Stopped"}))
    world.cycle()
    world.restart()
    another_am(world, 2)
    world.cycle()

    assert [c.attempt.number for c in world.granted("words-am-2")] == [2]
