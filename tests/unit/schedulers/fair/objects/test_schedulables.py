"""The sorted children of a queue: put in, moved and taken out, one at a time."""

from __future__ import annotations

import pytest

from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
from kubeyarn.schedulers.fair.objects.schedulables import SortedSchedulables
from unit.schedulers.fair.building import Books


class Line:
    """Attempts of one leaf, each filed under a time of its own."""

    def __init__(self, *times: int) -> None:
        books = Books()
        self.sorted: SortedSchedulables[FSAppAttempt] = SortedSchedulables()
        self.attempts = {time: books.attempt(10 + time) for time in times}
        for time, attempt in self.attempts.items():
            self.sorted.put(attempt, (time, attempt.name))

    def order(self) -> list[int]:
        return [attempt.id.application.number - 10 for attempt in self.sorted]


@pytest.mark.parametrize(
    ("times", "order"),
    [
        pytest.param((), [], id="nobody"),
        pytest.param((1,), [1], id="one"),
        pytest.param((1, 2, 3), [1, 2, 3], id="in order"),
        pytest.param((3, 1, 2), [1, 2, 3], id="in any other"),
    ],
)
def test_children_are_in_order_of_their_keys(times: tuple[int, ...], order: list[int]) -> None:
    line = Line(*times)

    assert line.order() == order
    assert len(line.sorted) == len(order)


@pytest.mark.parametrize(
    ("who", "to", "order"),
    [
        pytest.param(1, 9, [2, 3, 1], id="to the end"),
        pytest.param(3, 0, [3, 1, 2], id="to the front"),
        pytest.param(1, 2, [2, 1, 3], id="behind one, whose name decides between equals"),
        pytest.param(2, 2, [1, 2, 3], id="to where it is"),
    ],
)
def test_a_child_moves_to_where_its_new_key_places_it(who: int, to: int, order: list[int]) -> None:
    line = Line(1, 2, 3)
    attempt = line.attempts[who]
    name = "z" if to != who else attempt.name

    line.sorted.put(attempt, (to, name))

    assert line.order() == order
    assert len(line.sorted) == 3
    assert attempt.order_entry == ((to, name), attempt)


def test_a_child_is_found_by_the_key_it_was_filed_under_whatever_it_holds_by_now() -> None:
    line = Line(1, 2, 3)
    attempt = line.attempts[2]
    attempt.used, attempt.start_ms = (4096, 4), 77

    line.sorted.remove(attempt)

    assert line.order() == [1, 3]
    assert attempt.order_entry is None


def test_a_child_that_is_not_in_is_taken_out_of_nothing() -> None:
    line = Line(1, 2)
    line.sorted.remove(line.attempts[1])

    line.sorted.remove(line.attempts[1])

    assert line.order() == [2]


def test_a_child_that_was_taken_out_may_come_back() -> None:
    line = Line(1, 2)
    line.sorted.remove(line.attempts[1])

    line.sorted.put(line.attempts[1], (5, "name"))

    assert line.order() == [2, 1]
