"""What a parent lets a child hold, and what a child at its limit keeps from its siblings."""

from __future__ import annotations

import pytest

from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import OfferConfig
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
from kubeyarn.schedulers.capacity.objects.resource_limits import (
    ResourceLimits,
    SchedulingOpportunity,
)
from unit.schedulers.small import SmallCluster


@pytest.mark.parametrize(
    ("blocked", "net"),
    [
        pytest.param([], (10, 10), id="nothing is blocked"),
        pytest.param([(4, 2)], (6, 8), id="by one child"),
        pytest.param([(4, 2), (3, 3)], (3, 5), id="by two"),
        pytest.param([(0, 0)], (10, 10), id="a child at its limit that has nothing left"),
        pytest.param([(12, 2)], (-2, 8), id="more than there is"),
    ],
)
def test_what_is_blocked_is_not_there_for_others(blocked: list[Vector], net: Vector) -> None:
    limits = ResourceLimits((10, 10))

    for amount in blocked:
        limits.add_blocked_headroom(amount)

    assert limits.net_limit() == net
    assert limits.limit == (10, 10)


@pytest.mark.parametrize(
    ("maximum", "limit", "used", "blocked", "available"),
    [
        pytest.param("100", (16, 16), 0, None, (16, 16), id="all of two nodes"),
        pytest.param("50", (16, 16), 0, None, (8, 8), id="no more than its own maximum"),
        pytest.param("100", (4, 4), 0, None, (4, 4), id="no more than its parent lets it"),
        pytest.param("100", (16, 16), 3, None, (13, 13), id="less what it holds"),
        pytest.param("50", (16, 16), 3, None, (5, 5), id="less what it holds of its maximum"),
        pytest.param("100", (16, 16), 3, (4, 4), (9, 9), id="less what a child keeps"),
        pytest.param("100", (2, 2), 3, None, (-1, -1), id="less than nothing over its limit"),
    ],
)
def test_what_a_queue_may_still_hold(
    maximum: str, limit: Vector, used: int, blocked: Vector | None, available: Vector
) -> None:
    cluster = SmallCluster(
        {
            "root.queues": "p",
            "root.p.capacity": "100",
            "root.p.maximum-capacity": maximum,
            "root.p.queues": "a",
            "root.p.a.capacity": "100",
            "root.p.a.user-limit-factor": "4",
        },
        nodes=2,
    )
    if used:
        cluster.submit(1)
        cluster.ask(1, used - 1)
        assert len(cluster.cycle()) == used
    cluster.engine.state.bring_up_to_date()
    parent = cluster.engine.state.queues["root.p"]
    assert not parent.leaf
    limits = ResourceLimits((limit[0] * 1024, limit[1]))
    if blocked is not None:
        limits.add_blocked_headroom((blocked[0] * 1024, blocked[1]))

    found = parent.available_limit(limits, "", net=True)

    assert found == (available[0] * 1024, available[1])


@pytest.mark.parametrize(
    ("room", "held", "limit"),
    [
        pytest.param((4096, 4), 0, (4096, 4), id="what the parent has left"),
        pytest.param((4096, 4), 2, (6144, 6), id="and what the child holds already"),
        pytest.param((4500, 4), 0, (4096, 4), id="in whole minimum allocations"),
        pytest.param((1000, 4), 2, (2048, 6), id="of both together"),
        pytest.param((-1024, -1), 2, (1024, 1), id="less than it holds, where the parent is over"),
    ],
)
def test_what_a_child_may_hold(room: Vector, held: int, limit: Vector) -> None:
    cluster = SmallCluster(nodes=2)
    if held:
        cluster.submit(1)
        cluster.ask(1, held - 1)
        assert len(cluster.cycle()) == held
    cluster.engine.state.bring_up_to_date()
    state = cluster.engine.state

    found = state.root_in_force().child_limit(state.queues["root.a"], room, "")

    assert found == limit


def test_a_node_of_a_shared_partition_is_lent_to_asks_for_no_partition() -> None:
    tracker = CapacityNodeTracker(ResourceTypes())
    node = tracker.add(Node("n", (8, 8), partition="gold"))
    offer = SchedulingOpportunity(node, OfferConfig(), tracker.nodes, 0, [])
    assert (offer.partition, offer.requested_partition) == ("gold", "gold")

    offer.ignore_partition_exclusivity(am_may=False)

    assert (offer.partition, offer.requested_partition) == ("gold", "")
    assert offer.ignore_exclusivity
    assert not offer.am_may_ignore_exclusivity
