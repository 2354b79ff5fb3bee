"""A node takes as many pods as its kubelet says, however small they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.policy.conftest import NODES
from e2e.policy.world import World, holds_room, node_of, queue, root

pytestmark = pytest.mark.e2e

ONLY = "fake-0000"
OTHERS = [f"fake-{number:04d}" for number in range(1, NODES)]
TINY = {"cpu": "40m", "memory": "32Mi"}


@pytest.fixture(autouse=True)
def one_node(world: World) -> Iterator[None]:
    """All nodes of the default partition but one are cordoned."""
    for name in OTHERS:
        world.cordon(name)
    yield
    for name in OTHERS:
        world.cordon(name, closed=False)


def living_on(world: World, node: str) -> int:
    """All pods that a node holds, whoever made them."""
    pods = world.get(f"/api/v1/pods?fieldSelector=spec.nodeName={node}")["items"]
    return sum(1 for pod in pods if holds_room(pod))


def test_small_containers_fill_the_slots_of_a_node_and_none_is_refused(tree):
    world = tree(root(minimumAllocation=TINY), queue("root.a", capacity="100%"))
    there = living_on(world, ONLY)
    world.run("many", "root.a", 150, resources=TINY)

    # The application's master is one of them.
    pods = world.until_running("many", 110 - there, seconds=60)
    assert {node_of(pod) for pod in pods} == {ONLY}
    assert "no node has a free pod slot" in world.until_waits("many", "NodesBusy")
    world.stays("nothing more is granted", lambda: living_on(world, ONLY), 110, seconds=5)
    status = world.request("many")["status"]
    assert status["granted"] == 110 - there - 1
    assert not status.get("avoidedNodes")

    for pod in pods[-3:]:
        world.delete_pod(pod)
    world.until_running("many", 110 - there)
