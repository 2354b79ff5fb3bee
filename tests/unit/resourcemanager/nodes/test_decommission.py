"""Which pods leave nodes that are drained or lost, and how their containers end."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.resourcemanager.nodes import decommission
from kubeyarn.resourcemanager.nodes.tracker import NodeTracker
from kubeyarn.resourcemanager.pods import pod_state
from unit.resourcemanager.objects import a_pod, container, exited

NOW_MS = 1_764_000_000_000
LOST = {
    "metadata": {"name": "n1"},
    "status": {
        "conditions": [
            {
                "type": "Ready",
                "status": "Unknown",
                "lastTransitionTime": "2025-11-24T00:00:00Z",
            }
        ]
    },
}
DRAINED = {
    "metadata": {
        "name": "n1",
        "annotations": {"kubeyarn.io/decommission-timeout-seconds": "0"},
    },
    "spec": {"unschedulable": True},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
WELL = {
    "metadata": {"name": "n1"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
RUNS = a_pod(container(2), phase="Running")
GOING = a_pod(container(2), phase="Running", deletionTimestamp="2025-11-23T12:14:00Z")
ENDED = a_pod(container(2), phase="Succeeded", main=exited(0))


def seen(node, pod):
    tracker = NodeTracker(expiry_s=600, timeout_s=60, clock_ms=lambda: NOW_MS)
    tracker.see("ADDED", node, ("n1",))
    return tracker, {container(2): pod_state.read(pod)}


@pytest.mark.parametrize(
    ("node", "pod", "recorded", "removed"),
    [
        pytest.param(WELL, RUNS, False, [], id="a node that runs keeps its pods"),
        pytest.param(DRAINED, RUNS, False, ["with its exit"], id="a drained node ends them"),
        pytest.param(DRAINED, GOING, False, [], id="which are going already"),
        pytest.param(DRAINED, ENDED, False, [], id="or have ended by themselves"),
        pytest.param(LOST, RUNS, False, [], id="a lost node's exits are recorded first"),
        pytest.param(LOST, RUNS, True, ["at once"], id="and then its pods are removed"),
        pytest.param(LOST, GOING, True, ["at once"], id="also those that cannot end any more"),
        pytest.param(LOST, ENDED, True, [], id="but not those that had ended"),
    ],
)
def test_pods_leave_a_node_in_order_or_once_their_exits_are_recorded(node, pod, recorded, removed):
    tracker, pods = seen(node, pod)
    unrecorded = [] if recorded else [container(2)]

    found = [
        "at once" if ending is None else "with its exit"
        for _, ending in decommission.pods_to_remove(tracker, pods, unrecorded)
    ]
    assert found == removed


@pytest.mark.parametrize(
    ("node", "pod", "over"),
    [
        pytest.param(WELL, RUNS, None, id="a pod on a node that runs is as it says"),
        pytest.param(DRAINED, RUNS, None, id="a drained node's kubelet still tells"),
        pytest.param(LOST, RUNS, -100, id="on a lost node it is over whatever it said last"),
        pytest.param(LOST, ENDED, 0, id="unless it had ended before"),
    ],
)
def test_a_lost_nodes_pods_are_over(node, pod, over):
    tracker, pods = seen(node, pod)
    ending = decommission.as_seen(tracker, pods)[container(2)].ending

    assert (ending.exit_status if isinstance(ending, ContainerExit) else None) == over
