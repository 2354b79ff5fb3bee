"""What a queue is told of words that are not taken: the field, quantities, and what to do."""

from __future__ import annotations

import pytest

from unit.scheduler.world import World, a_node, a_queue


@pytest.fixture
def world() -> World:
    return World(
        ("queue", a_queue("root")),
        ("queue", a_queue("root.a", capacity="60%")),
        ("queue", a_queue("root.a.x", capacity="100%")),
        ("queue", a_queue("root.b", capacity="40%")),
        ("queue", a_queue("root.b.y", capacity="100%")),
        ("node", a_node("n1")),
    )


def told(world: World) -> dict[str, tuple[str, str]]:
    problems = world.live.in_force.problems
    return {path: (problem.reason, problem.message) for path, problem in problems.items()}


def test_a_lowered_maximum_of_the_cluster_is_told_to_root_alone(world):
    small = {"memory": "2Gi", "cpu": "2"}
    world.patch("queue", "root", spec={"cluster": {"maximumAllocation": small}})
    world.cycle()

    message = (
        "cluster.maximumAllocation: found memory 2Gi, cpu 2, allowed while its queues are in "
        "force: at least memory 64Gi, cpu 32; restart the scheduler to have it lowered"
    )
    assert told(world) == {"root": ("MaximumAllocation", message)}
    assert set(world.live.in_force.objects) == set(world.objects["queue"])


def test_a_lowered_maximum_of_a_parent_is_told_to_the_parent(world):
    world.patch("queue", "root.a", spec={"maximumAllocation": {"memory": "2Gi"}})
    world.cycle()

    assert set(told(world)) == {"root.a"}
    assert "found memory 2Gi, cpu 32, allowed" in told(world)["root.a"][1]


def test_a_restarted_scheduler_takes_the_lowered_maximum(world):
    world.patch("queue", "root.a", spec={"maximumAllocation": {"memory": "2Gi"}})
    world.cycle()
    world.restart()

    assert told(world) == {}
    world.submit("large", 1, queue="root.a.x", am={"cpu": "1", "memory": "3Gi"})
    world.cycle()
    accepted = world.live.requests["team-a", "large-am-1"].accepted
    assert accepted is not None
    assert accepted[1] == "MaximumAllocation"
    assert "memory 3Gi is greater than the maximum allocation 2Gi" in accepted[2]


def test_a_maximum_above_the_clusters_is_told_in_quantities(world):
    world.patch("queue", "root.b.y", spec={"maximumAllocation": {"memory": "65Gi"}})
    world.cycle()

    reason, message = told(world)["root.b.y"]
    assert reason == "InvalidField"
    assert "found memory 65Gi, allowed: at most the cluster's memory 64Gi" in message


def test_amounts_below_those_of_the_children_are_told_in_quantities():
    world = World(
        ("queue", a_queue("root")),
        ("queue", a_queue("root.a", capacityByResource={"memory": "2Gi", "cpu": "2"})),
        ("queue", a_queue("root.a.x", capacityByResource={"memory": "3Gi", "cpu": "3"})),
        ("node", a_node("n1")),
    )

    reason, message = told(world)["root.a"]
    assert reason == "CapacitySum"
    assert "found memory 2Gi, cpu 2, allowed: at least" in message
    assert "memory 3Gi, cpu 3" in message


def test_partitions_that_root_takes_away_are_given_back_while_a_queue_far_below_needs_them():
    gpu = {"partitions": [{"name": "gpu"}]}
    world = World(
        ("queue", a_queue("root", cluster=gpu)),
        ("queue", a_queue("root.a", capacity="100%", accessiblePartitions=["gpu"])),
        ("queue", a_queue("root.a.x", capacity="100%", defaultPartition="gpu")),
        ("node", a_node("n1")),
    )
    assert told(world) == {}
    world.patch("queue", "root.a", spec={"accessiblePartitions": []})
    world.cycle()

    assert set(world.live.in_force.objects) == {"root", "root.a", "root.a.x"}
    assert "root.a" in told(world)
