"""Queues and applications share the cluster."""

from __future__ import annotations

import pytest

from kubeyarn.hadoop.fair_yarn_site_xml import read_fair_scheduler
from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.fair.scheduler import FairScheduler
from unit.schedulers.fair.building import GIB, FairCluster, app_id, grants

AB = '<queue name="a"/><queue name="b"/>'


def test_queues_of_equal_weight_end_with_equal_parts() -> None:
    cluster = FairCluster(AB)
    cluster.submit(1, "a")
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(1, 30)
    cluster.ask(2, 30)

    cluster.cycle()

    assert (cluster.count(1), cluster.count(2)) == (10, 10)


def test_weights_divide_the_cluster() -> None:
    cluster = FairCluster('<queue name="a"/><queue name="b"><weight>3</weight></queue>')
    cluster.submit(1, "a")
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(1, 30)
    cluster.ask(2, 30)

    cluster.cycle()

    assert (cluster.count(1), cluster.count(2)) == (5, 15)


def test_a_queue_alone_takes_everything() -> None:
    cluster = FairCluster(AB)
    cluster.run(1, count=30)

    cluster.cycle()

    assert cluster.count(1) == 20


def test_a_queue_never_passes_its_maximum() -> None:
    cluster = FairCluster('<queue name="a"><maxResources>4096 mb,4 vcores</maxResources></queue>')
    cluster.run(1, count=30)

    cluster.cycle()

    assert cluster.status("a").used == (4096, 4)


def test_a_parents_maximum_holds_for_its_leaves_together() -> None:
    cluster = FairCluster(
        """<queue name="p"><maxResources>6144 mb,6 vcores</maxResources>
             <queue name="x"/><queue name="y"/></queue>"""
    )
    cluster.run(1, "p.x", count=30)
    cluster.run(2, "p.y", count=30)

    cluster.cycle()

    assert cluster.status("p").used == (6144, 6)


def test_a_queue_below_its_minimum_is_served_first() -> None:
    cluster = FairCluster(
        """<queue name="a"><minResources>8192 mb,8 vcores</minResources></queue>
           <queue name="b"><weight>8</weight></queue>"""
    )
    cluster.submit(1, "a")
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(1, 30)
    cluster.ask(2, 30)

    first = grants(cluster.cycle(limit=7))

    assert {c.id.attempt.application for c in first} == {app_id(1)}


def test_fifo_serves_the_older_application_first() -> None:
    cluster = FairCluster('<queue name="a"><schedulingPolicy>fifo</schedulingPolicy></queue>')
    cluster.submit(1)
    cluster.submit(2)
    cluster.cycle()
    cluster.ask(2, 30)
    cluster.ask(1, 15)

    cluster.cycle()

    assert (cluster.count(1), cluster.count(2)) == (16, 4)


def test_drf_equalises_dominant_shares() -> None:
    cluster = FairCluster(
        AB + "<defaultQueueSchedulingPolicy>drf</defaultQueueSchedulingPolicy>", nodes=4
    )
    cluster.submit(1, "a")
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(1, 40, (3072, 1))
    cluster.ask(2, 40, (1024, 3))

    cluster.cycle()

    memory_heavy, cpu_heavy = cluster.status("a").used, cluster.status("b").used
    assert abs(memory_heavy[0] / 40960 - cpu_heavy[1] / 40) < 0.1


def test_the_steady_share_counts_idle_queues_and_the_instantaneous_one_does_not() -> None:
    cluster = FairCluster(AB)
    cluster.run(1, count=1)
    cluster.cycle()

    status = cluster.status("a")

    assert status.steady_fair_share == (10240, 0)
    assert status.instantaneous_fair_share == (20480, 0)


def test_size_based_weight_gives_larger_applications_more() -> None:
    cluster = FairCluster('<queue name="a"/>', nodes=3, sizebasedweight="true")
    cluster.submit(1)
    cluster.submit(2)
    cluster.cycle()
    cluster.ask(1, 900)
    cluster.ask(2, 19)

    cluster.cycle()

    assert cluster.count(1) > cluster.count(2)


def test_one_heartbeat_gives_one_container() -> None:
    cluster = FairCluster('<queue name="a"/>')
    cluster.run(1, count=9)
    cluster.scheduler.update(0)

    assert len(cluster.scheduler.node_update("n0", 0)) == 1


def test_with_assignmultiple_a_heartbeat_gives_half_of_what_is_free_and_one_more() -> None:
    cluster = FairCluster('<queue name="a"/>', nodes=1, assignmultiple="true")
    cluster.run(1, count=9)
    cluster.scheduler.update(0)

    assert len(cluster.scheduler.node_update("n0", 0)) == 5


