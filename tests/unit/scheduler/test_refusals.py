"""Which of kube-scheduler's words say that waiting does not help; as kube-scheduler writes them."""

from __future__ import annotations

import pytest

from kubeyarn.scheduler.refusals import PodRefusal, read_refusal

LASTS, NO_ROOM, MAY_PASS = PodRefusal.LASTS, PodRefusal.NO_ROOM, PodRefusal.MAY_PASS
SELECTOR = "node(s) didn't match Pod's node affinity/selector"
NOT_THESE = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
NO_VICTIMS = (
    "preemption: 0/4 nodes are available: 1 No preemption victims found for incoming pod, "
    "3 Preemption is not helpful for scheduling."
)


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        pytest.param("0/1 nodes are available: 1 Too many pods.", NO_ROOM, id="slots, one node"),
        pytest.param(
            f"0/4 nodes are available: 1 Too many pods, 3 {NOT_THESE}. "
            f"no new claims to deallocate, {NO_VICTIMS}",
            NO_ROOM,
            id="slots",
        ),
        pytest.param(
            f"0/4 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 3 {NOT_THESE}. "
            f"{NO_VICTIMS}",
            NO_ROOM,
            id="two resources",
        ),
        pytest.param(
            f"0/4 nodes are available: 1 Insufficient nvidia.com/gpu, 3 {SELECTOR}.",
            NO_ROOM,
            id="an extended resource",
        ),
        pytest.param(
            f"0/2 nodes are available: 1 {NOT_THESE}, 1 Too many pods, "
            "1 node(s) didn't have free ports for the requested pod ports.",
            NO_ROOM,
            id="a port will be free, a slot not",
        ),
        pytest.param(
            f"0/2 nodes are available: 2 {SELECTOR}. no new claims to deallocate",
            LASTS,
            id="a selector that no node has",
        ),
        pytest.param(
            f"0/4 nodes are available: 1 {SELECTOR}, 3 {NOT_THESE}. {NO_VICTIMS}",
            LASTS,
            id="a selector beside the pin",
        ),
        pytest.param(f"0/1 nodes are available: 1 {SELECTOR}.", LASTS, id="a selector, one node"),
        pytest.param(
            "0/3 nodes are available: 1 node(s) had untolerated taint {gpu: yes}, "
            f"2 {NOT_THESE}.",
            LASTS,
            id="a taint",
        ),
        pytest.param(
            f"0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 {NOT_THESE}. "
            "no new claims to deallocate",
            LASTS,
            id="taints that are not named",
        ),
        pytest.param(
            f"0/3 nodes are available: 1 {SELECTOR}, 2 node(s) had untolerated taint(s).",
            MAY_PASS,
            id="taints of other nodes",
        ),
        pytest.param(
            f"0/3 nodes are available: 2 Insufficient cpu, 1 {SELECTOR}.",
            MAY_PASS,
            id="a pod that is not pinned",
        ),
        pytest.param(
            "0/3 nodes are available: 1 node(s) didn't have free ports for the requested pod ports,"
            f" 2 {NOT_THESE}.",
            MAY_PASS,
            id="a host port",
        ),
        pytest.param(
            f"0/3 nodes are available: 1 node(s) had volume node affinity conflict, 2 {NOT_THESE}.",
            MAY_PASS,
            id="a volume elsewhere",
        ),
        pytest.param(
            'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded',
            MAY_PASS,
            id="a volume that is being bound",
        ),
        pytest.param(
            '0/3 nodes are available: persistentvolumeclaim "data" not found. not found',
            MAY_PASS,
            id="a claim that is not there yet",
        ),
        pytest.param(
            f"0/3 nodes are available: 1 node(s) were unschedulable, 2 {NOT_THESE}.",
            MAY_PASS,
            id="a node that is cordoned",
        ),
        pytest.param(
            f"0/3 nodes are available: 1 no living grant, 2 {NOT_THESE}.",
            MAY_PASS,
            id="words of the extender",
        ),
        pytest.param("", MAY_PASS, id="nothing"),
        pytest.param("1 Too many pods", MAY_PASS, id="not its own sentence"),
    ],
)
def test_whether_waiting_helps(message: str, refusal: PodRefusal) -> None:
    assert read_refusal(f"Unschedulable: {message}") is refusal


@pytest.mark.parametrize("reason", ["SchedulerError", "SchedulingGated", ""])
def test_other_reasons_than_that_no_node_will_do_may_pass(reason: str) -> None:
    assert read_refusal(f"{reason}: 0/1 nodes are available: 1 Too many pods.") is MAY_PASS
