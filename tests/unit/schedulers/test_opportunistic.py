"""Opportunistic containers: in room that nobody holds, and first to go."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest

from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.reasons import Reason, Verdict
from kubeyarn.schedulers.api import Decision, Grant, Preempt, SchedulerNodeReport
from kubeyarn.schedulers.opportunistic import (
    OpportunisticContainerAllocator,
    OpportunisticLimits,
)

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
        self.limits = OpportunisticLimits(enabled=True)
        self.queues: dict[ApplicationId, str] = {}
        self._numbers = itertools.count(2)

    def ask(self, count: int, size: int = 2, *, of: ApplicationId = APP, **said: object) -> None:
        ask = Ask(KEY, count, (size, size), **said)  # type: ignore[arg-type]
        self.opportunist.update(of, ask)

    def cycle(self, *rooms: SchedulerNodeReport, limit: int = 100) -> list[Decision]:
        return self.opportunist.cycle(rooms, self._next, limit, self.limits, self.queue_of)

    def queue_of(self, application: ApplicationId) -> str:
        return self.queues.get(application, "root.a")

    def why(self, of: ApplicationId = APP) -> Verdict | None:
        return self.opportunist.why(of, KEY, self.limits, self.queue_of)

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
    assert stage.why() is not None


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
    assert stage.why() is None


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


OTHER = ApplicationId(1, 2)


def by_application(containers: list[Container]) -> Counter[ApplicationId]:
    return Counter(container.id.attempt.application for container in containers)


def test_applications_share_what_is_free(stage: Stage) -> None:
    stage.ask(100)
    stage.ask(100, of=OTHER)

    assert by_application(stage.grants(room("n0", 20))) == {APP: 5, OTHER: 5}


def test_an_application_that_has_some_waits_for_one_that_has_none(stage: Stage) -> None:
    stage.ask(3)
    stage.grants(room("n0", 6))
    stage.ask(100)
    stage.ask(100, of=OTHER)

    assert by_application(stage.grants(room("n0", 12))) == {OTHER: 3}


def test_shares_are_of_resources_and_not_of_containers(stage: Stage) -> None:
    stage.ask(100, size=1)
    stage.ask(100, size=4, of=OTHER)

    assert by_application(stage.grants(room("n0", 16))) == {APP: 8, OTHER: 2}


def test_one_that_does_not_fit_keeps_nobody_else_waiting(stage: Stage) -> None:
    stage.ask(1, size=50)
    stage.ask(1, of=OTHER)

    assert by_application(stage.grants(room("n0", 4))) == {OTHER: 1}


def test_while_they_are_switched_off_none_is_granted(stage: Stage) -> None:
    stage.ask(2)
    stage.grants(room("n0", 2))
    stage.limits = OpportunisticLimits()

    assert stage.grants(room("n0", 90)) == []
    # And what runs makes room as ever.
    assert stage.gone(room("n0", 1)) == [2]


@pytest.mark.parametrize(
    ("limits", "granted", "reason", "named"),
    [
        ({"maximum": {"root.a": 3}}, 3, Reason.QUEUE_MAXIMUM, "root.a has 3 of at most 3"),
        ({"maximum": {"root": 1, "root.a": 3}}, 1, Reason.QUEUE_MAXIMUM, "root has 1 of at most"),
        ({"maximum": {"root.b": 0}}, 5, Reason.NODES_BUSY, "room"),
        ({"closed": frozenset({"root.a"})}, 0, Reason.QUEUE_STOPPED, "root.a is stopped"),
        ({"closed": frozenset({"root"})}, 0, Reason.QUEUE_STOPPED, "root is stopped"),
    ],
    ids=["its queue's maximum", "its parent's", "another queue's", "a stopped queue", "below one"],
)
def test_a_queue_bounds_its_opportunistic_containers(
    stage: Stage, limits: dict[str, Any], granted: int, reason: Reason, named: str
) -> None:
    stage.limits = OpportunisticLimits(enabled=True, **limits)
    stage.ask(100)

    for _ in range(2):
        found = stage.grants(room("n0", 10))
        assert len(found) == granted
        granted = 0
    verdict = stage.why()
    assert verdict is not None
    assert verdict.reason is reason
    assert named in verdict.message


def test_a_maximum_is_one_for_all_applications_below(stage: Stage) -> None:
    stage.limits = OpportunisticLimits(enabled=True, maximum={"root": 4})
    stage.queues[OTHER] = "root.b"
    stage.ask(100)
    stage.ask(100, of=OTHER)

    assert by_application(stage.grants(room("n0", 90))) == {APP: 2, OTHER: 2}
