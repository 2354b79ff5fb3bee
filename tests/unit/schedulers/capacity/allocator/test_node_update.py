"""Cycles, nodes that come and go, recovery, and what is told of who waits."""

from __future__ import annotations

from kubeyarn.model.asks import AskKey, Locality
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import AttemptId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import Partition
from kubeyarn.model.reasons import Reason
from unit.schedulers.small import SmallCluster, app_id

GOLD = (Partition("gold"),)
FOR_GOLD = {
    f"{path}.accessible-node-labels{suffix}": value
    for path in ("root", "root.a")
    for suffix, value in (("", "gold"), (".gold.capacity", "100"))
}


def test_a_cycle_stops_at_its_limit_and_the_next_goes_on() -> None:
    one = {"per-node-heartbeat.maximum-offswitch-assignments": "1"}
    cluster = SmallCluster(one, nodes=4)
    cluster.submit(1)
    cluster.ask(1, 11)

    first, second = cluster.cycle(5), cluster.cycle(100)

    assert (len(first), len(second)) == (5, 7)
    assert first[0].am
    assert [c.id.number for c in (*first, *second)] == list(range(1, 13))


def test_equal_queues_are_served_in_turn() -> None:
    cluster = SmallCluster(nodes=2)
    for number, queue in ((1, "a"), (2, "b")):
        cluster.submit(number, queue)
        cluster.ask(number, 20)
    cluster.cycle()

    assert cluster.status("root.a").used == cluster.status("root.b").used == (8192, 8)


def test_a_container_given_back_is_granted_again_once() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.ask(1, 20)
    held = cluster.cycle()
    cluster.engine.release(held[-1].id, 1)
    cluster.engine.release(held[-1].id, 1)

    assert len(cluster.cycle()) == 1


def test_what_runs_is_counted_again_after_a_restart_and_numbers_go_on() -> None:
    cluster = SmallCluster(epoch=3)
    cluster.submit(1)
    attempt = AttemptId(app_id(1), 1)
    for number, am in ((1, True), (4, False)):
        name = ContainerId(attempt, 3, number)
        cluster.engine.recover(app_id(1), Container(name, AskKey(1), "n0", (1024, 1), "", am))
    cluster.ask(1, 1)

    assert [c.id.number for c in cluster.cycle()] == [5]
    assert cluster.status("root.a").used == (3072, 3)


def test_a_lost_nodes_containers_are_released() -> None:
    cluster = SmallCluster(nodes=2)
    cluster.submit(1)
    cluster.ask(1, 15)
    cluster.cycle()

    lost = cluster.engine.remove_node("n0")

    assert len(lost) == 8
    assert cluster.status("root.a").used == (8192, 8)
    assert cluster.status("root.a").maximum == (8192, 8)


def test_a_node_like_one_that_is_not_schedulable_is_offered_all_the_same() -> None:
    cluster = SmallCluster()
    cluster.node("n0", schedulable=False)
    cluster.node("n1")
    cluster.submit(1)

    assert [container.node for container in cluster.cycle()] == ["n1"]


def test_nothing_is_granted_on_a_node_that_is_not_schedulable() -> None:
    cluster = SmallCluster()
    cluster.node("n0", schedulable=False)
    cluster.submit(1)
    assert cluster.cycle() == []

    cluster.node("n0", schedulable=True)
    assert len(cluster.cycle()) == 1


def test_containers_go_along_when_their_node_changes_partition() -> None:
    cluster = SmallCluster(FOR_GOLD, partitions=GOLD)
    cluster.submit(1)
    cluster.cycle()

    cluster.engine.update_node(Node("n0", (8192, 8), partition="gold"))

    assert [c.partition for c in cluster.engine.containers()] == ["gold"]
    assert cluster.engine.state.queues["root.a"].use("gold") == (1024, 1)
    assert cluster.engine.state.queues["root.a"].use("") == (0, 0)


def test_an_enforced_partition_serves_only_applications_of_its_own() -> None:
    settings = {
        **FOR_GOLD,
        "root.a.ordering-policy": "fifo-with-partitions",
        "root.a.ordering-policy.exclusive-enforced-partitions": "gold",
    }
    cluster = SmallCluster(settings, partitions=GOLD)
    cluster.node("g", partition="gold")
    cluster.submit(1)
    cluster.submit(2, am_partition="gold")
    cluster.cycle()
    cluster.ask(1, 1, partition="gold")
    cluster.ask(2, 1, partition="gold")

    assert [c.id.attempt.application.number for c in cluster.cycle()] == [2]


