"""Asks that insist on racks are served there, soon, and nowhere else."""

from __future__ import annotations

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, percent
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.api import Grant
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

APP = ApplicationId(1, 1)


def engine() -> CapacityScheduler:
    engine = CapacityScheduler(ResourceTypes())
    leaf = QueueConfig("root.a", order=1, capacity=percent(100), user_limit_factor=-1.0)
    engine.configure(
        SchedulerConfig((QueueConfig("root"), leaf), (1, 1), (100, 100), dominant=True), 0
    )
    for number in range(6):
        engine.add_node(Node(f"n{number}", (10, 10), rack=f"r{number % 3}"))
    engine.submit(Application(APP, "alice", "root.a", am_size=(1, 1)), 0)
    engine.cycle(0, 100)
    return engine


@pytest.mark.parametrize(
    ("locality", "cycles"),
    [
        (Locality(racks=(("r1", 4),), relax=False), 1),
        (Locality(nodes=(("n2", 4),), racks=(("r1", 4),), relax=False), 10),
    ],
)
def test_a_rack_that_is_named_is_enough(locality: Locality, cycles: int) -> None:
    living = engine()
    living.update_asks(APP, [Ask(AskKey(1), 4, (3, 3), locality=locality)], 0)
    decisions = [one for _ in range(cycles) for one in living.cycle(0, 100)]
    made = [one.container for one in decisions if isinstance(one, Grant)]

    assert len(made) == 4
    assert {one.node for one in made} <= {"n1", "n4", "n2"}
