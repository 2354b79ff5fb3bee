"""What each operation of accounts counts, and for whom: application, node, queues, user."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import Partition
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.app_attempt import (
    FiCaSchedulerApp,
    PendingAsk,
    Reservation,
)
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
from unit.schedulers.small import SmallCluster, app_id

KEY = AskKey(1)
SIZE = (2048, 2)
NOTHING = (0, 0)


class Sums:
    """root.a and root.b, a node of the default partition and one of gold, an AM in root.a."""

    def __init__(self) -> None:
        self.cluster = SmallCluster(
            {
                "root.accessible-node-labels": "gold",
                "root.accessible-node-labels.gold.capacity": "100",
                "root.a.accessible-node-labels": "gold",
                "root.a.accessible-node-labels.gold.capacity": "50",
                "root.b.accessible-node-labels": "gold",
                "root.b.accessible-node-labels.gold.capacity": "50",
            },
            partitions=(Partition("gold"),),
        )
        self.cluster.node("gold0", partition="gold")
        self.cluster.submit(1)
        self.cluster.cycle()

    @property
    def app(self) -> FiCaSchedulerApp:
        return self.cluster.engine.state.apps[app_id(1)]

    def node(self, name: str = "n0") -> FiCaSchedulerNode:
        return self.cluster.engine.state.cluster.nodes[name]

    def leaf(self, path: str = "root.a") -> LeafQueue:
        found = self.cluster.engine.state.queues[path]
        assert found.leaf
        return found

    def container(self, node: str = "n0", size: Vector = SIZE) -> Container:
        partition = self.node(node).partition
        return Container(self.cluster.engine.next_id(app_id(1)), KEY, node, size, partition)

    def used(self, partition: str = "") -> dict[str, Vector]:
        """What is used of a partition, by who counts it; the AM's own is left out."""
        state = self.cluster.engine.state
        am = (1024, 1) if not partition else NOTHING
        found = {path: state.queues[path].use(partition) for path in ("root", "root.a")}
        found["app"] = self.app.usage(partition).used
        found["user"] = self.leaf().users.get("u").use(partition)
        return {who: (used[0] - am[0], used[1] - am[1]) for who, used in found.items()}


def all_of(amount: Vector) -> dict[str, Vector]:
    return dict.fromkeys(("root", "root.a", "app", "user"), amount)


@pytest.mark.parametrize(
    ("node", "partition", "other"),
    [
        pytest.param("n0", "", "gold", id="of the default partition"),
        pytest.param("gold0", "gold", "", id="of another partition"),
    ],
)
def test_a_container_is_counted_by_its_application_node_queues_and_user(
    node: str, partition: str, other: str
) -> None:
    sums = Sums()
    container, there = sums.container(node), sums.node(node)
    free, slots = there.free, there.free_slots

    accounts.charge(sums.app, container, there)

    assert sums.used(partition) == all_of(SIZE)
    assert sums.used(other) == all_of(NOTHING)
    assert there.free == (free[0] - 2048, free[1] - 2)
    assert there.free_slots == slots - 1
    assert there.containers[container.id] is sums.app.containers[container.id] is container
    assert sums.leaf("root.b").use(partition) == NOTHING


def test_a_container_is_discharged_once() -> None:
    sums = Sums()
    container, there = sums.container(), sums.node()
    free, slots = there.free, there.free_slots
    accounts.charge(sums.app, container, there)

    assert accounts.discharge(sums.app, container, there)
    assert not accounts.discharge(sums.app, container, there)

    assert sums.used() == all_of(NOTHING)
    assert (there.free, there.free_slots) == (free, slots)
    assert container.id not in there.containers


def test_a_container_that_is_not_on_the_node_frees_nothing_there() -> None:
    sums = Sums()
    container, there = sums.container(), sums.node()
    accounts.charge(sums.app, container, there)
    elsewhere = sums.node("gold0")
    free = elsewhere.free

    assert accounts.discharge(sums.app, container, elsewhere)

    assert elsewhere.free == free
    assert sums.used() == all_of(NOTHING)


def test_a_container_goes_along_when_its_node_changes_the_partition() -> None:
    sums = Sums()
    container, there = sums.container(), sums.node()
    accounts.charge(sums.app, container, there)
    free = there.free

    accounts.repartition(sums.app, container, there, "gold")

    assert sums.used() == all_of(NOTHING)
    assert sums.used("gold") == all_of(SIZE)
    assert there.containers[container.id].partition == "gold"
    assert there.free == free


