"""Nodes that applications exclude or that refused their pods."""

from __future__ import annotations

import pytest

from kubeyarn.scheduler import node_backoff
from unit.scheduler.world import World, a_node, a_request, two_queues

SMALL = {"cpu": "1", "memory": "1Gi"}


class Clock:
    now_ms = 0

    @classmethod
    def time(cls):
        return cls.now_ms


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(Clock, "now_ms", 0)
    return Clock


@pytest.fixture
def world(clock):
    world = World(*two_queues(), *(("node", a_node(f"n{i}")) for i in (1, 2, 3)), now_ms=Clock.time)
    world.submit("words", 1)
    world.cycle()
    return world


def ask(world, count, name="maps", **spec):
    world.put("request", a_request(name, "words", count=count, resources=SMALL, **spec))
    world.cycle()


def nodes(world, name="maps"):
    return set(world.granted(name).values())


def refuse(world, name):
    """The scheduler takes back a grant whose pod kube-scheduler refuses; the node it was on."""
    container, node = max(world.granted(name).items())
    pod = world.launch(container, node, bound=False)
    words = {"type": "PodScheduled", "status": "False", "reason": "x", "message": "a full disk"}
    world.patch("pod", pod["metadata"]["name"], status={"conditions": [words]})
    world.loop.applications.revoke(container, Clock.now_ms)
    world.cycle()
    return node


def condition(world, name):
    conditions = world.objects["request"][name]["status"]["conditions"]
    return next(c for c in conditions if c["type"] == "Satisfied")


def avoided(world, name):
    return {
        entry["node"]: (entry["until"], entry["refusals"])
        for entry in world.objects["request"][name]["status"].get("avoidedNodes") or ()
    }


def test_a_request_gets_nothing_where_it_says_so(world):
    ask(world, 12, excludeNodes=["n1", "n3"])

    assert nodes(world) == {"n2"}


def test_what_is_excluded_may_change_while_it_waits(world):
    ask(world, 2, excludeNodes=["n1", "n2", "n3"])
    assert nodes(world) == set()

    world.patch("request", "maps", spec={"excludeNodes": ["n1", "n3"]})
    world.cycle()

    assert nodes(world) == {"n2"}


def test_exclusions_hold_after_a_restart(world):
    ask(world, 2, excludeNodes=["n1", "n2", "n3"])
    world.restart()
    world.cycle()
    assert nodes(world) == set()


def test_the_request_of_an_am_may_exclude_nodes():
    world = World(*two_queues(), *(("node", a_node(f"n{i}")) for i in (1, 2)), now_ms=Clock.time)
    world.submit("words", 1)
    world.patch("request", "words-am-1", spec={"excludeNodes": ["n1"]})
    world.cycle()

    assert nodes(world, "words-am-1") == {"n2"}


def test_a_refused_grant_is_tried_on_another_node(world):
    ask(world, 1)
    first = refuse(world, "maps")

    assert len(nodes(world) - {first}) == 1


def test_a_refused_am_is_tried_on_another_node():
    world = World(*two_queues(), *(("node", a_node(f"n{i}")) for i in (1, 2)), now_ms=Clock.time)
    world.submit("words", 1)
    world.cycle()
    first = refuse(world, "words-am-1")

    assert nodes(world, "words-am-1") == {"n1", "n2"} - {first}


def test_the_whole_application_avoids_the_node_and_others_do_not(world):
    ask(world, 1)
    bad = refuse(world, "maps")
    ask(world, 30, name="more")
    world.submit("other", 2)
    world.put("request", a_request("others", "other", count=1, resources=SMALL, priority=1))
    world.cycle()

    assert bad not in nodes(world, "more")
    assert bad in nodes(world, "others") | nodes(world, "other-am-1")


def test_a_node_that_refuses_again_is_avoided_for_longer(world, clock):
    for name in ("n1", "n2"):
        world.patch("node", name, spec={"unschedulable": True})
    ask(world, 1)
    refuse(world, "maps")
    assert avoided(world, "maps") == {"n3": ("1970-01-01T00:00:30Z", 1)}

    clock.now_ms = 60_000
    world.loop.applications.end_backoffs(clock.now_ms)
    world.cycle()
    refuse(world, "maps")

    assert avoided(world, "maps") == {"n3": ("1970-01-01T00:02:00Z", 2)}


