"""What one object makes a decision raise costs that object, not the turn."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kubeyarn.scheduler.failed_step import subject_of
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.set_aside import SetAside
from kubeyarn.scheduler.status.queues import QueueWriter
from kubeyarn.schedulers import opportunistic
from kubeyarn.schedulers.capacity.allocator import fast_path, node_update
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.preemption import policy
from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
from unit.scheduler.test_reconcile_errors import Clock, fail_on, stop
from unit.scheduler.world import (
    SMALL,
    World,
    a_node,
    a_queue,
    a_request,
    charged,
    condition,
    started,
    two_queues,
)

ODD_ID = "application_1763850000000_0002"
ODD = ("team-a", "odd")


@pytest.fixture
def clock():
    return Clock()


def a_world(clock, scheduler="Capacity", **cluster):
    preempting = {"preemption": {"enabled": True}} if scheduler == "Capacity" else {}
    queues = two_queues()
    queues[0] = (
        "queue",
        a_queue(
            "root",
            cluster={"scheduler": scheduler, "opportunisticContainers": True, **cluster},
            **preempting,
        ),
    )
    world = World(*queues, ("node", a_node("n1")), ("node", a_node("n2")), now_ms=clock)
    started(world)
    world.submit("odd", 2, queue="root.a")
    world.cycle()
    for container, node in world.granted("odd-am-1").items():
        world.launch(container, node)
    return world


def fails_after(monkeypatch, owner, method, is_it):
    """Have *method* do its work and then raise, for the calls that *is_it* says."""
    real, failing = getattr(owner, method), [True]

    def fails(*args, **more):
        done = real(*args, **more)
        if failing and is_it(*args):
            raise ZeroDivisionError("seven")
        return done

    monkeypatch.setattr(owner, method, fails)
    return failing.clear


def is_odd(app, *_):
    return str(app.app.id) == ODD_ID


def consistent(world):
    """The scheduler holds what one would that is built anew from the objects."""
    return _held(world.live) == _held(world.rebuilt())


def _held(live):
    containers, queues = charged(live)
    return containers, [(path, used) for path, _, _, _, used, _ in queues]


FAILING = {
    "fast": ("Capacity", fast_path, "charge_two_types", 3),
    "fair": ("Fair", FSAccounts, "charge", 2),
}


@pytest.mark.parametrize("way", ["fast", "fair"])
def test_an_application_that_a_cycle_fails_on_is_left_out(clock, monkeypatch, way):
    scheduler, owner, method, place = FAILING[way]
    world = a_world(clock, scheduler)
    mended = fails_after(
        monkeypatch, owner, method, lambda *args: args[place].key.name == "odd-maps"
    )
    world.put("request", a_request("odd-maps", "odd", count=2, resources=SMALL))
    world.put("request", a_request("more", "words", count=2, resources=SMALL))
    world.turn()
    assert consistent(world)
    world.turn()

    assert len(world.granted("more")) == 2
    assert world.granted("odd-maps") == {}
    assert len(world.granted("odd-am-1")) == 1
    assert condition(world, "odd-am-1", "Satisfied") == ("False", "InternalError")
    assert condition(world, "odd-am-1", "Accepted") == ("True", "Accepted")
    assert consistent(world)

    mended()
    world.turn()
    assert world.granted("odd-maps") == {}
    clock.ms += 1000
    world.turn()
    world.turn()
    assert len(world.granted("odd-maps")) == 2
    assert condition(world, "odd-am-1", "Satisfied") == ("True", "AllGranted")
    assert world.live.cache.errors.known() == []


@pytest.mark.parametrize("way", ["fast", "fair"])
def test_an_am_that_a_cycle_fails_on_is_asked_for_again_later(clock, monkeypatch, way):
    scheduler, owner, method, place = FAILING[way]
    world = a_world(clock, scheduler)
    third = "application_1763850000000_0003"
    mended = fails_after(
        monkeypatch, owner, method, lambda *args: str(args[place].id.attempt.application) == third
    )
    world.submit("third", 3, queue="root.b")
    world.turn()
    world.submit("others", 4, queue="root.b")
    world.turn()

    assert (len(world.granted("others-am-1")), len(world.granted("third-am-1"))) == (1, 0)
    world.restart()
    mended()
    world.turn()
    assert len(world.granted("third-am-1")) == 1


def test_a_change_of_the_object_does_not_cut_its_rest_short(clock, monkeypatch):
    world = a_world(clock)
    calls = []

    def is_it(app, *_):
        if is_odd(app):
            calls.append(clock.ms)
        return is_odd(app)

    fails_after(monkeypatch, fast_path, "charge_two_types", is_it)
    for turn in range(400):
        world.put("request", a_request("odd-maps", "odd", count=turn + 1, resources=SMALL))
        clock.ms += 100
        world.turn()

    assert [b - a for a, b in pairwise(calls)] == pytest.approx([1000, 2000, 4000, 8000, 16000], 1)


def test_what_fails_again_within_minutes_rests_longer_though_it_was_well_meanwhile(clock):
    aside = SetAside(World(now_ms=clock).live.cache.errors)
    subject, error = (Watched.APPLICATION, ODD), ZeroDivisionError("seven")
    aside.put(subject, "the cycle", error, 0)
    assert aside.take_rested(1000) == [subject]
    aside.decided("the cycle")
    aside.put(subject, "the cycle", error, 60_000)
    assert aside.take_rested(61_000) == []
    assert aside.take_rested(62_000) == [subject]
    aside.decided("the cycle")
    assert aside.take_rested(62_000 + 700_000) == []
    aside.put(subject, "the cycle", error, 800_000)
    assert aside.take_rested(801_000) == [subject]


def test_a_node_that_a_cycle_fails_on_takes_nothing(clock, monkeypatch):
    world = a_world(clock)
    real = node_update.NodeAllocator._allocate_once

    def once(self, node):
        made = real(self, node)
        if node.name == "n2":
            raise ZeroDivisionError("seven")
        return made

    monkeypatch.setattr(node_update.NodeAllocator, "_allocate_once", once)
    monkeypatch.setattr(fast_path.FastPath, "update", lambda *_: None)
    world.put("request", a_request("more", "words", count=4, resources=SMALL))
    for _ in range(6):
        world.turn()

    assert set(world.granted("more").values()) == {"n1"}
    assert consistent(world)


def test_a_queue_that_a_cycle_fails_on_keeps_what_it_holds_and_gets_no_more(clock, monkeypatch):
    world = a_world(clock)
    world.put("queue", a_queue("root.b.x", capacity="100%"))
    world.restart()
    real = ParentQueue.in_order
    failing = [True]

    def in_order(queue, partition):
        if failing and queue.path == "root.b":
            raise ZeroDivisionError("seven")
        return real(queue, partition)

    monkeypatch.setattr(ParentQueue, "in_order", in_order)
    world.submit("third", 3, queue="root.b.x")
    world.put("request", a_request("more", "words", count=2, resources=SMALL))
    for _ in range(3):
        world.turn()

    assert len(world.granted("more")) == 2
    assert world.granted("third-am-1") == {}
    writer = QueueWriter(None, world.live.cache, world.live.state, 0.0)
    told = {c["type"]: c["reason"] for c in writer.wanted()["root.b"]["conditions"]}
    assert told["Accepted"] == "InternalError"

    failing.clear()
    clock.ms += 2000
    for _ in range(3):
        world.turn()
    assert len(world.granted("third-am-1")) == 1
    told = {c["type"]: c["reason"] for c in writer.wanted()["root.b"]["conditions"]}
    assert told["Accepted"] == "InForce"


def test_opportunistic_containers_of_an_application_that_fails_wait_alone(clock, monkeypatch):
    world = a_world(clock)
    stopped = fail_on(
        monkeypatch, opportunistic, "_best", lambda ask, *_: ask.key.name == "odd-maps"
    )
    spare = {"count": 1, "resources": SMALL, "executionType": "Opportunistic"}
    world.put("request", a_request("odd-maps", "odd", **spare))
    world.put("request", a_request("more", "words", **spare))
    world.put("request", a_request("firm", "words", count=1, resources=SMALL))
    for _ in range(3):
        world.turn()

    assert [len(world.granted(name)) for name in ("odd-maps", "more", "firm")] == [0, 1, 1]
    assert condition(world, "odd-am-1", "Satisfied") == ("False", "InternalError")
    stop(stopped)
    clock.ms += 1000
    world.turn()
    world.turn()
    assert len(world.granted("odd-maps")) == 1


@pytest.mark.parametrize("step", ["cycle", "preempt"])
def test_a_step_that_fails_on_nothing_that_can_be_named_rests_and_the_others_go_on(
    clock, monkeypatch, step
):
    preemption = {"enabled": True, "intervalMilliseconds": 1}
    world = a_world(clock, preemption=preemption)
    calls = []

    def fails(*_):
        calls.append(clock.ms)
        raise ZeroDivisionError("seven")

    if step == "cycle":
        monkeypatch.setattr(node_update, "_anything_wanted", fails)
    else:
        monkeypatch.setattr(policy, "_select_candidates", fails)
    world.put("request", a_request("more", "words", count=1, resources=SMALL))
    for _ in range(40):
        clock.ms += 100
        world.loop._preempting.at_once()
        world.turn()

    assert [b - a for a, b in pairwise(calls)] == [1000, 2000]
    assert len(world.granted("more")) == (0 if step == "cycle" else 1)
    assert consistent(world)
    monkeypatch.undo()
    clock.ms += 10_000
    world.turn()
    assert len(world.granted("more")) == 1


def test_a_rebuild_that_fails_is_tried_again_and_decides_nothing_meanwhile(clock, monkeypatch):
    world = a_world(clock)
    stopped = fail_on(monkeypatch, type(world.loop.recovery), "enter_detached", lambda *_: True)
    monkeypatch.setattr(node_update, "_anything_wanted", lambda *_: 1 / 0)
    world.put("request", a_request("more", "words", count=1, resources=SMALL))
    world.turn()
    monkeypatch.undo()
    stop(stopped)
    world.turn()
    assert world.granted("more") == {}
    clock.ms += 1000
    world.turn()
    assert len(world.granted("more")) == 1
    assert consistent(world)


def test_root_is_nobody_s_fault(clock):
    world = a_world(clock)
    root = world.live.scheduler.state.root

    def step(queue):
        return queue.path / 0

    with pytest.raises(TypeError) as caught:
        step(root)
    assert subject_of(caught.value, world.live.state.applications) is None
