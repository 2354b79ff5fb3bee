"""Under the Fair Scheduler a queue whose parent does not allow its policy is told so."""

from __future__ import annotations

import copy

import pytest

from kubeyarn.scheduler.ledger import Ledger
from kubeyarn.schedulers.fair import FairScheduler
from unit.scheduler.world import a_queue


def _in_force(*queues, before=()):
    """The ledger after *before* and then *queues* were seen."""
    ledger = Ledger(lambda _, types: FairScheduler(types))
    root = a_queue("root", cluster={"scheduler": "Fair"})
    for tree in (before, queues):
        for queue in (root, *tree):
            ledger.queues[queue["metadata"]["name"]] = copy.deepcopy(queue)
        ledger.rebuild(0)
    return ledger


def _paths(ledger):
    return [status.path for status in ledger.engine.queue_status()]


def test_a_queue_whose_parent_does_not_allow_its_policy_is_left_out_and_told():
    ledger = _in_force(
        a_queue("root.a", fair={"policy": "Fair"}),
        a_queue("root.a.x", fair={"policy": "Drf"}),
        a_queue("root.b"),
    )

    assert _paths(ledger) == ["root", "root.a", "root.b"]
    problem = ledger.in_force.problems["root.a.x"]
    assert (problem.reason, problem.field) == ("ParentPolicy", "spec.fair.policy")
    assert problem.message == (
        "spec.fair.policy: found Drf below root.a, which says Fair, allowed: Fair or Fifo there; "
        "Drf if root.a says it too"
    )


@pytest.mark.parametrize("policy", ["Fair", "Drf", "Fifo"])
def test_below_a_queue_that_says_drf_any_policy_is_allowed(policy):
    ledger = _in_force(
        a_queue("root.a", fair={"policy": "Drf"}), a_queue("root.a.x", fair={"policy": policy})
    )

    # root itself says Fair.
    assert "root.a" in ledger.in_force.problems
    drf = a_queue("root", cluster={"scheduler": "Fair"}, fair={"policy": "Drf"})
    ledger.queues["root"] = drf
    ledger.rebuild(0)
    assert ledger.in_force.problems == {}
    assert _paths(ledger) == ["root", "root.a", "root.a.x"]


def test_a_parent_that_turns_to_fifo_keeps_its_last_word():
    ledger = _in_force(
        a_queue("root.a", fair={"policy": "Fifo"}),
        before=(a_queue("root.a"), a_queue("root.a.x")),
    )

    assert _paths(ledger) == ["root", "root.a", "root.a.x"]
    problem = ledger.in_force.problems["root.a"]
    assert problem.reason == "ParentPolicy"
    assert "found Fifo for a queue that has children" in problem.message


def test_rules_that_may_end_without_a_queue_are_told_to_root():
    ledger = _in_force(a_queue("root.a"))
    rules = [{"policy": "specified", "create": False}]
    cluster = {"scheduler": "Fair", "fair": {"placementRules": rules}}
    ledger.queues["root"] = a_queue("root", cluster=cluster)
    ledger.configure(0)

    problem = ledger.in_force.problems["root"]
    assert problem.reason == "InvalidField"
    assert "the last rule (specified) may leave an application without a queue" in problem.message
    assert _paths(ledger) == ["root", "root.a"]
