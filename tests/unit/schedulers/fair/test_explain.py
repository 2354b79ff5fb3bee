"""What queues, users and applications may not pass, and how they are told."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from unit.schedulers.fair.building import A, FairCluster, app_id, why


def test_a_full_queue_says_its_maximum() -> None:
    cluster = FairCluster('<queue name="a"><maxResources>4096 mb,4 vcores</maxResources></queue>')
    cluster.run(1, count=30)
    cluster.cycle()

    verdict = cluster.scheduler.why(app_id(1), AskKey(1), 0)

    assert verdict is not None
    assert verdict.reason is Reason.QUEUE_MAXIMUM
    assert "memory 4096" in verdict.message


def test_a_full_parent_says_so() -> None:
    cluster = FairCluster(
        '<queue name="p"><maxResources>4096 mb,4 vcores</maxResources><queue name="x"/></queue>'
    )
    cluster.run(1, "p.x", count=30)
    cluster.cycle()

    assert why(cluster, 1, 1) is Reason.PARENT_MAXIMUM


def test_a_queue_below_its_fair_share_in_a_full_cluster_is_told_so() -> None:
    cluster = FairCluster(A + '<queue name="b"/>')
    cluster.run(1, "a", count=30)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.cycle()

    assert why(cluster, 2) is Reason.BELOW_IN_FAIR_SHARE


def told(cluster: FairCluster, number: int, priority: int | None = None) -> str:
    key = None if priority is None else AskKey(priority)
    verdict = cluster.scheduler.why(app_id(number), key, cluster.now_ms)
    assert verdict is not None
    return verdict.message


def test_below_the_fair_share_is_said_with_both_amounts() -> None:
    cluster = FairCluster(A + '<queue name="b"/>')
    cluster.run(1, "a", count=30)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.cycle()

    assert "root.b holds memory 0, below its fair share of memory 10240" in told(cluster, 2)


def test_under_drf_the_dominant_share_counts_and_both_amounts_are_said() -> None:
    drf = "<defaultQueueSchedulingPolicy>drf</defaultQueueSchedulingPolicy>"
    cluster = FairCluster(drf + A + '<queue name="b"/>')
    cluster.run(2, "b", count=3, size=(1024, 3))
    cluster.cycle()
    cluster.run(1, "a", count=20)
    cluster.cycle()
    cluster.ask(2, 5, (1024, 3))
    cluster.cycle()

    # Half of all vcores is its share, whatever memory it leaves to others.
    assert why(cluster, 2, 1) is Reason.NODES_BUSY
    cluster.release(2, 1)
    cluster.ask(2, 5, (1024, 4))
    assert "root.b holds memory 3072, cpu 7, below its fair share of memory 10240, cpu 10" in told(
        cluster, 2, 1
    )


def test_over_the_maximum_is_said_with_what_is_held_what_is_wanted_and_the_maximum() -> None:
    cluster = FairCluster('<queue name="a"><maxResources>4096 mb,9 vcores</maxResources></queue>')
    cluster.run(1, count=30, size=(2048, 1))
    cluster.cycle()

    assert told(cluster, 1, 1) == (
        "queue root.a holds memory 3072, cpu 2; with memory 2048, cpu 1 more it would pass its "
        "maximum, memory 4096, cpu 9"
    )


def test_the_share_of_masters_is_said_with_what_they_use_want_and_may_use() -> None:
    cluster = FairCluster('<queue name="a"><maxAMShare>0.2</maxAMShare></queue>')
    for number in range(1, 8):
        cluster.submit(number)
    cluster.cycle()

    assert told(cluster, 5) == (
        "queue root.a: ApplicationMasters use memory 4096, cpu 4, this one wants memory 1024, "
        "cpu 1, together they may use memory 4097, cpu 4 (maxAMShare 0.2)"
    )


def test_running_limits_are_said_with_how_many_run_and_may() -> None:
    cluster = FairCluster(
        '<queue name="a"><maxRunningApps>1</maxRunningApps></queue><queue name="b"/>'
        '<user name="al"><maxRunningApps>2</maxRunningApps></user>'
    )
    for number, queue in enumerate("abab", start=1):
        cluster.submit(number, queue, user="al")
    cluster.submit(5, "a", user="bo")
    cluster.cycle()

    assert told(cluster, 4) == "user al runs 2 applications and may run 2"
    assert told(cluster, 5) == "queue root.a runs 1 applications and may run 1"


def test_a_queue_at_its_fair_share_in_a_full_cluster_hears_that_nodes_are_busy() -> None:
    cluster = FairCluster(A)
    cluster.run(1, "a", count=30)
    cluster.cycle()

    assert why(cluster, 1, 1) is Reason.NODES_BUSY


def test_nothing_waits_and_nothing_is_said() -> None:
    cluster = FairCluster(A)
    cluster.run(1, count=1)
    cluster.cycle()

    assert why(cluster, 1, 1) is None
    assert why(cluster, 1) is None


def test_no_node_is_large_enough() -> None:
    cluster = FairCluster(A, nodes=0)
    cluster.submit(1)

    assert why(cluster, 1) is Reason.NO_NODE_FITS


def test_applications_have_no_priorities() -> None:
    cluster = FairCluster(A)
    cluster.submit(1)

    with pytest.raises(Rejected, match="does not order applications by priority"):
        cluster.scheduler.set_priority(app_id(1), 7, 0)
