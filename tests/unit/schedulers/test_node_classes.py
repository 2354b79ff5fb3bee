"""Asks that may be on nodes of some classes alone, and dedicated nodes, in both engines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import AskKey, Locality
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.api import Reserve
from unit.schedulers.either import APP, BOTH, OTHER, Either

PLAIN, SSD, GPU = 0, 1, 2


def cluster(kind: SchedulerKind, **said: bool) -> Either:
    """n0 is plain, n1 has class SSD, n2 class GPU and is dedicated."""
    either = Either(kind, ["r0"], **said)
    either.engine.add_node(Node("n1", (10, 10), node_class=SSD))
    either.engine.add_node(Node("n2", (10, 10), node_class=GPU, dedicated=True))
    return either


def on(*classes: int) -> Locality:
    return Locality(classes=frozenset(classes))


@BOTH
def test_a_plain_ask_is_served_everywhere_but_on_dedicated_nodes(kind: SchedulerKind) -> None:
    either = cluster(kind)
    either.ask(40)

    nodes = [container.node for container in either.cycle()]

    assert sorted(set(nodes)) == ["n0", "n1"]
    assert len(nodes) == 19


@BOTH
@pytest.mark.parametrize(
    ("classes", "nodes"),
    [
        pytest.param((SSD,), {"n1"}, id="one class"),
        pytest.param((GPU,), {"n2"}, id="a dedicated class"),
        pytest.param((PLAIN, GPU), {"n0", "n2"}, id="several classes"),
        pytest.param((7,), set(), id="a class without nodes"),
        pytest.param((), set(), id="no class"),
    ],
)
def test_an_ask_is_served_on_nodes_of_its_classes(
    kind: SchedulerKind, classes: tuple[int, ...], nodes: set[str]
) -> None:
    either = cluster(kind)
    either.ask(40, locality=on(*classes))

    assert {container.node for container in either.cycle()} == nodes


@BOTH
def test_an_ask_that_no_node_here_suits_keeps_nothing_from_the_asks_behind_it(
    kind: SchedulerKind,
) -> None:
    either = cluster(kind)
    either.submit(OTHER)
    either.cycle()
    either.ask(40, (10, 10), locality=on(7), key=AskKey(1))
    either.ask(10, key=AskKey(2))
    either.ask(40, app=OTHER, key=AskKey(1))

    made = either.decide()

    assert not any(isinstance(decision, Reserve) for decision in made)
    assert len(made) == 18


@BOTH
def test_a_node_is_of_another_class_from_now_on(kind: SchedulerKind) -> None:
    either = cluster(kind)
    either.ask(3, locality=on(GPU))
    either.engine.update_node(Node("n2", (10, 10), node_class=5, dedicated=True))
    assert either.cycle() == []

    either.ask(3, locality=on(5))

    assert {container.node for container in either.cycle()} == {"n2"}


@BOTH
def test_a_node_that_is_dedicated_no_longer_is_open_to_all(kind: SchedulerKind) -> None:
    either = cluster(kind)
    either.ask(40)
    either.cycle()

    either.engine.update_node(Node("n2", (10, 10), node_class=GPU))

    assert {container.node for container in either.cycle()} == {"n2"}


@BOTH
def test_nodes_that_are_alike_but_for_their_class_are_all_offered(kind: SchedulerKind) -> None:
    either = Either(kind, ["r0"] * 3)
    either.engine.add_node(Node("n9", (10, 10), node_class=SSD))
    either.ask(2, locality=on(SSD))

    assert [container.node for container in either.cycle()] == ["n9", "n9"]


@BOTH
def test_a_dedicated_node_stands_for_no_other(kind: SchedulerKind) -> None:
    either = Either(kind, [], start=False)
    either.engine.add_node(Node("n0", (10, 10), node_class=GPU, dedicated=True))
    either.engine.add_node(Node("n1", (10, 10)))

    assert [container.node for container in either.cycle()] == ["n1"]


@BOTH
def test_a_container_grows_on_a_dedicated_node(kind: SchedulerKind) -> None:
    either = cluster(kind)
    either.ask(1, locality=on(GPU))
    (container,) = either.cycle()

    either.engine.request_increase(container, (2, 2))
    either.cycle()

    charged = {one.id: one for one in either.engine.containers()}
    assert charged[container.id].size == (3, 3)


@BOTH
def test_a_master_is_granted_on_nodes_of_its_classes(kind: SchedulerKind) -> None:
    either = cluster(kind, start=False)
    either.engine.locate_master(APP, frozenset(), frozenset({GPU}))

    assert [container.node for container in either.cycle()] == ["n2"]


@BOTH
def test_a_master_that_may_be_nowhere_waits_and_keeps_no_other_waiting(
    kind: SchedulerKind,
) -> None:
    either = cluster(kind, start=False)
    either.engine.locate_master(APP, frozenset(), frozenset())
    either.submit(OTHER)

    assert [one.id.attempt.application for one in either.cycle()] == [OTHER]
    assert either.why(None).reason is Reason.NO_NODE_FITS

    either.engine.locate_master(APP, frozenset(), frozenset({SSD}))

    assert [container.node for container in either.cycle()] == ["n1"]


def test_a_master_that_may_be_nowhere_takes_no_share_of_the_limit_of_masters() -> None:
    """Capacity: the application is not active, so it counts against no limit."""
    either = cluster(SchedulerKind.CAPACITY)
    nowhere = Application(OTHER, "u", "root.a", am_size=(10, 10), order=2, am_classes=frozenset())
    either.engine.submit(nowhere, 0)
    either.cycle()

    def leaf() -> tuple[int, tuple[int, ...]]:
        (status,) = (one for one in either.engine.queue_status() if one.path == "root.a")
        return status.active_applications, status.am_used

    assert leaf() == (1, (1, 1))

    either.engine.locate_master(OTHER, frozenset(), frozenset({SSD}))

    assert leaf() == (2, (11, 11))


@BOTH
def test_what_has_no_room_on_its_nodes_is_not_said_to_wait_for_its_turn(
    kind: SchedulerKind,
) -> None:
    either = cluster(kind)
    either.ask(12, locality=on(SSD))
    either.cycle()

    verdict = either.why()

    assert verdict.reason in (Reason.NODES_BUSY, Reason.BELOW_IN_FAIR_SHARE)
    either.ask(2, locality=on(7))
    assert either.why().reason is Reason.NO_NODE_FITS
    assert "that its template allows" in either.why().message


def test_room_reserved_on_a_node_is_given_up_when_its_class_changes() -> None:
    either = cluster(SchedulerKind.CAPACITY)
    either.ask(8, locality=on(SSD))
    either.cycle()
    either.ask(1, (8, 8), key=AskKey(0), locality=on(SSD))
    assert [one.node for one in either.decide() if isinstance(one, Reserve)] == ["n1"]

    ssd = Node("n1", (10, 10), node_class=SSD)
    either.engine.update_node(replace(ssd, node_class=9))
    either.ask(1, key=AskKey(3), locality=on(9))

    made = [*either.cycle(), *either.cycle()]

    assert [container.node for container in made] == ["n1"]
