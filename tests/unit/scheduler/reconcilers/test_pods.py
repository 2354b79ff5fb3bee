"""Pods that end, and pods of others that take room."""

from __future__ import annotations

import pytest

from unit.scheduler.world import GIB, World, a_node, asked, foreign, needs, started, two_queues


@pytest.fixture
def world():
    return World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))


def test_a_container_is_freed_once_when_its_pod_ends(world):
    pods = started(world)
    used = world.status("root.a").used
    first = min(c for c in pods if c.number > 1)

    world.end(pods[first])
    world.cycle()
    assert world.status("root.a").used == (used[0] - GIB, used[1] - 1000)
    assert first in world.granted("maps")

    world.remove("pod", pods[first])
    world.complete("maps", first)
    world.cycle()
    assert world.status("root.a").used == (used[0] - GIB, used[1] - 1000)


def test_a_pod_that_disappeared_unwatched_frees_its_container(world):
    pods = started(world)
    first = min(c for c in pods if c.number > 1)
    world.remove("pod", pods[first], unwatched=True)
    world.cycle()

    assert str(first) not in world.held()


def test_an_older_pod_of_a_container_frees_nothing_when_it_goes(world):
    pods = started(world)
    first = min(c for c in pods if c.number > 1)
    other = world.launch(first, "n1", bound=False)
    world.objects["pod"].pop(pods[first])
    other["metadata"]["uid"] = "another"
    world.put("pod", other)
    world.remove("pod", pods[first])
    world.cycle()

    assert str(first) in world.held()


def test_foreign_pods_take_room_until_they_are_gone(world):
    big = needs("6", "12Gi")
    world.put("pod", foreign("other", "n1", big))
    world.put("pod", foreign("again", "n2", big))
    world.submit("words", 1)
    assert len(asked(world, 20)) == 2

    world.remove("pod", "other", unwatched=True)
    world.end("again")
    world.cycle()
    assert len(world.granted("maps")) == 11


def test_a_foreign_pod_of_a_name_used_before_is_counted_for_itself(world):
    world.put("pod", foreign("db-0", "n1", needs("4", "4Gi")))
    moved = foreign("db-0", "n2", needs("4", "4Gi"))
    moved["metadata"]["uid"] = "second"
    first = world.objects["pod"]["db-0"]
    world.remove("pod", "db-0")
    world.put("pod", moved)
    world.loop.pod_seen("DELETED", first)
    world.cycle()

    free = world.free()
    assert free == {"n1": (16 * GIB, 8000), "n2": (12 * GIB, 4000)}