@pytest.mark.parametrize(("times", "seconds"), [(1, 30), (2, 60), (3, 120), (6, 600), (50, 600)])
def test_the_time_doubles_up_to_ten_minutes(times, seconds):
    assert node_backoff.backed_off(5000, "", times).until_ms == 5000 + seconds * 1000


def test_a_node_is_used_again_when_the_time_is_over_and_nothing_is_written_for_it(world, clock):
    for name in ("n1", "n2"):
        world.patch("node", name, spec={"unschedulable": True})
    ask(world, 1)
    assert refuse(world, "maps") == "n3"
    assert nodes(world) == set()
    version = world.version

    clock.now_ms = 29_999
    world.loop.applications.end_backoffs(clock.now_ms)
    world.loop.cycle()
    assert nodes(world) == set()
    clock.now_ms = 30_000
    world.loop.applications.end_backoffs(clock.now_ms)
    assert world.version == version
    world.cycle()
    assert nodes(world) == {"n3"}


def test_another_process_avoids_the_node_as_well(world):
    ask(world, 1)
    bad = refuse(world, "maps")
    ask(world, 30, name="more")
    world.restart()
    world.cycle()

    assert avoided(world, "maps")[bad][1] == 1
    assert bad not in nodes(world, "more")


def test_what_is_stopped_by_it_says_so(world):
    for name in ("n1", "n2"):
        world.patch("node", name, spec={"unschedulable": True})
    ask(world, 1)
    refuse(world, "maps")
    state = world.live.requests["team-a", "maps"]
    verdict = world.live.scheduler.why(
        world.live.state.applications.get(state.application).id, state.request.ask_key(), 0
    )

    assert verdict.reason.value == "NodesExcluded"
    assert "n3" in verdict.message
    assert world.objects["request"]["maps"]["status"]["avoidedNodes"][0]["message"] == (
        "x: a full disk"
    )


def test_a_node_that_refused_nothing_is_not_avoided(world):
    """A grant is given back as well where its node is gone before there is a pod."""
    ask(world, 1)
    [container] = world.granted("maps")
    world.loop.applications.revoke(container, 0)
    world.cycle()

    assert avoided(world, "maps") == {}
    assert len(world.granted("maps")) == 1


PINNED = "2 node(s) didn't satisfy plugin(s) [NodeAffinity]"


def told(world, name, reason):
    """kube-scheduler refuses the pod of a grant; the container and its node."""
    container, node = max(world.granted(name).items())
    pod = world.launch(container, node, bound=False)
    message = f"0/3 nodes are available: 1 {reason}, {PINNED}. no new claims to deallocate"
    words = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    words["message"] = message
    world.patch("pod", pod["metadata"]["name"], status={"conditions": [words]})
    world.cycle()
    return container, node


@pytest.mark.parametrize(
    "reason",
    [
        "node(s) had untolerated taint(s)",
        "node(s) didn't match Pod's node affinity/selector",
    ],
)
def test_a_grant_goes_back_at_once_when_waiting_does_not_help(world, reason):
    ask(world, 1)
    container, node = told(world, "maps", reason)

    assert container not in world.granted("maps")
    assert len(world.granted("maps")) == 1
    assert nodes(world) != {node}
    assert list(avoided(world, "maps")) == [node]


@pytest.mark.parametrize(
    "reason",
    [
        "node(s) didn't have free ports for the requested pod ports",
        # Somebody leaves: a container that was killed for this one may just have gone.
        "Too many pods",
        "Insufficient cpu",
    ],
)
def test_a_grant_waits_where_the_reason_may_pass(world, reason):
    ask(world, 1)
    container, _ = told(world, "maps", reason)

    assert container in world.granted("maps")
    assert avoided(world, "maps") == {}


def test_a_grant_waits_for_room_that_an_opportunistic_container_leaves(world):
    ask(world, 1)
    node = next(iter(nodes(world)))
    there = {"nodes": [node], "relax": False}
    ask(world, 1, "spare", executionType="Opportunistic", locality=there)
    assert nodes(world, "spare") == {node}
    container, _ = told(world, "maps", "Insufficient cpu")

    assert container in world.granted("maps")
