"""Containers that grow, shrink and are promoted where they are, in both engines."""

from __future__ import annotations

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import AskKey, Locality, update_key
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import Rejected
from kubeyarn.model.ids import AttemptId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import (
    Partition,
    QueueConfig,
    QueuePartition,
    SchedulerConfig,
    SchedulerKind,
    percent,
)
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.api import Increase, Reserve
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from unit.schedulers.either import APP, BOTH, MAPS, Either

NOTHING = (0, 0)


def started(kind: SchedulerKind, count: int = 1) -> tuple[Either, list[Container]]:
    """One node of 10 GiB with the AM's 1 and containers of 2."""
    either = Either(kind, ["r0"])
    either.ask(count, (2, 2))
    return either, either.cycle()


def on_one_of_two(kind: SchedulerKind) -> tuple[Either, list[Container]]:
    """Two nodes of 10 GiB, on the first of them four containers of 2, so that 3 more are too many.

    The other one has room.
    """
    either = Either(kind, ["r0", "r1"])
    there = Locality(nodes=(("n0", 4),), relax=False)
    either.ask(4, (2, 2), locality=there)
    made = either.cycle()
    assert [container.node for container in made] == ["n0"] * 4
    return either, made


def sizes(either: Either) -> list[tuple[int, ...]]:
    return [container.size for container in either.engine.containers() if not container.am]


def pending(either: Either) -> tuple[int, ...]:
    return next(s for s in either.engine.queue_status() if s.path == "root.a").pending


def grown(either: Either) -> list[Container]:
    """The containers that a cycle gives what they wanted more of; it gives nothing else."""
    decisions = either.decide()
    assert all(isinstance(decision, Increase) for decision in decisions), decisions
    return [decision.container for decision in decisions if isinstance(decision, Increase)]


def opportunistic(number: int = 50, size: tuple[int, int] = (3, 3)) -> Container:
    """A container that the engine does not count."""
    return Container(ContainerId(AttemptId(APP, 1), 0, number), MAPS, "n0", size)


@BOTH
def test_a_container_grows_within_the_room_of_its_node(kind: SchedulerKind) -> None:
    either, [container] = started(kind)

    either.engine.request_increase(container, (4, 2))
    assert pending(either) == (4, 2)

    assert grown(either) == [container._replace(size=(6, 4))]
    assert sizes(either) == [(6, 4)]
    assert either.used() == (7, 5)
    assert pending(either) == NOTHING
    assert either.decide() == []


@BOTH
def test_more_than_the_node_has_waits_and_says_why(kind: SchedulerKind) -> None:
    either, [container] = started(kind)
    either.engine.request_increase(container, (8, 0))

    assert either.cycle() == []
    assert sizes(either) == [(2, 2)]
    verdict = either.why(update_key(container.key, str(container.id)))
    # The Capacity Scheduler counts a reservation as used, and makes none above the maximum.
    fair = kind is SchedulerKind.FAIR
    assert verdict.reason is (Reason.RESERVED if fair else Reason.QUEUE_MAXIMUM)


@BOTH
def test_what_waits_for_its_node_says_so_though_others_have_room(kind: SchedulerKind) -> None:
    either, made = on_one_of_two(kind)
    either.engine.request_increase(made[0], (3, 3))
    verdict = either.why(update_key(made[0].key, str(made[0].id)))
    assert verdict.reason in (Reason.NODES_BUSY, Reason.BELOW_IN_FAIR_SHARE)


@BOTH
def test_room_is_kept_for_what_grows_until_there_is_enough(kind: SchedulerKind) -> None:
    """A reservation stands on the node, so that what ends there is given to nobody else."""
    either, made = on_one_of_two(kind)
    either.engine.request_increase(made[0], (3, 3))
    [reserved] = either.decide()
    assert isinstance(reserved, Reserve)
    assert (reserved.node, reserved.size) == ("n0", (3, 3))

    there = Locality(nodes=(("n0", 1),), relax=False)
    either.ask(1, (2, 2), key=AskKey(0, 7), locality=there)
    either.engine.release(made[1].id, 0)
    [first, *_] = either.decide()
    assert first == Increase(made[0]._replace(size=(5, 5)))
    assert sorted(sizes(either)) == [(2, 2), (2, 2), (5, 5)]


@BOTH
def test_what_is_wanted_no_more_is_not_given(kind: SchedulerKind) -> None:
    either, made = started(kind, 4)
    either.engine.request_increase(made[0], (3, 3))
    either.decide()
    either.engine.request_increase(made[0], NOTHING)
    either.engine.release(made[1].id, 0)

    assert either.decide() == []
    assert pending(either) == NOTHING
    assert either.used() == (7, 7)


@BOTH
def test_the_last_wish_counts(kind: SchedulerKind) -> None:
    either, [container] = started(kind)
    either.engine.request_increase(container, (8, 8))
    either.engine.request_increase(container, (1, 1))

    assert grown(either) == [container._replace(size=(3, 3))]


@BOTH
def test_new_containers_of_the_application_come_first(kind: SchedulerKind) -> None:
    either, [container] = started(kind)
    either.engine.request_increase(container, (6, 6))
    either.ask(1, (2, 2), key=AskKey(9))

    assert [made.key for made in either.cycle()] == [AskKey(9)]
    assert sizes(either) == [(2, 2), (2, 2)]


