"""Which queue, and which application of it, a node is offered to, and who passes."""

from __future__ import annotations

from collections import Counter

import pytest

from kubeyarn.model.queues import OfferConfig, Partition
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.capacity.allocator.assign_containers import can_assign_to_queue
from kubeyarn.schedulers.capacity.objects.resource_limits import (
    ResourceLimits,
    SchedulingOpportunity,
)
from unit.schedulers.small import SmallCluster, app_id

ONE_EACH = {"per-node-heartbeat.maximum-offswitch-assignments": "1"}
HALF_FOR_P = {
    "root.queues": "p,q",
    "root.p.capacity": "50",
    "root.q.capacity": "50",
    "root.p.maximum-capacity": "50",
    "root.p.queues": "x,y",
    "root.p.x.capacity": "50",
    "root.p.y.capacity": "50",
    "root.p.x.user-limit-factor": "4",
    "root.p.y.user-limit-factor": "4",
}
"""root.p may hold half of the cluster, and each user of x and y all of that."""


def gib(amount: int) -> Vector:
    return (amount * 1024, amount)


def numbers(cluster: SmallCluster, limit: int = 1000) -> list[int]:
    """The applications that one cycle grants containers, in order."""
    return [container.id.attempt.application.number for container in cluster.cycle(limit)]


@pytest.mark.parametrize(
    ("used", "limit", "unreservable", "look", "may", "headroom"),
    [
        pytest.param(0, 8, None, True, True, 8, id="nothing is held"),
        pytest.param(7, 8, None, True, True, 1, id="below its limit"),
        pytest.param(8, 8, None, True, False, 0, id="at its limit"),
        pytest.param(9, 8, None, True, False, -1, id="over its limit"),
        pytest.param(7, 6, None, True, False, -1, id="over what its parent lets it hold"),
        pytest.param(8, 8, 2, True, True, 0, id="at its limit, with reservations to give up"),
        pytest.param(8, 8, 0, True, False, 0, id="at its limit, with none to give up"),
        pytest.param(10, 8, 2, True, False, -2, id="over it even without reservations"),
        pytest.param(10, 8, 3, True, True, -2, id="over it, and not without reservations"),
        pytest.param(8, 8, 2, False, False, 0, id="reservations are not looked at"),
    ],
)
def test_a_queue_takes_a_node_while_it_is_below_its_limit(
    used: int,
    limit: int,
    unreservable: int | None,
    look: bool,
    may: bool,
    headroom: int,
) -> None:
    cluster = SmallCluster({"root.a.maximum-capacity": "50"}, nodes=2)
    cluster.engine.state.bring_up_to_date()
    state = cluster.engine.state
    queue = state.queues["root.a"]
    queue.usage("").used = gib(used)
    rules = OfferConfig(continue_look_at_reservations=look)
    offer = SchedulingOpportunity(state.cluster.nodes["n0"], rules, state.cluster.nodes, 0, [])
    limits = ResourceLimits(gib(limit))
    held = None if unreservable is None else gib(unreservable)

    assert can_assign_to_queue(queue, offer, limits, held) is may
    assert limits.headroom == gib(headroom)


def test_where_exclusivity_is_ignored_only_the_partition_is_a_limit() -> None:
    cluster = SmallCluster({"root.a.maximum-capacity": "50"}, nodes=2)
    cluster.engine.state.bring_up_to_date()
    state = cluster.engine.state
    queue = state.queues["root.a"]
    queue.usage("").used = gib(12)
    nodes = state.cluster.nodes
    offer = SchedulingOpportunity(nodes["n0"], OfferConfig(), nodes, 0, [])
    offer.ignore_partition_exclusivity(am_may=False)
    limits = ResourceLimits(gib(1))

    assert can_assign_to_queue(queue, offer, limits, None)
    assert limits.headroom == gib(4)