def test_a_reservation_holds_a_nodes_room_until_it_is_enough() -> None:
    cluster = SmallCluster(nodes=2)
    cluster.submit(1)
    cluster.ask(1, 12)
    first = [c for c in cluster.cycle() if c.node == "n0" and not c.am]
    cluster.submit(2, "b")
    cluster.cycle()
    for container in first[:2]:
        cluster.engine.release(container.id, 1)
    cluster.ask(2, 1, (4096, 4))
    assert cluster.cycle() == []
    assert cluster.status("root.b").reserved == (4096, 4)
    for container in first[2:4]:
        cluster.engine.release(container.id, 1)

    assert [(c.node, c.size) for c in cluster.cycle()] == [("n0", (4096, 4))]
    assert cluster.status("root.b").reserved == (0, 0)


def test_a_reservation_is_granted_in_its_own_size_though_another_is_asked_by_now() -> None:
    cluster = SmallCluster(nodes=2)
    cluster.submit(1)
    cluster.ask(1, 12)
    first = [c for c in cluster.cycle() if c.node == "n0" and not c.am]
    cluster.submit(2, "b")
    cluster.cycle()
    for container in first[:2]:
        cluster.engine.release(container.id, 1)
    cluster.ask(2, 1, (4096, 4))
    cluster.cycle()
    cluster.ask(2, 1, (3072, 3))
    cluster.engine.release(first[2].id, 1)
    assert cluster.cycle() == []
    cluster.engine.release(first[3].id, 1)

    assert [(c.node, c.size) for c in cluster.cycle()] == [("n0", (4096, 4))]
    assert cluster.status("root.b").used == (5120, 5)
    assert cluster.status("root.b").pending == (0, 0)


def reason(cluster: SmallCluster, number: int, priority: int | None = 1) -> Reason:
    verdict = cluster.why(number, priority)
    assert verdict is not None
    assert verdict.message
    return verdict.reason


def test_nothing_stops_what_nobody_wants() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.cycle()

    assert cluster.why(1) is None
    assert cluster.why(1, None) is None


def test_the_am_limit_is_named_with_amounts_and_place() -> None:
    cluster = SmallCluster({"maximum-am-resource-percent": "0.1"})
    for number in (1, 2, 3):
        cluster.submit(number)
    cluster.cycle()
    verdict = cluster.why(3, None)

    assert verdict is not None
    assert (verdict.reason, verdict.place) == (Reason.AM_LIMIT, 2)
    assert "1024" in verdict.message or "1 GiB" in verdict.message or "1Gi" in verdict.message


def test_the_limit_on_parallel_applications_is_named() -> None:
    cluster = SmallCluster({"root.a.max-parallel-apps": "1"})
    cluster.submit(1)
    cluster.submit(2)
    cluster.cycle()
    assert reason(cluster, 2, None) is Reason.PARALLEL_LIMIT

    cluster.engine.finish(app_id(1), 0)
    assert len(cluster.cycle()) == 1


def test_a_queues_and_a_users_limits_are_named() -> None:
    cluster = SmallCluster({"root.a.maximum-capacity": "50", "root.b.user-limit-factor": "0.5"})
    for number, queue in ((1, "a"), (2, "b")):
        cluster.submit(number, queue)
        cluster.ask(number, 20)
    cluster.cycle()

    assert reason(cluster, 1) is Reason.QUEUE_MAXIMUM
    assert reason(cluster, 2) is Reason.USER_LIMIT


def test_room_that_does_not_exist_and_room_that_is_taken_are_told_apart() -> None:
    cluster = SmallCluster(others={"yarn.scheduler.maximum-allocation-vcores": "32"})
    # Some node has that many vcores, but not with so much memory.
    cluster.node("wide", (512, 32))
    cluster.submit(1)
    cluster.ask(1, 20)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.ask(1, 1, (1024, 20), priority=2)

    assert reason(cluster, 2, None) is Reason.NODES_BUSY
    assert reason(cluster, 1, 2) is Reason.NO_NODE_FITS


def test_a_place_that_must_be_is_waited_for() -> None:
    cluster = SmallCluster(nodes=2)
    cluster.submit(1)
    cluster.cycle()
    only = Locality(nodes=(("n1", 2),), relax=False)
    cluster.ask(1, 2, locality=only)

    assert {c.node for c in cluster.cycle()} == {"n1"}
