"""Queues come with the configuration and on demand, and go when they are empty."""

from __future__ import annotations

import pytest

from kubeyarn.model.errors import Rejected
from kubeyarn.model.nodes import Node
from kubeyarn.model.reasons import Reason
from unit.schedulers.fair.building import FairCluster, app_id

A = '<queue name="a"/>'


def test_an_undeclared_queue_is_made_with_its_parents() -> None:
    cluster = FairCluster(A)

    assert cluster.submit(1, "p.q") == "root.p.q"
    assert cluster.paths() == ["root", "root.a", "root.p", "root.p.q"]


def test_an_empty_undeclared_queue_vanishes_at_the_next_look() -> None:
    cluster = FairCluster(A)
    cluster.submit(1, "p.q")
    cluster.scheduler.finish(app_id(1), 0)

    cluster.now_ms = 10_000
    cluster.cycle()

    assert cluster.paths() == ["root", "root.a"]


def test_a_queue_in_use_stays() -> None:
    cluster = FairCluster(A)
    cluster.submit(1, "p.q")

    cluster.now_ms = 10_000
    cluster.cycle()

    assert "root.p.q" in cluster.paths()


def test_undeclared_children_have_the_maximum_their_parent_gives_such_children() -> None:
    cluster = FairCluster(
        """<queue name="p" type="parent">
             <maxChildResources>2048 mb,2 vcores</maxChildResources></queue>"""
    )

    cluster.submit(1, "p.fresh")

    assert cluster.status("p.fresh").maximum == (2048, 2)


def test_a_queue_that_is_no_longer_declared_vanishes_when_empty() -> None:
    cluster = FairCluster(A + '<queue name="b"/>')

    cluster.reload(A)
    assert "root.b" in cluster.paths()
    cluster.now_ms = 10_000
    cluster.cycle()

    assert cluster.paths() == ["root", "root.a"]


def test_a_leaf_in_use_becomes_a_parent_once_it_is_empty() -> None:
    cluster = FairCluster(A)
    cluster.submit(1)

    cluster.reload('<queue name="a"><queue name="x"/></queue>')
    assert "root.a.x" not in cluster.paths()
    cluster.scheduler.finish(app_id(1), 0)
    cluster.now_ms = 10_000
    cluster.cycle()

    assert cluster.submit(2, "a.x") == "root.a.x"


def test_a_reload_changes_weights_and_keeps_containers() -> None:
    cluster = FairCluster(A + '<queue name="b"/>')
    cluster.run(1, "a", count=5)
    cluster.run(2, "b", count=5)
    cluster.cycle()

    cluster.reload('<queue name="a"><weight>4</weight></queue><queue name="b"/>')
    cluster.scheduler.update(0)

    assert (cluster.count(1), cluster.count(2)) == (6, 6)
    assert cluster.status("a").instantaneous_fair_share == (16384, 0)


def test_an_application_moves_with_all_it_holds() -> None:
    cluster = FairCluster(A + '<queue name="b"/>')
    cluster.run(1, "a", count=3)
    cluster.cycle()

    assert cluster.scheduler.move(app_id(1), "b", 0) == "root.b"

    assert cluster.status("a").used == (0, 0)
    assert cluster.status("b").used == (4096, 4)
    assert cluster.status("b").containers == 4


@pytest.mark.parametrize(
    ("queue", "reason"),
    [
        ("nowhere", Reason.QUEUE_NOT_LEAF),
        ("p", Reason.QUEUE_NOT_LEAF),
        ("small", Reason.QUEUE_MAXIMUM),
        ("full", Reason.PARALLEL_LIMIT),
    ],
)
def test_a_move_that_breaks_a_limit_is_refused_and_changes_nothing(
    queue: str, reason: Reason
) -> None:
    cluster = FairCluster(
        A
        + """<queue name="small"><maxResources>2048 mb,2 vcores</maxResources></queue>
             <queue name="full"><maxRunningApps>0</maxRunningApps></queue>
             <queue name="p"><queue name="x"/></queue>"""
    )
    cluster.run(1, "a", count=3)
    cluster.cycle()

    with pytest.raises(Rejected) as refused:
        cluster.scheduler.move(app_id(1), queue, 0)

    assert refused.value.reason is reason
    assert cluster.status("a").used == (4096, 4)


