"""Nodes and racks that an application excludes, in both engines."""

from __future__ import annotations

from kubeyarn.model.asks import AskKey
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.api import Reserve
from unit.schedulers.either import APP, BOTH, Either


@BOTH
def test_an_excluded_node_gets_nothing_however_much_room_it_has(kind: SchedulerKind) -> None:
    either = Either(kind)
    either.ask(30, excluded=["n1"])

    nodes = [container.node for container in either.cycle()]

    assert sorted(set(nodes)) == ["n0", "n2"]
    assert len(nodes) == 19


@BOTH
def test_an_excluded_rack_excludes_its_nodes(kind: SchedulerKind) -> None:
    either = Either(kind)
    either.ask(30, excluded=["r0"])

    assert {container.node for container in either.cycle()} == {"n1"}


@BOTH
def test_the_other_asks_of_the_application_take_the_node(kind: SchedulerKind) -> None:
    either = Either(kind)
    either.ask(30, excluded=["n1"])
    either.ask(5, key=AskKey(2), size=(2, 2))

    made = either.cycle()

    assert {container.node for container in made if container.key == AskKey(2)} == {"n1"}


@BOTH
def test_a_node_is_used_again_once_it_is_not_excluded_any_more(kind: SchedulerKind) -> None:
    either = Either(kind)
    either.ask(30, excluded=["n0", "n1", "n2"])
    assert either.cycle() == []

    either.ask(30, excluded=["n0", "n2"])

    assert {container.node for container in either.cycle()} == {"n1"}


@BOTH
def test_a_node_like_an_excluded_one_is_offered_all_the_same(kind: SchedulerKind) -> None:
    """Nodes that are like one which took nothing are passed over only where nobody is choosy."""
    either = Either(kind, ["r0"] * 5, start=False)
    either.engine.locate_master(APP, frozenset({"n0", "n1", "n2"}), None)

    assert [container.node for container in either.cycle()] == ["n3"]


@BOTH
def test_what_is_stopped_by_exclusions_says_which_nodes(kind: SchedulerKind) -> None:
    either = Either(kind)
    either.ask(3, excluded=["n0", "n1", "n2"])
    either.cycle()

    verdict = either.why()

    assert verdict.reason is Reason.NODES_EXCLUDED
    assert "n0, n1, n2" in verdict.message


@BOTH
def test_exclusions_are_no_excuse_where_other_nodes_are_only_full(kind: SchedulerKind) -> None:
    either = Either(kind)
    either.ask(40, excluded=["n1"])
    either.cycle()
    either.ask(5, (10, 10), key=AskKey(2))
    either.ask(5, (10, 10), key=AskKey(3), excluded=["n1"])

    assert either.why(AskKey(2)).reason is not Reason.NODES_EXCLUDED
    assert either.why(AskKey(3)).reason is Reason.NODES_EXCLUDED
    either.cycle()
    assert either.why(AskKey(3)).reason is not Reason.NODES_EXCLUDED


@BOTH
def test_a_master_keeps_off_the_nodes_excluded_for_it_also_when_it_is_asked_again(
    kind: SchedulerKind,
) -> None:
    either = Either(kind, start=False)
    either.engine.locate_master(APP, frozenset({"n0"}), None)
    (master,) = either.cycle()
    assert master.node != "n0"

    either.engine.release(master.id, 0)
    either.engine.locate_master(APP, frozenset({"n0", master.node}), None)
    either.engine.ask_for_master(APP, 0)
    (again,) = either.cycle()

    assert {master.node, again.node} == {"n1", "n2"}


@BOTH
def test_the_exclusions_of_a_master_do_not_hold_for_its_tasks(kind: SchedulerKind) -> None:
    either = Either(kind, start=False)
    either.engine.locate_master(APP, frozenset({"n0"}), None)
    either.cycle()
    either.ask(30)

    assert {container.node for container in either.cycle()} == {"n0", "n1", "n2"}


@BOTH
def test_a_new_attempt_begins_without_exclusions(kind: SchedulerKind) -> None:
    either = Either(kind, ["r0"], start=False)
    either.engine.locate_master(APP, frozenset({"n0"}), None)
    assert either.cycle() == []
    assert either.why(None).reason is Reason.NODES_EXCLUDED

    either.engine.start_attempt(APP, 2, 0)

    assert [container.am for container in either.cycle()] == [True]


def test_room_reserved_on_a_node_is_given_up_when_it_is_excluded() -> None:
    either = Either(SchedulerKind.CAPACITY, ["r0", "r1"])
    either.ask(1, (2, 2), excluded=["n1"])
    either.ask(1, (3, 3), key=AskKey(2), excluded=["n0"])
    either.cycle()
    either.ask(1, (8, 8), key=AskKey(0))
    first = next(d for d in either.decide() if isinstance(d, Reserve))
    assert either.used() == (14, 14)

    either.ask(1, (8, 8), key=AskKey(0), excluded=["n0", "n1"])
    either.cycle()

    assert first.node in ("n0", "n1")
    assert either.used() == (6, 6)
    assert either.why(AskKey(0)).reason is Reason.NODES_EXCLUDED
