"""What a queue uses of its guarantee, which nodes it reaches, and its place in the tree."""

from __future__ import annotations

import pytest

from kubeyarn.model.queues import Partition
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.capacity.objects.queue import AbstractCSQueue
from unit.schedulers.small import SmallCluster

TREE = {
    "root.queues": "p,c",
    "root.p.capacity": "50",
    "root.c.capacity": "50",
    "root.p.queues": "x,y",
    "root.p.x.capacity": "100",
    "root.p.y.capacity": "0",
}


def queue(path: str, settings: dict[str, str] | None = None, *, nodes: int = 2) -> AbstractCSQueue:
    """A queue of a tree on nodes of 8 GiB and 8 cores."""
    cluster = SmallCluster({**TREE, **(settings or {})}, nodes=nodes)
    cluster.engine.state.bring_up_to_date()
    return cluster.engine.state.queues[path]


def hold(found: AbstractCSQueue, used: Vector, partition: str = "") -> AbstractCSQueue:
    part = found.usage(partition)
    part.used, part.was_used = used, True
    return found


@pytest.mark.parametrize(
    ("path", "used", "of_guarantee", "of_all"),
    [
        pytest.param("root", (8192, 8), 0.5, 0.5, id="root: of all there is"),
        pytest.param("root.p", (4096, 4), 0.5, 0.25, id="half of its guarantee"),
        pytest.param("root.p", (8192, 8), 1.0, 0.5, id="all of it"),
        pytest.param("root.p", (12288, 12), 1.5, 0.75, id="more than it"),
        pytest.param("root.p", (1024, 4), 0.5, 0.25, id="by the dominant share"),
        pytest.param("root.p", (0, 0), 0.0, 0.0, id="nothing"),
        pytest.param("root.p.y", (1024, 1), 1.0, 0.0625, id="without a guarantee: of one minimum"),
        pytest.param("root.p.y", (4096, 4), 4.0, 0.25, id="without a guarantee: four times that"),
    ],
)
def test_use_is_measured_by_the_guarantee_and_by_the_cluster(
    path: str, used: Vector, of_guarantee: float, of_all: float
) -> None:
    found = hold(queue(path), used)

    assert found.used_capacity("") == of_guarantee
    assert found.absolute_used("") == of_all


@pytest.mark.parametrize("path", ["root", "root.p", "root.p.y"])
def test_in_an_empty_cluster_nothing_is_used(path: str) -> None:
    found = hold(queue(path, nodes=0), (1024, 1))

    assert found.used_capacity("") == found.absolute_used("") == 0.0


def test_of_a_partition_that_is_not_known_nothing_is_used() -> None:
    found = queue("root.p")

    assert found.used_capacity("gold") == found.absolute_used("gold") == 0.0
    assert found.use("gold") == found.outstanding("gold") == (0, 0)
    assert found.minimum("gold") == found.maximum("gold") == (0, 0)
    assert not found.wants("gold")


def test_use_is_measured_anew_when_the_guarantee_changes() -> None:
    cluster = SmallCluster(TREE, nodes=1)
    cluster.engine.state.bring_up_to_date()
    found = hold(cluster.engine.state.queues["root.p"], (2048, 2))
    assert found.used_capacity("") == 0.5

    cluster.node("n1")
    cluster.engine.state.bring_up_to_date()

    assert found.used_capacity("") == 0.25


@pytest.mark.parametrize(
    ("labels", "reached"),
    [
        pytest.param(" ", {"": True, "gold": False, "red": False}, id="no partition is named"),
        pytest.param("gold", {"": True, "gold": True, "red": False}, id="one is"),
        pytest.param("*", {"": True, "gold": True, "red": True}, id="all are"),
    ],
)
def test_a_queue_reaches_the_partitions_that_it_names(
    labels: str, reached: dict[str, bool]
) -> None:
    cluster = SmallCluster(
        {
            **TREE,
            "root.accessible-node-labels": "*",
            "root.c.accessible-node-labels": labels,
        },
        partitions=(Partition("gold"), Partition("red")),
    )
    found = cluster.engine.state.queues["root.c"]

    assert {name: found.reaches(name) for name in reached} == reached


