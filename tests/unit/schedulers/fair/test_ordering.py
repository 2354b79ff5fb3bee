"""Whose turn it is among siblings, and what changes the order of them."""

from __future__ import annotations

import pytest

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.ordering import (
    place_attempt,
    place_changed,
    place_queue,
    rebuild,
)
from unit.schedulers.fair.building import Books


class Ordered(Books):
    """root.a with two attempts that want everything, root.b with a third."""

    def __init__(self, policy: FairPolicy = FairPolicy.FAIR) -> None:
        super().__init__()
        self.third = self.attempt(3)
        self.third.queue = self.b
        for queue in (self.root, self.a, self.b):
            queue.policy = policy
        for attempt in (self.one, self.other, self.third):
            attempt.demand = (8192, 8)
            place_attempt(self.state, attempt)

    def attempts(self) -> list[int]:
        return [one.application.id.number for _, one in self.a.schedulables.entries]

    def queues(self) -> list[str]:
        return [queue.path for _, queue in self.root.schedulables.entries]


def test_the_one_who_started_first_is_served_first_of_equals() -> None:
    ordered = Ordered()

    assert ordered.attempts() == [1, 2]
    assert ordered.queues() == ["root.a", "root.b"]


@pytest.mark.parametrize(
    ("policy", "used", "order"),
    [
        pytest.param(FairPolicy.FAIR, (1024, 1), [2, 1], id="fair: who has less memory"),
        pytest.param(FairPolicy.FAIR, (0, 9), [1, 2], id="fair: cores count for nothing"),
        pytest.param(FairPolicy.DRF, (0, 9), [2, 1], id="drf: who has the lesser dominant share"),
        pytest.param(FairPolicy.FIFO, (4096, 4), [1, 2], id="fifo: whatever anybody has"),
    ],
)
def test_a_grant_puts_an_attempt_behind(policy: FairPolicy, used: Vector, order: list[int]) -> None:
    ordered = Ordered(policy)
    ordered.one.used = used
    place_attempt(ordered.state, ordered.one)

    assert ordered.attempts() == order


def test_who_has_what_it_wants_is_not_served() -> None:
    ordered = Ordered()
    ordered.one.used = ordered.one.demand
    place_attempt(ordered.state, ordered.one)

    assert ordered.attempts() == [2]


def test_who_may_not_run_is_not_served() -> None:
    ordered = Ordered()
    ordered.other.is_runnable = False
    place_attempt(ordered.state, ordered.other)

    assert ordered.attempts() == [1]


def test_a_queue_below_which_nobody_wants_anything_is_not_offered_to() -> None:
    ordered = Ordered()
    ordered.third.used = ordered.third.demand
    place_attempt(ordered.state, ordered.third)

    assert ordered.queues() == [ordered.a.path]
    ordered.third.used = (0, 0)
    place_attempt(ordered.state, ordered.third)
    assert ordered.queues() == [ordered.a.path, ordered.b.path]


def test_a_queue_that_uses_more_goes_behind_its_sibling() -> None:
    ordered = Ordered()
    ordered.a.used = (1024, 1)
    place_queue(ordered.state, ordered.a)

    assert ordered.queues() == [ordered.b.path, ordered.a.path]


@pytest.mark.parametrize(
    ("a", "b", "first"),
    [
        pytest.param((2048, 1), (1024, 1), "b", id="less used"),
        pytest.param((1024, 1), (1024, 1), "a", id="by name when equal"),
    ],
)
def test_all_queues_are_placed_after_an_update(a: Vector, b: Vector, first: str) -> None:
    ordered = Ordered()
    ordered.a.used, ordered.b.used = a, b
    place_changed(ordered.state, ())

    assert ordered.queues()[0].rpartition(".")[2] == first


def test_a_rebuilt_order_goes_by_the_new_policy() -> None:
    ordered = Ordered()
    ordered.one.used = (1024, 1)
    place_attempt(ordered.state, ordered.one)
    assert ordered.attempts() == [2, 1]
    ordered.a.policy = FairPolicy.FIFO
    rebuild(ordered.state)

    assert ordered.attempts() == [1, 2]
    assert len(ordered.queues()) == 2