def test_with_a_fixed_maximum_a_heartbeat_gives_that_many() -> None:
    cluster = FairCluster(
        '<queue name="a"/>',
        **{"assignmultiple": "true", "dynamic.max.assign": "false", "max.assign": "3"},
    )
    cluster.run(1, count=9)
    cluster.scheduler.update(0)

    assert len(cluster.scheduler.node_update("n0", 0)) == 3


def test_sizes_are_rounded_up_to_the_increment() -> None:
    cluster = FairCluster('<queue name="a"/>')
    cluster.run(1, count=1, size=(1100, 1))

    granted = grants(cluster.cycle())

    assert [container.size for container in granted] == [(2048, 1)]


def test_a_cordoned_node_takes_no_container() -> None:
    cluster = FairCluster('<queue name="a"/>', nodes=0)
    cluster.scheduler.add_node(Node("n", (10240, 10), schedulable=False))
    cluster.submit(1)

    assert cluster.cycle() == []


def test_a_lost_node_takes_its_containers_and_its_share_with_it() -> None:
    cluster = FairCluster('<queue name="a"/>')
    cluster.run(1, count=30)
    cluster.cycle()

    lost = cluster.scheduler.remove_node("n1")

    assert len(lost) == 10
    assert cluster.status("a").used == (10240, 10)
    assert cluster.status("a").steady_fair_share == (10240, 0)


def test_a_cycle_with_nothing_new_decides_nothing() -> None:
    cluster = FairCluster('<queue name="a"/>')
    cluster.run(1, count=30)
    cluster.cycle()

    assert cluster.cycle() == []


def test_a_container_is_freed_once() -> None:
    cluster = FairCluster('<queue name="a"/>')
    cluster.run(1, count=3)
    cluster.cycle()
    container = cluster.held(1)[-1]

    cluster.scheduler.release(container.id, 0)
    cluster.scheduler.release(container.id, 0)

    assert cluster.status("a").used == (3072, 3)


def test_recovered_containers_count_and_the_master_is_not_asked_for_again() -> None:
    before = FairCluster('<queue name="a"/>')
    before.run(1, count=4)
    before.cycle()
    after = FairCluster('<queue name="a"/>')
    after.submit(1)

    for container in before.held(1):
        after.scheduler.recover(app_id(1), container)
        after.scheduler.recover(app_id(1), container)

    assert after.status("a").used == before.status("a").used
    assert after.status("a").am_used == GIB
    assert after.cycle() == []


def test_a_container_may_be_known_before_its_node() -> None:
    before = FairCluster('<queue name="a"/>')
    before.run(1, count=4)
    before.cycle()
    after = FairCluster('<queue name="a"/>', nodes=0)
    after.submit(1)
    for container in before.held(1):
        after.scheduler.recover(app_id(1), container)

    for number in range(2):
        after.scheduler.add_node(Node(f"n{number}", (10240, 10)))
    after.ask(1, 30)
    after.cycle()

    assert after.status("a").used == (20480, 20)
    after.scheduler.release(after.held(1)[0].id, 0)
    assert after.status("a").used == (19456, 19)


@pytest.mark.parametrize("policy", ["fair", "drf"])
def test_a_state_that_was_rebuilt_decides_like_the_one_before(policy: str) -> None:
    queues = AB + f"<defaultQueueSchedulingPolicy>{policy}</defaultQueueSchedulingPolicy>"
    before = FairCluster(queues)
    before.run(1, "a", count=30)
    before.cycle()
    after = FairCluster(queues)
    after.submit(1, "a")
    for container in before.held(1):
        after.scheduler.recover(app_id(1), container)
    after.ask(1, 11)
    for cluster in (before, after):
        cluster.submit(2, "b")
        cluster.release(1, 3)

    assert before.cycle() == after.cycle()


def test_an_ask_no_node_here_could_serve_does_not_hold_up_the_next() -> None:
    types = ResourceTypes(("memory", "cpu", "gpu"))
    scheduler = FairScheduler(types)
    scheduler.configure(read_fair_scheduler({}, "<allocations/>", types), 0)
    scheduler.add_node(Node("plain", (10240, 10, 0)))
    scheduler.add_node(Node("small", (512, 1, 1)))
    scheduler.submit(Application(app_id(1), "alice", am_size=(1024, 1, 0), submitted_ms=1), 0)
    scheduler.cycle(0, 10)
    with_gpu, without = Ask(AskKey(1), 1, (1024, 1, 1)), Ask(AskKey(2), 1, (1024, 1, 0))
    scheduler.update_asks(app_id(1), [with_gpu, without], 0)

    granted = grants(scheduler.cycle(0, 10))

    assert [container.key for container in granted] == [AskKey(2)]
