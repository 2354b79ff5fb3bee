"""One offer of one node, and what is granted or reserved on it."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.api import Decision, Grant, Reserve
from unit.schedulers.fair.building import GIB, FairCluster, app_id

A = '<queue name="a"><maxAMShare>-1</maxAMShare></queue>'
AB = A + '<queue name="b"><maxAMShare>-1</maxAMShare></queue>'


def offer(cluster: FairCluster, node: str = "n0") -> list[str]:
    """What one offer decides, in a word each."""
    cluster.scheduler.update(cluster.now_ms)
    return [word(decision) for decision in cluster.scheduler.node_update(node, cluster.now_ms)]


def word(decision: Decision) -> str:
    if isinstance(decision, Grant):
        return f"grant {decision.container.id.attempt.application.number}"
    assert isinstance(decision, Reserve)
    return f"reserve {decision.application.number}"


@pytest.mark.parametrize(
    ("settings", "grants"),
    [
        pytest.param({}, 1, id="one by default"),
        pytest.param({"assignmultiple": "true"}, 6, id="half of 10 GiB and one more"),
        pytest.param(
            {"assignmultiple": "true", "dynamic.max.assign": "false"},
            10,
            id="all, without a maximum",
        ),
        pytest.param(
            {"assignmultiple": "true", "dynamic.max.assign": "false", "max.assign": "4"},
            4,
            id="four",
        ),
        pytest.param(
            {"assignmultiple": "true", "dynamic.max.assign": "false", "max.assign": "99"},
            10,
            id="a maximum above what is there",
        ),
        pytest.param({"max.assign": "4"}, 1, id="a maximum without assignmultiple"),
    ],
)
def test_an_offer_grants_so_many(settings: dict[str, str], grants: int) -> None:
    cluster = FairCluster(A, nodes=1, **settings)
    cluster.submit(1, am=None)
    cluster.ask(1, 20)

    assert offer(cluster) == ["grant 1"] * grants


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param([(1024, 1)], "grant 1", id="what fits"),
        pytest.param([(4096, 1), (1024, 1)], "grant 1", id="the first, if it fits"),
        pytest.param([(8192, 1), (1024, 1)], "reserve 1", id="the first, if it does not fit"),
        pytest.param([(1024, 1), (8192, 1)], "grant 1", id="the first is small"),
        pytest.param([(1024, 4), (1024, 1)], "grant 1", id="the vcores fit"),
    ],
)
def test_the_first_ask_that_could_run_here_decides(sizes: list[Vector], expected: str) -> None:
    """Application 2 holds 5 GiB of the node's ten."""
    cluster = FairCluster(AB, nodes=1, **{"reservable-nodes": "1.0"})
    cluster.run(2, "b", count=4)
    cluster.cycle()
    cluster.submit(1, am=None)
    asks = [Ask(AskKey(place), 1, size) for place, size in enumerate(sizes, start=1)]
    cluster.scheduler.update_asks(app_id(1), asks, 0)

    assert offer(cluster) == [expected]
    left = [ask.key.priority for ask in cluster.scheduler.queries.outstanding(app_id(1))]
    granted = expected.startswith("grant")
    assert left == list(range(2 if granted else 1, len(sizes) + 1))


def hogged(**settings: str) -> FairCluster:
    """Three nodes of 10 GiB of which queue a holds 9 each; b has nothing and asks for 4 GiB."""
    cluster = FairCluster(AB, nodes=3, **settings)
    cluster.submit(1, "a", am=None)
    cluster.ask(1, 27)
    cluster.cycle()
    cluster.submit(2, "b", am=None)
    return cluster


@pytest.mark.parametrize(
    ("size", "settings", "reserved"),
    [
        pytest.param((4096, 4), {}, 1, id="at most one node in twenty, rounded up"),
        pytest.param((4096, 4), {"reservable-nodes": "0.5"}, 2, id="at most half, rounded up"),
        pytest.param((4096, 4), {"reservable-nodes": "1.0"}, 3, id="all nodes"),
        pytest.param((4096, 4), {"reservable-nodes": "0"}, 0, id="none"),
        pytest.param((2048, 2), {"reservable-nodes": "1.0"}, 3, id="two increments are large"),
        pytest.param((1024, 2), {"reservable-nodes": "1.0"}, 0, id="one increment is not"),
    ],
)
def test_what_is_large_enough_reserves_so_many_nodes(
    size: Vector, settings: dict[str, str], reserved: int
) -> None:
    cluster = hogged(**settings)
    cluster.ask(2, 5, size)

    found = [len(offer(cluster, node)) for node in ("n0", "n1", "n2")]

    assert sum(found) == reserved
    assert cluster.status("b").reserved == (size[0] * reserved, size[1] * reserved)


@pytest.mark.parametrize(("multiple", "reserved"), [("1", 1), ("2", 1), ("3", 0), ("2.5", 0)])
def test_how_many_increments_are_large_is_a_setting(multiple: str, reserved: int) -> None:
    cluster = hogged()
    cluster.settings["yarn.scheduler.reservation-threshold.increment-multiple"] = multiple
    cluster.reload(AB)
    cluster.ask(2, 5, (2048, 2))

    assert len(offer(cluster)) == reserved


