"""What is in force of what YarnQueues say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.scheduler import queue_tree
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from unit.scheduler.world import TYPES, World, a_node, a_queue, two_queues


class Tree:
    """YarnQueues as they are applied one after the other, and an engine that must take them."""

    def __init__(self, **found):
        self.engine = CapacityScheduler(TYPES)
        self.found, self.outcome = {}, queue_tree.InForce()
        self.apply(**found)

    def apply(self, **said):
        """Apply queues by their names with _ for dots; None deletes one."""
        for name, spec in said.items():
            path = name.replace("_", ".")
            if spec is None:
                self.found.pop(path)
            else:
                self.found[path] = UncheckedQueue.read(a_queue(path, **spec))
        self.outcome = queue_tree.put_in_force(
            self.found, self.outcome.objects, TYPES, lambda c: self.engine.configure(c, 0)
        )
        return self.outcome

    def delete(self, path):
        """Have a queue deleted; it is there still, and the tree is not tried yet."""
        queue = a_queue(path, **self.found[path].spec)
        queue["metadata"]["deletionTimestamp"] = "2025-11-23T12:13:20Z"
        self.found[path] = UncheckedQueue.read(queue)

    @property
    def capacities(self):
        return {
            path: found.spec.get("capacity", "")
            for path, found in sorted(self.outcome.objects.items())
        }

    @property
    def problems(self):
        return {path: problem.reason for path, problem in sorted(self.outcome.problems.items())}


GOOD = {"root": {}, "root_a": {"capacity": "60%"}, "root_b": {"capacity": "40%"}}


def test_a_tree_that_adds_up_is_in_force_as_it_is():
    tree = Tree(**GOOD)

    assert tree.capacities == {"root": "", "root.a": "60%", "root.b": "40%"}
    assert tree.problems == {}
    assert [q.path for q in tree.engine.queue_status()] == ["root", "root.a", "root.b"]


def test_children_that_sum_to_130_percent_keep_their_last_words():
    tree = Tree(**GOOD)
    tree.apply(root_b={"capacity": "70%"})

    assert tree.capacities == {"root": "", "root.a": "60%", "root.b": "40%"}
    assert "root.a" not in tree.problems
    assert tree.problems["root.b"] == tree.problems["root"]
    message = tree.outcome.problems["root.b"].message
    assert "130" in message
    assert tree.outcome.config is not None


def test_what_is_wrong_in_one_corner_does_not_hold_up_another():
    tree = Tree(
        **GOOD, root_a_x={"capacity": "50%"}, root_a_y={"capacity": "50%"}
    )  # fmt: skip
    tree.apply(
        root_a_x={"capacity": "90%"},
        root_a={"capacity": "55%"},
        root_b={"capacity": "45%"},
    )

    assert tree.capacities["root.a.x"] == "50%"
    assert (tree.capacities["root.a"], tree.capacities["root.b"]) == ("60%", "40%") or (
        tree.capacities["root.a"],
        tree.capacities["root.b"],
    ) == ("55%", "45%")
    assert "root.a.x" in tree.problems


def test_a_mended_tree_is_in_force_and_its_problems_are_gone():
    tree = Tree(**GOOD)
    tree.apply(root_b={"capacity": "70%"})
    tree.apply(root_a={"capacity": "30%"})

    assert tree.capacities == {"root": "", "root.a": "30%", "root.b": "70%"}
    assert tree.problems == {}


def test_three_queues_applied_one_at_a_time_come_in_force_together():
    tree = Tree(root={})
    tree.apply(root_a={"capacity": "50%"})
    tree.apply(root_b={"capacity": "30%"})
    assert tree.problems == dict.fromkeys(["root", "root.a", "root.b"], "CapacitySum")
    tree.apply(root_c={"capacity": "20%"})

    assert tree.capacities == {"root": "", "root.a": "50%", "root.b": "30%", "root.c": "20%"}
    assert tree.problems == {}


def test_children_before_their_parent_wait_and_say_so():
    tree = Tree(**GOOD, root_c_x={"capacity": "0%"})

    assert tree.problems == {"root.c.x": "ParentNotFound"}
    assert list(tree.capacities) == ["root", "root.a", "root.b"]

    tree.apply(root_c={"capacity": "0%"})
    assert tree.problems == {}
    assert "root.c.x" in tree.capacities


def test_a_queue_removed_before_its_siblings_are_rebalanced_stays_in_force_until_they_are():
    tree = Tree(**GOOD)
    tree.delete("root.b")
    tree.apply()
    tree.apply(root_b=None)

    assert tree.outcome.config is not None
    assert tree.capacities == {"root": "", "root.a": "60%", "root.b": "40%"}
    assert tree.problems == {"root": "CapacitySum", "root.b": "CapacitySum"}

    tree.apply(root_a={"capacity": "100%"})
    assert tree.capacities == {"root": "", "root.a": "100%"}
    assert tree.problems == {}


def test_queues_before_root_wait_and_say_so():
    tree = Tree(root_a={"capacity": "100%"})

    assert tree.problems == {"root.a": "ParentNotFound"}
    assert tree.outcome.config is None

    tree.apply(root={})
    assert tree.problems == {}


def test_a_field_that_does_not_parse_is_reported_on_its_queue_alone():
    tree = Tree(**GOOD)
    tree.apply(root_a={"capacity": "sixty"})

    assert tree.capacities["root.a"] == "60%"
    assert tree.problems == {"root.a": "InvalidField"}
    assert tree.outcome.problems["root.a"].field == "spec.capacity"


def test_a_new_queue_that_does_not_parse_is_left_out_and_the_others_are_in_force():
    tree = Tree(root={}, root_a={"capacity": "100%"}, root_b={"capacity": "0%", "state": "Odd"})

    assert list(tree.capacities) == ["root", "root.a"]
    assert tree.problems == {"root.b": "InvalidField"}


def test_a_parent_that_was_removed_by_force_is_no_outage():
    tree = Tree(**GOOD, root_a_x={"capacity": "100%"})
    tree.apply(root_a=None)

    assert tree.problems == {"root.a.x": "ParentNotFound", "root.a": "ParentNotFound"}
    assert list(tree.capacities) == ["root", "root.a", "root.a.x", "root.b"]


def test_an_orphan_after_a_restart_is_no_outage_for_the_others():
    found = {
        "root": a_queue("root"),
        "root.a": a_queue("root.a", capacity="100%"),
        "root.gone.x": a_queue("root.gone.x", capacity="100%"),
    }
    found = {path: UncheckedQueue.read(queue) for path, queue in found.items()}
    engine = CapacityScheduler(TYPES)

    outcome = queue_tree.put_in_force(found, dict(found), TYPES, lambda c: engine.configure(c, 0))

    assert outcome.config is not None
    assert sorted(outcome.objects) == ["root", "root.a"]
    assert outcome.problems["root.gone.x"].reason == "ParentNotFound"


def test_a_queue_that_is_deleted_takes_no_more_applications():
    tree = Tree(**GOOD)
    tree.delete("root.a")
    tree.apply()

    states = {q.path: q.state for q in tree.engine.queue_status()}
    assert states["root.a"] != "Running"
    assert states["root.b"] == "Running"


def test_the_words_in_force_survive_a_restart():
    world = World(*two_queues(), ("node", a_node("n1")))
    for path in ("root", "root.a", "root.b"):
        spec = world.live.in_force.objects[path].spec
        world.patch("queue", path, status={"inForce": spec})
    world.patch("queue", "root.b", spec={"capacity": "90%"})
    world.cycle()
    before = [(q.path, q.minimum) for q in world.live.scheduler.queue_status()]

    world.restart()

    assert [(q.path, q.minimum) for q in world.live.scheduler.queue_status()] == before
    assert set(world.live.in_force.problems) == {"root", "root.b"}


def test_without_words_in_force_a_restart_leaves_out_only_what_does_not_add_up():
    world = World(*two_queues(), ("queue", a_queue("root.b.x", capacity="130%")))

    assert {q.path for q in world.live.scheduler.queue_status()} == {"root", "root.a", "root.b"}
    assert "root.b.x" in world.live.in_force.problems


PATHS = ["root", "root.a", "root.b", "root.a.x", "root.a.y", "root.gone.z"]
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "capacity": st.sampled_from(["0%", "30%", "50%", "70%", "100%", "2w", "x", 7]),
        "maximumCapacity": st.sampled_from(["10%", "100%", "-1"]),
        "state": st.sampled_from(["Running", "Stopped", "Odd"]),
        "maximumAllocation": st.sampled_from([{"memory": "1Gi"}, {"memory": "8Gi"}, {"cpu": "x"}]),
    },
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(PATHS), st.one_of(st.none(), SPECS)), min_size=1, max_size=10
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=5))
def test_whatever_is_applied_it_ends_and_what_was_in_force_stays_so_or_is_replaced(batches):
    engine, found, outcome = CapacityScheduler(TYPES), {}, queue_tree.InForce()
    for batch in batches:
        for path, spec in batch:
            if spec is None:
                found.pop(path, None)
            else:
                found[path] = UncheckedQueue.read(a_queue(path, **spec))
        before = outcome
        outcome = queue_tree.put_in_force(
            dict(found), before.objects, TYPES, lambda c: engine.configure(c, 0)
        )
        if outcome.config is not None:
            assert sorted(q.path for q in outcome.config.queues) == sorted(
                q.path for q in engine.queue_status()
            )
            for path, queue in found.items():
                word = outcome.objects.get(path)
                taken = word is not None and word.spec == queue.spec
                assert taken or path in outcome.problems
        else:
            assert outcome.problems or "root" not in found


@pytest.mark.parametrize("order", [1, -1])
def test_the_outcome_does_not_depend_on_the_order_of_the_queues(order):
    found = {
        "root": a_queue("root"),
        "root.a": a_queue("root.a", capacity="60%"),
        "root.b": a_queue("root.b", capacity="40%"),
        "root.b.x": a_queue("root.b.x", capacity="70%"),
        "root.b.y": a_queue("root.b.y", capacity="60%"),
    }
    found = {path: UncheckedQueue.read(queue) for path, queue in found.items()}
    engine = CapacityScheduler(TYPES)
    shuffled = dict(list(found.items())[::order])
    outcome = queue_tree.put_in_force(shuffled, {}, TYPES, lambda c: engine.configure(c, 0))

    assert sorted(outcome.objects) == ["root", "root.a", "root.b"]
    assert sorted(outcome.problems) == ["root.b", "root.b.x", "root.b.y"]
