"""Nodes that are lost, come back, or take nothing."""

from __future__ import annotations

import pytest

from unit.scheduler.world import (
    World,
    a_node,
    asked,
    foreign,
    needs,
    request_status,
    started,
    two_queues,
)


@pytest.fixture
def world():
    return World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_lost_nodes_containers_count_until_their_pods_are_gone(world, restarted):
    pods = started(world, 6)
    grants = {**world.granted("maps"), **world.granted("words-am-1")}
    lost = {c for c, node in grants.items() if node == "n1"}
    bound = world.live.bound("root.a")
    world.remove("node", "n1")
    if restarted:
        world.restart()
    world.cycle()

    assert len(world.held()) == 7
    assert world.live.bound("root.a") == bound
    assert "n1" not in {g.node for g in world.live.scheduler.containers() if g.id not in lost}
    for container in lost:
        world.remove("pod", pods[container])
    world.turn()
    assert len(world.held()) == 7 - len(lost)
    assert sorted(world.free()) == ["n2"]


def test_a_node_that_comes_back_has_its_containers_again(world):
    started(world, 6)
    free = world.free()
    world.remove("node", "n1")
    world.cycle()
    world.put("node", a_node("n1"))
    world.cycle()

    assert world.free() == free
    assert len(world.held()) == 7


def test_what_was_granted_on_a_lost_node_and_has_no_pod_is_granted_again(world):
    world.submit("words", 1)
    world.cycle()
    before = asked(world, 6)
    gone = {c for c, node in before.items() if node == "n1"}
    assert gone
    world.remove("node", "n1")
    world.cycle()

    after = world.granted("maps")
    assert set(after.values()) == {"n2"}
    assert after.keys() & gone == set()
    assert request_status(world, "maps")["granted"] == len(after) > len(before) - len(gone)


def test_nodes_that_are_not_ready_keep_their_containers_and_take_none(world):
    started(world, 2)
    world.put("node", a_node("n1", ready="Unknown"))
    world.put("node", a_node("n2", ready="Unknown"))
    world.patch("request", "maps", spec={"count": 5})
    world.cycle()

    assert len(world.held()) == 3


def test_a_resource_is_known_as_long_as_a_node_or_a_queue_names_it(world):
    gpu, also = "nvidia.com/gpu", {"nvidia.com/gpu": "2"}
    for name in ("g1", "g2"):
        world.put("node", a_node(name, also=also))
    world.cycle()
    assert gpu in world.live.types.names

    world.remove("node", "g1")
    world.put("node", a_node("g2"))
    world.cycle()
    assert gpu not in world.live.types.names

    world.patch("queue", "root.a", spec={"maximumAllocation": {gpu: "2", "memory": "1Gi"}})
    world.cycle()
    assert gpu in world.live.types.names


@pytest.mark.parametrize("opportunistic", [False, True])
def test_a_node_takes_as_many_pods_as_its_kubelet_says_foreign_ones_included(opportunistic):
    world = World(*two_queues(), ("node", a_node("n1", cpu=80, also={"pods": "6"})))
    for name in ("dns", "proxy"):
        world.put("pod", foreign(name, "n1", {"name": "c"}))
    world.submit("words", 1)
    world.cycle()
    assert (
        len(asked(world, 9, executionType="Opportunistic" if opportunistic else "Guaranteed")) == 3
    )

    world.remove("pod", "dns")
    world.cycle()
    assert len(world.granted("maps")) == 4


def test_a_node_holds_no_more_cpu_than_it_has_where_queues_count_memory_alone():
    root, *leaves = two_queues()
    root[1]["spec"] = {"cluster": {"resourceCalculator": "Default"}}
    world = World(root, *leaves, ("node", a_node("n1", cpu=4, memory="32Gi")))
    world.submit("words", 1)
    world.cycle()

    assert len(asked(world, 16)) == 3
    assert world.free()["n1"][1] == 0


def test_a_pod_larger_than_the_node_it_names_takes_nothing_of_it(world):
    free = world.free()
    huge = foreign("huge", "n1", needs("1000", "1Ti"))
    huge["status"] = {"phase": "Pending"}
    world.put("pod", huge)
    world.cycle()
    assert world.free() == free

    # One that the kubelet let in, on a node that has shrunk since, holds all of it.
    world.patch("pod", "huge", status={"phase": "Running"})
    world.cycle()
    assert world.free()["n1"] == (0, 0)
    assert world.free()["n2"] == free["n2"]


def test_a_pod_as_large_as_its_node_takes_all_of_it_before_it_runs(world):
    whole = foreign("whole", "n1", needs("8", "16Gi"))
    whole["status"] = {"phase": "Pending"}
    world.put("pod", whole)
    world.cycle()

    assert world.free()["n1"] == (0, 0)