@pytest.mark.parametrize(
    ("asks", "pending"),
    [
        pytest.param([(3, SIZE, "")], {"": (6144, 6), "gold": NOTHING}, id="three"),
        pytest.param([(3, SIZE, ""), (1, SIZE, "")], {"": SIZE, "gold": NOTHING}, id="then one"),
        pytest.param(
            [(3, SIZE, ""), (3, (1024, 1), "")],
            {"": (3072, 3), "gold": NOTHING},
            id="then of another size",
        ),
        pytest.param(
            [(3, SIZE, ""), (2, SIZE, "gold")],
            {"": NOTHING, "gold": (4096, 4)},
            id="then in another partition",
        ),
        pytest.param([(3, SIZE, ""), (0, SIZE, "")], {"": NOTHING, "gold": NOTHING}, id="none"),
    ],
)
def test_what_is_pending_is_what_was_asked_last(
    asks: list[tuple[int, Vector, str]], pending: dict[str, Vector]
) -> None:
    sums = Sums()
    queues = sums.cluster.engine.state.queues

    for count, size, partition in asks:
        ask = sums.app.asks.get(KEY) or PendingAsk(KEY, count, size, partition)
        accounts.set_pending(sums.app, ask, count, size, partition)

    for partition, amount in pending.items():
        assert sums.app.usage(partition).pending == amount
        assert queues["root.a"].outstanding(partition) == amount
        assert queues["root"].outstanding(partition) == amount
        assert queues["root.b"].outstanding(partition) == NOTHING


@pytest.mark.parametrize(
    ("count", "taken", "left"),
    [
        pytest.param(3, 1, (4096, 4), id="one of three"),
        pytest.param(3, 2, SIZE, id="two of three"),
        pytest.param(3, 3, NOTHING, id="all of them"),
    ],
)
def test_each_grant_takes_one_of_what_is_pending(count: int, taken: int, left: Vector) -> None:
    sums = Sums()
    ask = PendingAsk(KEY, count, SIZE, "")
    accounts.set_pending(sums.app, ask, count, SIZE, "")

    for _ in range(taken):
        accounts.take_one(sums.app, ask)

    assert sums.app.usage("").pending == left
    assert sums.leaf().outstanding("") == left
    assert (KEY in sums.app.asks) is (taken < count)
    assert ("u" in sums.leaf().users.active) is (taken < count)


def test_an_attempt_that_ends_has_nothing_pending() -> None:
    sums = Sums()
    for priority, partition in ((1, ""), (2, "gold")):
        ask = PendingAsk(AskKey(priority), 2, SIZE, partition)
        accounts.set_pending(sums.app, ask, 2, SIZE, partition)

    accounts.forget_asks(sums.app)

    assert sums.app.keys == []
    assert sums.leaf().pending == {"": NOTHING, "gold": NOTHING}
    assert sums.leaf().users.active == {"u"}


def reserved(sums: Sums, node: str = "n0") -> Reservation:
    """A reservation of the application on a node, counted."""
    identity = sums.cluster.engine.next_id(app_id(1))
    made = Reservation(identity, sums.app, KEY, node, SIZE, sums.node(node).partition)
    accounts.reserve(made, sums.node(node))
    return made


def test_what_is_reserved_counts_as_used_by_queues_and_user_and_not_by_the_application() -> None:
    sums = Sums()
    free = sums.node().free

    made = reserved(sums)

    assert sums.used() == {**all_of(SIZE), "app": NOTHING}
    assert sums.leaf().reserved[""] == sums.app.reservation_total() == SIZE
    assert sums.node().reservation is made
    assert sums.node().free == free


def test_a_reservation_is_given_up_once() -> None:
    sums = Sums()
    made = reserved(sums)

    assert accounts.unreserve(made, sums.node())
    assert not accounts.unreserve(made, sums.node())

    assert sums.used() == all_of(NOTHING)
    assert sums.leaf().reserved[""] == sums.app.reservation_total() == NOTHING
    assert sums.node().reservation is None
    assert sums.app.reservations == {}


def test_what_a_reservation_becomes_was_counted_by_queues_and_user_already() -> None:
    sums = Sums()
    made = reserved(sums)
    free, slots = sums.node().free, sums.node().free_slots
    container = Container(made.id, KEY, "n0", SIZE, "")

    accounts.fulfil(made, container, sums.node())

    assert sums.used() == all_of(SIZE)
    assert sums.leaf().reserved[""] == NOTHING
    assert sums.node().reservation is None
    assert sums.node().free == (free[0] - 2048, free[1] - 2)
    assert sums.node().free_slots == slots - 1


def test_one_ask_may_reserve_several_nodes() -> None:
    sums = Sums()
    sums.cluster.node("n1")
    one, other = reserved(sums), reserved(sums, "n1")
    assert set(sums.app.reservations[KEY]) == {"n0", "n1"}

    accounts.unreserve(one, sums.node())

    assert list(sums.app.reservations[KEY].values()) == [other]
    assert sums.leaf().reserved[""] == SIZE


