"""Opportunistic containers: in room that nobody holds, and first to go."""

from __future__ import annotations

import itertools

import pytest

from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.schedulers.api import Decision, Grant, Preempt, SchedulerNodeReport
from kubeyarn.schedulers.opportunistic import OpportunisticContainerAllocator

APP = ApplicationId(1, 1)
KEY = AskKey(1)


def room(
    name: str,
    free: int,
    *,
    rack: str = "r",
    partition: str = "",
    is_open: bool = True,
    slots: int = 110,
) -> SchedulerNodeReport:
    return SchedulerNodeReport(name, rack, partition, (free, free), is_open, free_slots=slots)


class Stage:
    def __init__(self) -> None:
        self.opportunist = OpportunisticContainerAllocator()
        self._numbers = itertools.count(2)

    def ask(self, count: int, size: int = 2, **said: object) -> None:
        ask = Ask(KEY, count, (size, size), **said)  # type: ignore[arg-type]
        self.opportunist.update(APP, ask)

    def cycle(self, *rooms: SchedulerNodeReport, limit: int = 100) -> list[Decision]:
        return self.opportunist.cycle(rooms, self._next, limit)

    def grants(self, *rooms: SchedulerNodeReport, limit: int = 100) -> list[Container]:
        return [d.container for d in self.cycle(*rooms, limit=limit) if isinstance(d, Grant)]

    def gone(self, *rooms: SchedulerNodeReport) -> list[int]:
        return [d.container.number for d in self.cycle(*rooms) if isinstance(d, Preempt) and d.kill]

    def _next(self, application: ApplicationId) -> ContainerId:
        return ContainerId(AttemptId(application, 1), 0, next(self._numbers))


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_they_fill_the_room_that_nobody_holds_and_no_more(stage: Stage) -> None:
    stage.ask(10)

    assert [c.node for c in stage.grants(room("n0", 4), room("n1", 3))] == ["n0", "n1", "n0"]
    assert stage.grants(room("n0", 4), room("n1", 3)) == []
    assert stage.opportunist.why(APP, KEY) is not None


def test_they_take_no_more_pods_than_a_node_has_slots_for(stage: Stage) -> None:
    stage.ask(10)

    assert [c.node for c in stage.grants(room("n0", 90, slots=2), room("n1", 9))][:3] == [
        "n0",
        "n0",
        "n1",
    ]
    assert "n0" not in [c.node for c in stage.grants(room("n0", 90, slots=2), room("n1", 9))]


def test_the_newest_go_where_guaranteed_containers_took_their_slots(stage: Stage) -> None:
    stage.ask(3)
    stage.grants(room("n0", 90, slots=3))

    assert stage.gone(room("n0", 90, slots=1)) == [4, 3]


def test_a_node_that_is_closed_or_of_another_partition_gets_none(stage: Stage) -> None:
    stage.ask(10)

    assert stage.grants(room("n0", 9, is_open=False), room("n1", 9, partition="gpu")) == []


@pytest.mark.parametrize(
    ("locality", "nodes"),
    [
        (Locality(nodes=(("n1", 1),)), ["n1"]),
        (Locality(racks=(("r1", 1),)), ["n1"]),
        (Locality(nodes=(("n9", 1),)), ["n0"]),
        (Locality(nodes=(("n9", 1),), relax=False), []),
        (Locality(excluded=frozenset({"n0"})), ["n1"]),
        (Locality(excluded=frozenset({"r1", "n0"})), []),
    ],
)
def test_where_they_want_to_be_is_heard(stage: Stage, locality: Locality, nodes: list[str]) -> None:
    stage.ask(1, locality=locality)

    assert [c.node for c in stage.grants(room("n0", 9), room("n1", 5, rack="r1"))] == nodes


def test_the_newest_go_first_and_only_as_many_as_must(stage: Stage) -> None:
    stage.ask(4)
    stage.grants(room("n0", 8))

    assert stage.gone(room("n0", 5)) == [5, 4]
    assert stage.gone(room("n0", 5)) == []
    assert stage.gone(room("n0", 0)) == [3, 2]


def test_nobody_is_put_where_one_is_still_leaving(stage: Stage) -> None:
    stage.ask(2)
    first, second = stage.grants(room("n0", 4))
    stage.ask(1)
    assert stage.gone(room("n0", 2)) == [second.id.number]

    assert stage.grants(room("n0", 4)) == []
    stage.opportunist.release(second.id)
    assert [c.node for c in stage.grants(room("n0", 4))] == ["n0"]
    assert stage.opportunist.held(first.id) is not None


def test_a_limit_holds_for_one_cycle(stage: Stage) -> None:
    stage.ask(5, size=1)

    assert len(stage.grants(room("n0", 9), limit=3)) == 3
    assert len(stage.grants(room("n0", 9))) == 2
    assert stage.opportunist.why(APP, KEY) is None


def test_an_application_that_ends_leaves_nothing(stage: Stage) -> None:
    stage.ask(3)
    stage.grants(room("n0", 2))
    stage.opportunist.finish(APP)

    assert stage.opportunist.idle


def test_nobody_has_to_go_where_nothing_is_granted(stage: Stage) -> None:
    stage.ask(2)
    stage.grants(room("n0", 4))

    assert stage.gone(room("n0", 0, is_open=False)) == []
    assert stage.gone(room("n0", 0)) == [3, 2]
