"""Nodes are offered in turn over all cycles, as heartbeats come, in both engines."""

from __future__ import annotations

from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import SchedulerKind
from unit.schedulers.either import BOTH, Either


def with_nodes(kind: SchedulerKind, count: int) -> Either:
    """Nodes n0, n1, ... of 10 GiB; the AM of 1 GiB is on n0."""
    either = Either(kind, [], start=False)
    for number in range(count):
        either.engine.add_node(Node(f"n{number}", (10, 10)))
    assert [container.node for container in either.cycle()] == ["n0"]
    return either


@BOTH
def test_what_is_asked_for_one_by_one_is_spread_over_the_nodes(kind: SchedulerKind) -> None:
    either = with_nodes(kind, 3)

    nodes = []
    for _ in range(6):
        either.ask(1)
        nodes += [container.node for container in either.cycle()]

    assert nodes == ["n1", "n2", "n0", "n1", "n2", "n0"]


@BOTH
def test_a_cycle_that_grants_nothing_does_not_change_whose_turn_it_is(kind: SchedulerKind) -> None:
    either = with_nodes(kind, 3)
    assert either.cycle() == []
    either.ask(1)

    assert [container.node for container in either.cycle()] == ["n1"]


@BOTH
def test_after_a_node_that_is_gone_the_first_has_its_turn(kind: SchedulerKind) -> None:
    either = with_nodes(kind, 3)
    either.ask(1)
    assert [container.node for container in either.cycle()] == ["n1"]
    either.engine.remove_node("n1")
    either.ask(1)

    assert [container.node for container in either.cycle()] == ["n0"]
