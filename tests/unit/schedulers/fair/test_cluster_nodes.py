"""What follows from the size of the cluster: sizes of containers, maxima, shares."""

from __future__ import annotations

import pytest

from kubeyarn.model.errors import Rejected
from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.cluster_nodes import normalize, queue_maximum_allocation
from unit.schedulers.fair.building import FairCluster, app_id


@pytest.mark.parametrize(
    ("size", "minimum", "maximum", "increment", "expected"),
    [
        pytest.param((1024, 1), (1024, 1), (8192, 4), (512, 1), (1024, 1), id="as asked"),
        pytest.param(
            (100, 0), (1024, 1), (8192, 4), (512, 1), (1024, 1), id="raised to the minimum"
        ),
        pytest.param((1025, 1), (1024, 1), (8192, 4), (512, 1), (1536, 1), id="rounded up"),
        pytest.param((1536, 1), (1024, 1), (8192, 4), (512, 1), (1536, 1), id="a multiple stays"),
        pytest.param((1537, 1), (1024, 1), (8192, 4), (512, 1), (2048, 1), id="the next multiple"),
        pytest.param((9000, 9), (1024, 1), (8192, 4), (512, 1), (8192, 4), id="cut at the maximum"),
        pytest.param((8000, 1), (1024, 1), (8100, 4), (1024, 1), (8100, 1), id="rounded, then cut"),
        pytest.param((1025, 3), (1024, 1), (8192, 8), (512, 2), (1536, 4), id="vcores, too"),
        pytest.param((1025, 1), (1024, 1), (8192, 4), (0, 0), (1025, 1), id="no increment"),
        pytest.param((0, 0), (0, 0), (8192, 4), (512, 1), (0, 0), id="nothing"),
        pytest.param((1, 1), (0, 0), (8192, 4), (512, 1), (512, 1), id="no minimum"),
        pytest.param(
            (1024, 1, 3), (1024, 1, 0), (8192, 4, 8), (512, 1, 2), (1024, 1, 4), id="a third type"
        ),
    ],
)
def test_sizes_are_raised_rounded_and_cut(
    size: Vector, minimum: Vector, maximum: Vector, increment: Vector, expected: Vector
) -> None:
    assert normalize(size, minimum, maximum, increment) == expected


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        pytest.param((), (8192, 4), id="the queue says nothing"),
        pytest.param((2048, 2), (2048, 2), id="less of both"),
        pytest.param((2048, None), (2048, 4), id="less memory"),
        pytest.param((None, 2), (8192, 2), id="less vcores"),
        pytest.param((None, None), (8192, 4), id="no limit"),
        pytest.param((16384, 16), (8192, 4), id="more than the scheduler allows"),
        pytest.param((2048,), (2048, 4), id="memory alone"),
        pytest.param((0, 2), (0, 2), id="nothing of one"),
    ],
)
def test_a_queue_lowers_the_maximum_allocation(
    queue: tuple[int | None, ...], expected: Vector
) -> None:
    assert queue_maximum_allocation((8192, 4), queue) == expected


def test_no_container_is_larger_than_the_largest_node() -> None:
    cluster = FairCluster('<queue name="a"/>', nodes=0)
    cluster.scheduler.add_node(Node("small", (2048, 2)))
    cluster.submit(1)
    with pytest.raises(Rejected, match="maximum allocation is cpu 2"):
        cluster.scheduler.rounded(app_id(1), (1024, 3))

    cluster.scheduler.add_node(Node("wide", (1024, 16)))

    assert cluster.scheduler.rounded(app_id(1), (1024, 3)) == (1024, 3)
    assert cluster.scheduler.rounded(app_id(1), (2000, 3)) == (2048, 3)


@pytest.mark.parametrize(
    ("limit", "one_node", "two_nodes"),
    [
        pytest.param("50.0% memory, 50.0% cpu", (5120, 5), (10240, 10), id="half"),
        pytest.param("100.0% memory, 10.0% cpu", (10240, 1), (20480, 2), id="each type"),
        pytest.param("33.0%", (3379, 3), (6758, 6), id="cut to integers"),
        pytest.param("6144 mb, 6 vcores", (6144, 6), (6144, 6), id="amounts stay"),
    ],
)
def test_maxima_follow_the_cluster(limit: str, one_node: Vector, two_nodes: Vector) -> None:
    cluster = FairCluster(f'<queue name="a"><maxResources>{limit}</maxResources></queue>', nodes=1)
    before = cluster.status("a").maximum

    cluster.scheduler.add_node(Node("more", (10240, 10)))

    assert before == one_node
    assert cluster.status("a").maximum == two_nodes


def test_a_maximum_is_never_below_the_minimum() -> None:
    cluster = FairCluster(
        '<queue name="a"><minResources>8192 mb,8 vcores</minResources>'
        "<maxResources>4096 mb,10 vcores</maxResources></queue>"
    )

    assert cluster.status("a").maximum == (8192, 10)


def test_a_node_that_changes_its_size_keeps_its_containers() -> None:
    cluster = FairCluster('<queue name="a"/>', nodes=1)
    cluster.run(1, count=5)
    cluster.cycle()

    cluster.scheduler.update_node(Node("n0", (4096, 4)))

    assert cluster.count(1) == 6
    assert cluster.scheduler.node_reports()[0].available == (-2048, -2)
    assert cluster.status("a").steady_fair_share == (4096, 0)


def test_many_nodes_that_come_are_worked_out_once() -> None:
    cluster = FairCluster('<queue name="a"/>', nodes=0)
    dirty = cluster.scheduler.state.dirty
    cluster.scheduler.queue_status()
    settled = dirty.cluster
    for number in range(3):
        cluster.scheduler.add_node(Node(f"m{number}", (1024, 1)))

    assert not settled
    assert dirty.cluster
    assert cluster.status("a").steady_fair_share == (3072, 0)
    assert not dirty.cluster


def cordon(cluster: FairCluster, name: str, *, schedulable: bool = False) -> None:
    cluster.scheduler.update_node(Node(name, (10240, 10), schedulable=schedulable))


def test_shares_and_percentages_are_of_nodes_that_take_containers() -> None:
    cluster = FairCluster('<queue name="a"><maxResources>50.0%</maxResources></queue>')
    cluster.scheduler.add_node(Node("closed", (40960, 40), schedulable=False))

    cordon(cluster, "n1")

    a = cluster.status("a")
    assert a.steady_fair_share == (5120, 0)
    assert a.maximum == (5120, 5)

    cordon(cluster, "n1", schedulable=True)

    assert cluster.status("a").maximum == (10240, 10)


def test_what_runs_on_a_cordoned_node_is_not_taken_off_what_others_have() -> None:
    cluster = FairCluster('<queue name="a"/>')
    cluster.run(1, count=30)
    cluster.cycle()
    cordon(cluster, "n0")
    state = cluster.scheduler.state

    assert (state.cluster, state.allocated) == ((10240, 10), (10240, 10))

    cordon(cluster, "n1")

    assert (state.cluster, state.allocated) == ((0, 0), (0, 0))
    assert cluster.status("a").used == (20480, 20)

    cordon(cluster, "n0", schedulable=True)
    cluster.scheduler.finish(app_id(1), 0)

    assert (state.cluster, state.allocated) == ((10240, 10), (0, 0))
