"""Thousands of requests of one application: what changes costs no look at those that do not."""

from __future__ import annotations

import pytest

from counting import lines_of
from kubeyarn.cluster import names
from kubeyarn.scheduler import cache
from unit.scheduler.world import (
    SMALL,
    World,
    a_node,
    a_request,
    charged,
    condition,
    started,
    two_queues,
)


def a_world(many):
    """An application that runs and waits for *many* further containers, by a request each."""
    nodes = [("node", a_node(f"n{i}")) for i in range(2)]
    world = World(*two_queues(), *nodes, now_ms=lambda: 0)
    started(world)
    for number in range(many):
        # What no node has: it waits.
        ask = {"count": 1, "resources": {"cpu": "8", "memory": "16Gi"}, "priority": 2}
        world.put("request", a_request(f"ask-{number:05d}", "words", **ask))
    for _ in range(3):
        # What was written of them is seen, too.
        world.cycle()
    return world


def asks_for_less(world):
    world.patch("request", "ask-00007", spec={"count": 0})


def a_pod_changes(world):
    container, _ = min(world.granted("maps").items())
    world.patch("pod", names.pod_name("words", container), status={"phase": "Running"})


def one_is_deleted(world):
    world.remove("request", "ask-00008")


def one_is_new(world):
    world.put("request", a_request("ask-new", "words", count=1, resources=SMALL))


EVENTS = [asks_for_less, a_pod_changes, one_is_deleted, one_is_new]


@pytest.mark.parametrize("event", EVENTS)
def test_a_later_event_costs_the_same_however_many_requests_there_are(event):
    cost = {}
    for many in (200, 1000):
        world = a_world(many)
        event(world)
        cost[many] = lines_of(world.loop._take_in, 0)
    assert cost[1000] < 1.2 * cost[200]


@pytest.mark.parametrize("event", EVENTS)
def test_what_is_taken_in_alone_comes_to_the_same_as_all(event):
    world = a_world(20)
    event(world)
    world.cycle()
    containers, queues = charged(world.live)
    again, queues_again = charged(world.rebuilt())
    assert containers == again
    assert [(path, used) for path, _, _, _, used, _ in queues] == [
        (path, used) for path, _, _, _, used, _ in queues_again
    ]


def test_the_end_of_an_application_reaches_all_its_requests():
    world = a_world(20)
    world.patch("application", "words", status={"state": "FINISHED"})
    world.cycle()
    assert condition(world, "ask-00007", "Satisfied") == ("False", "ApplicationEnded")
    for pod in list(world.objects["pod"]):
        world.end(pod)
        world.cycle()
    assert world.held() == []
    assert ("team-a", "words") not in world.live.state.applications


def test_an_application_has_so_many_requests_and_the_youngest_are_told(monkeypatch):
    monkeypatch.setattr(cache, "MOST_REQUESTS", 6)
    world = a_world(3)
    world.put("request", a_request("ask-zz", "words", count=1, resources=SMALL))
    world.put("request", a_request("ask-zzz", "words", count=1, resources=SMALL))
    world.cycle()
    # The AM's own, the one that runs, and the four oldest of the others.
    assert condition(world, "ask-zz", "Satisfied")[1] != "TooManyRequests"
    assert condition(world, "ask-zzz", "Accepted") == ("False", "TooManyRequests")
    assert len(world.granted("maps")) == 3
    world.restart()
    world.cycle()
    assert condition(world, "ask-zzz", "Accepted") == ("False", "TooManyRequests")

    world.remove("request", "ask-00000")
    world.cycle()
    world.cycle()
    assert condition(world, "ask-zzz", "Accepted") == ("True", "Accepted")
    assert len(world.granted("ask-zzz")) == 1


def test_why_thousands_wait_is_looked_up_so_many_at_a_time(monkeypatch):
    world = a_world(500)
    looked = []
    why = world.live.scheduler.why
    world.live.scheduler.why = lambda *args: looked.append(args) or why(*args)
    world.turn()
    assert len(looked) == 200
    for _ in range(3):
        world.turn()
    assert len(looked) == 500
    assert condition(world, "ask-00499", "Satisfied")[1] != "Scheduling"