def test_an_application_that_leaves_makes_room_for_one_that_waits() -> None:
    cluster = FairCluster(
        '<queue name="a"><maxRunningApps>1</maxRunningApps></queue><queue name="b"/>'
    )
    cluster.submit(1)
    cluster.submit(2)
    cluster.cycle()

    cluster.scheduler.move(app_id(1), "b", 0)
    cluster.cycle()

    assert cluster.count(2) == 1


def test_a_further_attempt_asks_for_a_master_again() -> None:
    cluster = FairCluster(A)
    cluster.run(1, count=3)
    cluster.cycle()
    for container in cluster.held(1):
        cluster.scheduler.release(container.id, 0)

    cluster.scheduler.start_attempt(app_id(1), 2, 5000)
    cluster.cycle()

    assert [str(container.id) for container in cluster.held(1)] == ["container_1_0001_02_000001"]
    assert cluster.status("a").am_used == (1024, 1)


def test_an_application_that_is_submitted_again_stays_where_it_is() -> None:
    cluster = FairCluster(A)
    cluster.submit(1)
    cluster.cycle()

    assert cluster.submit(1, "elsewhere") == "root.a"
    assert cluster.status("a").used == (1024, 1)


def test_before_there_is_a_configuration_applications_are_refused() -> None:
    from kubeyarn.model.applications import Application
    from kubeyarn.schedulers.fair.scheduler import FairScheduler

    with pytest.raises(Rejected) as refused:
        FairScheduler().submit(Application(app_id(1), "alice"), 0)

    assert refused.value.reason is Reason.QUEUE_NOT_FOUND


def test_a_queue_for_reservations_takes_others_in_a_leaf_of_its_own() -> None:
    cluster = FairCluster('<queue name="plan"><reservation/></queue><queue name="a"/>')

    assert cluster.submit(1, "plan") == "root.plan.plan-default"
    cluster.submit(2, "a")
    assert cluster.scheduler.move(app_id(2), "plan", 0) == "root.plan.plan-default"


def test_a_reload_leaves_undeclared_children_their_steady_share_until_nodes_come() -> None:
    """Hadoop shares steadily before it limits such children again."""
    limited = '<queue name="p" type="parent"><maxChildResources>{} mb,1 vcores</maxChildResources>'
    cluster = FairCluster(limited.format(2048) + "</queue>")
    cluster.submit(1, "p.child")
    before = cluster.status("p.child").steady_fair_share

    cluster.reload(limited.format(1024) + "</queue>")

    assert before is not None
    assert before[0] == 2048
    after = cluster.status("p.child")
    assert after.maximum[0] == 1024
    assert after.steady_fair_share is not None
    assert after.steady_fair_share[0] == 20480
    cluster.scheduler.add_node(Node("later", (10240, 10)))
    assert cluster.status("p.child").steady_fair_share == (1024, 0)


def test_one_that_waits_keeps_its_place_among_its_users_when_it_moves() -> None:
    cluster = FairCluster(
        '<queue name="a"/><queue name="b"/><user name="u"><maxRunningApps>1</maxRunningApps></user>'
    )
    for number in (1, 2, 3):
        cluster.submit(number, "a", user="u")

    cluster.scheduler.move(app_id(2), "b", 0)
    cluster.scheduler.finish(app_id(1), 0)
    cluster.cycle()

    assert (cluster.count(2), cluster.count(3)) == (1, 0)


def test_declared_leaves_are_made_in_the_order_of_javas_hash_set() -> None:
    cluster = FairCluster('<queue name="b"/><queue name="a"/><queue name="c"/>')

    made = cluster.paths()[1:]

    assert made == ["root.a", "root.b", "root.c"]


def test_a_node_that_joins_again_keeps_its_containers() -> None:
    cluster = FairCluster('<queue name="a"/>', nodes=1)
    cluster.run(1, "a", count=3)
    cluster.cycle()

    cluster.scheduler.add_node(Node("n0", (20480, 20)))

    assert cluster.count(1) == 4
    cluster.scheduler.finish(app_id(1), 0)
    assert cluster.scheduler.queue_status()[0].used == (0, 0)


