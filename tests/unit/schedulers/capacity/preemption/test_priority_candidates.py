"""What old reservations of queues of higher priority take of lower queues."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from kubeyarn.model.asks import Locality
from kubeyarn.model.queues import QueueConfig
from unit.schedulers.capacity.preemption.preempting import RULES, Preempting, leaf

A, B = "root.a", "root.b"
MINUTE = 60_000

# So much is tolerated that no queue loses anything for holding too much.
UNDERUTILIZED = replace(
    RULES,
    underutilized=True,
    underutilized_delay_ms=MINUTE,
    maximum_ignored_over_capacity=9.0,
)


def reserving(
    *,
    high: int = 2,
    low: int = 1,
    by_priority: bool = True,
    capacity: float = 50,
    size: int = 4,
    **rules: object,
) -> Preempting:
    """root.a (priority *low*) holds eight of ten on two nodes; root.b reserves *size* on one."""
    cluster = Preempting(
        leaf(A, 100 - capacity, priority=low),
        leaf(B, capacity, priority=high),
        nodes=0,
        by_priority=by_priority,
        rules=replace(UNDERUTILIZED, **rules),  # type: ignore[arg-type]
    )
    fill(cluster, "n0", 1)
    fill(cluster, "n1", 2)
    cluster.app(99, B, am=None)
    cluster.ask(99, 1, (size, size))
    cluster.cycle()
    return cluster


def fill(cluster: Preempting, name: str, number: int) -> None:
    """A node joins, and an application of root.a takes eight of it."""
    cluster.node(name)
    cluster.app(number, A, am=None)
    cluster.ask(number, 8, locality=Locality(nodes=((name, 8),), relax=False))
    cluster.cycle()


@pytest.mark.parametrize(
    ("cluster", "now_ms", "taken"),
    [
        pytest.param(reserving(), MINUTE, {1: 2}, id="what its node lacks"),
        pytest.param(reserving(), MINUTE - 1, {}, id="nothing before the delay is over"),
        pytest.param(reserving(), 9 * MINUTE, {1: 2}, id="at any time after it"),
        pytest.param(reserving(high=1), MINUTE, {}, id="nothing of a queue of the same priority"),
        pytest.param(reserving(high=0), MINUTE, {}, id="nothing of a queue of higher priority"),
        pytest.param(
            reserving(by_priority=False), MINUTE, {}, id="nothing where the parent ignores priority"
        ),
        pytest.param(
            reserving(underutilized=False), MINUTE, {}, id="nothing where the selector is off"
        ),
        pytest.param(
            reserving(total_per_round=0.1), MINUTE, {1: 2}, id="as much as one pass may take"
        ),
        pytest.param(
            reserving(total_per_round=0.05), MINUTE, {}, id="nothing if one pass may not take all"
        ),
    ],
)
def test_for_an_old_reservation_is_taken(
    cluster: Preempting, now_ms: int, taken: dict[int, int]
) -> None:
    assert cluster.taken(now_ms) == Counter(taken)


def test_the_oldest_containers_go_first() -> None:
    # Unlike with every other selector.
    cluster = reserving()
    oldest = [container.id for container in cluster.containers(1)][:2]

    assert [one.container for one in cluster.preempt(MINUTE)] == oldest


def test_priorities_are_compared_where_paths_part() -> None:
    cluster = Preempting(
        QueueConfig("root.p", capacity=leaf(A, 50).capacity, priority=9),
        leaf("root.p.x", 100, priority=0),
        leaf(A, 50, priority=5),
        nodes=0,
        by_priority=True,
        rules=UNDERUTILIZED,
    )
    fill(cluster, "n0", 1)
    fill(cluster, "n1", 2)
    cluster.app(99, "root.p.x", am=None)
    cluster.ask(99, 1, (4, 4))
    cluster.cycle()

    # x has no priority of its own, but its parent has a higher one than root.a.
    assert cluster.taken(MINUTE) == Counter({1: 2})


def test_a_queue_at_its_guarantee_gets_nothing_for_its_reservation() -> None:
    cluster = reserving(capacity=20, size=3)
    cluster.app(98, B, am=None)
    cluster.node("n2", (4, 4))
    cluster.ask(98, 4, priority=0)
    cluster.cycle()

    # It holds 4 of 24 on the new node, a fifth of 24 less one.
    assert cluster.taken(MINUTE) == Counter()


def test_ams_are_spared() -> None:
    cluster = Preempting(
        leaf(A, 50, priority=1),
        leaf(B, 50, priority=2),
        nodes=2,
        by_priority=True,
        rules=UNDERUTILIZED,
    )
    for number in range(1, 17):
        cluster.app(number, A)
    cluster.app(99, B, am=None)
    cluster.ask(99, 1, (4, 4))
    cluster.cycle()

    assert cluster.taken(MINUTE) == Counter()
