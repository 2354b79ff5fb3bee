"""What a new configuration may change of the queues in force, and what stays as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import (
    AutoCreate,
    AutoCreateKind,
    ConfiguredState,
    QueueConfig,
    SchedulerConfig,
    weight,
)
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

STOPPED, RUNNING = ConfiguredState.STOPPED, ConfiguredState.RUNNING
A, B, AX = "root.a", "root.b", "root.a.x"


def queue(path: str, **settings: object) -> QueueConfig:
    return replace(QueueConfig(path, capacity=weight(1)), **settings)  # type: ignore[arg-type]


def config(*queues: QueueConfig, **settings: object) -> SchedulerConfig:
    ordered = [replace(one, order=place) for place, one in enumerate(queues)]
    made = SchedulerConfig(
        queues=(QueueConfig("root"), *ordered),
        minimum_allocation=(1, 1),
        maximum_allocation=(10, 10),
    )
    return replace(made, **settings)  # type: ignore[arg-type]


def engine(*queues: QueueConfig, apps: tuple[str, ...] = ()) -> CapacityScheduler:
    """Queues in force, with an application of each that is named."""
    made = CapacityScheduler(ResourceTypes())
    made.configure(config(*queues), 0)
    made.add_node(Node("n", (10, 10)))
    for number, path in enumerate(apps, start=1):
        app = Application(ApplicationId(1, number), "u", path, am_size=(1, 1), order=number)
        made.submit(app, 0)
    made.cycle(0, 100)
    return made


def states(of: CapacityScheduler) -> dict[str, str]:
    return {path: str(one.state) for path, one in of.state.queues.items() if path != "root"}


@pytest.mark.parametrize(
    ("before", "apps", "after", "found"),
    [
        pytest.param(
            [queue(A)], [], [queue(A), queue(B)], {A: "Running", B: "Running"}, id="one is added"
        ),
        pytest.param(
            [queue(A), queue(B, state=STOPPED)], [], [queue(A)], {A: "Running"}, id="one is removed"
        ),
        pytest.param(
            [queue(A)], [], [queue(A, state=STOPPED)], {A: "Stopped"}, id="an empty one is stopped"
        ),
        pytest.param(
            [queue(A)], [A], [queue(A, state=STOPPED)], {A: "Draining"}, id="one in use drains"
        ),
        pytest.param(
            [queue(A, state=STOPPED)], [], [queue(A, state=RUNNING)], {A: "Running"}, id="started"
        ),
        pytest.param(
            [queue(A, state=STOPPED)], [], [queue(A)], {A: "Stopped"}, id="not started unless said"
        ),
        pytest.param(
            [queue(A), queue(AX)],
            [AX],
            [queue(A, state=STOPPED), queue(AX)],
            {A: "Draining", AX: "Draining"},
            id="with a parent its children stop (queue-stop-parent)",
        ),
        pytest.param(
            [queue(A, state=STOPPED)],
            [],
            [queue(A), queue(AX)],
            {A: "Running", AX: "Running"},
            id="a stopped leaf becomes a parent, which is new and runs",
        ),
        pytest.param(
            [queue(A)],
            [],
            [queue(A, state=STOPPED), queue(AX)],
            {A: "Stopped", AX: "Stopped"},
            id="a leaf that is to be stopped becomes a stopped parent",
        ),
        pytest.param(
            [queue(A)],
            [],
            [queue(A), queue(AX)],
            {A: "Running", AX: "Running"},
            id="a running leaf without applications becomes a parent",
        ),
    ],
)
def test_of_queues(
    before: list[QueueConfig], apps: list[str], after: list[QueueConfig], found: dict[str, str]
) -> None:
    living = engine(*before, apps=tuple(apps))
    living.configure(config(*after), 0)

    assert states(living) == found


@pytest.mark.parametrize(
    ("before", "apps", "after", "where", "message"),
    [
        pytest.param(
            [queue(A), queue(B)],
            [],
            config(queue(A)),
            (B, "name"),
            "the queue cannot be removed before it is stopped (state Running)",
            id="a running queue is not removed",
        ),
        pytest.param(
            [queue(A)],
            [A],
            config(queue(A), queue(AX)),
            (A, "name"),
            "a leaf queue cannot become a parent before it is stopped (state Running)",
            id="a running leaf with an application does not become a parent",
        ),
        pytest.param(
            [queue(A), queue(AX)],
            [],
            config(queue(A, auto_create=AutoCreate(kind=AutoCreateKind.MANAGED)), queue(AX)),
            (A, "name"),
            "a parent queue cannot become one that creates its children (state Running)",
            id="a parent does not become a managed one",
        ),
        pytest.param(
            [queue(A, auto_create=AutoCreate(kind=AutoCreateKind.MANAGED))],
            [],
            config(queue(A)),
            (A, "name"),
            "a queue that creates its children cannot become another (state Running)",
            id="a managed parent does not become a leaf",
        ),
        pytest.param(
            [queue(A, state=STOPPED), queue(AX)],
            [],
            config(queue(A), queue(AX, state=RUNNING)),
            (AX, "state"),
            "the parent root.a is not running; start it first",
            id="a queue is not started below one that stays stopped",
        ),
        pytest.param(
            [queue(A)],
            [],
            config(queue(A), maximum_allocation=(5, 5)),
            ("root", "maximum allocation"),
            "maximum allocation: found memory 5, cpu 5, allowed while its queues are in force: at "
            "least memory 10, cpu 10; restart the scheduler to have it lowered",
            id="the largest container is not lowered",
        ),
        pytest.param(
            [queue(A)],
            [],
            config(queue(A, maximum_allocation={0: 4})),
            (A, "maximum allocation"),
            "maximum allocation: found memory 4, cpu 10, allowed while its queues are in force: at "
            "least memory 10, cpu 10; restart the scheduler to have it lowered",
            id="nor that of one queue",
        ),
    ],
)
def test_a_change_is_refused(
    before: list[QueueConfig],
    apps: list[str],
    after: SchedulerConfig,
    where: tuple[str, str],
    message: str,
) -> None:
    living = engine(*before, apps=tuple(apps))
    as_before = states(living)
    with pytest.raises(ConfigRefused) as refused:
        living.configure(after, 0)

    [problem] = refused.value.problems
    assert ((problem.queue, problem.field), problem.message) == (where, message)
    assert states(living) == as_before


def test_a_scheduler_that_decides_as_hadoop_has_every_leaf_stopped_first() -> None:
    living = CapacityScheduler(ResourceTypes(), hadoop_compatible=True)
    living.configure(config(queue(A)), 0)
    with pytest.raises(ConfigRefused, match="cannot become a parent"):
        living.configure(config(queue(A), queue(AX)), 0)


def test_all_objections_are_told_at_once() -> None:
    living = engine(queue(A), queue(B), queue("root.c"))
    with pytest.raises(ConfigRefused) as refused:
        living.configure(config(queue("root.c")), 0)

    assert [problem.queue for problem in refused.value.problems] == [A, B]


def test_a_removable_queue_goes_while_it_drains() -> None:
    living = engine(queue(A), queue(B), apps=(B,))
    living.stop(B)
    living.configure(config(queue(A), removable=frozenset({B})), 0)

    assert set(states(living)) == {A}


def test_what_a_queue_holds_survives_a_new_configuration() -> None:
    living = engine(queue(A), queue(B), apps=(A,))
    before = living.state.queues[A]
    living.configure(config(queue(A, capacity=weight(3)), queue(B)), 0)

    assert living.state.queues[A] is before
    assert before.use("") == (1, 1)


def test_a_draining_queue_stops_when_its_last_application_ends() -> None:
    living = engine(queue(A), apps=(A, A))
    living.stop(A)
    found = [states(living)[A]]
    for number in (1, 2):
        living.finish(ApplicationId(1, number), 0)
        found.append(states(living)[A])

    assert found == ["Draining", "Draining", "Stopped"]


def test_after_a_refresh_siblings_are_in_the_order_of_a_hash_map() -> None:
    names = ("root.b", "root.a", "root.c")
    living = engine(*(queue(name) for name in names))
    before = [child.path for child in living.state.root_in_force().children]
    living.configure(config(*(queue(name) for name in names)), 0)

    assert before == list(names)
    assert [child.path for child in living.state.root_in_force().children] == sorted(names)
