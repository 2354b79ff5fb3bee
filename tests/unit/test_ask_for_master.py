"""An AM whose grant was taken back is asked for again, under a new container number."""

from __future__ import annotations

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.fair_queues import FairQueueConfig
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, SchedulerKind, percent
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedule.capacity import CapacityEngine
from kubeyarn.schedule.engine import Engine, Grant
from kubeyarn.schedule.fair import FairEngine

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


@pytest.mark.parametrize("kind", [SchedulerKind.CAPACITY, SchedulerKind.FAIR])
def test_an_am_taken_back_is_granted_again_under_the_next_number(kind: SchedulerKind) -> None:
    types = ResourceTypes()
    engine: Engine = CapacityEngine(types) if kind is SchedulerKind.CAPACITY else FairEngine(types)
    engine.configure(_config(kind), 0)
    engine.add_node(Node("n", (100, 100)))
    engine.submit(Application(APP, "u", "root.a", am_size=(10, 1)), 0)
    first = [d for d in engine.cycle(0, 10) if isinstance(d, Grant)]
    assert [g.container.id.number for g in first] == [1]

    engine.release(first[0].container.id, 1)
    assert [d for d in engine.cycle(1, 10) if isinstance(d, Grant)] == []
    engine.ask_for_master(APP, 2)
    second = [d for d in engine.cycle(2, 10) if isinstance(d, Grant)]

    assert [(g.container.id.number, g.container.am) for g in second] == [(2, True)]
    assert [c.id.number for c in engine.containers()] == [2]
