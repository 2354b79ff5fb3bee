"""Who was chosen for preemption is killed only when its room is needed, also in a cycle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import UNLIMITED_PODS, Node
from kubeyarn.model.queues import PreemptionConfig, QueueConfig, SchedulerConfig, percent
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.api import Grant, Preempt
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from unit.schedulers.small import SmallCluster

LENDER, BORROWER = ApplicationId(1, 1), ApplicationId(1, 2)
WAIT_MS = 3000
SECOND = 1000


def full_of_what_was_lent(
    *, choose_nodes: bool = False, pods: int = UNLIMITED_PODS
) -> CapacityScheduler:
    """Two full nodes of ten, all but one container of root.b held by an application of root.a."""
    engine = CapacityScheduler(ResourceTypes())
    leaf = QueueConfig("root.a", order=1, capacity=percent(50), user_limit_factor=-1.0)
    rules = PreemptionConfig(
        enabled=True,
        maximum_wait_before_kill_ms=WAIT_MS,
        total_per_round=1.0,
        maximum_ignored_over_capacity=0.0,
        natural_termination=1.0,
    )
    engine.configure(
        SchedulerConfig(
            queues=(QueueConfig("root"), leaf, replace(leaf, path="root.b", order=2)),
            minimum_allocation=(1, 1),
            maximum_allocation=(10, 10),
            maximum_am_share=1.0,
            dominant=True,
            preemption=rules,
            lazy_preemption=True,
            choose_nodes=choose_nodes,
        ),
        0,
    )
    for name in ("n1", "n2"):
        engine.add_node(Node(name, (10, 10), pods=pods))
    for identity, queue in ((LENDER, "root.b"), (BORROWER, "root.a")):
        user = f"user{identity.number}"
        application = Application(identity, user, queue, am_size=(1, 1), order=identity.number)
        engine.submit(application, 0)
    engine.cycle(0, 100)
    engine.update_asks(BORROWER, [Ask(AskKey(1), 30, (1, 1))], 0)
    engine.cycle(0, 100)
    return engine


@pytest.mark.parametrize(
    ("in_a_story", "refreshed", "lent"),
    [
        pytest.param(False, False, 6, id="in a cluster"),
        pytest.param(True, False, 0, id="in a story"),
        pytest.param(True, True, 6, id="in a story after a refresh"),
    ],
)
def test_what_a_queue_made_on_demand_holds_is_lent(in_a_story, refreshed, lent):
    settings = {
        "root.a.capacity": "1w",
        "root.b.capacity": "1w",
        "root.a.auto-queue-creation-v2.enabled": "true",
        "lazy-preemption-enabled": "true",
    }
    monitor = "yarn.resourcemanager.monitor.capacity.preemption."
    others = {
        "yarn.resourcemanager.scheduler.monitor.enable": "true",
        monitor + "total_preemption_per_round": "1.0",
        monitor + "natural_termination_factor": "1.0",
        monitor + "max_wait_before_kill": str(WAIT_MS),
    }
    cluster = SmallCluster(settings, nodes=2, others=others, hadoop_compatible=in_a_story)
    cluster.submit(1, "root.a.new")
    cluster.ask(1, 30)
    cluster.cycle()
    cluster.submit(2, "b", user="other")
    cluster.ask(2, 5)
    if refreshed:
        cluster.configure(settings)
    for second in range(1, 31, 4):
        cluster.engine.preempt(second * SECOND)

    assert killed(cluster.engine.cycle(40 * SECOND, 100)) == lent


def killed(decisions) -> int:
    return sum(isinstance(one, Preempt) and one.kill for one in decisions)


def granted(decisions) -> int:
    return sum(isinstance(one, Grant) for one in decisions)


def choose(engine: CapacityScheduler) -> None:
    """The policy marks, and when the wait is over leaves who was marked to others."""
    assert killed(engine.preempt(1 * SECOND)) == 0
    assert killed(engine.preempt(5 * SECOND)) == 0


def test_a_cycle_kills_for_who_is_below_its_guarantee() -> None:
    for choose_nodes in (False, True):
        engine = full_of_what_was_lent(choose_nodes=choose_nodes)
        engine.update_asks(LENDER, [Ask(AskKey(1), 9, (1, 1))], 0)
        choose(engine)
        decisions = engine.cycle(6 * SECOND, 100)

        assert (granted(decisions), killed(decisions)) == (9, 9)


def test_a_container_that_may_be_killed_leaves_its_pod_slot() -> None:
    for choose_nodes in (False, True):
        engine = full_of_what_was_lent(choose_nodes=choose_nodes, pods=10)
        engine.update_asks(LENDER, [Ask(AskKey(1), 9, (1, 1))], 0)
        choose(engine)
        decisions = engine.cycle(6 * SECOND, 100)

        assert (granted(decisions), killed(decisions)) == (9, 9)
        assert [report.free_slots for report in engine.node_reports()] == [0, 0]


def test_nobody_is_killed_whose_room_nobody_needs_any_more() -> None:
    engine = full_of_what_was_lent()
    engine.update_asks(LENDER, [Ask(AskKey(1), 9, (1, 1))], 0)
    choose(engine)
    engine.update_asks(LENDER, [Ask(AskKey(1), 0, (1, 1))], 0)

    assert killed(engine.cycle(6 * SECOND, 100)) == 0
