"""What a node is, from what is seen of it and since when."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.node import NodeSigns, NodeState, NodeUpdateType, view

NOW = 10_000_000
EXPIRY_S = 600


def ago(seconds: int) -> int:
    return NOW - seconds * 1000


@pytest.mark.parametrize(
    ("signs", "state", "over"),
    [
        (NodeSigns(), NodeState.RUNNING, ""),
        (NodeSigns(busy=True), NodeState.RUNNING, ""),
        (NodeSigns(deleted=True), NodeState.LOST, "*lost* node, which was deleted"),
        # A node that flaps is as it was.
        (NodeSigns(unready_since_ms=ago(599), silent=True), NodeState.RUNNING, ""),
        (NodeSigns(unready_since_ms=ago(599)), NodeState.RUNNING, ""),
        (NodeSigns(unready_since_ms=ago(600), silent=True), NodeState.LOST, "not heard of for 600"),
        (NodeSigns(unready_since_ms=ago(600)), NodeState.UNHEALTHY, "not ready for 600 s"),
        (NodeSigns(cordoned_since_ms=ago(5)), NodeState.DECOMMISSIONED, ""),
        (NodeSigns(cordoned_since_ms=ago(5), busy=True), NodeState.DECOMMISSIONING, ""),
        (
            NodeSigns(cordoned_since_ms=ago(60), timeout_s=60, busy=True),
            NodeState.DECOMMISSIONED,
            "cordoned for 60 s",
        ),
        (
            NodeSigns(cordoned_since_ms=ago(0), timeout_s=0, busy=True),
            NodeState.DECOMMISSIONED,
            "cordoned for 0 s",
        ),
        # Lost while it was being drained: what was lost counts.
        (
            NodeSigns(unready_since_ms=ago(700), silent=True, cordoned_since_ms=ago(9), busy=True),
            NodeState.LOST,
            "not heard of for 700 s",
        ),
    ],
)
def test_a_state_follows_from_what_is_seen(signs, state, over):
    found = view(signs, EXPIRY_S, NOW)

    assert found.state is state
    assert over in found.over
    assert bool(over) == bool(found.over)


@pytest.mark.parametrize(("timeout_s", "left_s"), [(60, 57), (-1, -1)])
def test_a_node_that_is_drained_says_how_long_is_left(timeout_s, left_s):
    signs = NodeSigns(cordoned_since_ms=ago(3), timeout_s=timeout_s, busy=True)

    assert view(signs, EXPIRY_S, NOW).remaining_s == left_s


@pytest.mark.parametrize(
    ("signs", "kind"),
    [
        (NodeSigns(), NodeUpdateType.USABLE),
        (NodeSigns(deleted=True), NodeUpdateType.UNUSABLE),
        (NodeSigns(unready_since_ms=ago(700)), NodeUpdateType.UNUSABLE),
        (NodeSigns(cordoned_since_ms=ago(3)), NodeUpdateType.UNUSABLE),
        (NodeSigns(cordoned_since_ms=ago(3), busy=True), NodeUpdateType.DECOMMISSIONING),
    ],
)
def test_a_state_means_one_of_three_things_to_an_am(signs, kind):
    assert view(signs, EXPIRY_S, NOW).update_type is kind
