"""Containers are taken back for those below their share."""

from __future__ import annotations

from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.schedulers.api import Preempt, Reserve
from unit.schedulers.fair.building import FairCluster, app_id

FAST = """<defaultFairSharePreemptionTimeout>10</defaultFairSharePreemptionTimeout>
          <defaultFairSharePreemptionThreshold>1.0</defaultFairSharePreemptionThreshold>"""
AB = '<queue name="a"/><queue name="b"/>'


def starving(queues: str, **settings: str) -> FairCluster:
    """Application 1 holds the whole cluster from queue a, application 2 waits in b."""
    cluster = FairCluster(queues, preemption="true", **settings)
    cluster.run(1, "a", count=30)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.wait(0)
    return cluster


def settle(cluster: FairCluster, rounds: int = 6) -> None:
    for _ in range(rounds):
        cluster.wait(3600)
        cluster.preempt()
        cluster.cycle()
        if cluster.count(2) == 1:
            cluster.ask(2, 30)


def test_a_starved_queue_gets_its_fair_share_back() -> None:
    cluster = starving(AB + FAST)

    settle(cluster)

    assert (cluster.count(1), cluster.count(2)) == (10, 10)


def test_only_the_threshold_of_the_fair_share_is_taken_by_force() -> None:
    half = FAST.replace("1.0", "0.5")
    cluster = starving(AB + half)

    settle(cluster)

    assert cluster.count(2) == 5


def test_nothing_is_taken_before_the_timeout() -> None:
    cluster = starving(AB + FAST)

    cluster.wait(9)

    assert cluster.preempt() == []


def test_nothing_is_taken_where_preemption_is_off() -> None:
    cluster = FairCluster(AB + FAST)
    cluster.run(1, "a", count=30)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.wait(3600)

    assert cluster.preempt() == []


def test_nothing_is_taken_while_the_cluster_is_not_busy_enough() -> None:
    cluster = FairCluster(AB + FAST, preemption="true", nodes=4)
    cluster.run(1, "a", count=30)
    cluster.cycle()
    cluster.submit(2, "b", am=(8192, 4))
    cluster.wait(3600)

    assert cluster.preempt() == []


def test_a_protected_queue_loses_nothing() -> None:
    cluster = starving(
        '<queue name="a"><allowPreemptionFrom>false</allowPreemptionFrom></queue>'
        '<queue name="b"/>' + FAST
    )

    settle(cluster)

    assert cluster.count(1) == 20


def test_protection_is_inherited() -> None:
    cluster = FairCluster(
        '<queue name="p"><allowPreemptionFrom>false</allowPreemptionFrom><queue name="x"/></queue>'
        '<queue name="b"/>' + FAST,
        preemption="true",
    )
    cluster.run(1, "p.x", count=30)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.wait(3600)

    assert cluster.preempt() == []


def test_a_queue_below_its_minimum_gets_containers_back() -> None:
    cluster = starving(
        '<queue name="a"/><queue name="b"><minResources>6144 mb,6 vcores</minResources>'
        "<minSharePreemptionTimeout>5</minSharePreemptionTimeout></queue>"
    )

    cluster.wait(3600)

    assert len(cluster.preempt()) == 1
    cluster.cycle()
    assert cluster.count(2) == 1


def test_nobody_is_brought_below_its_fair_share_for_anothers_minimum() -> None:
    cluster = starving(
        '<queue name="a"/><queue name="b"><minResources>6144 mb,6 vcores</minResources>'
        "<minSharePreemptionTimeout>5</minSharePreemptionTimeout></queue>"
    )

    settle(cluster)

    # Hadoop asks for more than the minimum here; the fair share of the other queue ends it.
    assert (cluster.count(1), cluster.count(2)) == (10, 10)


def test_masters_go_last() -> None:
    cluster = FairCluster(
        '<queue name="a"><maxAMShare>-1.0</maxAMShare></queue><queue name="b"/>' + FAST,
        preemption="true",
        nodes=1,
    )
    for number in range(1, 6):
        cluster.submit(number)
    cluster.cycle()
    for number in range(1, 6):
        cluster.ask(number, 1)
    cluster.cycle()
    cluster.submit(9, "b")
    cluster.wait(0)
    cluster.wait(3600)

    assert [container.am for container in cluster.preempt()] == [False]


def test_masters_stay_where_am_preemption_is_off() -> None:
    cluster = FairCluster(
        '<queue name="a"><maxAMShare>-1.0</maxAMShare></queue><queue name="b"/>' + FAST,
        nodes=1,
        **{"preemption": "true", "am.preemption.root.a": "false"},
    )
    for number in range(1, 11):
        cluster.submit(number)
    cluster.cycle()
    cluster.submit(19, "b")
    cluster.wait(0)
    cluster.wait(3600)

    assert cluster.preempt() == []


