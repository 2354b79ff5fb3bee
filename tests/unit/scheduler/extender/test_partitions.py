"""Partitions on a live scheduler: each has limits of its own, after a restart, too."""

from __future__ import annotations

import pytest

from kubeyarn.cluster import names
from unit.scheduler.world import GIB, World, a_node, a_queue, a_request, refusal

SMALL = {"cpu": "1", "memory": "1Gi"}


def world_with(*, exclusive: bool = True, calculator: str = "Dominant") -> World:
    cluster = {
        "partitions": [{"name": "gpu", "exclusive": exclusive}],
        "resourceCalculator": calculator,
    }
    open_to_one = {"userLimitFactor": "-1", "maximumAMShare": "100%"}
    gpu = {"name": "gpu", "capacity": "100%", "maximumCapacity": "50%"}
    return World(
        ("queue", a_queue("root", cluster=cluster)),
        ("queue", a_queue("root.a", capacity="100%", partitions=[gpu], **open_to_one)),
        ("node", a_node("n1", cpu=2, memory="8Gi")),
        ("node", a_node("g1", cpu=8, memory="8Gi", labels={names.PARTITION: "gpu"})),
    )


def launch_all(world: World, request: str) -> list[str]:
    """Bind every granted container through the bind check; the nodes they are on."""
    nodes = []
    for container, node in sorted(world.granted(request).items()):
        pod = world.launch(container, node, bound=False)
        world.bind_check.check(container, pod["metadata"]["uid"], node)
        world.live.containers.bind(container, pod["metadata"]["uid"])
        nodes.append(node)
    return nodes


def test_what_is_bound_in_a_partition_is_held_to_the_partitions_maximum():
    world = world_with()
    world.submit("words", 1, am=SMALL)
    world.put("request", a_request("maps", "words", count=9, resources=SMALL, partition="gpu"))
    world.cycle()

    assert launch_all(world, "words-am-1") == ["n1"]
    assert launch_all(world, "maps") == ["g1"] * 4
    assert world.live.maximum("root.a", "gpu") == (4 * GIB, 4000)
    assert world.live.bound("root.a", "gpu") == (4 * GIB, 4000)
    assert world.live.bound("root.a") == (GIB, 1000)


def test_a_restart_counts_containers_in_their_nodes_partition():
    world = world_with()
    world.submit("words", 1, am=SMALL)
    world.put("request", a_request("maps", "words", count=3, resources=SMALL, partition="gpu"))
    world.cycle()
    for container, node in world.granted("maps").items():
        world.launch(container, node)
    world.restart()

    assert world.live.bound("root.a", "gpu") == (3 * GIB, 3000)
    world.put("request", a_request("more", "words", count=9, resources=SMALL, partition="gpu"))
    world.cycle()
    assert len(world.granted("more")) == 1


def test_usage_moves_with_a_nodes_label_and_what_is_asked_follows_the_new_one():
    world = world_with()
    world.submit("words", 1, am=SMALL)
    world.put("request", a_request("maps", "words", count=3, resources=SMALL, partition="gpu"))
    world.cycle()
    assert launch_all(world, "maps") == ["g1"] * 3

    world.put("node", a_node("g1"))
    world.cycle()
    assert world.live.bound("root.a", "gpu") == (0, 0)
    assert launch_all(world, "words-am-1") == ["n1"]
    assert world.live.bound("root.a") == (4 * GIB, 4000)
    world.put("request", a_request("more", "words", count=1, resources=SMALL, partition="gpu"))
    world.cycle()
    assert world.granted("more") == {}

    world.put("node", a_node("g1", labels={"kubeyarn.io/partition": "gpu"}))
    world.cycle()
    assert world.live.bound("root.a", "gpu") == (3 * GIB, 3000)
    assert set(world.granted("more").values()) == {"g1"}


def test_what_is_lent_of_a_shared_partition_may_be_bound():
    world = world_with(exclusive=False)
    world.submit("words", 1, am=SMALL)
    world.put("request", a_request("maps", "words", count=9, resources=SMALL))
    for _ in range(12):
        world.cycle()

    launch_all(world, "words-am-1")
    assert sorted(launch_all(world, "maps")) == ["g1"] * 8 + ["n1"]
    assert world.live.bound("root.a", "gpu") == (8 * GIB, 8000)


def test_a_queue_over_a_partitions_maximum_is_told_which():
    world = world_with()
    world.submit("words", 1, am=SMALL)
    world.put("request", a_request("maps", "words", count=4, resources=SMALL, partition="gpu"))
    world.cycle()
    *first, last = sorted(world.granted("maps"))
    for container in first:
        world.launch(container, "g1")
    pod = world.launch(last, "g1", bound=False)
    world.put("node", a_node("g1", cpu=6, memory="8Gi", labels={names.PARTITION: "gpu"}))
    world.cycle()

    assert refusal(world.bind_check.check, last, pod["metadata"]["uid"], "g1") == (
        f"{last}: queue root.a would hold memory 4Gi, cpu 4 of at most memory 4Gi, cpu 3 of "
        "partition gpu"
    )


@pytest.mark.parametrize(("calculator", "granted"), [("Dominant", 2), ("Default", 4)])
def test_where_only_memory_counts_cpu_has_no_limit_at_the_bind_check(calculator, granted):
    world = world_with(calculator=calculator)
    world.submit("words", 1, am=SMALL)
    two = {"cpu": "2", "memory": "1Gi"}
    world.put("request", a_request("maps", "words", count=9, resources=two, partition="gpu"))
    world.cycle()

    launch_all(world, "words-am-1")
    # At most 4Gi and 4 CPUs of the partition; the node has 8 CPUs.
    assert launch_all(world, "maps") == ["g1"] * granted
