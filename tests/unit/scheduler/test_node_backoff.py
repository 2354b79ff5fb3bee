"""Nodes that applications exclude or that refused their pods."""

from __future__ import annotations

import pytest

from kubeyarn.scheduler import departures, node_backoff
from kubeyarn.schedulers.api import Preempt
from unit.scheduler.world import World, a_node, a_request, foreign, needs, two_queues

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


def test_a_grant_waits_where_the_reason_may_pass(world):
    ask(world, 1)
    container, _ = told(world, "maps", "node(s) didn't have free ports for the requested pod ports")

    assert container in world.granted("maps")
    assert avoided(world, "maps") == {}


NO_ROOM = pytest.mark.parametrize("reason", ["Too many pods", "Insufficient cpu"])


@NO_ROOM
def test_a_grant_goes_back_at_once_where_nobody_leaves_the_node(world, reason):
    ask(world, 1)
    container, node = told(world, "maps", reason)

    assert container not in world.granted("maps")
    assert nodes(world) != {node}
    assert list(avoided(world, "maps")) == [node]


def a_neighbour(world, node):
    return world.put("pod", foreign("neighbour", node, needs("1", "1Gi")))


def is_being_deleted(world, node):
    a_neighbour(world, node)
    world.patch("pod", "neighbour", metadata={"deletionTimestamp": "2025-11-23T12:13:20Z"})


def has_ended(world, node):
    a_neighbour(world, node)
    world.end("neighbour")


def is_gone(world, node):
    a_neighbour(world, node)
    world.remove("pod", "neighbour")


def has_shrunk(world, node):
    a_neighbour(world, node)
    world.put("pod", foreign("neighbour", node, needs("500m", "1Gi")))


def is_killed(world, node):
    """Lazy preemption kills in the cycle that grants the room."""
    there = {"nodes": [node], "relax": False}
    ask(world, 1, "victims", locality=there)
    [victim] = world.granted("victims")
    world.launch(victim, node)
    world.loop.note_preemption(Preempt(victim, kill=True, message="for another"))


LEAVERS = [is_being_deleted, has_ended, is_gone, has_shrunk, is_killed]


@NO_ROOM
@pytest.mark.parametrize("leaves", LEAVERS)
def test_a_grant_waits_where_somebody_leaves_the_node(world, reason, leaves):
    """A container that was killed for this one may just have gone."""
    ask(world, 1)
    leaves(world, next(iter(nodes(world))))
    container, _ = told(world, "maps", reason)

    assert container in world.granted("maps")
    assert avoided(world, "maps") == {}


@pytest.mark.parametrize("leaves", [has_ended, is_gone, has_shrunk])
def test_it_waits_no_longer_than_kube_scheduler_takes_to_hear_of_the_room(world, clock, leaves):
    ask(world, 1)
    leaves(world, next(iter(nodes(world))))
    container, _ = told(world, "maps", "Insufficient cpu")

    clock.now_ms = departures.HEARD_WITHIN_MS - 1
    world.loop.revoke_refused(clock.now_ms)
    world.cycle()
    assert container in world.granted("maps")

    clock.now_ms = departures.HEARD_WITHIN_MS
    world.loop.revoke_refused(clock.now_ms)
    world.cycle()
    assert container not in world.granted("maps")


def test_somebody_who_leaves_another_node_makes_no_room_here(world):
    ask(world, 1)
    [node] = nodes(world)
    has_ended(world, min({"n1", "n2", "n3"} - {node}))
    container, _ = told(world, "maps", "Insufficient cpu")

    assert container not in world.granted("maps")


def test_several_refusals_of_what_was_granted_together_are_one(world):
    for name in ("n1", "n2"):
        world.patch("node", name, spec={"unschedulable": True})
    ask(world, 3)
    for container, node in world.granted("maps").items():
        pod = world.launch(container, node, bound=False)
        words = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        words["message"] = f"0/3 nodes are available: 1 Insufficient cpu, {PINNED}."
        world.patch("pod", pod["metadata"]["name"], status={"conditions": [words]})
    world.cycle()

    assert world.granted("maps") == {}
    assert avoided(world, "maps") == {"n3": ("1970-01-01T00:00:30Z", 1)}


