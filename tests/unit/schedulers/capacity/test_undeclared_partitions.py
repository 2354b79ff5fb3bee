"""Nodes of a partition that root does not declare."""

from __future__ import annotations

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import Partition, QueueConfig, SchedulerConfig, percent
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler


@pytest.mark.parametrize(
    ("declared", "grants"),
    [((), 0), ((Partition("gpu", exclusive=True),), 0), ((Partition("gpu", exclusive=False),), 1)],
)
def test_only_a_partition_that_is_declared_as_shared_lends_its_nodes(declared, grants) -> None:
    engine = CapacityScheduler(ResourceTypes())
    config = SchedulerConfig(
        queues=(QueueConfig("root"), QueueConfig("root.a", order=1, capacity=percent(100))),
        minimum_allocation=(1, 1),
        maximum_allocation=(100, 100),
        partitions=declared,
        am_in_shared_partitions=True,
    )
    engine.configure(config, 0)
    engine.add_node(Node("plain", (0, 0)))
    engine.add_node(Node("n1", (100, 100), partition="gpu"))
    engine.submit(Application(ApplicationId(1, 1), "alice", "root.a", am_size=(1, 1)), 0)

    made = [one for _ in range(5) for one in engine.cycle(0, 100)]
    assert len(made) == grants
