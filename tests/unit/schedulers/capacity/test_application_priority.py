"""Who may run at which priority."""

from __future__ import annotations

from kubeyarn.model.queues import Access, PriorityAccess
from kubeyarn.schedulers.capacity.submission import default_priority_of, may_have_priority

ANN = PriorityAccess(Access(users=frozenset({"ann"})), maximum=5, default=3)
STAFF = PriorityAccess(Access(groups=frozenset({"staff"})), maximum=9, default=7)


def test_everybody_may_have_any_where_nothing_is_said() -> None:
    assert may_have_priority((), "bob", (), 100)
    assert default_priority_of((), "bob", ()) is None


def test_a_priority_is_allowed_up_to_the_maximum() -> None:
    assert may_have_priority((ANN,), "ann", (), 5)
    assert not may_have_priority((ANN,), "ann", (), 6)


def test_who_is_not_named_may_have_none() -> None:
    assert not may_have_priority((ANN,), "bob", (), 0)


def test_one_of_several_groups_is_enough() -> None:
    assert may_have_priority((ANN, STAFF), "ann", ("staff",), 9)


def test_the_default_is_that_of_the_highest_group_of_the_user() -> None:
    assert default_priority_of((STAFF, ANN), "ann", ("staff",)) == 7
    assert default_priority_of((STAFF, ANN), "ann", ()) == 3