@BOTH
def test_what_shrinks_gives_its_room_to_others(kind: SchedulerKind) -> None:
    either, made = started(kind, 4)
    either.ask(1, (2, 2), key=AskKey(2))
    assert either.cycle() == []

    either.engine.decrease(made[0].id, (1, 1))
    assert either.used()[0] in (8, 10)  # Hadoop counts what is reserved as used.
    assert len(either.cycle()) == 1


@BOTH
def test_nothing_is_given_by_shrinking(kind: SchedulerKind) -> None:
    either, [container] = started(kind)
    either.engine.decrease(container.id, (9, 1))

    assert sizes(either) == [(2, 1)]
    assert either.used() == (3, 2)


@BOTH
def test_an_ended_container_gives_back_what_it_grew_to_and_wants_no_more(
    kind: SchedulerKind,
) -> None:
    either, [container] = started(kind)
    either.engine.request_increase(container, (4, 4))
    either.cycle()
    either.engine.request_increase(container, (9, 9))

    either.engine.release(container.id, 0)

    assert either.used() == (1, 1)
    assert pending(either) == NOTHING
    either.engine.decrease(container.id, (1, 1))
    assert either.decide() == []


@BOTH
def test_a_container_on_a_node_that_is_lost_wants_no_more(kind: SchedulerKind) -> None:
    either, [container] = started(kind)
    either.engine.request_increase(container, (9, 9))
    either.engine.remove_node("n0")

    assert pending(either) == NOTHING


@BOTH
def test_one_that_is_not_counted_is_promoted_where_it_runs(kind: SchedulerKind) -> None:
    either = Either(kind)
    spare = opportunistic()
    either.engine.request_increase(spare, spare.size)
    assert pending(either) == (3, 3)

    assert grown(either) == [spare]
    assert spare in either.engine.containers()
    assert either.used() == (4, 4)
    either.engine.release(spare.id, 0)
    assert either.used() == (1, 1)


@BOTH
def test_a_promotion_waits_for_the_room_of_its_very_node(kind: SchedulerKind) -> None:
    either = Either(kind)
    either.ask(3, (8, 8))
    [on_its_node] = [made for made in either.cycle() if made.node == "n0"]
    spare = opportunistic()
    either.engine.request_increase(spare, spare.size)
    either.decide()
    assert spare not in either.engine.containers()

    either.engine.release(on_its_node.id, 0)
    assert grown(either) == [spare]


@BOTH
def test_a_new_attempt_wants_nothing_more_for_the_containers_of_the_last(
    kind: SchedulerKind,
) -> None:
    either, [container] = started(kind)
    either.engine.request_increase(container, (4, 4))
    either.engine.start_attempt(APP, 2, 0)

    assert [made.am for made in either.cycle()] == [True]
    assert either.decide() == []


@BOTH
def test_an_application_that_ends_leaves_nothing_that_its_containers_want(
    kind: SchedulerKind,
) -> None:
    either, [container] = started(kind)
    either.engine.request_increase(container, (9, 9))
    either.engine.finish(APP, 0)

    assert pending(either) == NOTHING
    assert either.decide() == []


@pytest.mark.parametrize("lent", [True, False])
def test_a_promotion_is_asked_in_the_partition_that_its_container_was(lent: bool) -> None:
    """On a lent node it was asked for in none, and may be taken back for who asks for that."""
    engine = CapacityScheduler(ResourceTypes())
    gpu = QueuePartition("gpu", percent(100))
    engine.configure(
        SchedulerConfig(
            queues=(
                QueueConfig("root", partitions=(gpu,)),
                QueueConfig("root.a", order=1, capacity=percent(100), partitions=(gpu,)),
            ),
            minimum_allocation=(1, 1),
            maximum_allocation=(10, 10),
            partitions=(Partition("gpu", exclusive=not lent),),
        ),
        0,
    )
    for name, partition in (("plain", ""), ("n0", "gpu")):
        engine.add_node(Node(name, (10, 10), partition=partition))
    engine.submit(Application(APP, "u", "root.a", am_size=(1, 1)), 0)
    engine.cycle(0, 100)
    spare = opportunistic()
    engine.request_increase(spare, spare.size)
    key = update_key(spare.key, str(spare.id))

    assert engine.state.apps[APP].asks[key].partition == ("" if lent else "gpu")
    made = [one for _ in range(4) for one in engine.cycle(0, 100)]
    promoted = spare._replace(partition="gpu")
    assert made == [Increase(promoted)]
    assert (
        promoted.id in engine.state.apps[APP].queue.ignore_exclusivity_containers.get("gpu", {})
    ) == lent


def test_memory_grows_where_the_cores_are_all_taken() -> None:
    """Hadoop would not look at the node: nothing of the smallest size fits there."""
    either = Either(SchedulerKind.CAPACITY, ["r0"])
    either.ask(1, (2, 9))
    [container] = either.cycle()
    either.engine.request_increase(container, (4, 0))

    assert grown(either) == [container._replace(size=(6, 9))]
    assert either.used() == (7, 10)
    either.engine.request_increase(container, (4, 0))
    assert either.decide() == []


@BOTH
def test_sizes_are_rounded_up_and_checked_against_the_maximum(kind: SchedulerKind) -> None:
    either, _ = started(kind)

    assert either.engine.rounded(APP, (0, 3)) == (1, 3)
    with pytest.raises(Rejected):
        either.engine.rounded(APP, (11, 1))
