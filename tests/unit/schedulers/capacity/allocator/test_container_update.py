"""Containers that grow where no offer could reach them, and what stays as it was meanwhile."""

from __future__ import annotations

import pytest

from kubeyarn.model.containers import Container
from kubeyarn.model.queues import Partition
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.api import Increase
from unit.schedulers.small import SmallCluster, app_id

ALONE = {
    "root.queues": "a",
    "root.a.capacity": "100",
    "root.a.maximum-capacity": "50",
    "root.a.user-limit-factor": "10",
}


def without_cores(settings: dict[str, str] | None = None) -> tuple[SmallCluster, Container]:
    """A node of 12 GiB whose 4 cores are taken by an AM of 1 and a container of 2 GiB.

    The queue may hold half of 16 GiB, because a node of 4 GiB is there besides.
    """
    cluster = SmallCluster({**ALONE, **(settings or {})}, nodes=0)
    cluster.node("n0", (12288, 4))
    cluster.node("spare", (4096, 8))
    cluster.submit(1)
    cluster.engine.node_update("n0", 0)
    cluster.ask(1, 1, (2048, 3))
    cluster.engine.node_update("n0", 0)
    [made] = [one for one in cluster.engine.containers() if not one.am]
    assert made.node == "n0"
    return cluster, made


def grown(cluster: SmallCluster) -> list[Vector]:
    return [one.container.size for one in cluster.engine.cycle(0, 100) if isinstance(one, Increase)]


@pytest.mark.parametrize(
    ("more", "sizes"),
    [
        pytest.param((2048, 0), [(4096, 3)], id="memory, of which the node has some left"),
        pytest.param((5120, 0), [(7168, 3)], id="as much as its queue's maximum allows"),
        pytest.param((6144, 0), [], id="more than that"),
        pytest.param((10240, 0), [], id="more than the node has"),
        pytest.param((2048, 1), [], id="a core as well, of which it has none"),
        pytest.param((0, 0), [], id="nothing"),
    ],
)
def test_a_container_grows_where_its_node_has_nothing_left_of_another_type(
    more: Vector, sizes: list[Vector]
) -> None:
    cluster, container = without_cores()

    cluster.engine.request_increase(container, more)

    assert grown(cluster) == sizes
    assert grown(cluster) == []


def test_what_grew_is_charged_once() -> None:
    cluster, container = without_cores()

    cluster.engine.request_increase(container, (2048, 0))
    cluster.cycle()

    assert cluster.status("root.a").used == (5120, 4)
    assert cluster.status("root.a").pending == (0, 0)
    assert cluster.engine.state.cluster.nodes["n0"].free == (7168, 0)
    assert [one.id.number for one in cluster.engine.containers()] == [1, 2]


def test_a_container_on_a_cordoned_node_waits() -> None:
    cluster, container = without_cores()
    cluster.node("n0", (12288, 4), schedulable=False)
    cluster.node("more", (12288, 8))

    cluster.engine.request_increase(container, (2048, 0))
    assert grown(cluster) == []

    cluster.node("n0", (12288, 4))
    assert grown(cluster) == [(4096, 3)]


def test_the_last_wish_counts() -> None:
    cluster, container = without_cores()

    cluster.engine.request_increase(container, (6144, 0))
    cluster.engine.request_increase(container, (1024, 0))

    assert grown(cluster) == [(3072, 3)]


@pytest.mark.parametrize(
    ("size", "left"),
    [
        pytest.param((1024, 3), (1024, 3), id="less memory"),
        pytest.param((2048, 1), (2048, 1), id="fewer cores"),
        pytest.param((4096, 1), (2048, 1), id="what is more stays as it is"),
        pytest.param((4096, 4), (2048, 3), id="nothing less: nothing changes"),
    ],
)
def test_a_container_is_charged_for_less(size: Vector, left: Vector) -> None:
    cluster, container = without_cores()

    cluster.engine.decrease(container.id, size)

    [found] = [one for one in cluster.engine.containers() if not one.am]
    assert found == container._replace(size=left)
    assert cluster.status("root.a").used == (1024 + left[0], 1 + left[1])
    assert cluster.engine.state.cluster.nodes["n0"].free == (11264 - left[0], 3 - left[1])


def test_a_borrowed_container_that_shrinks_stays_borrowed() -> None:
    access = {
        f"{path}.accessible-node-labels{suffix}": value
        for path in ("root", "root.a")
        for suffix, value in (("", "gold"), (".gold.capacity", "100"))
    }
    cluster = SmallCluster(
        {**access, "root.a.user-limit-factor": "10"},
        partitions=(Partition("gold", exclusive=False),),
    )
    cluster.node("gold0", partition="gold")
    cluster.submit(1)
    cluster.cycle()
    cluster.node("n0", schedulable=False)
    cluster.ask(1, 1, (2048, 2))
    for _ in range(3):
        cluster.cycle()
    [borrowed] = [one for one in cluster.engine.containers() if not one.am]
    assert borrowed.node == "gold0"

    cluster.engine.decrease(borrowed.id, (1024, 1))

    held = cluster.engine.state.apps[app_id(1)].queue.ignore_exclusivity_containers["gold"]
    assert [one.size for one in held.values()] == [(1024, 1)]


def test_a_container_of_nobody_neither_grows_nor_shrinks() -> None:
    cluster, container = without_cores()
    cluster.engine.release(container.id, 0)

    cluster.engine.decrease(container.id, (1024, 1))

    assert cluster.status("root.a").used == (1024, 1)


def test_a_container_on_a_node_that_is_not_known_waits_for_it() -> None:
    cluster, container = without_cores()
    elsewhere = container._replace(node="n9", id=cluster.engine.next_id(app_id(1)))

    cluster.engine.request_increase(elsewhere, (1024, 0))

    assert grown(cluster) == []
    assert cluster.status("root.a").pending == (1024, 0)
