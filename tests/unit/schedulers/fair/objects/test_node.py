"""What is kept on a node: for a reservation, and for whom containers were preempted."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.objects.app_attempt import ReservedContainer
from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
from unit.schedulers.fair.building import Books

SIZE = (2048, 2)


@pytest.mark.parametrize(
    ("reserved", "preempted", "kept"),
    [
        pytest.param(None, 0, (0, 0), id="nothing"),
        pytest.param(SIZE, 0, (2048, 2), id="a reservation"),
        pytest.param(None, 2, (2048, 2), id="two containers that were preempted"),
        pytest.param(SIZE, 2, (4096, 4), id="both"),
    ],
)
def test_what_is_kept_on_a_node(reserved: Vector | None, preempted: int, kept: Vector) -> None:
    books = Books()
    if reserved is not None:
        identity = books.one.new_container_id(0)
        books.accounts.reserve(
            ReservedContainer(books.one, AskKey(1), reserved, identity), books.node
        )
    containers = [books.container(10 + number) for number in range(preempted)]
    for container in containers:
        books.accounts.charge(books.one, container)
    books.accounts.preempt_for(books.other, books.node, containers)

    assert books.node.total_reserved == kept


@pytest.mark.parametrize(
    ("node", "available", "slots"),
    [
        pytest.param(Node("n", (8192, 8), pods=3), (8192, 8), 3, id="all of it, and its pod slots"),
        pytest.param(Node("n", (0, 0), pods=0), (0, 0), 0, id="nothing"),
    ],
)
def test_a_node_that_joins_is_free(node: Node, available: Vector, slots: int) -> None:
    found = FSSchedulerNode(node, (0, 0))

    assert (found.available, found.free_slots) == (available, slots)
    assert found.total_reserved == (0, 0)
    assert found.containers == []
