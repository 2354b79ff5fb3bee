"""Sums that belong to one event change together."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.objects.app_attempt import (
    ReservedContainer,
)
from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
from property.schedulers.fair.recounting import check_accounts
from unit.schedulers.fair.building import ZERO, Books


def test_a_charge_counts_for_the_attempt_all_queues_above_and_the_node() -> None:
    books = Books()

    books.accounts.charge(books.one, books.container(1, (2048, 3)))
    books.accounts.update_available()

    assert books.one.used == books.a.used == books.root.used == (2048, 3)
    assert books.b.used == ZERO
    assert books.node.available == (8192, 7)
    assert books.state.allocated == (2048, 3)
    assert books.one.started
    books.check()


@pytest.mark.parametrize("freed", [(1,), (2,), (1, 2), (2, 1)])
def test_a_discharge_takes_back_what_a_charge_counted(freed: tuple[int, ...]) -> None:
    books = Books()
    made = {number: books.container(number, (1024 * number, number)) for number in (1, 2, 3)}
    for container in made.values():
        books.accounts.charge(books.one, container)

    for number in freed:
        books.accounts.discharge(books.one, made[number])

    left = sum(number for number in made if number not in freed)
    assert books.root.used == (1024 * left, left)
    assert books.one in books.state.dirty.attempts
    books.check()


def test_what_is_available_to_masters_changes_when_it_is_said() -> None:
    """An offer says it once at its end, whatever it granted."""
    books = Books()
    books.accounts.charge(books.one, books.container(1))
    before = books.state.available

    books.accounts.update_available()

    assert (before, books.state.available) == ((10240, 10), (9216, 9))


def test_a_container_may_be_known_before_its_node() -> None:
    books = Books()
    early = books.container(1, (2048, 2), node="n1")
    books.accounts.charge(books.one, early)
    before = books.root.used

    node = FSSchedulerNode(Node("n1", (4096, 4)), ZERO)
    books.accounts.add_node(node)

    assert before == (2048, 2)
    assert node.available == (2048, 2)
    assert node.containers == [early]
    books.check()


def test_a_container_of_an_unknown_node_may_end_before_the_node_joins() -> None:
    books = Books()
    early = books.container(1, node="n1")
    books.accounts.charge(books.one, early)
    books.accounts.discharge(books.one, early)

    node = FSSchedulerNode(Node("n1", (4096, 4)), ZERO)
    books.accounts.add_node(node)

    assert node.available == (4096, 4)
    books.check()


@pytest.mark.parametrize(
    ("total", "available", "cluster"),
    [
        pytest.param((20480, 20), (19456, 19), (20480, 20), id="larger"),
        pytest.param((10240, 10), (9216, 9), (10240, 10), id="the same"),
        pytest.param((512, 1), (-512, 0), (512, 1), id="smaller than what is on it"),
    ],
)
def test_a_node_that_changes_its_size_keeps_what_is_on_it(
    total: Vector, available: Vector, cluster: Vector
) -> None:
    books = Books()
    books.accounts.charge(books.one, books.container(1))

    books.accounts.update_node(books.node, Node("n0", total, rack="/r0"))

    assert books.node.available == available
    assert books.state.cluster == cluster
    books.check()


def test_a_node_that_goes_takes_its_size_and_its_reservation() -> None:
    books = Books()
    reserved = ReservedContainer(books.one, AskKey(1), (4096, 4), books.container(9).id)
    books.accounts.reserve(reserved, books.node)

    books.accounts.remove_node(books.node)

    assert books.state.cluster == ZERO
    assert books.a.reserved == ZERO
    assert books.one.reservations == {}
    books.check()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([3], {(1024, 1): 3}, id="asked"),
        pytest.param([3, -1], {(1024, 1): 2}, id="one less"),
        pytest.param([3, -3], {}, id="none left"),
        pytest.param([3, 2, -4], {(1024, 1): 1}, id="more and less"),
    ],
)
def test_pending_is_counted_by_attempt_leaf_and_size(
    changes: list[int], expected: dict[Vector, int]
) -> None:
    books = Books()

    for change in changes:
        books.accounts.change_pending(books.one, (1024, 1), change)

    assert books.one.pending == books.a.pending == (1024 * sum(changes), sum(changes))
    assert books.state.pending_sizes == expected


def test_sizes_of_all_attempts_are_counted_together() -> None:
    books = Books()
    books.ask(books.one, 2)
    books.ask(books.other, 3)

    assert books.state.pending_sizes == {(1024, 1): 5}
    assert books.a.pending == (5120, 5)
    books.check()


@pytest.mark.parametrize("taken", [1, 2, 3])
def test_a_grant_takes_one_of_what_is_pending(taken: int) -> None:
    by_one, by_change = Books(), Books()
    for books in (by_one, by_change):
        books.accounts.change_pending(books.one, (1024, 1), 3)

    for _ in range(taken):
        by_one.accounts.take_one(by_one.one, (1024, 1))
    by_change.accounts.change_pending(by_change.one, (1024, 1), -taken)

    assert by_one.one.pending == by_change.one.pending
    assert by_one.a.pending == by_change.a.pending
    assert by_one.state.pending_sizes == by_change.state.pending_sizes


def test_a_reservation_counts_for_its_leaf_and_is_not_used() -> None:
    books = Books()
    reserved = ReservedContainer(books.one, AskKey(1), (4096, 4), books.container(9).id)

    books.accounts.reserve(reserved, books.node)

    assert books.a.reserved == (4096, 4)
    assert books.a.used == ZERO
    assert books.node.available == (10240, 10)
    assert books.node.total_reserved == (4096, 4)
    books.check()


def test_a_reservation_is_given_up_once() -> None:
    books = Books()
    reserved = ReservedContainer(books.one, AskKey(1), (4096, 4), books.container(9).id)
    books.accounts.reserve(reserved, books.node)

    books.accounts.unreserve(books.node)
    books.accounts.unreserve(books.node)

    assert books.a.reserved == ZERO
    books.check()


def test_a_master_counts_until_it_leaves() -> None:
    books = Books()

    books.accounts.charge_am(books.one, (1024, 1))
    running = books.a.am_used
    books.accounts.discharge_am(books.one)

    assert running == (1024, 1)
    assert books.a.am_used == ZERO
    assert not books.one.am_running


def test_a_move_takes_all_along_but_the_master() -> None:
    books = Books()
    books.accounts.charge(books.one, books.container(1))
    books.ask(books.one, 3)
    reserved = ReservedContainer(books.one, AskKey(1), (4096, 4), books.container(9).id)
    books.accounts.reserve(reserved, books.node)
    books.accounts.charge_am(books.one, (1024, 1))

    books.accounts.leave_am(books.one, books.a)
    books.accounts.move(books.one, books.b)

    assert (books.a.used, books.b.used, books.root.used) == (ZERO, (1024, 1), (1024, 1))
    assert (books.a.pending, books.b.pending) == (ZERO, (3072, 3))
    assert (books.a.reserved, books.b.reserved) == (ZERO, (4096, 4))
    assert (books.a.am_used, books.b.am_used) == (ZERO, ZERO)
    books.accounts.update_available()
    check_accounts(books.state, with_am_used=False)


def test_a_container_is_chosen_once_for_preemption() -> None:
    books = Books()
    container = books.container(1, (2048, 2))
    books.accounts.charge(books.one, container)

    for now_ms in (5, 9):
        books.accounts.track_for_preemption(books.one, container, now_ms)
        books.accounts.preempt_for(books.other, books.node, [container])

    assert books.one.containers_to_preempt == {container.id: 5}
    assert books.one.resources_to_preempt == (2048, 2)
    assert books.node.resources_preempted_for_app == {books.other: (2048, 2)}
    books.accounts.update_available()
    books.check()


def test_a_chosen_container_that_ends_is_chosen_no_longer_and_its_promise_stands() -> None:
    books = Books()
    container = books.container(1, (2048, 2))
    books.accounts.charge(books.one, container)
    books.accounts.track_for_preemption(books.one, container, 0)
    books.accounts.preempt_for(books.other, books.node, [container])

    books.accounts.discharge(books.one, container)

    assert books.one.resources_to_preempt == ZERO
    assert books.node.containers_for_preemption == set()
    assert books.node.total_resources_preempted == (2048, 2)
    books.check()


@pytest.mark.parametrize(
    ("granted", "left"),
    [
        pytest.param((1024, 1), (1024, 1), id="part of it"),
        pytest.param((2048, 2), None, id="all of it"),
        pytest.param((4096, 4), None, id="more than it"),
        pytest.param((4096, 1), (0, 1), id="more of one and less of the other"),
        pytest.param((0, 0), (2048, 2), id="nothing"),
    ],
)
def test_a_grant_takes_from_what_was_preempted_for_it(granted: Vector, left: Vector | None) -> None:
    books = Books()
    container = books.container(1, (2048, 2))
    books.accounts.charge(books.one, container)
    books.accounts.preempt_for(books.other, books.node, [container])

    books.accounts.take_preempted(books.other, books.node, granted)

    assert books.node.resources_preempted_for_app.get(books.other) == left
    assert books.node.total_resources_preempted == (left or ZERO)


def test_a_grant_to_another_takes_nothing_of_it() -> None:
    books = Books()
    container = books.container(1, (2048, 2))
    books.accounts.charge(books.one, container)
    books.accounts.preempt_for(books.other, books.node, [container])

    books.accounts.take_preempted(books.one, books.node, (1024, 1))
    kept = books.node.total_resources_preempted
    books.accounts.forget_preempted(books.other, books.node)

    assert kept == (2048, 2)
    assert books.node.total_resources_preempted == ZERO
