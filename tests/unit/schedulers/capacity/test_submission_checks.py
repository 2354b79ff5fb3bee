"""Sizes, partitions and racks of what is submitted, as the scheduler takes them."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.errors import Rejected
from kubeyarn.model.queues import Partition
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers.capacity.attempt_lifecycle import racks_of
from kubeyarn.schedulers.capacity.submission import check_size
from unit.schedulers.small import SmallCluster, app_id

TYPES = ResourceTypes()


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (8, 4)], ids=["nothing", "little", "the maximum"])
def test_a_size_is_taken(size: Vector) -> None:
    check_size(size, (8, 4), TYPES, "ask")


@pytest.mark.parametrize(
    ("size", "reason", "message"),
    [
        ((9, 1), "MaximumAllocation", "ask: memory 9 is greater than the maximum allocation 8"),
        ((1, 5), "MaximumAllocation", "ask: cpu 5 is greater than the maximum allocation 4"),
        ((9, 5), "MaximumAllocation", "ask: memory 9 is greater than the maximum allocation 8"),
        ((-1, 1), "InvalidRequest", "ask: memory -1; it must not be negative"),
        ((1, -1), "InvalidRequest", "ask: cpu -1; it must not be negative"),
    ],
    ids=["memory", "cpu", "both", "negative memory", "negative cpu"],
)
def test_a_size_is_refused_for(size: Vector, reason: str, message: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_size(size, (8, 4), TYPES, "ask")

    assert (refused.value.reason, str(refused.value)) == (reason, message)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        pytest.param((1024, 1), (1024, 1), id="a multiple of the minimum as it is"),
        pytest.param((1, 1), (1024, 1), id="raised to the minimum (rounding-minimum)"),
        pytest.param((1025, 1), (2048, 1), id="rounded up (rounding-minimum)"),
        pytest.param((2048, 0), (2048, 1), id="with a core at least"),
        pytest.param((2047, 3), (2048, 3), id="each type on its own"),
    ],
)
def test_a_container_is_granted_in_the_size(asked: Vector, granted: Vector) -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.ask(1, 1, asked)

    sizes = [container.size for container in cluster.cycle() if not container.am]
    assert sizes == [granted]


X = {
    "root.accessible-node-labels.x.capacity": "100",
    "root.a.accessible-node-labels": "x",
    "root.a.accessible-node-labels.x.capacity": "100",
}


def in_partitions(settings: dict[str, str]) -> SmallCluster:
    """A node of the default partition and one of x, which root.a may use."""
    cluster = SmallCluster({**X, **settings}, partitions=(Partition("x"), Partition("y")))
    cluster.node("x0", (8192, 8), partition="x")
    return cluster


@pytest.mark.parametrize(
    ("settings", "application", "ask", "node"),
    [
        pytest.param({}, None, None, "n0", id="the default partition, where nothing is said"),
        pytest.param({}, None, "x", "x0", id="the ask's partition"),
        pytest.param({}, "x", None, "x0", id="the application's partition"),
        pytest.param({}, "x", "", "n0", id="the ask's partition before the application's"),
        pytest.param(
            {"root.a.default-node-label-expression": "x"},
            None,
            None,
            "x0",
            id="the queue's default partition (label-default-expression)",
        ),
        pytest.param(
            {"root.a.default-node-label-expression": "x"},
            "",
            None,
            "n0",
            id="the application's partition before the queue's default",
        ),
    ],
)
def test_a_container_is_granted_in(
    settings: dict[str, str], application: str | None, ask: str | None, node: str
) -> None:
    cluster = in_partitions(settings)
    cluster.submit(1, am=(1024, 1), partition=application)
    cluster.cycle()
    cluster.ask(1, 1, partition=ask)

    assert [container.node for container in cluster.cycle() if not container.am] == [node]


@pytest.mark.parametrize(
    ("partition", "message"),
    [
        ("y", "queue root.a has no access to partition 'y', only to ['x']"),
        ("z", "partition 'z' does not exist; there are ['x', 'y']"),
    ],
    ids=["without access (label-not-accessible)", "that does not exist"],
)
def test_an_ask_is_refused_in_a_partition(partition: str, message: str) -> None:
    cluster = in_partitions({})
    cluster.submit(1)

    with pytest.raises(Rejected) as refused:
        cluster.ask(1, 1, partition=partition)
    assert str(refused.value) == f"request of priority 1: {message}"


def test_a_negative_count_is_refused() -> None:
    cluster = SmallCluster()
    cluster.submit(1)

    with pytest.raises(Rejected, match="request of priority 1: count -1 is negative"):
        cluster.engine.update_asks(app_id(1), [Ask(AskKey(1), -1, (1, 1))], 0)


@pytest.mark.parametrize(
    ("nodes", "racks", "found"),
    [
        pytest.param((), (), {}, id="none"),
        pytest.param((("n0", 2),), (), {"/r0": 2}, id="that of a node"),
        pytest.param((("n0", 2), ("n1", 3)), (), {"/r0": 5}, id="that of two of its nodes"),
        pytest.param((("n0", 2), ("n2", 3)), (), {"/r0": 2, "/r1": 3}, id="those of two nodes"),
        pytest.param((), (("/r1", 4),), {"/r1": 4}, id="one that is named"),
        pytest.param((("n0", 2),), (("/r0", 7),), {"/r0": 7}, id="as named, beside its node"),
        pytest.param((("gone", 2),), (), {}, id="none of a node that is not there"),
    ],
)
def test_an_ask_is_for_racks(
    nodes: tuple[tuple[str, int], ...],
    racks: tuple[tuple[str, int], ...],
    found: dict[str, int],
) -> None:
    cluster = SmallCluster(nodes=0)
    for name, rack in (("n0", "/r0"), ("n1", "/r0"), ("n2", "/r1")):
        cluster.node(name, rack=rack)

    assert racks_of(Locality(nodes=nodes, racks=racks), cluster.engine.state.cluster) == found
