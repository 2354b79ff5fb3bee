"""What a grant changes: the places still wanted, ids, borrowed nodes, and what ends with it."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey, Locality
from kubeyarn.model.queues import Partition
from kubeyarn.schedulers.capacity.allocator.commit import (
    complete_container,
    new_container_id,
    unreserve,
)
from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
from unit.schedulers.small import SmallCluster, app_id

KEY = AskKey(1)
ONE_EACH = {"per-node-heartbeat.maximum-offswitch-assignments": "1"}
AT_ONCE = {**ONE_EACH, "node-locality-delay": "-1"}


def app_of(cluster: SmallCluster, number: int = 1) -> FiCaSchedulerApp:
    return cluster.engine.state.apps[app_id(number)]


@pytest.mark.parametrize(
    ("offered", "nodes", "racks", "left"),
    [
        pytest.param("n0", {"n0": 1}, {"/r0": 2}, 2, id="on a node that it names"),
        pytest.param("n1", {"n0": 2}, {"/r0": 2}, 2, id="in a rack that it names"),
        pytest.param("n2", {"n0": 2}, {"/r0": 3}, 2, id="anywhere else"),
    ],
)
def test_one_container_fewer_is_wanted_where_one_was_granted(
    offered: str, nodes: dict[str, int], racks: dict[str, int], left: int
) -> None:
    cluster = SmallCluster(AT_ONCE, nodes=0)
    cluster.node("am", rack="/r9")
    cluster.submit(1)
    cluster.cycle()
    for name, rack in (("n0", "/r0"), ("n1", "/r0"), ("n2", "/r1"), ("n3", "/r1")):
        cluster.node(name, rack=rack)
    cluster.ask(1, 3, locality=Locality(nodes=(("n0", 2),), racks=(("/r0", 3),)))
    ask = app_of(cluster).asks[KEY]
    # It has waited long enough to go anywhere; a node of its own takes more than one at a time.
    ask.scheduling_opportunities = 100
    cluster.node(offered, (1024, 1), rack=cluster.engine.state.cluster.nodes[offered].rack)

    cluster.engine.node_update(offered, 0)

    assert (ask.nodes, ask.racks, ask.count) == (nodes, racks, left)


def test_a_place_of_which_nothing_more_is_wanted_is_named_no_longer() -> None:
    cluster = SmallCluster(ONE_EACH)
    cluster.node("n0", (2048, 2), rack="/r0")
    cluster.submit(1)
    cluster.cycle()
    cluster.ask(1, 2, locality=Locality(nodes=(("n0", 1),), racks=(("/r0", 1),)))
    ask = app_of(cluster).asks[KEY]

    cluster.engine.node_update("n0", 0)

    assert (ask.nodes, ask.racks) == ({}, {})
    assert ask.count == 1


@pytest.mark.parametrize(
    ("attempt", "epoch", "numbers"),
    [
        pytest.param(1, 0, [1, 2, 3], id="from 1 on"),
        pytest.param(2, 0, [1, 2, 3], id="anew for each attempt"),
        pytest.param(1, 7, [1, 2, 3], id="of each scheduler process"),
    ],
)
def test_container_ids_are_numbered(attempt: int, epoch: int, numbers: list[int]) -> None:
    cluster = SmallCluster(epoch=epoch)
    cluster.submit(1)
    if attempt > 1:
        cluster.engine.start_attempt(app_id(1), attempt, 0)

    made = [new_container_id(app_of(cluster)) for _ in numbers]

    assert [one.number for one in made] == numbers
    assert {(one.attempt.number, one.epoch) for one in made} == {(attempt, epoch)}


def test_the_first_container_of_an_attempt_is_its_am() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.ask(1, 2)

    made = cluster.cycle()

    assert [(one.id.number, one.am) for one in made] == [(1, True), (2, False), (3, False)]
    assert app_of(cluster).am_container == made[0].id
    assert not app_of(cluster).waiting_for_am


@pytest.mark.parametrize(
    ("partition", "borrowed"),
    [
        pytest.param(None, 1, id="asked for no partition"),
        pytest.param("gold", 0, id="asked for this one"),
    ],
)
def test_a_container_on_a_node_that_it_did_not_ask_for_is_borrowed(
    partition: str | None, borrowed: int
) -> None:
    access = {
        f"{path}.accessible-node-labels{suffix}": value
        for path, share in (("root", "100"), ("root.a", "100"))
        for suffix, value in (("", "gold"), (".gold.capacity", share))
    }
    cluster = SmallCluster(
        {**access, "root.a.user-limit-factor": "10"},
        partitions=(Partition("gold", exclusive=False),),
    )
    cluster.node("gold0", partition="gold")
    cluster.submit(1)
    cluster.cycle()
    cluster.node("n0", schedulable=False)
    cluster.ask(1, 1, partition=partition)
    for _ in range(3):
        cluster.cycle()

    [held] = [one for one in app_of(cluster).containers.values() if not one.am]
    leaf = app_of(cluster).queue

    assert held.node == "gold0"
    assert len(leaf.ignore_exclusivity_containers.get("gold", {})) == borrowed

    complete_container(app_of(cluster), held, cluster.engine.state.cluster.nodes["gold0"])
    assert leaf.ignore_exclusivity_containers == {}


def test_a_container_ends_once() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.ask(1, 1)
    cluster.cycle()
    app, node = app_of(cluster), cluster.engine.state.cluster.nodes["n0"]
    [held] = [one for one in app.containers.values() if not one.am]

    for _ in range(2):
        complete_container(app, held, node)
        assert node.free == (7168, 7)
        assert cluster.status("root.a").used == (1024, 1)


def test_a_reservation_that_is_given_up_begins_to_wait_anew() -> None:
    cluster = SmallCluster({"root.queues": "a", "root.a.capacity": "100"})
    cluster.submit(1)
    cluster.ask(1, 6)
    cluster.cycle()
    cluster.node("spare")
    cluster.ask(1, 1, (2048, 2))
    for _ in range(4):
        cluster.engine.node_update("n0", 0)
    app, node = app_of(cluster), cluster.engine.state.cluster.nodes["n0"]
    assert app.re_reservations[KEY] == 3

    [reservation] = app.reservations[KEY].values()
    unreserve(reservation, node)

    assert app.re_reservations[KEY] == 0
    assert node.reservation is None
    unreserve(reservation, node)
    assert cluster.status("root.a").reserved == (0, 0)
