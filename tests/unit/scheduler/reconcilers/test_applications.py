"""YarnApplications as they come, change and go."""

from __future__ import annotations

import pytest

from unit.scheduler.world import (
    World,
    a_node,
    a_queue,
    a_request,
    an_application,
    condition,
    numbers,
    request_status,
    started,
    two_queues,
)


@pytest.fixture
def world():
    return World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))


def test_a_submitted_application_gets_its_am(world):
    world.submit("words", 1)
    world.cycle()

    assert numbers(world.granted("words-am-1")) == [1]
    assert request_status(world, "words-am-1")["queue"] == "root.a"
    assert condition(world, "words-am-1", "Accepted") == ("True", "Accepted")
    assert condition(world, "words-am-1", "Satisfied") == ("True", "AllGranted")


@pytest.mark.parametrize(
    ("queue", "reason"), [("root.x", "QueueNotFound"), ("root", "QueueNotLeaf")]
)
def test_a_refused_application_is_told_why_and_changes_nothing_else(world, queue, reason):
    world.submit("words", 1, queue=queue)
    world.submit("other", 2)
    world.cycle()

    assert condition(world, "words-am-1", "Accepted") == ("False", reason)
    assert world.granted("words-am-1") == {}
    assert numbers(world.granted("other-am-1")) == [1]


def test_an_am_above_the_maximum_allocation_is_refused(world):
    world.submit("words", 1, am={"cpu": "1", "memory": "9999Gi"})
    world.cycle()

    assert condition(world, "words-am-1", "Accepted") == ("False", "MaximumAllocation")


def test_a_deleted_application_gives_back_what_has_no_pod_at_once(world):
    pods = started(world)
    world.patch("request", "maps", spec={"count": 6})
    world.cycle()
    assert len(world.held()) == 7

    for name in ("maps", "words-am-1"):
        world.remove("request", name)
    world.remove("application", "words")
    world.cycle()
    assert len(world.held()) == 4

    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert world.held() == []
    assert world.status("root.a").active_applications == 0
    assert world.live.requests == {}


def test_an_application_made_anew_under_its_name_starts_while_the_old_one_still_goes(world):
    pods = started(world)
    world.remove("application", "words")
    again = an_application("words", 2)
    again["metadata"]["uid"] = "second"
    world.put("application", again)
    world.cycle()
    # The old objects are still there: garbage collection comes later.
    assert len(world.held()) == 4
    for name in ("maps", "words-am-1"):
        world.remove("request", name)
    request = a_request("words-am-1", "words", role="ApplicationMaster", priority=0)
    request["metadata"]["ownerReferences"] = [{"kind": "YarnApplication", "uid": "second"}]
    world.put("request", request)
    world.cycle()

    assert numbers(world.granted("words-am-1")) == [1]
    assert [c.split("_")[2] for c in world.held()] == ["0001"] * 4 + ["0002"]
    assert world.status("root.a").containers == 5

    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert len(world.held()) == 1
    assert set(world.live.requests) == {("team-a", "words-am-1")}


def test_a_request_written_by_hand_begins_anew_with_the_next_application_of_the_name(world):
    pods = started(world)
    world.remove("application", "words")
    world.remove("request", "words-am-1")
    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert condition(world, "maps", "Accepted") == ("False", "ApplicationNotFound")
    assert request_status(world, "maps")["grants"] == []

    world.submit("words", 2)
    world.cycle()
    assert numbers(world.granted("maps")) == [2, 3, 4]


def test_an_ended_application_is_gone_when_its_last_container_is(world):
    pods = started(world, 2)
    world.patch("application", "words", status={"state": "FINISHED"})
    world.cycle()
    assert len(world.held()) == 3
    assert condition(world, "maps", "Satisfied")[1] == "ApplicationEnded"

    world.complete("maps", *(c for c in pods if c.number > 1))
    world.complete("words-am-1", *(c for c in pods if c.number == 1))
    world.cycle()
    assert world.held() == []
    assert world.status("root.a").active_applications == 0


def test_an_am_that_has_ended_is_not_granted_again_after_a_restart(world):
    pods = started(world)
    am = min(pods)
    world.end(pods[am], "Failed")
    world.complete("words-am-1", am)
    world.cycle()
    world.restart()
    world.cycle()

    assert world.granted("words-am-1") == {}
    assert len(world.held()) == 3


def test_applications_of_a_queue_that_was_stopped_survive_a_restart(world):
    started(world)
    world.patch("queue", "root.a", spec={"state": "Stopped"})
    world.cycle()
    assert world.status("root.a").state == "Draining"

    world.restart()
    world.patch("request", "maps", spec={"count": 5})
    world.submit("late", 2)
    world.cycle()

    assert condition(world, "words-am-1", "Accepted") == ("True", "Accepted")
    assert len(world.granted("maps")) == 5
    assert world.status("root.a").state == "Draining"
    assert condition(world, "late-am-1", "Accepted") == ("False", "QueueStopped")


def test_containers_of_an_ended_application_are_counted_after_a_restart_until_they_end(world):
    pods = started(world)
    world.patch("application", "words", status={"state": "FINISHED"})
    world.cycle()
    world.restart()
    world.cycle()
    assert len(world.held()) == 4

    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert world.held() == []


def test_a_masters_request_that_is_seen_before_its_application_waits_for_it(world):
    request = a_request("words-am-1", "words", role="ApplicationMaster", priority=0)
    world.put("request", request)
    world.cycle()
    assert world.objects["request"]["words-am-1"].get("status") is None
    world.put("application", an_application("words", 1))
    world.cycle()

    assert condition(world, "words-am-1", "Accepted") == ("True", "Accepted")


@pytest.mark.parametrize(("kind", "above"), [("Capacity", "root.a."), ("Fair", "root.")])
def test_no_queue_is_made_whose_path_no_object_could_have_as_its_name(kind, above):
    world = World(
        ("queue", a_queue("root", cluster={"scheduler": kind})),
        ("queue", a_queue("root.a", capacity="100%", autoCreate={"enabled": True})),
        ("node", a_node("n1")),
    )
    # As a placement rule makes one of a user's name, which may have as many characters alone.
    world.submit("words", 1, queue=above + "u" * 253, user="u" * 253)
    world.submit("short", 2, queue=above + "u" * (253 - len(above)))
    world.cycle()

    taken, reason, message = world.live.requests["team-a", "words-am-1"].accepted
    assert (taken, reason) == (False, "PlacementRejected")
    assert f"found a path of {len(above) + 253} characters, allowed: 253" in message
    assert world.live.requests["team-a", "short-am-1"].accepted[0]
