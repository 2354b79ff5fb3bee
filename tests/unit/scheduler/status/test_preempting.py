"""A container that is taken back is listed as such until its end is recorded."""

from __future__ import annotations

import pytest

from kubeyarn.schedulers.api import Preempt
from unit.scheduler.world import World, a_node, a_request, two_queues


@pytest.fixture
def world():
    world = World(*two_queues(), ("node", a_node("n1")))
    world.submit("words", 1)
    small = {"cpu": "1", "memory": "1Gi"}
    world.put("request", a_request("maps", "words", count=2, resources=small))
    world.cycle()
    return world


def launched(world):
    """The pods of the containers of maps, by container."""
    return {
        container: world.launch(container, node)["metadata"]["name"]
        for container, node in world.granted("maps").items()
    }


def take_back(world, container, *, kill):
    world.loop.note_preemption(Preempt(container, kill=kill, message="root.b needs it"))
    world.write()


def preempting(world):
    status = world.objects["request"]["maps"]["status"]
    return [(entry["id"], entry["kill"]) for entry in status.get("preempting") or ()]


def test_a_killed_container_is_listed_until_its_end_is_recorded(world):
    pods = launched(world)
    container = min(pods)
    take_back(world, container, kill=True)
    world.remove("pod", pods[container])
    world.cycle()
    # Its room is free again, and the ResourceManager knows still why the pod went.
    assert len(world.held()) == 2
    assert preempting(world) == [(str(container), True)]

    world.complete("maps", container)
    world.cycle()
    assert preempting(world) == []


def test_a_restart_does_not_forget_whom_the_policy_killed(world):
    pods = launched(world)
    container = min(pods)
    take_back(world, container, kill=True)
    world.restart()
    world.remove("pod", pods[container])
    world.cycle()

    assert preempting(world) == [(str(container), True)]


def test_who_was_only_marked_is_not_said_to_be_killed_after_a_restart(world):
    container = min(launched(world))
    take_back(world, container, kill=False)
    assert preempting(world) == [(str(container), False)]
    world.restart()
    world.cycle()

    assert preempting(world) == []