@pytest.mark.parametrize(
    ("capacities", "granted"),
    [
        pytest.param(("50", "50"), [1, 2, 1, 2, 1, 2], id="equal guarantees: in turn"),
        pytest.param(("75", "25"), [2, 1, 1, 1, 1, 1], id="three times the guarantee, three times"),
        pytest.param(("25", "75"), [1, 2, 2, 2, 2, 2], id="the other way round"),
    ],
)
def test_the_queue_that_uses_least_of_its_guarantee_is_offered_a_node_first(
    capacities: tuple[str, str], granted: list[int]
) -> None:
    one, other = capacities
    cluster = SmallCluster({**ONE_EACH, "root.a.capacity": one, "root.b.capacity": other}, nodes=2)
    for number, queue in ((1, "a"), (2, "b")):
        cluster.submit(number, queue)
    cluster.cycle()
    for number in (1, 2):
        cluster.ask(number, 20)

    assert sorted(numbers(cluster, 6)) == sorted(granted)


@pytest.mark.parametrize(
    ("settings", "granted"),
    [
        pytest.param({}, {1: 14}, id="all there is"),
        pytest.param({"root.a.maximum-capacity": "75"}, {1: 11}, id="up to its own maximum"),
        pytest.param(
            {"root.a.user-limit-factor": "1"}, {1: 8}, id="its user's limit, and one more"
        ),
        pytest.param(
            {"root.a.user-limit-factor": "0.3"}, {1: 2}, id="a small limit, in whole containers"
        ),
    ],
)
def test_a_queue_alone_gets(settings: dict[str, str], granted: dict[int, int]) -> None:
    cluster = SmallCluster(settings, nodes=2)
    cluster.submit(1, "a")
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(1, 100)

    assert Counter(numbers(cluster)) == Counter(granted)


def test_a_parents_maximum_holds_for_its_children_together() -> None:
    cluster = SmallCluster(HALF_FOR_P, nodes=2)
    for number, queue in ((1, "x"), (2, "y")):
        cluster.submit(number, queue)
    cluster.cycle()
    for number in (1, 2):
        cluster.ask(number, 100)

    assert Counter(numbers(cluster)) == Counter({1: 3, 2: 3})
    assert cluster.status("root.p").used == gib(8)


def test_a_user_over_its_limit_is_passed_over_for_the_next() -> None:
    cluster = SmallCluster({**ONE_EACH, "root.a.minimum-user-limit-percent": "50"}, nodes=2)
    cluster.submit(1, user="u")
    cluster.submit(2, user="v")
    cluster.cycle()
    cluster.ask(1, 100)
    cluster.cycle(6)
    cluster.ask(2, 4)

    # u holds 7 and may hold about half of what both do, so v catches up first.
    assert numbers(cluster, 4) == [2, 2, 2, 2]


def test_what_a_queue_at_its_limit_could_not_use_is_kept_from_its_siblings() -> None:
    # root.p may hold 8. x wants one of 4 and has room for 3, so y, which would fit, is kept out.
    cluster = SmallCluster({**ONE_EACH, **HALF_FOR_P}, nodes=2)
    for number, queue in ((1, "x"), (2, "y")):
        cluster.submit(number, queue)
    cluster.cycle()
    cluster.ask(2, 3)
    assert len(cluster.cycle()) == 3

    cluster.ask(1, 1, (4096, 4))
    cluster.ask(2, 1)
    assert numbers(cluster) == []

    cluster.ask(1, 0)
    assert numbers(cluster) == [2]


@pytest.mark.parametrize(
    ("exclusive", "granted"),
    [
        pytest.param(True, 0, id="of an exclusive partition nothing is lent"),
        pytest.param(False, 5, id="a shared one is lent to who has no access"),
    ],
)
def test_nodes_of_a_partition_are_for_queues_with_access(
    exclusive: bool,
    granted: int,
) -> None:
    partitions = (Partition("gold", exclusive=exclusive),)
    access = {
        "root.accessible-node-labels": "gold",
        "root.accessible-node-labels.gold.capacity": "100",
        "root.b.accessible-node-labels": "gold",
        "root.b.accessible-node-labels.gold.capacity": "100",
        "root.a.accessible-node-labels": " ",
        "root.a.user-limit-factor": "10",
    }
    cluster = SmallCluster(access, nodes=1, partitions=partitions)
    cluster.node("gold0", partition="gold")
    cluster.submit(1, "a")
    cluster.cycle()
    cluster.ask(1, 5)
    here = cluster.engine.state.cluster.nodes["n0"]
    cluster.node("n0", schedulable=False)

    for _ in range(5):
        cluster.cycle()

    held = cluster.engine.state.apps[app_id(1)].containers.values()
    assert sum(container.node == "gold0" for container in held) == granted
    assert here.free == gib(7)