def test_the_condition_has_kube_schedulers_words_beside_ours(world):
    for name in ("n1", "n2"):
        world.patch("node", name, spec={"unschedulable": True})
    ask(world, 1)
    told(world, "maps", "Insufficient cpu")
    world.turn()

    found = condition(world, "maps")
    assert found["reason"] == "NodesExcluded"
    assert "all nodes with room are excluded: n3" in found["message"]
    assert (
        "kube-scheduler refused a pod on n3: Unschedulable: 0/3 nodes are available: 1 "
        in (found["message"])
    )


KATA = {"nodeSelector": {"kata": "yes"}}
SELECTOR = "node(s) didn't match Pod's node affinity/selector"


def a_kata_cluster(*nodes_with_kata):
    """The runtime class kata adds a node selector to the pods that name it."""
    labels = {name: {"kata": "yes"} for name in nodes_with_kata}
    nodes = [a_node(f"n{n}", labels=labels.get(f"n{n}", {})) for n in range(1, 6)]
    world = World(*two_queues(), *(("node", node) for node in nodes), now_ms=Clock.time)
    world.submit("words", 1)
    world.cycle()
    return world


def kata(world, name, count=1, *, known=True):
    template = {"spec": {"runtimeClassName": "kata"}}
    ask(world, count, name, **({"container": {"template": template}} if known else {}))


def refuse_kata(world, name):
    """Pods of it are refused on the nodes that are not labelled; how many are."""
    refused = 0
    for container, node in sorted(world.granted(name).items()):
        labels = world.objects["node"][node]["metadata"]["labels"]
        if world.live.cache.pods.of_container(container) is not None or labels:
            continue
        pod = world.launch(container, node, bound=False)
        pin = {"key": "metadata.name", "operator": "In", "values": [node]}
        required = {"nodeSelectorTerms": [{"matchFields": [pin]}]}
        affinity = {"requiredDuringSchedulingIgnoredDuringExecution": required}
        words = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        words["message"] = f"0/3 nodes are available: 1 {SELECTOR}, {PINNED}."
        world.patch(
            "pod",
            pod["metadata"]["name"],
            spec={**KATA, "affinity": {"nodeAffinity": affinity}},
            status={"conditions": [words]},
        )
        refused += 1
    world.cycle()
    return refused


@pytest.mark.parametrize("known", [True, False])
def test_what_a_refused_pod_requires_holds_for_its_kind(known):
    world = a_kata_cluster("n5")
    kata(world, "maps", 4, known=known)
    refuse_kata(world, "maps")

    assert nodes(world) == {"n5"}


def test_other_requests_with_the_template_are_not_granted_there_either():
    world = a_kata_cluster("n5")
    kata(world, "maps")
    assert refuse_kata(world, "maps") == 1
    kata(world, "more", 5)
    ask(world, 5, "plain", container={})

    assert nodes(world, "more") == {"n5"}
    assert nodes(world, "plain") - {"n5"}


def test_where_no_node_has_what_is_required_it_holds_nothing_and_says_so():
    world = a_kata_cluster()
    kata(world, "maps")
    refuse_kata(world, "maps")
    world.turn()

    assert nodes(world) == set()
    assert world.status("root.a").pending == (0, 0)
    message = condition(world, "maps")["message"]
    assert "0 of 5 nodes match nodeSelector kata=yes" in message
    assert f"1 {SELECTOR}" in message

    world.put("node", a_node("n3", labels={"kata": "yes"}))
    world.cycle()
    assert nodes(world) == {"n3"}


def test_what_was_learned_is_tried_again_when_the_node_is(clock):
    world = a_kata_cluster()
    kata(world, "maps")
    refuse_kata(world, "maps")
    assert nodes(world) == set()

    clock.now_ms = 30_000
    world.turn()
    world.cycle()

    assert len(nodes(world)) == 1


def test_a_node_that_was_another_one_a_moment_ago_teaches_nothing():
    """The pod that is refused requires nothing that its node does not have by now."""
    world = a_kata_cluster("n5")
    ask(world, 1, container={"template": {"spec": KATA}})
    told(world, "maps", SELECTOR)

    assert nodes(world) == set()
    assert world.status("root.a").pending != (0, 0)
    assert list(avoided(world, "maps")) == ["n5"]
