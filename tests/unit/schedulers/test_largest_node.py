"""How the registered nodes bound the largest container, however they come, change and go."""

from __future__ import annotations

import random

import pytest

from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.largest_node import LargestNode

CONFIGURED = (100, 100)
CLOSED = (0, 0)


class Nodes:
    """Nodes of a cluster, and what they allow."""

    def __init__(self, *totals: Vector) -> None:
        self.nodes: dict[str, Node] = {}
        self.largest = LargestNode()
        for number, total in enumerate(totals):
            self.put(f"n{number}", total)

    def put(self, name: str, total: Vector, capability: Vector | None = None) -> None:
        before, now = self.nodes.get(name), Node(name, total, capability=capability)
        self.nodes[name] = now
        if before is None:
            self.largest.came(now)
        else:
            self.largest.changed(before, now)

    def drop(self, name: str) -> None:
        self.largest.went(self.nodes.pop(name))

    @property
    def allowed(self) -> Vector:
        return self.largest.max_allowed_allocation(CONFIGURED)


@pytest.mark.parametrize(
    ("totals", "allowed"),
    [
        pytest.param([], CONFIGURED, id="no node yet"),
        pytest.param([(10, 4)], (10, 4), id="one node"),
        pytest.param([(10, 4), (2, 8)], (10, 8), id="each resource by itself"),
        pytest.param([(500, 4)], (100, 4), id="no more than is configured"),
        pytest.param([(0, 0)], (0, 0), id="a node of nothing is a node"),
    ],
)
def test_the_largest_container_is_what_some_node_has(totals: list[Vector], allowed: Vector) -> None:
    assert Nodes(*totals).allowed == allowed


def test_it_becomes_smaller_with_the_node_that_had_most_and_larger_with_another() -> None:
    nodes = Nodes((10, 4), (6, 8))

    nodes.drop("n0")
    assert nodes.allowed == (6, 8)
    nodes.put("n1", (6, 2))
    assert nodes.allowed == (6, 2)
    nodes.put("n1", (7, 3))
    assert nodes.allowed == (7, 3)


def test_when_all_nodes_have_gone_the_configured_maximum_is_in_force_again() -> None:
    nodes = Nodes((10, 4))

    nodes.drop("n0")

    assert nodes.allowed == CONFIGURED


def test_nodes_that_no_container_may_ever_use_do_not_count() -> None:
    nodes = Nodes()
    nodes.put("control-plane", (64, 64), CLOSED)
    assert nodes.allowed == CONFIGURED

    nodes.put("worker", (10, 4))
    assert nodes.allowed == (10, 4)
    nodes.put("worker", (10, 4), CLOSED)
    assert nodes.allowed == CONFIGURED


def test_what_runs_on_a_node_now_does_not_count() -> None:
    nodes = Nodes()
    nodes.put("n0", (1, 1), (10, 4))

    assert nodes.allowed == (10, 4)


def test_one_of_several_largest_nodes_may_go() -> None:
    nodes = Nodes((10, 4), (10, 4), (6, 2))

    nodes.drop("n0")
    assert nodes.allowed == (10, 4)
    nodes.drop("n1")
    assert nodes.allowed == (6, 2)


def test_it_is_what_looking_at_all_nodes_each_time_says() -> None:
    chance, nodes = random.Random(7), Nodes()
    for _ in range(2000):
        name = f"n{chance.randrange(6)}"
        if name in nodes.nodes and chance.random() < 0.4:
            nodes.drop(name)
        else:
            capability = chance.choice([None, CLOSED, (chance.randrange(9), chance.randrange(9))])
            nodes.put(name, (chance.randrange(9), chance.randrange(9)), capability)
        counted = [n.total_capability for n in nodes.nodes.values() if n.capability != CLOSED]
        expected = tuple(map(max, zip(*counted, strict=True))) if counted else CONFIGURED
        assert nodes.allowed == expected
