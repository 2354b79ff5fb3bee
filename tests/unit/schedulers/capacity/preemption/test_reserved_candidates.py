"""What is taken on a node so that its reservation is fulfilled, and on which nodes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from kubeyarn.model.asks import Locality
from unit.schedulers.capacity.preemption.preempting import RULES, Preempting, leaf

A, B = "root.a", "root.b"
RESERVED = replace(RULES, select_on_reserved=True)


def reserving(
    *held: int, size: int, capacity: float = 50, select: bool = True, **rules: object
) -> Preempting:
    """root.a holds so many units of each node; root.b reserves *size* units on one of them."""
    chosen = replace(RESERVED, select_on_reserved=select, **rules)  # type: ignore[arg-type]
    cluster = Preempting(leaf(A, 100 - capacity), leaf(B, capacity), nodes=0, rules=chosen)
    for number, count in enumerate(held):
        fill(cluster, f"n{number}", number + 1, count)
    cluster.app(99, B, am=None)
    cluster.ask(99, 1, (size, size))
    cluster.cycle()
    return cluster


def fill(cluster: Preempting, name: str, number: int, count: int) -> None:
    """A node joins, and an application of root.a takes so much of it."""
    cluster.node(name)
    cluster.app(number, A, am=None)
    cluster.ask(number, count, locality=Locality(nodes=((name, count),), relax=False))
    cluster.cycle()


def nodes_of(cluster: Preempting) -> list[str]:
    """The nodes on which a pass takes containers."""
    on = {
        container.id: container.node
        for app in cluster.engine.state.apps.values()
        for container in app.containers.values()
    }
    return [on[one.container] for one in cluster.preempt()]


def reserved_on(cluster: Preempting) -> list[str]:
    nodes = cluster.engine.state.cluster.nodes.values()
    return [node.name for node in nodes if node.reservation is not None]


@pytest.mark.parametrize(
    ("cluster", "taken"),
    [
        pytest.param(reserving(8, 8, size=4), {"n0": 2}, id="what is missing beside what is free"),
        pytest.param(reserving(9, 7, size=4), {"n0": 3}, id="more where less is free"),
        pytest.param(reserving(10, 6, size=4), {"n1": 0}, id="nothing where it has room"),
        pytest.param(reserving(8, 7, size=5), {"n0": 3}, id="as much as a large one needs"),
        pytest.param(reserving(8, 8, size=4, capacity=15), {}, id="nothing within a guarantee"),
        pytest.param(
            reserving(8, 8, size=4, enabled=False), {}, id="nothing while preemption is off"
        ),
    ],
)
def test_on_the_reserved_node_is_taken(cluster: Preempting, taken: dict[str, int]) -> None:
    found = Counter(nodes_of(cluster))

    assert found == Counter(taken)


def test_all_that_is_taken_is_on_the_reserved_node() -> None:
    cluster = reserving(8, 8, size=4)
    [where] = reserved_on(cluster)

    assert set(nodes_of(cluster)) == {where}


def test_without_the_selector_the_newest_application_gives_wherever_it_is() -> None:
    cluster = reserving(8, 8, size=4, select=False, additional_balance_on_reserved=True)

    assert reserved_on(cluster) == ["n0"]
    assert set(nodes_of(cluster)) == {"n1"}


def test_newest_containers_of_the_node_go_first() -> None:
    cluster = reserving(8, 8, size=4)
    newest_first = [container.id for container in cluster.containers(1)][::-1]

    assert [one.container for one in cluster.preempt()] == newest_first[:2]


def test_the_reservation_is_fulfilled_when_the_containers_are_gone() -> None:
    cluster = reserving(8, 8, size=4)
    for one in cluster.preempt():
        cluster.kill(one.container)

    assert cluster.cycle() == Counter({99: 1})
    assert reserved_on(cluster) == []


def test_a_node_that_has_room_for_its_reservation_is_left_alone() -> None:
    cluster = reserving(8, 8, size=4)
    for container in cluster.containers(1)[:2]:
        cluster.kill(container.id)

    assert nodes_of(cluster) == []


def test_a_second_pass_takes_the_same_containers() -> None:
    cluster = reserving(8, 8, size=4)
    marked = cluster.preempt(0)
    killed = cluster.preempt(2000)

    assert [(one.container, one.kill) for one in killed] == [
        (one.container, True) for one in marked
    ]


@pytest.mark.parametrize(
    ("held", "budget", "where"),
    [
        # Four nodes, and two reservations of 3 on the first two. What one pass may take is little.
        pytest.param((9, 8, 8, 8), 0.05, "n1", id="the node that costs less comes first"),
        pytest.param((8, 9, 8, 8), 0.05, "n0", id="whichever it is"),
        pytest.param((8, 8, 8, 8), 0.025, "n0", id="of nodes that cost the same the first"),
    ],
)
def test_with_several_reservations(held: tuple[int, ...], budget: float, where: str) -> None:
    cluster = reserving(*held, size=3, total_per_round=budget)
    cluster.app(98, B, am=None)
    cluster.ask(98, 1, (3, 3))
    cluster.cycle()
    first = nodes_of(cluster)[0]

    assert (reserved_on(cluster), first) == (["n0", "n1"], where)


def test_what_did_not_suffice_on_one_node_may_be_taken_on_another() -> None:
    # root.a holds 16 of 12: too little to take for the 5 that n0 lacks, enough for the 2 of n1.
    cluster = Preempting(leaf(A, 40), leaf(B, 60), nodes=0, rules=RESERVED)
    for number, (count, size) in enumerate(((9, 6), (7, 4))):
        fill(cluster, f"n{number}", number + 1, count)
        cluster.node(f"spare{number}", (size, size))
    cluster.app(99, B, am=None)
    for number, size in enumerate((6, 5)):
        there = Locality(nodes=((f"n{number}", 1),), relax=False)
        cluster.ask(99, 1, (size, size), priority=number, locality=there)
    cluster.cycle()
    assert reserved_on(cluster) == ["n0", "n1"]

    assert Counter(nodes_of(cluster))["n1"] == 2


def test_what_a_node_took_in_vain_may_be_taken_on_a_dearer_one() -> None:
    # root.a holds 14 of 10, and a spare node makes the two reservations possible. n0 lacks 5 of 10
    # and comes first; 4 are taken there in vain, and given back to be taken on n1 as far as needed.
    cluster = Preempting(leaf(A, 36), leaf(B, 64), nodes=0, rules=RESERVED)
    for number, count in enumerate((5, 9)):
        fill(cluster, f"n{number}", number + 1, count)
    cluster.node("spare", (8, 8))
    cluster.app(99, B, am=None)
    for number, size in enumerate((10, 3)):
        there = Locality(nodes=((f"n{number}", 1),), relax=False)
        cluster.ask(99, 1, (size, size), priority=number, locality=there)
    cluster.cycle()
    assert reserved_on(cluster) == ["n0", "n1"]

    assert Counter(nodes_of(cluster)) == Counter({"n1": 2})
