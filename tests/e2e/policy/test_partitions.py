"""Partitions by node label: exclusive ones are kept, shared ones are lent."""

from __future__ import annotations

import pytest

from e2e.policy.conftest import GPU, SHARED
from e2e.policy.world import condition, node_of, queue, root

pytestmark = pytest.mark.e2e

OPEN = {"userLimitFactor": "-1", "maximumAMShare": "50%"}


def nodes(world, application):
    pods = world.pods(application)
    return {node_of(p) for p in pods if p["metadata"]["labels"]["kubeyarn.io/role"] != "am"}


def partition(name, capacity, maximum="100%"):
    return {"name": name, "capacity": capacity, "maximumCapacity": maximum}


def test_an_exclusive_partition_runs_only_what_asks_for_it_within_its_own_limits(tree):
    world = tree(
        root(partitions=[{"name": "gpu", "exclusive": True}]),
        queue(
            "root.a",
            **OPEN,
            capacity="50%",
            partitions=[partition("gpu", "50%", "75%")],
            accessiblePartitions=["gpu"],
        ),
        queue(
            "root.b",
            **OPEN,
            capacity="50%",
            partitions=[partition("gpu", "50%")],
            accessiblePartitions=["gpu"],
        ),
        queue("root.c", **OPEN, capacity="0%", accessiblePartitions=[]),
    )
    world.submit("a", "root.a")
    world.ask("gpus", "a", 9, partition="gpu")
    world.until_granted("gpus", 6)
    assert "root.a holds" in world.until_waits("gpus", "QueueMaximum")
    assert world.running("a") == 7
    assert nodes(world, "a") == {GPU}

    # What does not ask for it stays away, however full the rest is.
    world.run("b", "root.b", 60)
    world.until_running("b", 39)
    world.until_waits("b", "NodesBusy")
    assert GPU not in nodes(world, "b")


def test_an_application_without_access_is_refused_and_a_default_partition_is_used(tree):
    gpu = [partition("gpu", "100%")]
    world = tree(
        root(partitions=[{"name": "gpu"}]),
        queue("root.a", **OPEN, capacity="50%", accessiblePartitions=[]),
        queue(
            "root.b",
            **OPEN,
            capacity="50%",
            partitions=gpu,
            accessiblePartitions=["gpu"],
            defaultPartition="gpu",
        ),
    )
    world.submit("denied", "root.a", partition="gpu")
    refused = world.until_state("denied", "FAILED")["status"]
    assert condition(refused, "Accepted")["reason"] == "PartitionAccess"
    assert "gpu" in condition(refused, "Accepted")["message"]

    world.run("b", "root.b", 3)
    world.until_running("b", 4)
    assert {node_of(pod) for pod in world.pods("b")} == {GPU}


def test_a_shared_partition_is_lent_while_it_is_idle(tree):
    world = tree(
        root(partitions=[{"name": "shared", "exclusive": False}]),
        queue("root.a", **OPEN, capacity="100%", partitions=[partition("shared", "100%")]),
    )
    world.run("a", "root.a", 60)
    world.until_running("a", 48, seconds=40)

    assert SHARED in nodes(world, "a")
    assert GPU not in nodes(world, "a")
