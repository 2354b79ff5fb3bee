"""What the live scheduler relies on in both engines, beyond Hadoop's recorded answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.errors import Rejected
from kubeyarn.model.fair_queues import FairQueueConfig
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import (
    ConfiguredState,
    QueueConfig,
    SchedulerConfig,
    SchedulerKind,
    percent,
)
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.api import Grant, SteppedScheduler
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from kubeyarn.schedulers.fair.scheduler import FairScheduler

APP = ApplicationId(1, 1)


def _config(kind: SchedulerKind) -> SchedulerConfig:
    fair = FairQueueConfig() if kind is SchedulerKind.FAIR else None
    return SchedulerConfig(
        kind=kind,
        queues=(
            QueueConfig("root", fair=fair),
            QueueConfig("root.a", order=1, capacity=percent(100), fair=fair),
        ),
        minimum_allocation=(1, 1),
        increment_allocation=(1, 1),
        maximum_allocation=(100, 100),
    )


def _engine(kind: SchedulerKind, **changes: object) -> SteppedScheduler:
    types = ResourceTypes()
    engine: SteppedScheduler = (
        CapacityScheduler(types) if kind is SchedulerKind.CAPACITY else FairScheduler(types)
    )
    config = _config(kind)
    leaf = replace(config.queues[1], **changes)
    engine.configure(replace(config, queues=(config.queues[0], leaf)), 0)
    engine.add_node(Node("n", (100, 100)))
    return engine


@pytest.mark.parametrize("kind", [SchedulerKind.CAPACITY, SchedulerKind.FAIR])
def test_an_am_taken_back_is_granted_again_under_the_next_number(kind: SchedulerKind) -> None:
    engine = _engine(kind)
    engine.submit(Application(APP, "u", "root.a", am_size=(10, 1)), 0)
    first = [d for d in engine.cycle(0, 10) if isinstance(d, Grant)]
    assert [g.container.id.number for g in first] == [1]

    engine.release(first[0].container.id, 1)
    assert [d for d in engine.cycle(1, 10) if isinstance(d, Grant)] == []
    engine.ask_for_master(APP, 2)
    second = [d for d in engine.cycle(2, 10) if isinstance(d, Grant)]

    assert [(g.container.id.number, g.container.am) for g in second] == [(2, True)]
    assert [c.id.number for c in engine.containers()] == [2]


@pytest.mark.parametrize("kind", [SchedulerKind.CAPACITY, SchedulerKind.FAIR])
def test_an_application_placed_before_is_taken_back_whatever_it_asks(kind: SchedulerKind) -> None:
    engine = _engine(kind)
    too_large = Application(APP, "u", "elsewhere", am_size=(500, 1), placed="root.a")

    assert engine.submit(too_large, 0) == "root.a"


def test_an_application_placed_before_lets_its_stopped_queue_drain() -> None:
    engine = _engine(SchedulerKind.CAPACITY, state=ConfiguredState.STOPPED)
    before = Application(APP, "u", "root.a", am_size=(10, 1), placed="root.a")

    assert engine.submit(before, 0) == "root.a"
    states = {status.path: status.state for status in engine.queue_status()}
    assert states["root.a"] == "Draining"

    engine.finish(APP, 1)
    states = {status.path: status.state for status in engine.queue_status()}
    assert states["root.a"] == "Stopped"


def test_a_stopped_queue_takes_nothing_new() -> None:
    engine = _engine(SchedulerKind.CAPACITY, state=ConfiguredState.STOPPED)

    with pytest.raises(Rejected, match=r"root\.a"):
        engine.submit(Application(APP, "u", "root.a", am_size=(10, 1)), 0)


@pytest.mark.parametrize("kind", [SchedulerKind.CAPACITY, SchedulerKind.FAIR])
def test_an_engine_without_any_queue_decides_nothing(kind: SchedulerKind) -> None:
    types = ResourceTypes()
    engine: SteppedScheduler = (
        CapacityScheduler(types) if kind is SchedulerKind.CAPACITY else FairScheduler(types)
    )
    engine.add_node(Node("n", (100, 100)))

    assert not engine.cycle(1_000_000, 10)
    assert not engine.node_update("n", 1_000_000)
    assert not engine.preempt(1_000_000)
    assert not engine.containers()
    with pytest.raises(Rejected):
        engine.submit(Application(APP, "u", "root.a", am_size=(10, 1)), 1_000_000)
