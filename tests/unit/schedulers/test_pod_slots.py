"""A node takes so many pods as its kubelet has slots for, whatever room it has, in both engines."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from kubeyarn.model.asks import AskKey, Locality
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import AttemptId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.api import Increase, Reserve
from unit.schedulers.either import APP, BOTH, MAPS, Either
from unit.schedulers.small import SmallCluster


def with_slots(kind: SchedulerKind, *slots: int) -> Either:
    """Nodes n0, n1, ... of 10 GiB with so many slots; the AM of 1 GiB is on n0."""
    either = Either(kind, [], start=False)
    for number, pods in enumerate(slots):
        either.engine.add_node(Node(f"n{number}", (10, 10), pods=pods))
    assert [container.node for container in either.cycle()] == ["n0"]
    return either


def free_slots(either: Either) -> dict[str, int]:
    return {report.name: report.free_slots for report in either.engine.node_reports()}


@BOTH
def test_no_more_containers_are_granted_than_the_node_has_slots(kind: SchedulerKind) -> None:
    either = with_slots(kind, 3, 2)
    either.ask(9)

    assert sorted(container.node for container in either.cycle()) == ["n0", "n0", "n1", "n1"]
    assert free_slots(either) == {"n0": 0, "n1": 0}


def test_a_heartbeat_of_many_assignments_grants_no_more_than_there_are_slots() -> None:
    cluster = SmallCluster(nodes=0)
    cluster.node("n0", pods=3)
    cluster.submit(1)
    cluster.cycle()
    cluster.ask(1, 7)

    assert len(cluster.engine.node_update("n0", 0)) == 2


@BOTH
def test_a_container_that_ends_frees_its_slot_for_one_other(kind: SchedulerKind) -> None:
    either = with_slots(kind, 3)
    either.ask(9)
    first = either.cycle()
    either.engine.release(first[0].id, 0)

    assert len(either.cycle()) == 1
    assert either.cycle() == []


@BOTH
def test_foreign_pods_that_come_and_go_take_slots_and_free_them(kind: SchedulerKind) -> None:
    either = with_slots(kind, 1)
    either.ask(9)
    assert either.cycle() == []

    either.engine.update_node(Node("n0", (10, 10), pods=3))
    assert len(either.cycle()) == 2

    either.engine.update_node(Node("n0", (10, 10), pods=2))
    assert free_slots(either) == {"n0": -1}
    assert either.cycle() == []


@BOTH
def test_containers_of_an_earlier_process_take_slots(kind: SchedulerKind) -> None:
    either = with_slots(kind, 3)
    old = ContainerId(AttemptId(APP, 1), 0, 7)
    either.engine.recover(APP, Container(old, MAPS, "n0", (1, 1)))
    either.ask(9)

    assert len(either.cycle()) == 1


@BOTH
def test_what_waits_for_a_slot_is_told_so(kind: SchedulerKind) -> None:
    either = with_slots(kind, 1)
    either.ask(2)
    either.cycle()

    verdict = either.why()
    assert verdict.reason is Reason.NODES_BUSY or kind is SchedulerKind.FAIR
    assert "no node has a free pod slot" in verdict.message


@BOTH
def test_a_node_without_a_slot_is_not_reserved(kind: SchedulerKind) -> None:
    either = with_slots(kind, 3, 0)
    either.ask(2, (4, 4))
    either.cycle()
    either.ask(1, (5, 5), key=AskKey(2, 0))

    assert [d for d in either.decide() if isinstance(d, Reserve)] == []


def test_a_reservation_is_given_up_when_the_last_slot_goes_to_a_foreign_pod() -> None:
    either = with_slots(SchedulerKind.CAPACITY, 4, 0)
    either.ask(2, (4, 4))
    either.cycle()
    either.ask(1, (5, 5), key=AskKey(2, 0))
    assert [d for d in either.decide() if isinstance(d, Reserve)]

    either.engine.update_node(Node("n0", (10, 10), pods=3))

    assert not any(report.is_reserved for report in either.engine.node_reports())
    either.engine.update_node(Node("n0", (10, 10), pods=4))
    assert [d for d in either.decide() if isinstance(d, Reserve)]


@BOTH
def test_a_container_grows_where_no_slot_is_free(kind: SchedulerKind) -> None:
    either = with_slots(kind, 2)
    either.ask(2)
    held = either.cycle()[0]
    either.engine.request_increase(held, (2, 2))

    assert either.decide() == [Increase(held._replace(size=(3, 3)))]
    assert free_slots(either) == {"n0": 0}


@BOTH
def test_an_ask_for_a_node_without_a_slot_is_granted_elsewhere(kind: SchedulerKind) -> None:
    either = with_slots(kind, 1, 5)
    either.ask(1, locality=Locality(nodes=(("n0", 1),)))

    granted = either.cycle() + either.cycle() + either.cycle()
    assert [container.node for container in granted] == ["n1"]


def test_where_queues_choose_nodes_those_without_a_slot_are_passed_over() -> None:
    cluster = SmallCluster(nodes=0)
    config = cluster.engine.state.config_in_force()
    cluster.engine.configure(replace(config, choose_nodes=True), 0)
    cluster.node("n0", pods=1)
    cluster.node("n1", pods=3)
    cluster.submit(1)
    cluster.cycle()
    cluster.ask(1, 9)
    cluster.cycle()

    held = Counter(container.node for container in cluster.engine.containers())
    assert held == {"n0": 1, "n1": 3}
