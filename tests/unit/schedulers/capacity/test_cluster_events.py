"""Nodes that come, change and go, with what they hold and what is reserved on them."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.model.queues import Partition
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.api import Reserve
from unit.schedulers.small import SmallCluster, app_id

KEY = AskKey(1)
ALONE = {
    "root.queues": "a",
    "root.a.capacity": "100",
    "per-node-heartbeat.maximum-offswitch-assignments": "1",
}
GOLD = {
    f"{path}.accessible-node-labels{suffix}": value
    for path in ("root", "root.a")
    for suffix, value in (("", "gold"), (".gold.capacity", "100"))
}


def reserving(*, pods: int = 20) -> SmallCluster:
    """A node of 8 GiB with 7 in use, reserved for a container of 2; another one is not offered."""
    cluster = SmallCluster({**ALONE, **GOLD}, nodes=0, partitions=(Partition("gold"),))
    cluster.node("n0", pods=pods)
    cluster.submit(1)
    cluster.ask(1, 6)
    cluster.cycle()
    cluster.node("spare")
    cluster.ask(1, 1, (2048, 2))
    [made] = cluster.engine.node_update("n0", 0)
    assert isinstance(made, Reserve)
    return cluster


@pytest.mark.parametrize(
    ("size", "changes", "kept"),
    [
        pytest.param((8192, 8), {"pods": 20}, True, id="as before"),
        pytest.param((9216, 9), {"pods": 20}, True, id="larger"),
        pytest.param((4096, 4), {"pods": 20}, True, id="smaller"),
        pytest.param((8192, 8), {"pods": 20, "rack": "/r7"}, True, id="in another rack"),
        pytest.param((8192, 8), {"pods": 8}, True, id="with a pod slot left"),
        pytest.param((8192, 8), {"pods": 7}, False, id="without a pod slot"),
        pytest.param((8192, 8), {"pods": 20, "schedulable": False}, False, id="cordoned"),
        pytest.param((8192, 8), {"pods": 20, "partition": "gold"}, False, id="of a partition"),
    ],
)
def test_a_reservation_stays_while_the_node_may_still_take_its_container(
    size: Vector,
    changes: dict[str, object],
    kept: bool,
) -> None:
    cluster = reserving()

    cluster.node("n0", size, **changes)

    node = cluster.engine.state.cluster.nodes["n0"]
    assert (node.reservation is not None) is kept
    assert (KEY in cluster.engine.state.apps[app_id(1)].reservations) is kept
    assert any(
        any(amount) for amount in cluster.engine.state.queues["root.a"].reserved.values()
    ) is (kept)


def test_a_node_that_goes_gives_up_its_reservation_and_its_containers() -> None:
    cluster = reserving()

    lost = cluster.engine.remove_node("n0")

    assert len(lost) == 7
    assert cluster.engine.state.apps[app_id(1)].reservations == {}
    assert cluster.status("root.a").used == cluster.status("root.a").reserved == (0, 0)
    assert cluster.engine.state.cluster.total == (8192, 8)
    assert cluster.engine.remove_node("n0") == ()


@pytest.mark.parametrize(
    ("before", "after", "used"),
    [
        pytest.param("", "gold", {"": (0, 0), "gold": (3072, 3)}, id="into a partition"),
        pytest.param("gold", "", {"": (3072, 3), "gold": (0, 0)}, id="out of it"),
        pytest.param("", "", {"": (3072, 3)}, id="and stays"),
    ],
)
def test_containers_are_counted_where_their_node_is(
    before: str, after: str, used: dict[str, Vector]
) -> None:
    cluster = SmallCluster(
        {**ALONE, **GOLD, "root.a.accessible-node-labels.gold.maximum-am-resource-percent": "1"},
        nodes=0,
        partitions=(Partition("gold"),),
    )
    cluster.node("n0", partition=before)
    cluster.submit(1, partition=before or None)
    cluster.cycle()
    cluster.ask(1, 2, partition=before or None)
    cluster.cycle()
    cluster.cycle()

    cluster.node("n0", (8192, 9), partition=after)

    queue, app = cluster.engine.state.queues["root.a"], cluster.engine.state.apps[app_id(1)]
    assert queue.used == app.used == used
    assert {one.partition for one in app.containers.values()} == {after}


def test_a_cordoned_node_keeps_what_it_holds_and_is_no_part_of_the_cluster() -> None:
    cluster = SmallCluster(ALONE)
    cluster.submit(1)
    cluster.ask(1, 3)
    cluster.cycle()

    cluster.node("n0", schedulable=False)
    cluster.ask(1, 3)

    assert cluster.cycle() == []
    assert cluster.status("root.a").used == (4096, 4)
    assert cluster.engine.state.cluster.total == (0, 0)

    cluster.node("n0")
    assert len(cluster.cycle()) == 3


def test_a_node_that_changes_before_it_joined_joins() -> None:
    cluster = SmallCluster(ALONE)
    known = cluster.engine.state.cluster.nodes["n0"].node

    cluster.engine.remove_node("n0")
    cluster.engine.update_node(known)

    assert list(cluster.engine.state.cluster.nodes) == ["n0"]
    assert cluster.engine.state.cluster.total == (8192, 8)


def test_a_node_that_is_told_again_makes_nothing_stale() -> None:
    cluster = SmallCluster(ALONE)
    cluster.cycle()
    dirty = cluster.engine.state.dirty
    assert dirty.idle
    assert not dirty.capacities

    cluster.node("n0")

    assert dirty.idle
    assert not dirty.capacities


def test_a_node_that_came_takes_effect_before_one_goes() -> None:
    # One AM of 1 GiB fits at 12.5 % of 8 GiB, two at 12.5 % of 16. The second starts while both
    # nodes are there, although nobody asked for anything before one of them went.
    cluster = SmallCluster({**ALONE, "maximum-am-resource-percent": "0.125"})
    cluster.submit(1)
    cluster.submit(2)
    leaf = cluster.engine.state.queues["root.a"]
    assert leaf.leaf
    assert (len(leaf.active), len(leaf.pending_applications)) == (1, 1)

    cluster.node("n1")
    cluster.engine.remove_node("n1")

    assert (len(leaf.active), len(leaf.pending_applications)) == (2, 0)


@pytest.mark.parametrize(
    ("queue", "states"),
    [
        pytest.param("root.b", {"root.a": "Running", "root.b": "Stopped"}, id="an empty one stops"),
        pytest.param("root.a", {"root.a": "Draining", "root.b": "Running"}, id="one in use drains"),
        pytest.param("root.c", {"root.a": "Running", "root.b": "Running"}, id="none of that path"),
    ],
)
def test_a_queue_that_is_being_removed_stops(queue: str, states: dict[str, str]) -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.cycle()

    cluster.engine.stop(queue)

    assert {path: cluster.status(path).state for path in states} == states


@pytest.mark.parametrize(
    ("in_a_story", "total", "capability", "stays"),
    [
        pytest.param(False, (8192, 7), None, True, id="a little smaller"),
        pytest.param(False, (6144, 8), None, True, id="just as large as what is reserved"),
        pytest.param(False, (6143, 8), None, False, id="smaller than what is reserved"),
        pytest.param(False, (4096, 4), (8192, 8), True, id="as long as other pods are there"),
        pytest.param(True, (8192, 7), None, False, id="in a story whatever the size"),
        pytest.param(True, (8192, 8), None, True, id="in a story of the same size"),
    ],
)
def test_a_resized_node_stays_reserved_where_it_may_ever_hold_what_is_reserved(
    in_a_story: bool, total: Vector, capability: Vector | None, stays: bool
) -> None:
    # Both nodes take three of six containers, so that a large one fits on neither.
    settings = {"per-node-heartbeat.maximum-offswitch-assignments": "1"}
    cluster = SmallCluster(settings, nodes=2, hadoop_compatible=in_a_story)
    cluster.submit(1)
    cluster.ask(1, 5)
    cluster.cycle()
    cluster.ask(1, 1, (6144, 1), priority=2)
    cluster.cycle()
    reserved = [node for node in cluster.engine.state.cluster.nodes.values() if node.reservation]
    assert len(reserved) == 1

    cluster.node(reserved[0].name, total, capability=capability, rack="/other")

    assert (reserved[0].reservation is not None) is stays
