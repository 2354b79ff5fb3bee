"""Which of the nodes that fit is taken."""

from __future__ import annotations

from collections import Counter

import pytest

from e2e.policy.world import node_of, queue, root

pytestmark = pytest.mark.e2e


def held(world) -> Counter[str]:
    return Counter(node_of(pod) for pod in world.pods("a"))


def test_a_queue_that_packs_fills_nodes_and_one_that_spreads_uses_all(tree):
    world = tree(root(), queue("root.a", capacity="100%", nodeOrdering="Pack"))
    world.run("a", "root.a", 11)
    world.until_running("a", 12)
    assert sorted(held(world).values()) == [4, 8]

    world.say("root.a", capacity="100%", nodeOrdering="Spread")
    world.in_force("root.a")
    world.ask("more", "a", 12)
    world.until_running("a", 24)
    assert len(held(world)) == 5