def test_a_container_is_marked_first_and_killed_when_its_time_is_up() -> None:
    cluster = starving(AB + FAST)
    cluster.wait(60)

    marked = cluster.scheduler.preempt(cluster.now_ms)
    soon = cluster.scheduler.preempt(cluster.now_ms + 14_999)
    due = cluster.scheduler.preempt(cluster.now_ms + 15_000)

    assert [(d.kill, d.message != "") for d in marked if isinstance(d, Preempt)] == [(False, True)]
    assert soon == []
    assert [d.kill for d in due if isinstance(d, Preempt)] == [True]


def test_the_room_goes_to_the_application_it_was_made_for() -> None:
    cluster = starving(AB + FAST)
    cluster.wait(3600)
    cluster.preempt()

    granted = cluster.cycle()

    assert {_owner(decision) for decision in granted} == {app_id(2)}


def _owner(decision: object) -> ApplicationId:
    return decision.container.id.attempt.application  # type: ignore[attr-defined]


def test_a_large_container_reserves_a_node_until_it_fits() -> None:
    cluster = FairCluster(AB)
    cluster.run(1, "a", count=17)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(2, 1, (4096, 1))

    decisions = cluster.cycle()

    assert [type(decision) for decision in decisions] == [Reserve]
    assert cluster.status("b").reserved == (4096, 1)
    reserved_node = decisions[0].node  # type: ignore[union-attr]
    for container in [c for c in cluster.held(1) if c.node == reserved_node and not c.am][:4]:
        cluster.scheduler.release(container.id, 0)
    cluster.cycle()
    assert cluster.status("b").used == (5120, 2)
    assert cluster.status("b").reserved == (0, 0)


def test_a_reservation_that_is_not_needed_any_more_is_given_up() -> None:
    cluster = FairCluster(AB)
    cluster.run(1, "a", count=17)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(2, 1, (4096, 1))
    cluster.cycle()

    cluster.ask(2, 0, (4096, 1))
    cluster.cycle()

    assert cluster.status("b").reserved == (0, 0)


def test_an_application_that_ends_gives_up_its_reservation() -> None:
    cluster = FairCluster(AB)
    cluster.run(1, "a", count=17)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(2, 1, (4096, 1))
    cluster.cycle()

    cluster.scheduler.finish(app_id(2), 0)

    assert cluster.status("b").reserved == (0, 0)
    cluster.ask(1, 10)
    cluster.cycle()
    assert cluster.status("a").used == (20480, 20)


def test_a_small_container_reserves_nothing() -> None:
    cluster = FairCluster(AB, nodes=1)
    cluster.run(1, "a", count=9)
    cluster.cycle()
    cluster.submit(2, "b")

    assert cluster.cycle() == []


def test_the_queue_it_started_in_says_whether_a_master_may_go() -> None:
    """Hadoop looks the setting up once for each attempt; a move does not change it."""
    weightless = '<queue name="{}"><weight>0</weight></queue>'
    queues = weightless.format("a") + weightless.format("m") + '<queue name="b"/>' + FAST
    queues += "<queueMaxAMShareDefault>-1</queueMaxAMShareDefault>"
    settings = {"am.preemption": "false", "am.preemption.root.a": "true"}
    moved = FairCluster(queues, nodes=1, preemption="true", **settings)
    stayed = FairCluster(queues, nodes=1, preemption="true", **settings)
    for cluster, first in ((moved, "a"), (stayed, "m")):
        for number in range(10, 20):
            cluster.submit(number, first)
            cluster.cycle()
        for number in range(10, 20):
            cluster.scheduler.move(app_id(number), "m", 0)
        cluster.submit(2, "b")
        cluster.wait(0)
        cluster.wait(3600)

    assert len(moved.preempt()) == 1
    assert stayed.preempt() == []


def test_asks_are_sought_room_for_in_the_order_of_their_hashes() -> None:
    """Of priorities 1 and 2, Hadoop's map lists 2 first."""
    cluster = starving(AB + FAST)
    settle(cluster, rounds=1)
    cluster.ask(2, 3, (4096, 1), priority=1)
    cluster.ask(2, 9, (1024, 1), priority=2)

    cluster.wait(3600)

    attempt = cluster.scheduler.state.attempts[app_id(2)]
    sought = cluster.scheduler._preemption.starved_asks(attempt)
    assert [(ask.ask.size, count) for ask, count in sought] == [((1024, 1), 9)]


def test_a_cluster_whose_usable_part_is_full_is_busy_enough() -> None:
    cluster = starving(AB + FAST)
    cluster.scheduler.add_node(Node("closed", (40960, 40), schedulable=False))
    cluster.wait(61)

    assert cluster.preempt()


def test_nothing_is_taken_on_a_node_that_takes_no_containers() -> None:
    cluster = starving(AB + FAST)
    cluster.scheduler.update_node(Node("n0", (10240, 10), schedulable=False))
    cluster.wait(61)

    assert {container.node for container in cluster.preempt()} == {"n1"}
