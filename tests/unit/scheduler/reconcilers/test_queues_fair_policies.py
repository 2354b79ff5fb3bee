"""Under the Fair Scheduler a queue whose parent does not allow its policy is told so."""

from __future__ import annotations

import pytest

from kubeyarn.schedulers.fair.scheduler import FairScheduler
from unit.scheduler.world import Live, a_queue


def _in_force(*queues, before=()):
    """The scheduler after *before* and then *queues* were seen."""
    live = Live(lambda _, types: FairScheduler(types))
    root = a_queue("root", cluster={"scheduler": "Fair"})
    for tree in (before, queues):
        for queue in (root, *tree):
            live.see("queue", "MODIFIED", queue)
        live.loop.rebuild(0)
    return live


def _paths(live):
    return [status.path for status in live.scheduler.queue_status()]


def test_a_queue_whose_parent_does_not_allow_its_policy_is_left_out_and_told():
    live = _in_force(
        a_queue("root.a", fair={"policy": "Fair"}),
        a_queue("root.a.x", fair={"policy": "Drf"}),
        a_queue("root.b"),
    )

    assert _paths(live) == ["root", "root.a", "root.b"]
    problem = live.in_force.problems["root.a.x"]
    assert (problem.reason, problem.field) == ("ParentPolicy", "spec.fair.policy")
    assert problem.message == (
        "spec.fair.policy: found Drf below root.a, which says Fair, allowed: Fair or Fifo there; "
        "Drf if root.a says it too"
    )


@pytest.mark.parametrize("policy", ["Fair", "Drf", "Fifo"])
def test_below_a_queue_that_says_drf_any_policy_is_allowed(policy):
    live = _in_force(
        a_queue("root.a", fair={"policy": "Drf"}), a_queue("root.a.x", fair={"policy": policy})
    )

    # root itself says Fair.
    assert "root.a" in live.in_force.problems
    drf = a_queue("root", cluster={"scheduler": "Fair"}, fair={"policy": "Drf"})
    live.see("queue", "MODIFIED", drf)
    live.loop.rebuild(0)
    assert live.in_force.problems == {}
    assert _paths(live) == ["root", "root.a", "root.a.x"]


def test_a_parent_that_turns_to_fifo_keeps_its_last_word():
    live = _in_force(
        a_queue("root.a", fair={"policy": "Fifo"}),
        before=(a_queue("root.a"), a_queue("root.a.x")),
    )

    assert _paths(live) == ["root", "root.a", "root.a.x"]
    problem = live.in_force.problems["root.a"]
    assert problem.reason == "ParentPolicy"
    assert "found Fifo for a queue that has children" in problem.message


def test_rules_that_may_end_without_a_queue_are_told_to_root():
    live = _in_force(a_queue("root.a"))
    rules = [{"policy": "specified", "create": False}]
    cluster = {"scheduler": "Fair", "fair": {"placementRules": rules}}
    live.see("queue", "MODIFIED", a_queue("root", cluster=cluster))
    live.loop.queues.sync(0)

    problem = live.in_force.problems["root"]
    assert problem.reason == "InvalidField"
    assert "the last rule (specified) may leave an application without a queue" in problem.message
    assert _paths(live) == ["root", "root.a"]
