"""Containers that grow and shrink where they are, in both engines."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import Rejected
from kubeyarn.model.queues import SchedulerKind
from unit.schedule.either import APP, BOTH, Either


def started(kind: SchedulerKind, count: int = 1) -> tuple[Either, list[Container]]:
    """One node of 10 GiB with the AM's 1 and containers of 2."""
    either = Either(kind, ["r0"])
    either.ask(count, (2, 2))
    return either, either.cycle()


def sizes(either: Either) -> list[tuple[int, ...]]:
    return [container.size for container in either.engine.containers() if not container.am]


@BOTH
def test_a_container_grows_within_the_room_of_its_node(kind: SchedulerKind) -> None:
    either, [container] = started(kind)

    assert either.engine.resize(container.id, (6, 4))

    assert sizes(either) == [(6, 4)]
    assert either.used() == (7, 5)


@BOTH
def test_more_than_the_node_has_is_not_given_and_nothing_changes(kind: SchedulerKind) -> None:
    either, [container] = started(kind)

    assert not either.engine.resize(container.id, (10, 2))

    assert sizes(either) == [(2, 2)]
    assert either.used() == (3, 3)


@BOTH
def test_what_shrinks_gives_its_room_to_others(kind: SchedulerKind) -> None:
    either, made = started(kind, 4)
    either.ask(1, (2, 2), key=AskKey(2))
    assert either.cycle() == []

    assert either.engine.resize(made[0].id, (1, 1))
    assert either.used() == (8, 8)
    assert len(either.cycle()) == 1


@BOTH
def test_an_ended_container_gives_back_what_it_grew_to(kind: SchedulerKind) -> None:
    either, [container] = started(kind)
    either.engine.resize(container.id, (6, 6))

    either.engine.release(container.id, 0)

    assert either.used() == (1, 1)
    assert not either.engine.resize(container.id, (1, 1))


@BOTH
def test_the_size_it_has_already_costs_nothing(kind: SchedulerKind) -> None:
    either, [container] = started(kind)

    assert either.engine.resize(container.id, (2, 2))
    assert either.used() == (3, 3)


@BOTH
def test_sizes_are_rounded_up_and_checked_against_the_maximum(kind: SchedulerKind) -> None:
    either, _ = started(kind)

    assert either.engine.rounded(APP, (0, 3)) == (1, 3)
    with pytest.raises(Rejected):
        either.engine.rounded(APP, (11, 1))
