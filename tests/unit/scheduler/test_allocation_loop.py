"""A scheduler that is built anew because the objects call for another one."""

from __future__ import annotations

import pytest

from unit.scheduler.world import World, a_node, numbers, started, two_queues


@pytest.fixture
def world():
    return World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))


def test_a_new_resource_type_builds_the_scheduler_anew_and_no_container_id_is_used_twice(world):
    pods = started(world)
    done = [c for c in pods if c.number in (3, 4)]
    for container in done:
        world.end(pods[container])
    world.complete("maps", *done)
    world.cycle()

    world.put("node", a_node("g1", also={"nvidia.com/gpu": "2"}))
    world.cycle()
    assert world.live.types.names == ("memory", "cpu", "nvidia.com/gpu")
    assert len(world.held()) == 2

    world.patch("request", "maps", spec={"count": 4})
    world.cycle()
    assert numbers(world.granted("maps")) == [2, 5]


def test_deleted_applications_are_counted_through_a_new_resource_type(world):
    pods = started(world)
    for name in ("maps", "words-am-1"):
        world.remove("request", name)
    world.remove("application", "words")
    world.cycle()
    world.put("node", a_node("g1", also={"nvidia.com/gpu": "2"}))
    world.cycle()
    assert len(world.held()) == 4

    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert world.held() == []
