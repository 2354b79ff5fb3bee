"""Queues that are stopped from above: everything below drains, whatever it says itself."""

from __future__ import annotations

import pytest

from unit.scheduler.world import World, a_node, a_queue


@pytest.fixture
def world() -> World:
    """root.a has two children that say Running, as the API server writes it into every queue."""
    made = World(
        ("queue", a_queue("root", state="Running")),
        ("queue", a_queue("root.a", capacity="60%", state="Running")),
        ("queue", a_queue("root.a.x", capacity="50%", state="Running")),
        ("queue", a_queue("root.a.y", capacity="50%", state="Running")),
        ("queue", a_queue("root.b", capacity="40%", state="Running")),
        ("node", a_node("n1")),
    )
    made.submit("words", 1, queue="root.a.x")
    made.cycle()
    return made


def _states(world: World) -> dict[str, str]:
    return {status.path: status.state for status in world.live.scheduler.queue_status()}


def _say(world: World, path: str, state: str) -> None:
    world.patch("queue", path, spec={"state": state})
    world.cycle()


DRAINING = {
    "root": "Running",
    "root.a": "Draining",
    "root.a.x": "Draining",
    "root.a.y": "Stopped",
    "root.b": "Running",
}


def test_a_stopped_parent_drains_with_its_children(world):
    _say(world, "root.a", "Stopped")
    world.submit("late", 2, queue="root.a.y")
    world.cycle()

    assert _states(world) == DRAINING
    assert world.live.in_force.problems == {}
    accepted = world.live.requests["team-a", "late-am-1"].accepted
    assert accepted is not None
    assert accepted[:2] == (False, "QueueStopped")


def test_a_restart_finds_a_stopped_parent_draining_still(world):
    _say(world, "root.a", "Stopped")
    world.restart()
    world.cycle()

    assert _states(world) == DRAINING


def test_a_drained_parent_is_stopped_with_its_children(world):
    _say(world, "root.a", "Stopped")
    world.patch("application", "words", status={"state": "KILLED"})
    world.remove("request", "words-am-1")
    world.cycle()

    states = _states(world)
    assert {states[path] for path in ("root.a", "root.a.x", "root.a.y")} == {"Stopped"}


def test_a_parent_that_runs_again_starts_the_children_that_are_not_stopped_themselves(world):
    _say(world, "root.a.y", "Stopped")
    _say(world, "root.a", "Stopped")
    _say(world, "root.a", "Running")

    states = _states(world)
    assert (states["root.a"], states["root.a.x"], states["root.a.y"]) == (
        "Running", "Running", "Stopped",
    )  # fmt: skip


def test_a_queue_made_below_a_stopped_parent_is_stopped(world):
    _say(world, "root.b", "Stopped")
    world.put("queue", a_queue("root.b.new", capacity="100%", state="Running"))
    world.cycle()

    assert _states(world)["root.b.new"] == "Stopped"
    assert world.live.in_force.problems == {}
