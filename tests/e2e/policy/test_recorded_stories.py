"""Stories that Apache Hadoop was recorded at end with the same numbers on a live cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.policy.conftest import NODES
from e2e.policy.recorded import Story
from e2e.policy.world import World
from kubeyarn.local import fakenodes

pytestmark = pytest.mark.e2e

CAPACITY = (
    "capacity-elastic-max-capacity",
    "capacity-hierarchy-three-levels",
    "capacity-mode-absolute-nested",
    "capacity-mode-weight-nested",
    "capacity-move-app",
    "capacity-node-add",
    "capacity-order-app-priority",
    "capacity-partitions-exclusive",
    "capacity-place-user-to-queue",
    "capacity-user-limit-factor-one",
    "capacity-user-limit-percent-25-four",
    "capacity-user-weights",
)
FAIR = (
    "fair-max-share-parent",
    "fair-min-share-over-weight",
    "fair-move-app",
    "fair-place-user",
    "fair-policy-drf",
    "fair-policy-fair-apps",
    "fair-rounding-increment",
    "fair-weights-1-3",
    "fair-weights-nested",
)


@pytest.fixture
def nodes_of_its_own(world: World) -> Iterator[World]:
    """A cluster whose other nodes are cordoned, so that they are no part of what is shared."""
    others = [fakenodes.name(number) for number in range(NODES + 2)]
    for name in others:
        world.cordon(name)
    yield world
    for name in others:
        world.cordon(name, closed=False)


@pytest.mark.parametrize("name", [*CAPACITY, *FAIR])
def test_a_recorded_story_ends_as_in_hadoop(nodes_of_its_own: World, name: str) -> None:
    story = Story(nodes_of_its_own, name)
    try:
        story.tell()
    finally:
        nodes_of_its_own.empty()
        story.remove_nodes()
