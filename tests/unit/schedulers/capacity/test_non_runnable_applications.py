"""Applications beyond a parallel limit: parked, and nobody's trouble when they end."""

from __future__ import annotations

from kubeyarn.model.applications import Application
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, percent
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

FIRST, SECOND = ApplicationId(1, 1), ApplicationId(1, 2)


def engine(*, hadoop_compatible: bool = False) -> CapacityScheduler:
    engine = CapacityScheduler(ResourceTypes(), hadoop_compatible=hadoop_compatible)
    leaf = QueueConfig(
        "root.a", order=1, capacity=percent(100), maximum_parallel_applications_per_user=1
    )
    config = SchedulerConfig(
        queues=(QueueConfig("root"), leaf), minimum_allocation=(1, 1), maximum_allocation=(100, 100)
    )
    engine.configure(config, 0)
    engine.add_node(Node("n1", (100, 100)))
    for one in (FIRST, SECOND):
        engine.submit(Application(one, "alice", "root.a", am_size=(1, 1), order=one.number), 0)
    engine.cycle(0, 100)
    return engine


def test_a_user_keeps_what_it_holds_when_its_parked_application_ends_first() -> None:
    living = engine()
    living.finish(SECOND, 0)

    [alice] = living.queue_status()[-1].users
    assert (alice.name, alice.used, alice.active_applications) == ("alice", (1, 1), 1)
    living.finish(FIRST, 0)
    assert living.queue_status()[-1].users == ()
    assert living.queue_status()[-1].am_used == (0, 0)


def test_a_parked_application_runs_when_the_one_before_it_ends() -> None:
    living = engine()
    living.finish(FIRST, 0)

    assert [grant.container.id.attempt.application for grant in living.cycle(0, 100)] == [SECOND]


def test_a_parked_application_whose_priority_changes_stays_parked() -> None:
    living = engine()
    living.set_priority(SECOND, 5, 0)

    assert living.cycle(0, 100) == ()


def test_an_application_that_moves_to_its_own_queue_keeps_what_its_user_holds() -> None:
    living = engine()
    living.move(FIRST, "root.a", 0)

    [alice] = living.queue_status()[-1].users
    assert alice.used == (1, 1)


def test_a_story_forgets_the_user_of_a_parked_application_as_hadoop_does() -> None:
    told = engine(hadoop_compatible=True)
    told.finish(SECOND, 0)

    assert told.queue_status()[-1].users == ()
