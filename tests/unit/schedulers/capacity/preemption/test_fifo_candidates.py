"""Whose containers go first of queues that hold more than they should, and in which order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from kubeyarn.model.asks import Locality
from kubeyarn.model.queues import Partition, QueueConfig, QueuePartition, percent
from unit.schedulers.capacity.preemption.preempting import RULES, Preempting, leaf

A, B, C = "root.a", "root.b", "root.c"
LENDER = 99


def lent(
    *apps: int, asked: int, capacity: float = 50, nodes: int = 1, **rules: object
) -> Preempting:
    """root.b's application holds its AM and wants *asked*; applications of root.a hold the rest.

    An application of root.a that is said to hold *n* has its AM and *n* containers.
    """
    cluster = Preempting(
        leaf(A, 100 - capacity),
        leaf(B, capacity),
        nodes=nodes,
        rules=replace(RULES, **rules),  # type: ignore[arg-type]
    )
    cluster.app(LENDER, B)
    for number, count in enumerate(apps, start=1):
        cluster.app(number, A, count)
    cluster.ask(LENDER, asked)
    cluster.cycle()
    return cluster


@pytest.mark.parametrize(
    ("cluster", "taken"),
    [
        pytest.param(lent(8, asked=4), {1: 4}, id="what is wanted, up to the guarantee"),
        pytest.param(lent(8, asked=9), {1: 4}, id="no more than the guarantee (preempt-guarantee)"),
        pytest.param(lent(8, asked=1), {1: 1}, id="no more than is wanted (preempt-only-demand)"),
        pytest.param(lent(8, asked=0), {}, id="nothing while nothing is wanted"),
        pytest.param(
            lent(3, 4, asked=4), {2: 4}, id="of the newest application (preempt-newest-app-first)"
        ),
        pytest.param(lent(4, 3, asked=4), {2: 3, 1: 1}, id="then of the one before it"),
        pytest.param(lent(3, asked=4), {}, id="nothing while there is room"),
        pytest.param(
            lent(*[0] * 9, asked=4),
            {6: 1, 7: 1, 8: 1, 9: 1},
            id="AMs, where there is nothing else (preempt-am-last)",
        ),
        pytest.param(lent(1, *[0] * 7, asked=2), {1: 1, 8: 1}, id="AMs after all other containers"),
        pytest.param(
            lent(8, asked=4, total_per_round=0.2), {1: 2}, id="a fifth of the cluster in a pass"
        ),
        pytest.param(
            lent(8, asked=4, natural_termination=0.5), {1: 2}, id="a half, others end by themselves"
        ),
        pytest.param(
            lent(8, asked=4, maximum_ignored_over_capacity=0.8), {}, id="nothing in the tolerance"
        ),
        pytest.param(
            lent(8, asked=4, maximum_ignored_over_capacity=0.7), {1: 4}, id="all beyond it"
        ),
        pytest.param(lent(8, asked=9, capacity=20), {1: 1}, id="down to 80 percent"),
        pytest.param(
            lent(8, asked=9, capacity=90),
            {1: 7},
            # As a float 0.9 is less than 0.9, so the guarantee of ten is eight.
            id="down to what a guarantee in single precision leaves",
        ),
        pytest.param(lent(18, asked=9, nodes=2), {1: 9}, id="on several nodes"),
        pytest.param(lent(8, asked=4, observe_only=True), {}, id="nothing, observing only"),
        pytest.param(lent(8, asked=4, enabled=False), {}, id="nothing where it is off"),
    ],
)
def test_one_pass_takes(cluster: Preempting, taken: dict[int, int]) -> None:
    assert cluster.taken() == Counter(taken)


def test_containers_of_less_important_requests_go_first() -> None:
    cluster = Preempting(leaf(A, 50), leaf(B, 50))
    cluster.app(LENDER, B)
    cluster.app(1, A)
    cluster.ask(1, 4, priority=5)
    cluster.cycle()
    cluster.ask(1, 4, priority=1)
    cluster.cycle()
    cluster.ask(LENDER, 3)
    cluster.cycle()

    held = {container.id: container.key.priority for container in cluster.containers(1)}
    assert [held[one.container] for one in cluster.preempt()] == [5, 5, 5]


def test_of_one_request_the_newest_containers_go_first() -> None:
    cluster = lent(8, asked=3)
    oldest_first = [container.id for container in cluster.containers(1)]

    assert [one.container for one in cluster.preempt()] == oldest_first[:-4:-1]


@pytest.mark.parametrize(
    ("disabled", "taken"),
    [
        pytest.param(A, {}, id="not of the queue that may not be preempted"),
        pytest.param(B, {1: 4}, id="as ever, for a queue that may not be preempted itself"),
        pytest.param("root", {}, id="not below a queue that may not be preempted"),
    ],
)
def test_with_preemption_disabled_for_one_queue_is_taken(
    disabled: str, taken: dict[int, int]
) -> None:
    queues = [
        leaf(path, 50, preemption_disabled=True if path == disabled else None) for path in (A, B)
    ]
    root = QueueConfig("root", preemption_disabled=True if disabled == "root" else None)
    cluster = Preempting(*queues, root=root)
    cluster.app(LENDER, B)
    cluster.app(1, A, 8)
    cluster.ask(LENDER, 4)
    cluster.cycle()

    assert cluster.taken() == Counter(taken)


def test_the_queue_that_is_farther_over_its_guarantee_gives_more() -> None:
    cluster = Preempting(leaf(A, 20), leaf(C, 30), leaf(B, 50))
    cluster.app(LENDER, B)
    cluster.app(1, A, 5)
    cluster.app(2, C, 2)
    cluster.ask(LENDER, 4)
    cluster.cycle()

    # a holds 6 of 2 and c 3 of 3.
    assert cluster.taken() == Counter({1: 4})


def test_a_large_container_that_is_wanted_takes_several_small_ones() -> None:
    cluster = Preempting(leaf(A, 50), leaf(B, 50))
    cluster.app(LENDER, B)
    cluster.app(1, A, 8)
    cluster.ask(LENDER, 1, (3, 3))
    cluster.cycle()

    assert cluster.taken() == Counter({1: 3})


def test_am_containers_stay_within_the_am_share() -> None:
    # Two of ten may be AMs: of the nine that run all but these go, if that much is wanted.
    queues = [leaf(A, 20, maximum_am_share=1.0), leaf(B, 80)]
    cluster = Preempting(*queues)
    cluster.app(LENDER, B)
    for number in range(1, 10):
        cluster.app(number, A)
    cluster.ask(LENDER, 9)
    cluster.cycle()

    assert sorted(cluster.taken()) == [3, 4, 5, 6, 7, 8, 9]


def test_a_reservation_of_a_queue_that_holds_too_much_is_given_up() -> None:
    cluster = Preempting(leaf(A, 50), leaf(B, 50), nodes=2)
    cluster.app(LENDER, B)
    cluster.app(1, A, 11)
    cluster.ask(1, 1, (7, 7), priority=2)
    cluster.cycle()
    reserved = [node for node in cluster.engine.state.cluster.nodes.values() if node.reservation]
    cluster.ask(LENDER, 9)
    cluster.cycle()
    cluster.preempt()

    assert len(reserved) == 1
    assert reserved[0].reservation is None


def test_containers_in_a_borrowed_partition_go_first() -> None:
    x = Partition("x", exclusive=False)
    shared = (QueuePartition("x", capacity=percent(0)), QueuePartition("x", capacity=percent(100)))
    root = QueueConfig("root", partitions=(QueuePartition("x", capacity=percent(100)),))
    cluster = Preempting(
        leaf(A, 50, partitions=(shared[0],), accessible_partitions=frozenset({"x"})),
        leaf(B, 50, partitions=(shared[1],), accessible_partitions=frozenset({"x"})),
        partitions=(x,),
        root=root,
    )
    cluster.node("x0", (10, 10), partition="x")
    cluster.app(1, A, 12)
    cluster.app(2, A, 5, partition="x")
    cluster.app(LENDER, B, partition="x")
    borrowed = {c.id for c in cluster.containers(1) if c.node == "x0"}
    cluster.ask(LENDER, 2)
    cluster.cycle()
    taken = {one.container for one in cluster.preempt()}

    # Both applications hold nodes of x, of which their queue has nothing; only one asked for them.
    assert (len(borrowed), len(taken)) == (3, 2)
    assert taken <= borrowed


def test_a_container_that_a_pass_marked_is_killed_by_a_later_one() -> None:
    cluster = lent(8, asked=2)
    marked = cluster.preempt(0)
    waiting = cluster.preempt(500)
    killed = cluster.preempt(1500)

    assert [one.kill for one in marked] == [False, False]
    assert waiting == []
    assert [(one.container, one.kill) for one in killed] == [
        (one.container, True) for one in marked
    ]


def test_a_mark_is_forgotten_when_nothing_is_wanted_for_long() -> None:
    cluster = lent(8, asked=2)
    marked = cluster.preempt(0)
    cluster.ask(LENDER, 0)
    cluster.preempt(2500)
    cluster.ask(LENDER, 2)
    again = cluster.preempt(3000)

    # Marked anew: killing waits again.
    assert [one.kill for one in again] == [False, False]
    assert [one.container for one in again] == [one.container for one in marked]


def test_an_am_is_told_what_is_taken_and_where() -> None:
    [told, *_] = lent(8, asked=1).preempt()

    assert told.message == (
        "memory 1, cpu 1 on n0 is taken back for others who are below what they are guaranteed"
    )


def test_asks_for_nodes_that_are_excluded_are_wanted_all_the_same() -> None:
    # Hadoop does not look where the asks of a queue may go.
    cluster = lent(8, asked=0)
    cluster.ask(LENDER, 2, locality=Locality(excluded=frozenset({"n0"})))
    cluster.cycle()

    assert cluster.taken() == Counter({1: 2})


@pytest.mark.parametrize(
    ("am_share", "taken"),
    [
        pytest.param(0.2, {}, id="no AM while AMs hold what they may"),
        pytest.param(0.1, {1: 1}, id="an AM while AMs hold more"),
    ],
)
def test_where_a_pass_may_take_less_than_a_container_is_taken(
    am_share: float, taken: dict[int, int]
) -> None:
    # root.a holds 7 of 5: its AM of 1, and two containers of 3, which a pass may not take.
    cluster = Preempting(
        leaf(A, 50, maximum_am_share=am_share),
        leaf(B, 50),
        rules=replace(RULES, total_per_round=0.2),
    )
    cluster.app(LENDER, B)
    cluster.app(1, A)
    cluster.ask(1, 2, (3, 3))
    cluster.cycle()
    cluster.ask(LENDER, 4)
    cluster.cycle()

    assert cluster.taken() == Counter(taken)
