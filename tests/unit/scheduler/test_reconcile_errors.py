"""Whatever one object makes our code raise, all others are served, and it is told on the object."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kubeyarn.crd import scheduler_config
from kubeyarn.scheduler.reconcile_errors import ReconcileErrors, Watched
from kubeyarn.scheduler.reconcilers import nodes
from kubeyarn.scheduler.status.queues import QueueWriter
from unit.scheduler.world import (
    SMALL,
    World,
    a_node,
    a_queue,
    a_request,
    asked,
    condition,
    foreign,
    needs,
    request_status,
    started,
    two_queues,
)


class Clock:
    def __init__(self):
        self.ms = 1_000_000

    def __call__(self):
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world(clock):
    world = World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")), now_ms=clock)
    started(world)
    return world


def fail_on(monkeypatch, owner, method, is_it):
    """Have a method raise for the calls that *is_it* says; returns what makes it stop."""
    real, failing = getattr(owner, method), [True]

    def fails(*args, **more):
        if failing[0] and is_it(*args):
            raise ZeroDivisionError("seven")
        return real(*args, **more)

    fails.__qualname__ = real.__qualname__
    monkeypatch.setattr(owner, method, fails)
    return failing.clear, lambda: failing.append(False)


def stop(failing):
    clear, mended = failing
    clear()
    mended()


def others_are_served(world, name="others"):
    """An application that has nothing to do with the odd object gets its containers."""
    world.submit(name, 7, queue="root.b")
    world.cycle()
    world.put("request", a_request(f"{name}-maps", name, count=1, resources=SMALL))
    world.cycle()
    return bool(world.granted(f"{name}-am-1")) and bool(world.granted(f"{name}-maps"))


REQUEST_STEPS = [
    ("requests", "restore"),
    ("requests", "drop_completed"),
    ("requests", "ask"),
    ("updates", "sync"),
]


@pytest.mark.parametrize(("owner", "step"), REQUEST_STEPS, ids=[step for _, step in REQUEST_STEPS])
@pytest.mark.parametrize("when", ["live", "restart"])
def test_a_request_that_our_code_fails_on_costs_itself_alone(
    world, clock, monkeypatch, owner, step, when
):
    cls = type(getattr(world.loop, owner))
    failing = fail_on(monkeypatch, cls, step, lambda _, state, *__: state.key[1] == "odd")
    world.put("request", a_request("odd", "words", count=1, resources=SMALL))
    if when == "restart":
        world.restart()
    world.cycle()

    assert condition(world, "odd", "Accepted") == ("Unknown", "InternalError")
    assert "ZeroDivisionError: seven" in request_status(world, "odd")["conditions"][1]["message"]
    assert len(asked(world, 1, name="reduces")) == 1
    assert others_are_served(world)

    stop(failing)
    clock.ms += 60_000
    world.cycle()
    world.cycle()
    assert len(world.granted("odd")) == 1
    assert condition(world, "odd", "Accepted") == ("True", "Accepted")


@pytest.mark.parametrize("when", ["live", "restart"])
@pytest.mark.parametrize("step", ["_submit", "_apply_spec"])
def test_an_application_that_our_code_fails_on_costs_itself_alone(
    world, clock, monkeypatch, step, when
):
    def is_it(_, first, *__):
        return getattr(first, "key", first) == ("team-a", "odd")

    failing = fail_on(monkeypatch, type(world.loop.applications), step, is_it)
    world.submit("odd", 2)
    if when == "restart":
        world.restart()
    world.cycle()

    assert others_are_served(world)
    assert "InternalError" in {c["reason"] for c in request_status(world, "odd-am-1")["conditions"]}
    assert "Accepted" not in {
        c["type"] for c in request_status(world, "odd-am-1")["conditions"] if c["status"] == "False"
    }

    stop(failing)
    clock.ms += 60_000
    world.cycle()
    assert len(world.granted("odd-am-1")) == 1
    assert condition(world, "odd-am-1", "Accepted") == ("True", "Accepted")
    assert condition(world, "odd-am-1", "Satisfied") == ("True", "AllGranted")


def test_what_an_application_was_charged_stays_while_our_code_fails_on_it(world, monkeypatch):
    cls = type(world.loop.applications)
    fail_on(monkeypatch, cls, "_apply_spec", lambda _, submitted, *__: True)
    before = world.status("root.a").used
    world.patch("application", "words", spec={"priority": 3})
    world.cycle()
    world.restart()
    world.cycle()

    assert world.status("root.a").used == before
    assert len(world.granted("maps")) == 3


@pytest.mark.parametrize("when", ["live", "restart"])
def test_a_node_that_our_code_fails_on_takes_nothing(world, clock, monkeypatch, when):
    def is_it(facts, *_):
        return facts.name == "odd" and facts.unusable is None

    failing = fail_on(monkeypatch, nodes, "scheduler_node", is_it)
    world.put("node", a_node("odd"))
    if when == "restart":
        world.restart()
    world.cycle()

    assert set(asked(world, 9, name="reduces").values()) == {"n1", "n2"}

    stop(failing)
    clock.ms += 60_000
    world.cycle()
    world.patch("request", "reduces", spec={"count": 12})
    world.cycle()
    assert "odd" in world.granted("reduces").values()


def test_a_node_whose_object_cannot_be_taken_in_takes_nothing_more(world, monkeypatch):
    world.patch("node", "n2", status={"allocatable": 7})
    world.cycle()

    assert set(asked(world, 2, name="reduces").values()) == {"n1"}
    world.patch("node", "n2", status={"allocatable": {"cpu": "8", "memory": "16Gi"}})
    world.cycle()
    world.patch("request", "reduces", spec={"count": 8})
    world.cycle()
    assert "n2" in world.granted("reduces").values()


def test_a_pod_that_cannot_be_taken_in_costs_itself_alone(world):
    world.put("pod", foreign("odd", "n1", {"name": "c", "resources": 7}))
    world.put("pod", foreign("even", "n1", needs("1", "1Gi")))
    world.cycle()

    free = world.free()
    world.restart()
    world.cycle()
    assert world.free() == free
    assert others_are_served(world)


def queue_condition(world, path):
    writer = QueueWriter(None, world.live.cache, world.live.state, 0.0)
    found = writer.wanted()[path]["conditions"]
    return {c["type"]: (c["status"], c["reason"]) for c in found}["Accepted"]


@pytest.mark.parametrize("fails", ["read", "configure"])
def test_a_queue_that_our_code_fails_on_keeps_what_was_in_force(world, monkeypatch, fails):
    if fails == "read":
        owner, method = scheduler_config, "_queue"
        failing = fail_on(monkeypatch, owner, method, lambda q, *_: "13" in str(q.spec))
    else:
        owner, method = type(world.loop.queues), "_try"
        failing = fail_on(
            monkeypatch, owner, method,
            lambda _, config, *__: any(q.maximum_applications == 13 for q in config.queues),
        )  # fmt: skip
    world.patch("queue", "root.b", spec={"maximumApplications": 13})
    world.cycle()

    assert queue_condition(world, "root.b") == ("False", "InternalError")
    assert queue_condition(world, "root.a") == ("True", "InForce")
    assert others_are_served(world)

    stop(failing)
    world.patch("queue", "root.b", spec={"maximumApplications": 14})
    world.cycle()
    assert queue_condition(world, "root.b") == ("True", "InForce")
    assert queue_condition(world, "root") == ("True", "InForce")


def test_a_new_queue_that_our_code_fails_on_is_left_out(world, monkeypatch):
    fail_on(monkeypatch, scheduler_config, "_queue", lambda q, path, *_: path == "root.a.odd")
    world.put("queue", a_queue("root.a.odd", capacity="100%"))
    world.restart()
    world.cycle()

    assert queue_condition(world, "root.a.odd") == ("False", "InternalError")
    assert others_are_served(world)


@pytest.mark.parametrize("kind", ["queue", "application", "request"])
def test_a_handler_that_fails_on_one_object_sees_the_others(world, monkeypatch, kind):
    cache = {"queue": "queues", "application": "applications", "request": "requests"}[kind]
    owner = type(getattr(world.live.cache, cache))
    failing = fail_on(
        monkeypatch, owner, "see", lambda _, item, *__: item["metadata"]["name"].endswith("odd")
    )
    odd = {
        "queue": a_queue("root.b.odd", capacity="100%"),
        "application": {**a_request("odd", ""), "spec": {"queue": "root.a"}},
        "request": a_request("odd", "words", resources=SMALL),
    }[kind]
    world.put(kind, odd)
    world.cycle()

    assert others_are_served(world)
    if kind == "request":
        assert condition(world, "odd", "Accepted") == ("Unknown", "InternalError")
        stop(failing)
        world.patch(kind, "odd", spec={"count": 2})
        world.cycle()
        assert len(world.granted("odd")) == 2
        assert condition(world, "odd", "Accepted") == ("True", "Accepted")


# The rule itself.


def fails():
    raise ZeroDivisionError("seven")


ODD = (Watched.REQUEST, ("team-a", "odd"))


def test_a_failure_is_logged_once_with_its_traceback_and_rests_ever_longer(clock, caplog):
    errors, told, calls = ReconcileErrors(), [], []
    errors.follow(clock, lambda *subject: told.append(subject))

    def work():
        calls.append(clock.ms)
        fails()

    for _ in range(3000):
        errors.attempt(*ODD, work)
        clock.ms += 100

    assert caplog.text.count("Traceback") == 1
    assert told == [ODD]
    rests = [b - a for a, b in pairwise(calls)]
    assert rests == [1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000]


def test_what_rested_is_due_once_and_a_change_ends_the_rest(clock):
    errors = ReconcileErrors()
    errors.follow(clock, lambda *_: None)
    errors.attempt(*ODD, fails)
    assert errors.due() == []
    clock.ms += 1000
    assert (errors.due(), errors.due()) == ([ODD], [])

    errors.attempt(*ODD, fails)
    errors.end_rest(*ODD)
    assert errors.attempt(*ODD, fails).failures == 3


def test_an_error_goes_with_the_success_of_the_work_that_failed(clock):
    errors = ReconcileErrors()
    errors.follow(clock, lambda *_: None)
    mended = []

    def work():
        if not mended:
            fails()

    errors.attempt(*ODD, work)
    errors.attempt(*ODD, lambda: None)
    assert errors.get(*ODD) is not None
    mended.append(True)
    clock.ms += 1000
    assert errors.attempt(*ODD, work) is None
    assert errors.get(*ODD) is None
