"""Which ask of an application takes a node, which reserves it, and which passes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kubeyarn.model.asks import AskKey, Locality
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.api import Decision, Grant, Reserve
from kubeyarn.schedulers.capacity.allocator.container_allocator import (
    should_allocate_or_reserve_new_container,
)
from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp, Reservation
from unit.schedulers.small import SmallCluster, app_id

KEY = AskKey(1)
ONE_EACH = {"per-node-heartbeat.maximum-offswitch-assignments": "1"}
ALONE = {
    **ONE_EACH,
    "root.queues": "a",
    "root.a.capacity": "100",
}


def offered(cluster: SmallCluster, node: str = "n0") -> Sequence[Decision]:
    """What one heartbeat of the node leads to."""
    return cluster.engine.node_update(node, 0)


def full(nodes: int = 1, left: int = 1, *, spare: bool = True) -> SmallCluster:
    """Nodes of 8 GiB of which application 1 leaves *left* GiB on each.

    A *spare* node is there besides, which is not offered: with it no limit stops a reservation.
    """
    cluster = SmallCluster(ALONE, nodes=nodes)
    cluster.submit(1)
    cluster.cycle()
    for number in range(nodes):
        here = Locality(nodes=((f"n{number}", 8 - left),), relax=False)
        held = 1 if number == 0 else 0
        cluster.ask(1, 8 - left - held, priority=10 + number, locality=here)
    cluster.cycle()
    if spare:
        cluster.node("spare")
    return cluster


def app_of(cluster: SmallCluster, number: int) -> FiCaSchedulerApp:
    return cluster.engine.state.apps[app_id(number)]


@pytest.mark.parametrize(
    ("count", "reserved", "in_vain", "size", "may"),
    [
        pytest.param(1, 0, 0, (1024, 1), True, id="it has reserved nothing"),
        pytest.param(2, 1, 0, (1024, 1), True, id="fewer nodes than containers"),
        pytest.param(1, 1, 0, (1024, 1), False, id="as many nodes as containers"),
        pytest.param(2, 2, 0, (1024, 1), False, id="as many, two of them"),
        pytest.param(1, 1, 1, (1024, 1), False, id="offered in vain once: not often enough"),
        pytest.param(1, 1, 2, (1024, 1), True, id="twice: a small container may have one more"),
        pytest.param(1, 1, 8, (8192, 1), True, id="a big one after eight offers"),
        pytest.param(1, 1, 7, (8192, 1), False, id="a big one not after seven"),
        pytest.param(1, 2, 4, (1024, 1), False, id="two nodes and two offers each: not yet"),
        pytest.param(1, 2, 5, (1024, 1), True, id="two nodes and more than two offers each"),
    ],
)
def test_an_ask_may_reserve_a_node_more_the_longer_it_waits(
    count: int,
    reserved: int,
    in_vain: int,
    size: Vector,
    may: bool,
) -> None:
    cluster = SmallCluster(
        others={
            "yarn.scheduler.maximum-allocation-mb": "8192",
            "yarn.scheduler.maximum-allocation-vcores": "8",
        }
    )
    cluster.submit(1)
    cluster.cycle()
    cluster.ask(1, count, size)
    app = app_of(cluster, 1)
    for number in range(reserved):
        made = Reservation(cluster.engine.next_id(app_id(1)), app, KEY, f"r{number}", size, "")
        app.reservations.setdefault(KEY, {})[f"r{number}"] = made
    app.re_reservations[KEY] = in_vain

    assert should_allocate_or_reserve_new_container(app, app.asks[KEY]) is may


@pytest.mark.parametrize(
    ("size", "locality", "outcome"),
    [
        pytest.param((1024, 1), Locality(), Grant, id="it fits"),
        pytest.param((2048, 2), Locality(), Reserve, id="it will fit when something ends"),
        pytest.param((1024, 2), Locality(), Reserve, id="too little CPU alone"),
        pytest.param((1024, 1), Locality(nodes=(("n0", 1),)), Grant, id="its own node"),
        pytest.param(
            (2048, 2), Locality(nodes=(("n0", 1),), relax=False), Reserve, id="its only node"
        ),
        pytest.param(
            (1024, 1), Locality(nodes=(("n1", 1),), relax=False), None, id="another node alone"
        ),
        pytest.param((1024, 1), Locality(relax=False), None, id="no node in particular, strictly"),
        pytest.param((1024, 1), Locality(excluded=frozenset({"n0"})), None, id="excluded"),
    ],
)
def test_a_node_is_taken_reserved_or_passed(
    size: Vector, locality: Locality, outcome: type[Decision] | None
) -> None:
    cluster = full()
    cluster.ask(1, 1, size, locality=locality)

    made = offered(cluster)

    assert [type(one) for one in made] == ([] if outcome is None else [outcome])


@pytest.mark.parametrize(
    ("second", "granted"),
    [
        pytest.param((1024, 1), [], id="one that would fit waits behind it"),
        pytest.param((2048, 2), [], id="as does one that would not"),
    ],
)
def test_an_ask_of_lower_priority_does_not_get_ahead(second: Vector, granted: list[int]) -> None:
    cluster = full()
    cluster.ask(1, 1, (2048, 2), priority=1)
    cluster.ask(1, 1, second, priority=2)

    made = offered(cluster)

    assert [type(one) for one in made] == [Reserve]
    assert [one.container.key.priority for one in offered(cluster) if isinstance(one, Grant)] == (
        granted
    )


def test_an_ask_that_may_not_be_on_a_node_lets_a_lower_priority_have_it() -> None:
    cluster = full()
    elsewhere = Locality(nodes=(("n9", 1),), relax=False)
    cluster.ask(1, 1, priority=1, locality=elsewhere)
    cluster.ask(1, 1, priority=2)

    [made] = offered(cluster)

    assert isinstance(made, Grant)
    assert made.container.key.priority == 2


def test_a_reserved_node_takes_nothing_else() -> None:
    cluster = full()
    cluster.ask(1, 1, (2048, 2))
    assert [type(one) for one in offered(cluster)] == [Reserve]
    cluster.submit(2)

    assert offered(cluster) == []

    [reservation] = app_of(cluster, 1).reservations[KEY].values()
    assert cluster.engine.state.cluster.nodes["n0"].reservation is reservation


def test_a_reservation_becomes_a_container_with_the_id_it_had() -> None:
    cluster = full()
    cluster.ask(1, 1, (2048, 2))
    offered(cluster)
    [reservation] = app_of(cluster, 1).reservations[KEY].values()
    ended = next(c for c in app_of(cluster, 1).containers.values() if not c.am)

    cluster.engine.release(ended.id, 0)
    [made] = offered(cluster)

    assert isinstance(made, Grant)
    assert made.container.id == reservation.id
    assert app_of(cluster, 1).reservations == {}
    assert cluster.status("root.a").reserved == (0, 0)
    assert cluster.status("root.a").used == (8192, 8)


@pytest.mark.parametrize(
    "cancelled",
    [
        pytest.param({"count": 0}, id="nothing is asked for any more"),
        pytest.param(
            {"count": 1, "size": (2048, 2), "locality": Locality(excluded=frozenset({"n0"}))},
            id="the node is excluded by now",
        ),
    ],
)
def test_a_reservation_that_nobody_needs_is_given_up(cancelled: dict[str, object]) -> None:
    cluster = full()
    cluster.ask(1, 1, (2048, 2))
    offered(cluster)
    assert cluster.status("root.a").reserved == (2048, 2)

    cluster.ask(1, **cancelled)  # type: ignore[arg-type]
    assert offered(cluster) == []

    assert app_of(cluster, 1).reservations == {}
    assert cluster.status("root.a").reserved == (0, 0)
    assert cluster.engine.state.cluster.nodes["n0"].reservation is None


def test_each_offer_in_vain_of_a_reserved_node_counts() -> None:
    cluster = full()
    cluster.ask(1, 1, (2048, 2))
    offered(cluster)
    assert app_of(cluster, 1).re_reservations[KEY] == 0

    for times in (1, 2, 3):
        assert offered(cluster) == []
        assert app_of(cluster, 1).re_reservations[KEY] == times


def test_one_node_more_is_reserved_after_enough_offers_in_vain() -> None:
    cluster = full(nodes=2)
    cluster.ask(1, 1, (2048, 2))
    assert [type(one) for one in offered(cluster, "n0")] == [Reserve]

    assert offered(cluster, "n1") == []
    for _ in range(3):
        offered(cluster, "n0")

    assert [type(one) for one in offered(cluster, "n1")] == [Reserve]


def test_a_container_that_fits_elsewhere_takes_the_place_of_a_reservation() -> None:
    cluster = full(nodes=2)
    cluster.ask(1, 1, (2048, 2))
    offered(cluster, "n0")
    ended = next(c for c in app_of(cluster, 1).containers.values() if c.node == "n1")
    cluster.engine.release(ended.id, 0)

    [made] = offered(cluster, "n1")

    assert isinstance(made, Grant)
    assert made.container.node == "n1"
    assert app_of(cluster, 1).reservations == {}
    assert cluster.engine.state.cluster.nodes["n0"].reservation is None
    assert cluster.status("root.a").used == (16384 - 1024, 15)


def test_a_queue_at_its_limit_gives_up_a_reservation_for_what_fits_elsewhere() -> None:
    # 14 of 16 are held and 2 reserved. When one ends on n1 there is room for one of 2, and only
    # the reservation keeps the queue from taking it.
    cluster = full(nodes=2, spare=False)
    cluster.ask(1, 2, (2048, 2))
    assert [type(one) for one in offered(cluster, "n0")] == [Reserve]
    ended = next(c for c in app_of(cluster, 1).containers.values() if c.node == "n1")
    cluster.engine.release(ended.id, 0)

    [made] = offered(cluster, "n1")

    assert isinstance(made, Grant)
    assert made.container.node == "n1"
    assert app_of(cluster, 1).reservations == {}
    assert cluster.status("root.a").used == (15 * 1024, 15)


@pytest.mark.parametrize(
    ("count", "kept"),
    [
        pytest.param(1, 0, id="one container: the reservation goes"),
        pytest.param(2, 1, id="two containers: the other one keeps it"),
    ],
)
def test_a_reservation_stays_while_the_ask_has_use_for_it(count: int, kept: int) -> None:
    cluster = full(nodes=2)
    cluster.ask(1, count, (2048, 2))
    offered(cluster, "n0")
    ended = next(c for c in app_of(cluster, 1).containers.values() if c.node == "n1")
    cluster.engine.release(ended.id, 0)

    assert [type(one) for one in offered(cluster, "n1")] == [Grant]

    assert len(app_of(cluster, 1).reservations.get(KEY, {})) == kept


def test_a_node_is_not_reserved_for_a_container_that_it_could_never_hold() -> None:
    cluster = full()
    cluster.node("small", (4096, 4))
    cluster.ask(1, 1, (6144, 4))

    assert offered(cluster, "small") == []
    assert app_of(cluster, 1).reservations == {}
    assert [type(one) for one in offered(cluster, "n0")] == [Reserve]


@pytest.mark.parametrize(
    ("slots", "outcome"),
    [
        pytest.param(8, [Grant], id="a slot is free"),
        pytest.param(7, [], id="no slot is free: the node is not reserved either"),
    ],
)
def test_a_container_needs_a_pod_slot(slots: int, outcome: list[type[Decision]]) -> None:
    cluster = SmallCluster(ALONE, nodes=0)
    cluster.node("n0", pods=slots)
    cluster.submit(1)
    cluster.ask(1, 6)
    while offered(cluster):
        pass
    cluster.ask(1, 1)

    assert [type(one) for one in offered(cluster)] == outcome
    assert app_of(cluster, 1).reservations == {}


def test_nothing_is_granted_before_the_am() -> None:
    cluster = SmallCluster(ALONE, nodes=0)
    cluster.node("n0", (4096, 4))
    cluster.node("n1")
    cluster.submit(1, am=(8192, 4))
    cluster.ask(1, 1)

    assert offered(cluster, "n0") == []

    [made] = offered(cluster, "n1")
    assert isinstance(made, Grant)
    assert made.container.am
    assert [type(one) for one in offered(cluster, "n0")] == [Grant]


def test_offers_without_a_place_to_be_are_counted_and_then_any_node_will_do() -> None:
    cluster = SmallCluster({**ALONE, "node-locality-delay": "2"}, nodes=3)
    cluster.submit(1)
    cluster.cycle()
    cluster.ask(1, 1, locality=Locality(nodes=(("n9", 1),), racks=(("/r9", 1),)))

    waited = [offered(cluster, f"n{number}") for number in (0, 1, 2)]
    ask = app_of(cluster, 1).asks.get(KEY)

    granted = [one for made in waited for one in made]
    assert len(granted) + (ask.count if ask else 0) == 1
    assert ask is None or ask.scheduling_opportunities > 0


def test_an_ask_that_insists_on_a_rack_is_served_there_and_nowhere_else() -> None:
    cluster = SmallCluster(ALONE, nodes=2)
    cluster.node("there", rack="/r1")
    cluster.submit(1)
    cluster.cycle()
    cluster.ask(1, 2, locality=Locality(racks=(("/r1", 2),), relax=False))

    assert offered(cluster, "n0") == offered(cluster, "n1") == []
    assert [type(one) for one in offered(cluster, "there")] == [Grant, Grant]
    assert KEY not in app_of(cluster, 1).asks
