"""A further attempt in both engines: its AM, its numbers, and what lives on of the one before."""

from __future__ import annotations

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.fair_queues import FairQueueConfig
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, SchedulerKind, percent
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.api import Grant, SteppedScheduler
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from kubeyarn.schedulers.fair.scheduler import FairScheduler

APP = ApplicationId(1, 1)
MAPS = AskKey(1, 0)
BOTH = pytest.mark.parametrize("kind", [SchedulerKind.CAPACITY, SchedulerKind.FAIR])


def an_engine(kind: SchedulerKind) -> SteppedScheduler:
    types = ResourceTypes()
    fair = FairQueueConfig() if kind is SchedulerKind.FAIR else None
    engine: SteppedScheduler = (
        CapacityScheduler(types) if kind is SchedulerKind.CAPACITY else FairScheduler(types)
    )
    queues = (
        QueueConfig("root", fair=fair),
        QueueConfig("root.a", order=1, capacity=percent(100), fair=fair),
    )
    engine.configure(
        SchedulerConfig(
            kind=kind,
            queues=queues,
            minimum_allocation=(1, 1),
            increment_allocation=(1, 1),
            maximum_allocation=(100, 100),
        ),
        0,
    )
    engine.add_node(Node("n", (100, 100)))
    engine.submit(Application(APP, "u", "root.a", am_size=(10, 1)), 0)
    return engine


def grants(engine: SteppedScheduler, now_ms: int = 0) -> list[tuple[int, int, bool]]:
    """Attempt, number and whether it is the AM, of what is granted now."""
    made = [d.container for d in engine.cycle(now_ms, 10) if isinstance(d, Grant)]
    return [(c.id.attempt.number, c.id.number, c.am) for c in made]


def ids(engine: SteppedScheduler) -> list[ContainerId]:
    return [c.id for c in engine.containers()]


def container(attempt: int, number: int) -> ContainerId:
    return ContainerId(AttemptId(APP, attempt), 0, number)


def used(engine: SteppedScheduler) -> tuple[int, ...]:
    return next(s.used for s in engine.queue_status() if s.path == "root.a")


@BOTH
def test_a_further_attempt_asks_for_its_am_and_its_numbers_begin_with_1(
    kind: SchedulerKind,
) -> None:
    engine = an_engine(kind)
    assert grants(engine) == [(1, 1, True)]
    engine.update_asks(APP, [Ask(MAPS, 4, (5, 1))], 1)
    engine.release(container(1, 1), 1)

    engine.start_attempt(APP, 2, 1)

    assert grants(engine, 1) == [(2, 1, True)]
    assert ids(engine) == [container(2, 1)]
    assert used(engine) == (10, 1)


@BOTH
def test_what_lives_on_of_a_former_attempt_is_counted_and_freed_once(kind: SchedulerKind) -> None:
    engine = an_engine(kind)
    grants(engine)
    engine.update_asks(APP, [Ask(MAPS, 2, (5, 1))], 1)
    assert grants(engine, 1) == [(1, 2, False), (1, 3, False)]
    engine.release(container(1, 1), 1)
    kept = [c for c in engine.containers() if c.id.number == 2]

    engine.start_attempt(APP, 2, 1)
    for one in kept:
        engine.recover(APP, one)

    # The former attempt's container 2 and the new one's are not the same.
    assert grants(engine, 1) == [(2, 1, True)]
    engine.update_asks(APP, [Ask(MAPS, 1, (5, 1))], 2)
    assert grants(engine, 2) == [(2, 2, False)]
    assert used(engine) == (20, 3)
    for _ in range(2):
        engine.release(container(1, 2), 3)
        assert ids(engine) == [container(2, 1), container(2, 2)]
        assert used(engine) == (15, 2)


@BOTH
def test_an_am_that_has_come_and_gone_is_not_asked_for_until_the_next_attempt(
    kind: SchedulerKind,
) -> None:
    engine = an_engine(kind)
    engine.master_gone(APP)
    engine.master_gone(APP)
    assert grants(engine) == []
    assert engine.why(APP, None, 0) is None

    engine.start_attempt(APP, 2, 1)
    assert grants(engine, 1) == [(2, 1, True)]
