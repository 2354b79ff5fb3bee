"""An object that cannot be read changes nothing, and stops nothing else."""

from __future__ import annotations

import pytest

from kubeyarn.scheduler.status.queues import QueueWriter
from unit.scheduler.world import (
    SMALL,
    World,
    a_node,
    a_request,
    asked,
    condition,
    started,
    two_queues,
)


@pytest.fixture
def world():
    return World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))


def test_a_request_that_becomes_unreadable_keeps_what_it_holds(world, caplog):
    started(world)
    world.patch("request", "maps", spec={"count": "seven"})
    world.cycle()

    assert len(world.granted("maps")) == 3
    assert len(world.held()) == 4
    # What it holds goes on to be accepted: after a restart it stays in its queue.
    assert condition(world, "maps", "Accepted") == ("True", "Accepted")
    assert condition(world, "maps", "Satisfied") == ("False", "Unreadable")
    assert "ContainerRequest maps: spec.count: found 'seven', expected int" in caplog.text


@pytest.mark.parametrize("bad", [{"role": "Chief"}, {"resources": 7}, {"locality": ["n1"]}])
def test_beside_an_unreadable_request_others_are_granted(world, bad):
    started(world)
    world.put("request", a_request("bad", "words", **bad))
    asked(world, 1, name="reduces")
    world.cycle()

    assert len(world.granted("reduces")) == 1
    assert condition(world, "bad", "Accepted") == ("False", "Unreadable")
    assert condition(world, "bad", "Satisfied") == ("False", "Unreadable")
    version = world.objects["request"]["bad"]["metadata"]["resourceVersion"]
    world.restart()
    world.cycle()
    assert world.objects["request"]["bad"]["metadata"]["resourceVersion"] == version

    field = next(iter(bad))
    mended = {"role": "Task", "resources": SMALL, "locality": {"nodes": ["n1"]}}[field]
    world.patch("request", "bad", spec={field: mended})
    world.cycle()
    assert len(world.granted("bad")) == 1
    assert condition(world, "bad", "Accepted") == ("True", "Accepted")


def test_an_application_that_becomes_unreadable_goes_on_as_it_was_last_read(world):
    started(world)
    world.patch("application", "words", spec={"priority": "high"})
    world.patch("request", "maps", spec={"count": 4})
    world.cycle()

    assert len(world.granted("maps")) == 4


@pytest.mark.parametrize("bad", [{"conditions": "none"}, {"inForce": 7}, {"containers": "many"}])
def test_a_queue_that_becomes_unreadable_stays_as_it_was_last_read(world, caplog, bad):
    world.patch("queue", "root.a", spec={"capacity": "1%"}, status=bad)
    world.cycle()
    statuses = QueueWriter(None, world.live.cache, world.live.state, 1.0).wanted()

    assert "YarnQueue root.a: status." in caplog.text
    assert world.live.in_force.problems == {}
    assert statuses["root.a"]["inForce"]["capacity"] == "60%"
    started(world)
    asked(world, 1, name="reduces")
    world.cycle()
    assert len(world.granted("reduces")) == 1