def test_an_am_counts_for_its_leaf_and_its_user() -> None:
    sums = Sums()
    user = sums.leaf().users.get("u")
    assert sums.leaf().am_used == user.am_used == {"": (1024, 1)}

    accounts.discharge_am(sums.leaf(), sums.app)
    assert sums.leaf().am_used == user.am_used == {"": NOTHING}

    accounts.charge_am(sums.leaf(), sums.app)
    assert sums.leaf().am_used == user.am_used == {"": (1024, 1)}


def test_an_application_that_moves_takes_along_what_it_holds_reserves_and_wants() -> None:
    sums = Sums()
    accounts.charge(sums.app, sums.container("gold0"), sums.node("gold0"))
    reserved(sums)
    accounts.set_pending(sums.app, PendingAsk(KEY, 2, SIZE, ""), 2, SIZE, "")
    source, target = sums.leaf(), sums.leaf("root.b")
    root = sums.cluster.engine.state.queues["root"]
    before = (root.used, root.pending, dict(root.reserved))

    accounts.move_used(sums.app, source, target)
    accounts.move_pending(sums.app, source, target)

    assert source.used == {"": NOTHING, "gold": NOTHING}
    assert source.pending[""] == NOTHING
    assert source.reserved[""] == NOTHING
    assert target.used == {"": (3072, 3), "gold": SIZE}
    assert target.pending[""] == (4096, 4)
    assert target.reserved[""] == SIZE
    assert (root.used, root.pending, dict(root.reserved)) == before
    assert target.users.get("u").use("gold") == SIZE


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("active", [True, False], ids=["an active user", "one of two users"])
def test_the_fast_path_counts_what_the_general_way_does(
    count: int,
    active: bool,
) -> None:
    one, other = Sums(), Sums()
    for sums in (one, other):
        if not active:
            sums.cluster.submit(2, user="v")
            sums.cluster.cycle()
        ask = PendingAsk(KEY, count, (1024, 1), "")
        accounts.set_pending(sums.app, ask, count, (1024, 1), "")
    for sums, fast in ((one, True), (other, False)):
        for _ in range(count):
            ask, made = sums.app.asks[KEY], sums.container(size=(1024, 1))
            if fast:
                user = sums.leaf().users.get("u")
                accounts.charge_two_types(sums.app, ask, user, made, sums.node())
            else:
                accounts.charge(sums.app, made, sums.node())
                accounts.take_one(sums.app, ask)

    found = [
        (
            sums.used(),
            sums.leaf().pending,
            sums.node().free,
            sums.node().free_slots,
            sums.leaf().users.default_usage.active_used,
            sums.leaf().users.default_usage.ratio,
            sums.leaf().users.active,
            list(sums.app.containers),
            list(sums.node().containers),
            sums.app.asks.keys(),
        )
        for sums in (one, other)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("now", "free", "slots", "total"),
    [
        pytest.param(Node("n0", (8192, 8), pods=20), (7168, 7), 19, (8192, 8), id="as before"),
        pytest.param(Node("n0", (10240, 9), pods=20), (9216, 8), 19, (10240, 9), id="larger"),
        pytest.param(Node("n0", (512, 8), pods=20), (-512, 7), 19, (512, 8), id="too small now"),
        pytest.param(Node("n0", (8192, 8), pods=5), (7168, 7), 4, (8192, 8), id="fewer slots"),
        pytest.param(
            Node("n0", (8192, 8), pods=20, schedulable=False), (7168, 7), 19, NOTHING, id="closed"
        ),
        pytest.param(
            Node("n0", (8192, 8), pods=20, partition="gold"), (7168, 7), 19, NOTHING, id="of gold"
        ),
    ],
)
def test_a_node_that_changes_keeps_what_it_holds(
    now: Node, free: Vector, slots: int, total: Vector
) -> None:
    cluster = SmallCluster(nodes=0)
    cluster.node("n0", pods=20)
    cluster.submit(1)
    cluster.cycle()
    tracker = cluster.engine.state.cluster
    node = tracker.nodes["n0"]

    accounts.resize_node(tracker, node, now)

    assert (node.free, node.free_slots) == (free, slots)
    assert tracker.partition("") == total
    assert len(node.containers) == 1


@pytest.mark.parametrize(
    ("held", "whole", "ratio"),
    [
        pytest.param((4096, 1), (8192, 8), 0.5, id="the larger share"),
        pytest.param((1024, 6), (8192, 8), 0.75, id="of CPU"),
        pytest.param(NOTHING, (8192, 8), 0.0, id="of nothing"),
    ],
)
def test_a_user_is_measured_by_its_dominant_share_of_the_partition(
    held: Vector, whole: Vector, ratio: float
) -> None:
    cluster = SmallCluster(nodes=0)
    cluster.node("n0", whole)
    cluster.submit(1)
    leaf = cluster.engine.state.queues["root.a"]
    assert leaf.leaf
    leaf.users.get("u").usage("").used = held

    accounts.recount_ratios(leaf.users, "")

    assert leaf.users.get("u").usage("").ratio == leaf.users.usage("").ratio == ratio