def test_a_reload_may_change_a_policy_and_let_waiting_applications_run() -> None:
    queues = "<defaultQueueSchedulingPolicy>{}</defaultQueueSchedulingPolicy>"
    queues += '<queue name="a"><minResources>4096 mb,4 vcores</minResources>'
    queues += '<maxRunningApps>{}</maxRunningApps></queue><queue name="b"/>'
    cluster = FairCluster(queues.format("fair", 1))
    for number, queue in enumerate("aabb", start=1):
        cluster.submit(number, queue)
    cluster.scheduler.update(0)

    cluster.reload(queues.format("drf", 2))
    cluster.cycle()

    assert [cluster.count(number) for number in (1, 2, 3, 4)] == [1, 1, 1, 1]


def test_a_refresh_is_seen_through_though_a_removed_queue_went_with_its_parent() -> None:
    """Hadoop stops there, and who is parked waits for another refresh."""
    below = '<queue name="x"/><queue name="y"/>'
    parking = '<queue name="b"><maxRunningApps>0</maxRunningApps></queue>'
    cluster = FairCluster(f'<queue name="a">{below}</queue>{parking}')
    cluster.submit(1, "b")
    cluster.cycle()
    assert cluster.count(1) == 0

    cluster.reload('<queue name="a"/><queue name="b"/>')
    cluster.cycle()
    assert cluster.count(1) == 1


PREEMPTION = """
<queue name="p"><minSharePreemptionTimeout>5</minSharePreemptionTimeout>
  <fairSharePreemptionTimeout>7</fairSharePreemptionTimeout>
  <fairSharePreemptionThreshold>0.4</fairSharePreemptionThreshold>
  <allowPreemptionFrom>false</allowPreemptionFrom>
  <maxContainerAllocation>4096 mb,2 vcores</maxContainerAllocation>
  <maxRunningApps>3</maxRunningApps>
  <queue name="x"/>
  <queue name="y"><minSharePreemptionTimeout>6</minSharePreemptionTimeout>
    <fairSharePreemptionThreshold>0.6</fairSharePreemptionThreshold>
    <maxContainerAllocation>2048 mb,1 vcores</maxContainerAllocation>
    <maxRunningApps>1</maxRunningApps><maxAMShare>0.2</maxAMShare></queue>
</queue>
<queue name="b"/>
<defaultMinSharePreemptionTimeout>50</defaultMinSharePreemptionTimeout>
<defaultFairSharePreemptionTimeout>70</defaultFairSharePreemptionTimeout>
<defaultFairSharePreemptionThreshold>0.9</defaultFairSharePreemptionThreshold>
<queueMaxAppsDefault>8</queueMaxAppsDefault>
<queueMaxAMShareDefault>0.7</queueMaxAMShareDefault>
"""


@pytest.mark.parametrize(
    ("path", "setting", "expected"),
    [
        pytest.param("root", "min_share_preemption_timeout_ms", 50_000, id="root: the default"),
        pytest.param("root.b", "min_share_preemption_timeout_ms", 50_000, id="b: root's"),
        pytest.param("root.p", "min_share_preemption_timeout_ms", 5000, id="p: its own"),
        pytest.param("root.p.x", "min_share_preemption_timeout_ms", 5000, id="x: its parent's"),
        pytest.param("root.p.y", "min_share_preemption_timeout_ms", 6000, id="y: its own"),
        pytest.param("root.b", "fair_share_preemption_timeout_ms", 70_000, id="b: the default"),
        pytest.param("root.p.y", "fair_share_preemption_timeout_ms", 7000, id="y: its parent's"),
        pytest.param("root.b", "fair_share_preemption_threshold", 0.9, id="b: the threshold"),
        pytest.param("root.p.x", "fair_share_preemption_threshold", 0.4, id="x: the parent's"),
        pytest.param("root.p.y", "fair_share_preemption_threshold", 0.6, id="y: its own one"),
        pytest.param("root.b", "preemptable", True, id="b may be preempted from"),
        pytest.param("root.p.x", "preemptable", False, id="x is protected as its parent is"),
        pytest.param("root.b", "max_container_allocation", (), id="b: no limit of containers"),
        pytest.param("root.p.x", "max_container_allocation", (4096, 2), id="x: the parent's limit"),
        pytest.param("root.p.y", "max_container_allocation", (2048, 1), id="y: its own limit"),
        pytest.param("root.b", "max_running_apps", 8, id="b: the default of running apps"),
        pytest.param("root.p", "max_running_apps", 3, id="p: its own number"),
        pytest.param("root.p.x", "max_running_apps", 8, id="x: not its parent's"),
        pytest.param("root.p.y", "max_running_apps", 1, id="y: its own number"),
        pytest.param("root.b", "max_am_share", 0.7, id="b: the default AM share"),
        pytest.param("root.p.x", "max_am_share", 0.7, id="x: not its parent's AM share"),
        pytest.param("root.p.y", "max_am_share", 0.2, id="y: its own AM share"),
    ],
)
def test_settings_are_a_queues_own_its_parents_or_the_default(
    path: str, setting: str, expected: object
) -> None:
    cluster = FairCluster(PREEMPTION)

    found = getattr(cluster.scheduler.state.queues[path], setting)

    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


