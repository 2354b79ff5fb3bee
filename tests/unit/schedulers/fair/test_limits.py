"""What queues, users and applications may not pass, and how they are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.model.errors import ConfigRefused, Rejected
from kubeyarn.model.queues import QueueConfig
from kubeyarn.model.reasons import Reason
from unit.schedulers.fair.building import FairCluster, app_id

A = '<queue name="a"/>'


def why(cluster: FairCluster, number: int, priority: int | None = None) -> Reason | None:
    key = None if priority is None else AskKey(priority)
    verdict = cluster.engine.why(app_id(number), key, cluster.now_ms)
    return None if verdict is None else verdict.reason


def test_only_as_many_applications_of_a_queue_run_as_it_may() -> None:
    cluster = FairCluster('<queue name="a"><maxRunningApps>2</maxRunningApps></queue>')
    for number in (1, 2, 3):
        cluster.submit(number)

    cluster.cycle()

    assert [cluster.count(n) for n in (1, 2, 3)] == [1, 1, 0]
    verdict = cluster.engine.why(app_id(3), None, 0)
    assert verdict is not None
    assert verdict.reason is Reason.PARALLEL_LIMIT
    assert verdict.place == 1
    assert "may run 2" in verdict.message


def test_the_next_in_line_runs_when_a_place_is_free() -> None:
    cluster = FairCluster('<queue name="a"><maxRunningApps>1</maxRunningApps></queue>')
    for number in (1, 2, 3):
        cluster.submit(number)
    cluster.cycle()

    cluster.engine.finish(app_id(1), 0)
    cluster.cycle()

    assert [cluster.count(n) for n in (2, 3)] == [1, 0]


def test_a_users_limit_counts_over_all_queues() -> None:
    cluster = FairCluster(A + '<queue name="b"/><userMaxAppsDefault>1</userMaxAppsDefault>')
    cluster.submit(1, "a", user="alice")
    cluster.submit(2, "b", user="alice")

    cluster.cycle()

    assert cluster.count(2) == 0
    assert why(cluster, 2) is Reason.PARALLEL_LIMIT


def test_a_parents_limit_of_applications_holds_for_its_leaves_together() -> None:
    cluster = FairCluster(
        """<queue name="p"><maxRunningApps>1</maxRunningApps>
             <queue name="x"/><queue name="y"/></queue>"""
    )
    cluster.submit(1, "p.x")
    cluster.submit(2, "p.y")
    cluster.cycle()
    cluster.engine.finish(app_id(1), 0)

    cluster.cycle()

    assert cluster.count(2) == 1


def test_a_raised_limit_lets_waiting_applications_run() -> None:
    cluster = FairCluster('<queue name="a"><maxRunningApps>1</maxRunningApps></queue>')
    cluster.submit(1)
    cluster.submit(2)
    cluster.cycle()

    cluster.reload('<queue name="a"><maxRunningApps>2</maxRunningApps></queue>')
    cluster.cycle()

    assert cluster.count(2) == 1


def test_masters_get_no_more_than_their_share_of_the_queue() -> None:
    cluster = FairCluster('<queue name="a"><maxAMShare>0.2</maxAMShare></queue>')
    for number in range(1, 8):
        cluster.submit(number)

    cluster.cycle()

    # 0.2 is a little more as a 32-bit float, so 4096 is rounded up to 4097: still four masters.
    assert cluster.status("a").am_used == (4096, 4)
    assert cluster.status("a").am_limit == (4097, 4)
    assert why(cluster, 5) is Reason.AM_LIMIT


def test_minus_one_switches_the_check_of_masters_off() -> None:
    cluster = FairCluster('<queue name="a"><maxAMShare>-1.0</maxAMShare></queue>')
    for number in range(1, 31):
        cluster.submit(number)

    cluster.cycle()

    assert cluster.status("a").am_used == (20480, 20)


def test_a_full_queue_says_its_maximum() -> None:
    cluster = FairCluster('<queue name="a"><maxResources>4096 mb,4 vcores</maxResources></queue>')
    cluster.run(1, count=30)
    cluster.cycle()

    verdict = cluster.engine.why(app_id(1), AskKey(1), 0)

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
    verdict = cluster.engine.why(app_id(number), key, cluster.now_ms)
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


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        pytest.param((9000, 1), Reason.MAXIMUM_ALLOCATION, id="above the maximum"),
        pytest.param((1024, 5), Reason.MAXIMUM_ALLOCATION, id="too many cores"),
        pytest.param((-1, 1), Reason.INVALID_REQUEST, id="negative"),
    ],
)
def test_a_size_beyond_the_maximum_allocation_is_refused(
    size: tuple[int, int], reason: Reason
) -> None:
    cluster = FairCluster(A)
    cluster.submit(1)

    with pytest.raises(Rejected) as refused:
        cluster.ask(1, 1, size)

    assert refused.value.reason is reason
    assert cluster.status("a").pending == (1024, 1)


def test_a_queues_own_maximum_container_is_inherited_by_its_leaves() -> None:
    cluster = FairCluster(
        """<queue name="p"><maxContainerAllocation>2048 mb,2 vcores</maxContainerAllocation>
             <queue name="x"/></queue>"""
    )
    cluster.submit(1, "p.x")

    with pytest.raises(Rejected):
        cluster.ask(1, 1, (4096, 1))


def test_an_application_is_refused_where_the_queue_has_none_of_a_resource() -> None:
    cluster = FairCluster('<queue name="a"><maxResources>4096 mb,0 vcores</maxResources></queue>')

    with pytest.raises(Rejected) as refused:
        cluster.submit(1)

    assert refused.value.reason is Reason.QUEUE_MAXIMUM


def test_an_am_larger_than_the_maximum_is_refused() -> None:
    with pytest.raises(Rejected):
        FairCluster(A).submit(1, am=(9000, 1))


def test_who_may_not_submit_is_refused() -> None:
    cluster = FairCluster(
        """<queue name="root"><aclSubmitApps> </aclSubmitApps>
             <aclAdministerApps>boss</aclAdministerApps>
             <queue name="a"><aclSubmitApps>alice devs</aclSubmitApps></queue></queue>"""
    )
    cluster.submit(1, user="alice")
    cluster.submit(2, user="carl", groups=("devs",))
    cluster.submit(3, user="boss")

    with pytest.raises(Rejected) as refused:
        cluster.submit(4, user="bob")

    assert refused.value.reason is Reason.ACCESS_DENIED


@pytest.mark.parametrize("queue", ["p", "a.below"])
def test_what_is_no_leaf_takes_no_application(queue: str) -> None:
    cluster = FairCluster(A + '<queue name="p"><queue name="x"/></queue>')

    with pytest.raises(Rejected) as refused:
        cluster.submit(1, queue)

    assert refused.value.reason is Reason.QUEUE_NOT_LEAF


def test_drf_is_not_allowed_below_fair_so_the_queue_is_not_made() -> None:
    cluster = FairCluster('<queue name="a"><schedulingPolicy>drf</schedulingPolicy></queue>')

    assert cluster.paths() == ["root"]
    with pytest.raises(Rejected):
        cluster.submit(1)


def test_a_minimum_allocation_above_the_maximum_is_refused() -> None:
    cluster = FairCluster(A)
    cluster.settings["yarn.scheduler.minimum-allocation-mb"] = "9000"

    with pytest.raises(ConfigRefused, match="memory 9000 and the maximum memory 8192"):
        cluster.reload(A)


def test_headroom_is_the_rest_of_the_fair_share() -> None:
    cluster = FairCluster(A + '<queue name="b"/>')
    cluster.submit(1, "a")
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(1, 4)
    cluster.cycle()

    assert cluster.engine.headroom(app_id(1)) == (10240 - 5 * 1024, 14)


def test_applications_have_no_priorities() -> None:
    cluster = FairCluster(A)
    cluster.submit(1)

    with pytest.raises(Rejected, match="does not order applications by priority"):
        cluster.engine.set_priority(app_id(1), 7, 0)


def test_a_partition_cannot_be_asked_for() -> None:
    from kubeyarn.model.asks import Ask

    cluster = FairCluster(A)
    cluster.submit(1)

    with pytest.raises(Rejected) as refused:
        cluster.engine.update_asks(app_id(1), [Ask(AskKey(1), 1, (1024, 1), "gpu")], 0)

    assert refused.value.reason is Reason.PARTITION_ACCESS


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (("root", "root.a.b"), "ParentNotFound"),
        (("root.a",), "ParentNotFound"),
        (("root", "root. a"), "InvalidField"),
    ],
)
def test_a_tree_that_does_not_hang_together_is_refused(paths: tuple[str, ...], reason: str) -> None:
    cluster = FairCluster(A)
    config = replace(cluster.config(A), queues=tuple(QueueConfig(path) for path in paths))

    with pytest.raises(ConfigRefused) as refused:
        cluster.engine.configure(config, 0)

    assert {problem.reason for problem in refused.value.problems} == {reason}
    assert cluster.paths() == ["root", "root.a"]
