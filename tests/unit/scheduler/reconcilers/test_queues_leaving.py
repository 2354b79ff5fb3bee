"""A deleted queue goes when nothing uses it and the others add up without it, not before."""

from __future__ import annotations

import pytest

from unit.scheduler.world import CREATED, World, a_node, a_queue


def _halves() -> World:
    world = World(
        ("queue", a_queue("root")),
        ("queue", a_queue("root.a", capacity="50%")),
        ("queue", a_queue("root.b", capacity="50%")),
        ("node", a_node("n1")),
    )
    world.cycle()
    return world


def _delete(world: World, path: str) -> None:
    world.patch("queue", path, metadata={"deletionTimestamp": CREATED})
    world.cycle()


def _remember(world: World) -> None:
    """Write what is in force to the queues' status, as the QueueWriter does."""
    for path, words in world.live.in_force.objects.items():
        world.patch("queue", path, status={"inForce": words.spec})


def _in_force(world: World) -> set[str]:
    return set(world.live.in_force.objects)


def test_a_deleted_queue_stays_while_the_others_do_not_add_up_without_it():
    world = _halves()
    _delete(world, "root.b")

    assert _in_force(world) == {"root", "root.a", "root.b"}
    problem = world.live.in_force.problems["root.b"]
    assert (problem.reason, problem.field) == ("CapacitySum", "metadata.deletionTimestamp")
    assert "root.b was deleted, but is needed still" in problem.message


def test_a_deleted_queue_that_stays_takes_nothing_new():
    world = _halves()
    _delete(world, "root.b")
    world.submit("late", 1, queue="root.b")
    world.cycle()

    assert world.held() == []


def test_a_deleted_queue_goes_once_the_others_add_up():
    world = _halves()
    _delete(world, "root.b")
    world.patch("queue", "root.a", spec={"capacity": "100%"})
    world.cycle()

    assert _in_force(world) == {"root", "root.a"}
    assert world.live.in_force.problems == {}


def test_a_restart_keeps_a_deleted_queue_that_is_needed_still():
    world = _halves()
    _delete(world, "root.b")
    _remember(world)
    world.restart()

    assert world.live.in_force.config is not None
    assert _in_force(world) == {"root", "root.a", "root.b"}


def test_a_used_queue_does_not_leave():
    world = _halves()
    world.submit("words", 1, queue="root.b")
    world.cycle()
    _delete(world, "root.b")
    world.patch("queue", "root.a", spec={"capacity": "100%"})
    world.cycle()

    assert world.loop.queues.leaving() == frozenset()
    assert "root.b" in _in_force(world)


def test_all_queues_can_leave_together():
    world = _halves()
    for path in ("root.a", "root.b", "root"):
        _delete(world, path)

    assert world.loop.queues.leaving() == {"root", "root.a", "root.b"}
    assert _in_force(world) == set()


def test_a_running_queue_that_is_deleted_goes_at_once_where_weights_need_not_add_up():
    world = World(
        ("queue", a_queue("root")),
        ("queue", a_queue("root.a", capacity="1w")),
        ("queue", a_queue("root.b", capacity="1w")),
        ("node", a_node("n1")),
    )
    world.cycle()
    _delete(world, "root.b")
    assert _in_force(world) == {"root", "root.a"}

    world.remove("queue", "root.b")
    world.cycle()
    assert world.live.in_force.problems == {}
    assert [status.path for status in world.live.scheduler.queue_status()] == ["root", "root.a"]


def test_queues_made_while_the_old_ones_are_still_going_owe_them_nothing():
    world = World(
        ("queue", a_queue("root")),
        ("queue", a_queue("root.a", capacity="1w")),
        ("queue", a_queue("root.b", capacity="1w")),
        ("node", a_node("n1")),
    )
    world.cycle()
    for path in ("root.b", "root.a", "root"):
        world.patch("queue", path, metadata={"deletionTimestamp": CREATED})
    world.cycle()
    for path in ("root.b", "root.a", "root"):
        world.remove("queue", path)
    world.put("queue", a_queue("root"))
    world.put("queue", a_queue("root.c", capacity="100%"))
    world.cycle()

    assert world.live.in_force.problems == {}
    assert _in_force(world) == {"root", "root.c"}
    world.submit("words", 1, queue="root.c")
    world.cycle()
    assert len(world.held()) == 1


@pytest.mark.parametrize("anew", ["another process", "another resource type"])
@pytest.mark.parametrize("state", ["RUNNING", "FINISHED"])
def test_a_new_scheduler_keeps_a_deleted_queue_as_long_as_containers_run_in_it(anew, state):
    world = World(
        ("queue", a_queue("root")),
        ("queue", a_queue("root.a", capacity="1w")),
        ("queue", a_queue("root.b", capacity="1w", maximumAMShare="100%")),
        ("node", a_node("n1")),
    )
    world.submit("words", 1, queue="root.b")
    world.cycle()
    [(container, node)] = world.granted("words-am-1").items()
    pod = world.launch(container, node)["metadata"]["name"]
    world.patch("application", "words", status={"state": state})
    _delete(world, "root.b")
    _remember(world)
    if anew == "another process":
        world.restart()
    else:
        world.put("node", a_node("n2", also={"nvidia.com/gpu": "1"}))
    world.cycle()

    assert world.held() == [str(container)]
    assert "root.b" in _in_force(world)

    world.patch("application", "words", status={"state": "FINISHED"})
    world.remove("pod", pod)
    world.cycle()
    world.turn()
    world.cycle()
    assert world.held() == []
    assert _in_force(world) == {"root", "root.a"}