def test_a_reserved_node_is_offered_to_nobody_else() -> None:
    cluster = hogged(**{"reservable-nodes": "1.0"})
    cluster.ask(2, 1, (4096, 4))
    first = offer(cluster)
    cluster.ask(1, 30)

    assert first == ["reserve 2"]
    assert offer(cluster) == []
    assert cluster.count(1) == 27


def test_a_reserved_container_is_granted_with_its_id_once_it_fits() -> None:
    cluster = hogged(**{"reservable-nodes": "1.0"})
    cluster.ask(2, 1, (4096, 4))
    offer(cluster)
    reserved = cluster.scheduler.state.nodes["n0"].reserved_container
    for container in [c for c in cluster.held(1) if c.node == "n0"][:3]:
        cluster.scheduler.release(container.id, 0)

    assert offer(cluster) == ["grant 2"]
    assert reserved is not None
    assert [container.id for container in cluster.held(2)] == [reserved.container]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param("cancel", [], id="what it was for is not asked any more"),
        pytest.param("exclude", [], id="the node is excluded"),
        pytest.param("keep", ["reserve 2"], id="nothing changed"),
    ],
)
def test_a_reservation_is_given_up_when_it_cannot_be_used(change: str, expected: list[str]) -> None:
    cluster = hogged(**{"reservable-nodes": "1.0"})
    cluster.ask(2, 1, (4096, 4))
    offer(cluster)
    if change == "cancel":
        cluster.ask(2, 0, (4096, 4))
    elif change == "exclude":
        locality = Locality(excluded=frozenset({"n0"}))
        ask = Ask(AskKey(1), 1, (4096, 4), locality=locality)
        cluster.scheduler.update_asks(app_id(2), [ask], 0)
    offer(cluster)

    kept = cluster.scheduler.state.nodes["n0"].reserved_container

    assert (kept is not None) == bool(expected)


@pytest.mark.parametrize(
    ("node", "grants"),
    [
        pytest.param(Node("m", (10240, 10)), 1, id="a node"),
        pytest.param(Node("m", (10240, 10), schedulable=False), 0, id="a cordoned node"),
        pytest.param(Node("m", (512, 1)), 0, id="a node that is too small"),
        pytest.param(Node("m", (1024, 0)), 0, id="a node without vcores"),
        pytest.param(Node("m", (1024, 1)), 1, id="a node that is just large enough"),
    ],
)
def test_a_node_is_of_use_or_not(node: Node, grants: int) -> None:
    cluster = FairCluster(A, nodes=1)
    cluster.scheduler.add_node(node)
    cluster.submit(1, am=None)
    cluster.ask(1, 1)

    assert len(offer(cluster, "m")) == grants


@pytest.mark.parametrize(
    ("queues", "granted"),
    [
        pytest.param('<queue name="p"><queue name="x"/></queue>', 10, id="no maximum"),
        pytest.param(
            '<queue name="p"><queue name="x">'
            "<maxResources>3072 mb,9 vcores</maxResources></queue></queue>",
            3,
            id="the leaf's maximum of memory",
        ),
        pytest.param(
            '<queue name="p"><queue name="x">'
            "<maxResources>9216 mb,2 vcores</maxResources></queue></queue>",
            2,
            id="the leaf's maximum of vcores",
        ),
        pytest.param(
            '<queue name="p"><maxResources>4096 mb,9 vcores</maxResources>'
            '<queue name="x"/></queue>',
            4,
            id="the parent's",
        ),
        pytest.param(
            '<queue name="root"><maxResources>5120 mb,9 vcores</maxResources>'
            '<queue name="p"><queue name="x"/></queue></queue>',
            5,
            id="the root's",
        ),
        pytest.param(
            '<queue name="p"><maxResources>4096 mb,9 vcores</maxResources>'
            '<queue name="x"><maxResources>8192 mb,9 vcores</maxResources></queue></queue>',
            4,
            id="the smaller one",
        ),
    ],
)
def test_no_queue_passes_its_maximum(queues: str, granted: int) -> None:
    cluster = FairCluster(queues, nodes=1)
    cluster.submit(1, "p.x", am=None)
    cluster.ask(1, 20)
    cluster.cycle()

    assert cluster.count(1) == granted


def test_what_was_preempted_for_one_is_offered_to_it_first() -> None:
    cluster = hogged()
    cluster.ask(2, 1)
    cluster.scheduler.update(0)
    state = cluster.scheduler.state
    taken = next(c for c in cluster.held(1) if c.node == "n0")
    state.attempts[app_id(2)].fair_share_starvation = GIB
    cluster.scheduler._preemption._accounts.preempt_for(
        state.attempts[app_id(2)], state.nodes["n0"], [taken]
    )
    cluster.ask(1, 30)
    cluster.scheduler.release(taken.id, 0)

    assert offer(cluster)[0] == "grant 2"
    assert state.nodes["n0"].resources_preempted_for_app == {}


def test_what_was_preempted_for_one_that_needs_it_no_more_is_forgotten() -> None:
    cluster = hogged()
    state = cluster.scheduler.state
    taken = next(c for c in cluster.held(1) if c.node == "n0")
    cluster.scheduler._preemption._accounts.preempt_for(
        state.attempts[app_id(2)], state.nodes["n0"], [taken]
    )

    offer(cluster)

    assert state.nodes["n0"].resources_preempted_for_app == {}
