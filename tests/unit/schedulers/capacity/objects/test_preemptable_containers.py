"""Containers that may be killed: whose they are, and which of them go for somebody else."""

from __future__ import annotations

import pytest

from kubeyarn.model.containers import Container
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
from kubeyarn.schedulers.capacity.objects.preemptable_containers import (
    mark_killable,
    may_have_killed,
    next_over_maximum,
    select_to_kill,
    total_size,
    unmark_killable,
    used_without_killable,
)
from kubeyarn.schedulers.capacity.objects.queue import AbstractCSQueue
from unit.schedulers.small import SmallCluster, app_id


class Lent:
    """root.b holds what it can get of one node of 8 GiB; root.a holds an AM of 1 GiB."""

    def __init__(self, containers: int = 6, **settings: str) -> None:
        self.cluster = SmallCluster({"root.b.user-limit-factor": "4", **settings})
        self.cluster.submit(1, "a", user="u")
        self.cluster.submit(2, "b", user="v")
        self.cluster.cycle()
        self.cluster.ask(2, containers)
        self.cluster.cycle()

    @property
    def node(self) -> FiCaSchedulerNode:
        return self.cluster.engine.state.cluster.nodes["n0"]

    @property
    def borrower(self) -> FiCaSchedulerApp:
        return self.cluster.engine.state.apps[app_id(2)]

    def queue(self, path: str) -> AbstractCSQueue:
        return self.cluster.engine.state.queues[path]

    def mark(self, count: int) -> list[Container]:
        """Let the oldest containers be killed, the AM left out."""
        held = sorted(self.borrower.containers.values(), key=lambda c: c.id)
        marked = [one for one in held if not one.am][:count]
        for container in marked:
            mark_killable(container, self.borrower, self.node)
        return marked


@pytest.mark.parametrize("marked", [0, 1, 3, 6])
def test_what_may_be_killed_is_known_at_its_node_and_in_every_queue_above(marked: int) -> None:
    lent = Lent()

    lent.mark(marked)

    assert len(lent.node.killable) == marked
    for path in ("root", "root.b"):
        assert len(lent.queue(path).killable.get("", {})) == marked
    assert lent.queue("root.a").killable == {}


def test_what_is_gone_may_not_be_killed_any_more() -> None:
    lent = Lent()
    first, second = lent.mark(2)

    unmark_killable(first, lent.borrower, lent.node)
    assert list(lent.node.killable) == [second.id]
    unmark_killable(second, lent.borrower, lent.node)

    assert lent.node.killable == {}
    assert lent.queue("root").killable == lent.queue("root.b").killable == {}


def test_what_was_never_marked_is_no_matter() -> None:
    lent = Lent()
    [first] = lent.mark(1)
    other = next(c for c in lent.borrower.containers.values() if c.id != first.id)

    unmark_killable(other, lent.borrower, lent.node)

    assert list(lent.node.killable) == [first.id]


@pytest.mark.parametrize(
    ("marked", "counted"),
    [
        pytest.param(0, (8192, 8), id="nothing may be killed"),
        pytest.param(2, (6144, 6), id="two containers"),
        pytest.param(6, (2048, 2), id="all but the AMs"),
    ],
)
def test_above_the_leaf_what_may_be_killed_counts_as_free(marked: int, counted: Vector) -> None:
    lent = Lent()
    root = lent.cluster.engine.state.root_in_force()

    lent.mark(marked)

    assert used_without_killable(root, "") == counted
    assert root.use("") == (8192, 8)
    assert total_size(lent.node.killable, (0, 0)) == (marked * 1024, marked)


@pytest.mark.parametrize(
    ("free", "marked", "size", "chosen"),
    [
        pytest.param((0, 0), 3, (1024, 1), 1, id="one is enough"),
        pytest.param((0, 0), 3, (3072, 1), 3, id="three are needed for the memory"),
        pytest.param((0, 0), 3, (1024, 2), 2, id="two are needed for the CPU"),
        pytest.param((1024, 1), 3, (2048, 2), 1, id="what is free counts"),
        pytest.param((0, 0), 3, (4096, 4), 0, id="all of them would not do: none goes"),
        pytest.param((0, 0), 0, (1024, 1), 0, id="nothing may be killed"),
    ],
)
def test_as_many_are_killed_on_a_node_as_a_container_needs(
    free: Vector, marked: int, size: Vector, chosen: int
) -> None:
    lent = Lent()
    leaf = lent.queue("root.a")
    assert leaf.leaf
    lent.mark(marked)
    lent.node.free = free

    found = select_to_kill(size, leaf, lent.node)

    assert [one.container.id for one in found] == sorted(lent.node.killable)[:chosen]


@pytest.mark.parametrize(
    ("path", "may"),
    [
        pytest.param("root.a", True, id="a leaf below its guarantee"),
        pytest.param("root.b", False, id="a leaf beyond it"),
    ],
)
def test_a_leaf_below_its_guarantee_may_have_others_killed(
    path: str,
    may: bool,
) -> None:
    leaf = Lent().queue(path)
    assert leaf.leaf

    assert may_have_killed(leaf, "") is may


@pytest.mark.parametrize(
    ("maximum", "marked", "over"),
    [
        pytest.param("100", 3, False, id="within its maximum"),
        pytest.param("50", 3, True, id="over it"),
        pytest.param("50", 0, False, id="over it, but nothing may be killed"),
    ],
)
def test_a_queue_over_its_maximum_names_who_goes_next(
    maximum: str,
    marked: int,
    over: bool,
) -> None:
    lent = Lent()
    oldest = lent.mark(marked)[:1]
    lent.cluster.configure({"root.b.user-limit-factor": "4", "root.b.maximum-capacity": maximum})
    queue = lent.queue("root.b")

    found = next_over_maximum(queue, "")  # type: ignore[arg-type]

    assert [one.container for one in ([found] if found else [])] == (oldest if over else [])