@pytest.mark.parametrize(
    ("path", "chain", "below"),
    [
        pytest.param(
            "root", ["root"], ["root", "root.p", "root.p.x", "root.p.y", "root.c"], id="root"
        ),
        pytest.param(
            "root.p", ["root.p", "root"], ["root.p", "root.p.x", "root.p.y"], id="a parent"
        ),
        pytest.param("root.p.x", ["root.p.x", "root.p", "root"], ["root.p.x"], id="a leaf"),
    ],
)
def test_ways_up_and_down_the_tree(path: str, chain: list[str], below: list[str]) -> None:
    found = queue(path)

    assert [one.path for one in found.path_up()] == chain
    assert [one.path for one in found.chain] == chain
    assert [one.path for one in found.parents()] == chain[1:]
    assert [one.path for one in found.walk()] == below
    assert [one.path for one in found.leaves()] == [
        one for one in below if one in ("root.p.x", "root.p.y", "root.c")
    ]
    assert found.leaf is (below == [path])


@pytest.mark.parametrize(
    ("path", "managed", "children", "branches"),
    [
        pytest.param("root", False, False, False, id="a parent"),
        pytest.param("root.leaf", False, False, False, id="a leaf"),
        pytest.param("root.old", True, True, False, id="a managed parent"),
        pytest.param("root.new", False, True, True, id="a flexible parent"),
    ],
)
def test_which_queues_make_others(
    path: str,
    managed: bool,
    children: bool,
    branches: bool,
) -> None:
    cluster = SmallCluster(
        {
            "root.queues": "leaf,old,new",
            "root.leaf.capacity": "50",
            "root.old.capacity": "25",
            "root.new.capacity": "25",
            "root.old.auto-create-child-queue.enabled": "true",
            "root.old.leaf-queue-template.capacity": "10",
            "root.new.auto-queue-creation-v2.enabled": "true",
        }
    )
    found = cluster.engine.state.queues[path]

    assert (found.managed is not None) is managed
    assert found.makes_children is children
    assert found.makes_branches is branches
    assert not found.on_demand
    assert not found.dynamic


@pytest.mark.parametrize(
    ("used", "order"),
    [
        pytest.param({"root.a": 0, "root.b": 0}, ["root.a", "root.b"], id="equals as configured"),
        pytest.param({"root.a": 2, "root.b": 1}, ["root.b", "root.a"], id="who uses less first"),
        pytest.param({"root.a": 1, "root.b": 9}, ["root.a", "root.b"], id="beyond the guarantee"),
        pytest.param({"root.a": 9, "root.b": 10}, ["root.a", "root.b"], id="both beyond it"),
    ],
)
def test_children_are_in_order_of_what_they_use(used: dict[str, int], order: list[str]) -> None:
    cluster = SmallCluster(nodes=2)
    cluster.engine.state.bring_up_to_date()
    root = cluster.engine.state.root_in_force()
    assert [child.path for *_, child in root.in_order("")] == ["root.a", "root.b"]

    for path, amount in used.items():
        child = hold(cluster.engine.state.queues[path], (amount * 1024, amount))
        root.misplaced(child.usage(""), "")

    assert [child.path for *_, child in root.in_order("")] == order


def test_applications_are_counted_up_to_root() -> None:
    cluster = SmallCluster(TREE)
    for number, name in ((1, "x"), (2, "x"), (3, "c")):
        cluster.submit(number, name)

    counts = {path: found.applications for path, found in cluster.engine.state.queues.items()}

    assert counts == {"root": 3, "root.p": 2, "root.p.x": 2, "root.p.y": 0, "root.c": 1}
    runnable = cluster.engine.state.queues["root"].num_runnable_apps
    assert runnable == 3