@pytest.mark.parametrize(
    ("before", "after", "used", "expected"),
    [
        pytest.param(
            '<queue name="a"/>', '<queue name="a"/>', False, {"root.a": "leaf"}, id="same"
        ),
        pytest.param('<queue name="a"/>', "", False, {}, id="gone while empty"),
        pytest.param('<queue name="a"/>', "", True, {"root.a": "leaf"}, id="gone while in use"),
        pytest.param(
            '<queue name="a"/>',
            '<queue name="a" type="parent"/>',
            False,
            {"root.a": "parent"},
            id="a leaf becomes a parent",
        ),
        pytest.param(
            '<queue name="a"/>',
            '<queue name="a" type="parent"/>',
            True,
            {"root.a": "leaf"},
            id="not while it is in use",
        ),
        pytest.param(
            '<queue name="a"/>',
            '<queue name="a"><queue name="x"/></queue>',
            False,
            {"root.a": "parent", "root.a.x": "leaf"},
            id="a leaf gets a child",
        ),
        pytest.param(
            '<queue name="a"><queue name="x"/></queue>',
            '<queue name="a"/>',
            False,
            {"root.a": "leaf"},
            id="a parent loses its children and becomes a leaf",
        ),
        pytest.param(
            '<queue name="a"/>',
            '<queue name="a"/><queue name="b"/>',
            True,
            {"root.a": "leaf", "root.b": "leaf"},
            id="a queue more",
        ),
    ],
)
def test_what_a_reload_leaves(
    before: str, after: str, expected: dict[str, str], *, used: bool
) -> None:
    cluster = FairCluster(before)
    if used:
        cluster.submit(1, "a")

    cluster.reload(after)
    cluster.now_ms += 10_000
    cluster.cycle()

    found = {
        status.path: "leaf" if status.leaf else "parent"
        for status in cluster.scheduler.queue_status()
        if status.path != "root"
    }
    assert found == expected


@pytest.mark.parametrize(
    ("queue", "reason"),
    [
        pytest.param("p", Reason.QUEUE_NOT_LEAF, id="a parent"),
        pytest.param("a.below", Reason.QUEUE_NOT_LEAF, id="below a leaf"),
        pytest.param("root", Reason.QUEUE_NOT_LEAF, id="root"),
        pytest.param("x..y", Reason.QUEUE_NOT_FOUND, id="an empty part"),
        pytest.param("x. y", Reason.QUEUE_NOT_FOUND, id="a blank in front of a part"),
    ],
)
def test_a_queue_that_cannot_be_made_is_refused(queue: str, reason: Reason) -> None:
    cluster = FairCluster('<queue name="a"/><queue name="p" type="parent"/>')

    with pytest.raises(Rejected) as refused:
        cluster.submit(1, queue)

    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("parent", "policy", "made"),
    [
        pytest.param("fair", "fair", True, id="fair below fair"),
        pytest.param("drf", "fair", True, id="fair below drf"),
        pytest.param("drf", "drf", True, id="drf below drf"),
        pytest.param("fair", "drf", False, id="drf below fair"),
        pytest.param("fair", "fifo", True, id="fifo below fair"),
    ],
)
def test_a_queue_is_made_where_its_parents_policy_allows_it(
    parent: str, policy: str, *, made: bool
) -> None:
    cluster = FairCluster(
        f'<queue name="p"><schedulingPolicy>{parent}</schedulingPolicy>'
        f'<queue name="x"><schedulingPolicy>{policy}</schedulingPolicy></queue></queue>'
        "<defaultQueueSchedulingPolicy>drf</defaultQueueSchedulingPolicy>"
    )

    assert ("root.p.x" in cluster.paths()) == made
