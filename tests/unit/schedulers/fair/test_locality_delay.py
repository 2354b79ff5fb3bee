"""How long an ask waits for the nodes and racks it names."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.fair_queues import FairClusterConfig, FairOffers
from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.fair.cluster_state import FairClusterState
from kubeyarn.schedulers.fair.locality_delay import (
    NODE_LOCAL,
    NOT_SET,
    OFF_SWITCH,
    RACK_LOCAL,
    allowed_level,
    count_down,
    is_on_wanted_place,
    locality_on,
)
from kubeyarn.schedulers.fair.objects.app_attempt import AllowedLocality, FSPendingAsk
from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
from unit.schedulers.fair.building import GIB, FairCluster, app_id

HERE = Node("n1", (10240, 10), rack="/r1")
SAME_RACK = Node("n2", (10240, 10), rack="/r1")
ELSEWHERE = Node("n3", (10240, 10), rack="/r2")


def thresholds(node: float, rack: float) -> FairOffers:
    return FairOffers(node_locality_threshold=node, rack_locality_threshold=rack)


@pytest.mark.parametrize(
    ("node", "rack", "level", "opportunities", "nodes", "expected"),
    [
        pytest.param(-1.0, -1.0, NOT_SET, 0, 10, OFF_SWITCH, id="no thresholds: anywhere"),
        pytest.param(-1.0, 0.5, NOT_SET, 0, 10, OFF_SWITCH, id="no node threshold: anywhere"),
        pytest.param(0.5, -1.0, NOT_SET, 0, 10, OFF_SWITCH, id="no rack threshold: anywhere"),
        pytest.param(0.5, 0.5, NOT_SET, 9, 10, NODE_LOCAL, id="the first time: the node"),
        pytest.param(0.5, 0.5, NODE_LOCAL, 5, 10, NODE_LOCAL, id="as many as the threshold"),
        pytest.param(0.5, 0.5, NODE_LOCAL, 6, 10, RACK_LOCAL, id="one more: the rack"),
        pytest.param(0.5, 0.5, RACK_LOCAL, 5, 10, RACK_LOCAL, id="the rack's threshold"),
        pytest.param(0.5, 0.5, RACK_LOCAL, 6, 10, OFF_SWITCH, id="one more: anywhere"),
        pytest.param(0.5, 1.0, RACK_LOCAL, 6, 10, RACK_LOCAL, id="each level has its own"),
        pytest.param(1.0, 0.0, NODE_LOCAL, 10, 10, NODE_LOCAL, id="all nodes pass by"),
        pytest.param(2.0, 0.5, NODE_LOCAL, 11, 10, RACK_LOCAL, id="a threshold is at most 1"),
        pytest.param(0.0, 0.5, NODE_LOCAL, 1, 10, RACK_LOCAL, id="0 waits for one"),
        pytest.param(0.5, 0.5, OFF_SWITCH, 0, 10, OFF_SWITCH, id="anywhere stays"),
        # 0.1 is 0.10000000149011612 in single precision, so one of ten is not more than it.
        pytest.param(0.1, 0.5, NODE_LOCAL, 1, 10, NODE_LOCAL, id="a float's tenth of ten is more"),
    ],
)
def test_the_allowed_level_goes_one_on_after_enough_opportunities(
    node: float, rack: float, level: int, opportunities: int, nodes: int, expected: int
) -> None:
    allowed = AllowedLocality(opportunities, level)

    assert allowed_level(allowed, thresholds(node, rack), nodes) == expected


def test_a_new_level_begins_to_count_anew() -> None:
    allowed = AllowedLocality(6, NODE_LOCAL)

    allowed_level(allowed, thresholds(0.5, 0.5), 10)

    assert allowed == AllowedLocality(0, RACK_LOCAL)


def state(node: float = -1.0, rack: float = -1.0) -> FairClusterState:
    found = FairClusterState(ResourceTypes(), 0)
    found.config = FairClusterConfig(offers=thresholds(node, rack))
    for one in (HERE, SAME_RACK, ELSEWHERE):
        found.nodes[one.name] = FSSchedulerNode(one, (0, 0))
    return found


def pending(
    *, node: int = 0, rack: int = 0, named_rack: int = 0, relax: bool = True
) -> FSPendingAsk:
    """An ask for n1 and, by it or by name, for its rack."""
    locality = Locality(
        nodes=(("n1", node),) if node else (),
        racks=(("/r1", named_rack),) if named_rack else (),
        relax=relax,
    )
    ask = FSPendingAsk(Ask(AskKey(1), 2, (1024, 1), locality=locality), 2)
    if node:
        ask.nodes["n1"] = node
    if node or rack or named_rack:
        ask.racks["/r1"] = node or rack or named_rack
    return ask


@pytest.mark.parametrize(
    ("ask", "on", "level", "expected"),
    [
        pytest.param(pending(), ELSEWHERE, NODE_LOCAL, OFF_SWITCH, id="no wish: anywhere"),
        pytest.param(pending(node=1), HERE, NODE_LOCAL, NODE_LOCAL, id="the node itself"),
        pytest.param(
            pending(node=1), HERE, OFF_SWITCH, NODE_LOCAL, id="the node, though any would do"
        ),
        pytest.param(pending(node=1), SAME_RACK, NODE_LOCAL, None, id="its rack is too far yet"),
        pytest.param(pending(node=1), SAME_RACK, RACK_LOCAL, RACK_LOCAL, id="its rack will do now"),
        pytest.param(pending(node=1), ELSEWHERE, RACK_LOCAL, None, id="elsewhere is too far yet"),
        pytest.param(pending(node=1), ELSEWHERE, OFF_SWITCH, OFF_SWITCH, id="anywhere will do now"),
        pytest.param(
            pending(node=1, relax=False), SAME_RACK, OFF_SWITCH, None, id="strict: not its rack"
        ),
        pytest.param(
            pending(node=1, relax=False), ELSEWHERE, OFF_SWITCH, None, id="strict: not elsewhere"
        ),
        pytest.param(
            pending(node=1, relax=False), HERE, NODE_LOCAL, NODE_LOCAL, id="strict: the node"
        ),
        pytest.param(
            pending(named_rack=1, relax=False),
            SAME_RACK,
            RACK_LOCAL,
            RACK_LOCAL,
            id="strict: a rack by name",
        ),
        pytest.param(
            pending(named_rack=1, relax=False),
            ELSEWHERE,
            OFF_SWITCH,
            None,
            id="strict: another rack",
        ),
        pytest.param(
            pending(named_rack=1), SAME_RACK, NODE_LOCAL, None, id="a rack has to wait, too"
        ),
        pytest.param(
            pending(named_rack=1), SAME_RACK, RACK_LOCAL, RACK_LOCAL, id="a rack by name, now"
        ),
    ],
)
def test_a_node_is_near_enough_or_a_nearer_one_is_waited_for(
    ask: FSPendingAsk, on: Node, level: int, expected: int | None
) -> None:
    ask.allowed_locality = AllowedLocality(0, level)

    assert locality_on(state(1.0, 1.0), ask, on) == expected


def test_each_offer_counts_as_an_opportunity() -> None:
    ask = pending(node=1)

    for _ in range(3):
        locality_on(state(1.0, 1.0), ask, ELSEWHERE)

    assert ask.allowed_locality == AllowedLocality(3, NODE_LOCAL)


def test_an_ask_for_any_node_counts_nothing() -> None:
    ask = pending()

    locality_on(state(1.0, 1.0), ask, ELSEWHERE)

    assert ask.allowed_locality == AllowedLocality(0, NOT_SET)


@pytest.mark.parametrize(
    ("ask", "on", "expected"),
    [
        pytest.param(pending(node=1), ELSEWHERE, True, id="relaxed: anywhere"),
        pytest.param(pending(node=1, relax=False), HERE, True, id="the node"),
        pytest.param(pending(node=1, relax=False), SAME_RACK, False, id="not another of its rack"),
        pytest.param(pending(node=1, relax=False), ELSEWHERE, False, id="not elsewhere"),
        pytest.param(pending(named_rack=1, relax=False), HERE, True, id="the rack by name"),
        pytest.param(pending(named_rack=1, relax=False), SAME_RACK, True, id="any node of it"),
        pytest.param(pending(named_rack=1, relax=False), ELSEWHERE, False, id="no other rack"),
        pytest.param(pending(rack=1, relax=False), HERE, False, id="a rack nobody named"),
    ],
)
def test_an_ask_that_does_not_relax_is_served_where_it_was_asked(
    ask: FSPendingAsk, on: Node, *, expected: bool
) -> None:
    assert is_on_wanted_place(ask, on) is expected


@pytest.mark.parametrize(
    ("level", "on", "nodes", "racks"),
    [
        pytest.param(NODE_LOCAL, HERE, 1, 1, id="on the node: one less there and in its rack"),
        pytest.param(RACK_LOCAL, SAME_RACK, 2, 1, id="in the rack: one less in it"),
        pytest.param(OFF_SWITCH, ELSEWHERE, 2, 2, id="elsewhere: counts stay"),
    ],
)
def test_a_grant_counts_down_where_it_was(level: int, on: Node, nodes: int, racks: int) -> None:
    ask = pending(node=2)
    ask.allowed_locality.level = OFF_SWITCH

    count_down(ask, on, level)

    assert (ask.count, ask.nodes["n1"], ask.racks["/r1"]) == (1, nodes, racks)
    assert ask.allowed_locality.level == level


def test_a_far_grant_does_not_take_back_what_was_nearer() -> None:
    ask = pending(node=2)
    ask.allowed_locality.level = NODE_LOCAL

    count_down(ask, ELSEWHERE, OFF_SWITCH)

    assert ask.allowed_locality.level == NODE_LOCAL


A = '<queue name="a"/>'


def racks(**settings: str) -> FairCluster:
    cluster = FairCluster(A, nodes=0, **settings)
    for number in range(4):
        cluster.scheduler.add_node(Node(f"n{number}", (10240, 10), rack=f"/r{number % 2}"))
    cluster.submit(1)
    cluster.cycle()
    return cluster


def ask(cluster: FairCluster, locality: Locality, count: int = 1) -> None:
    cluster.scheduler.update_asks(app_id(1), [Ask(AskKey(1), count, GIB, None, locality)], 0)
    cluster.scheduler.update(0)


def offered(cluster: FairCluster, *nodes: str) -> list[int]:
    return [len(cluster.scheduler.node_update(node, 0)) for node in nodes]


def test_without_thresholds_any_node_will_do() -> None:
    cluster = racks()
    ask(cluster, Locality(nodes=(("n3", 1),)))

    assert offered(cluster, "n0") == [1]


def test_with_thresholds_the_node_is_waited_for_then_the_rack_then_any() -> None:
    cluster = racks(**{"locality.threshold.node": "0.5", "locality.threshold.rack": "0.5"})
    ask(cluster, Locality(nodes=(("n3", 3),)), count=3)

    assert offered(cluster, "n0", "n1", "n0") == [0, 0, 0]
    assert offered(cluster, "n1") == [1]
    assert offered(cluster, "n3") == [1]


def test_asking_again_does_not_begin_the_wait_anew() -> None:
    """An ApplicationMaster says at every heartbeat what it still wants."""
    cluster = racks(**{"locality.threshold.node": "0.5", "locality.threshold.rack": "0.5"})
    for _ in range(3):
        ask(cluster, Locality(nodes=(("n3", 3),)), count=3)
        assert offered(cluster, "n0") == [0]

    ask(cluster, Locality(nodes=(("n3", 3),)), count=3)

    assert offered(cluster, "n1") == [1]


def test_without_relaxation_only_the_named_node_will_do() -> None:
    cluster = racks()
    ask(cluster, Locality(nodes=(("n3", 1),), relax=False))

    assert offered(cluster, "n0", "n1", "n2", "n3") == [0, 0, 0, 1]


def test_without_relaxation_the_named_rack_will_do() -> None:
    cluster = racks()
    ask(cluster, Locality(racks=(("/r1", 1),), relax=False))

    assert offered(cluster, "n0", "n2", "n1") == [0, 0, 1]
