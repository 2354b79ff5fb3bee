"""Nodes, what partitions amount to, and the order in which a queue tries several nodes."""

from __future__ import annotations

import pytest

from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import NodeOrdering
from kubeyarn.model.resources import ResourceTypes, Vector, add
from kubeyarn.schedulers.calculator import DominantCalculator
from kubeyarn.schedulers.capacity.objects.node import CandidateNodeSet, CapacityNodeTracker

TOTAL = (8, 8)
STEP = (1, 1)


def tracker(*nodes: Node) -> CapacityNodeTracker:
    """Nodes that joined in this order."""
    made = CapacityNodeTracker(ResourceTypes())
    for node in nodes:
        made.add(node)
    return made


def candidates(free: dict[str, Vector], *, step: Vector | None = STEP) -> CandidateNodeSet:
    """Nodes of 8 units, with that much free."""
    made = tracker(*(Node(name, TOTAL) for name in free))
    for name, amount in free.items():
        made.nodes[name].free = amount
    return CandidateNodeSet(made.nodes.values(), DominantCalculator(), step)


def names(found: CandidateNodeSet, ordering: NodeOrdering = NodeOrdering.SPREAD) -> list[str]:
    return [node.name for node in found.in_order(ordering)]


@pytest.mark.parametrize(
    ("free", "spread"),
    [
        pytest.param({"a": (8, 8), "b": (8, 8)}, ["a", "b"], id="equals by name"),
        pytest.param({"b": (8, 8), "a": (8, 8)}, ["a", "b"], id="by name, not by when they joined"),
        pytest.param({"a": (2, 2), "b": (6, 6)}, ["b", "a"], id="the least used first"),
        pytest.param(
            {"a": (4, 1), "b": (4, 7)}, ["b", "a"], id="of equal memory the less used CPU"
        ),
        pytest.param({"a": (3, 8), "b": (4, 1)}, ["b", "a"], id="memory before CPU"),
        pytest.param({"a": (0, 8), "b": (4, 4)}, ["b"], id="one without memory is left out"),
        pytest.param({"a": (8, 0), "b": (4, 4)}, ["b"], id="one without CPU is left out"),
        pytest.param({"a": (0, 0)}, [], id="all are full"),
        pytest.param({}, [], id="there are none"),
    ],
)
def test_nodes_are_tried_from_the_least_used_on(free: dict[str, Vector], spread: list[str]) -> None:
    found = candidates(free)

    assert names(found) == spread
    assert names(found, NodeOrdering.PACK) == spread[::-1]
    assert len(found) == len(spread)


def test_without_a_minimum_allocation_full_nodes_are_tried_as_well() -> None:
    found = candidates({"a": (0, 0), "b": (8, 8)}, step=None)

    assert names(found) == ["b", "a"]
    assert all(found.may_hold(node, TOTAL) for node in found.in_order(NodeOrdering.SPREAD))


@pytest.mark.parametrize(
    ("size", "worth"),
    [
        pytest.param((4, 4), True, id="it fits"),
        pytest.param((5, 4), False, id="too little memory"),
        pytest.param((4, 5), False, id="too little CPU"),
        pytest.param((0, 4), True, id="what is not asked for does not matter"),
    ],
)
def test_a_node_with_too_little_is_not_worth_a_look(
    size: Vector,
    worth: bool,
) -> None:
    found = candidates({"a": (4, 4)})
    [node] = found.in_order(NodeOrdering.SPREAD)

    assert found.may_hold(node, size) is worth


@pytest.mark.parametrize(
    ("now", "order"),
    [
        pytest.param((7, 7), ["a", "b", "c"], id="less than before and still the first"),
        pytest.param((5, 5), ["b", "a", "c"], id="behind one"),
        pytest.param((1, 1), ["b", "c", "a"], id="behind all"),
        pytest.param((0, 0), ["b", "c"], id="full"),
        pytest.param((8, 8), ["a", "b", "c"], id="as before"),
    ],
)
def test_a_node_that_changed_is_put_where_it_belongs(now: Vector, order: list[str]) -> None:
    found = candidates({"a": (8, 8), "b": (6, 6), "c": (4, 4)})
    node = found.in_order(NodeOrdering.SPREAD)[0]

    node.free = now
    found.changed(node)

    assert names(found) == order


def test_a_full_node_comes_back_when_something_ended_there() -> None:
    found = candidates({"a": (8, 8), "b": (6, 6)})
    node = found.in_order(NodeOrdering.SPREAD)[0]
    node.free = (0, 0)
    found.changed(node)

    node.free = (7, 7)
    found.changed(node)

    assert names(found) == ["a", "b"]


def test_a_node_without_a_free_pod_slot_is_left_out() -> None:
    made = tracker(Node("a", TOTAL, pods=0), Node("b", TOTAL))

    found = CandidateNodeSet(made.nodes.values(), DominantCalculator(), STEP)

    assert names(found) == ["b"]


@pytest.mark.parametrize(
    ("nodes", "total", "partitions"),
    [
        pytest.param([], (0, 0), {"": (0, 0)}, id="no nodes"),
        pytest.param([Node("a", TOTAL)], (8, 8), {"": (8, 8)}, id="one"),
        pytest.param([Node("a", TOTAL), Node("b", (4, 2))], (12, 10), {"": (12, 10)}, id="two"),
        pytest.param(
            [Node("a", TOTAL), Node("b", (4, 2), partition="gold")],
            (12, 10),
            {"": (8, 8), "gold": (4, 2)},
            id="one of a partition",
        ),
        pytest.param(
            [Node("a", TOTAL), Node("b", (4, 2), schedulable=False)],
            (8, 8),
            {"": (8, 8)},
            id="one that takes nothing is no part of the cluster",
        ),
        pytest.param(
            [Node("b", (4, 2), partition="gold", schedulable=False)],
            (0, 0),
            {"": (0, 0)},
            id="a partition whose only node takes nothing",
        ),
    ],
)
def test_a_partition_is_the_sum_of_the_nodes_that_take_containers(
    nodes: list[Node], total: Vector, partitions: dict[str, Vector]
) -> None:
    made = tracker(*nodes)

    assert made.total == total
    assert made.partitions == partitions


def test_a_partition_goes_with_its_last_node() -> None:
    made = tracker(Node("a", TOTAL), Node("b", (4, 2), partition="gold"))

    made.remove("b")

    assert made.partitions == {"": (8, 8)}
    assert made.total == (8, 8)
    assert made.partition("gold") == (0, 0)


def test_a_node_that_comes_back_is_the_last() -> None:
    made = tracker(Node("a", TOTAL), Node("b", TOTAL))
    first = made.nodes["a"].position

    made.remove("a")
    again = made.add(Node("a", TOTAL))

    assert list(made.nodes) == ["b", "a"]
    assert again.position > made.nodes["b"].position > first


def test_a_node_that_is_not_there_leaves_nothing_behind() -> None:
    made = tracker(Node("a", TOTAL))

    assert made.remove("b") is None
    assert made.total == (8, 8)


def test_equal_values_are_one_object() -> None:
    made = tracker()
    one, other = add((500, 1000), (500, 1000)), add((400, 800), (600, 1200))
    assert one is not other

    assert made.interned(one) is one
    assert made.interned(other) is one


def test_the_table_of_equal_values_begins_anew_when_it_is_long() -> None:
    made = tracker()
    first = made.interned(add((1, 1), (1, 1)))

    for number in range(5000):
        made.interned(float(number))

    again = made.interned(add((1, 1), (1, 1)))
    assert again == first
    assert again is not first
