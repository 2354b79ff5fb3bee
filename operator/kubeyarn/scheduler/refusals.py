"""What kube-scheduler's refusal of a pod says of the one node that the pod is pinned to. Pure.

A pod of a container is pinned by required node affinity on the name of its node, so kube-scheduler
looks at that node alone, and counts all others as not satisfying NodeAffinity. Its message is such
as this (framework.FitError; no version promises these words):

    0/3 nodes are available: 1 Too many pods, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. ...

What cannot be told for certain to last may pass: then the grant waits, which costs time alone.
`departures` says whether room that is missing may come.
"""

from __future__ import annotations

import re
from enum import StrEnum


class PodRefusal(StrEnum):
    """Whether waiting helps."""

    MAY_PASS = "MayPass"
    """A volume is being bound, a port is taken by a pod that ends, or nobody knows."""
    LASTS = "Lasts"
    """The node is not one that the pod may be on: its labels or its taints."""
    NO_ROOM = "NoRoom"
    """Resources or pod slots are used up: it passes when somebody leaves the node."""


_UNSCHEDULABLE = "Unschedulable"
_FIRST_SENTENCE = re.compile(r"\d+/(?P<nodes>\d+) nodes are available: (?P<reasons>.*?)\.(?: |$)")
_REASON = re.compile(r"(?P<count>\d+) (?P<words>.+)")
# Between two reasons, but not between two taints.
_BETWEEN = re.compile(r", (?=\d+ )")
_OTHER_NODE = (
    "node(s) didn't match Pod's node affinity/selector",
    "node(s) didn't satisfy plugin(s) [NodeAffinity]",
)
_TAINT = "node(s) had untolerated taint"
_TOO_MANY_PODS = "Too many pods"
_INSUFFICIENT = "Insufficient "


def read_refusal(refused: str) -> PodRefusal:
    """What a pod's condition PodScheduled=False says, written as `reason: message`."""
    reason, _, message = refused.partition(": ")
    sentence = _FIRST_SENTENCE.match(message)
    if reason != _UNSCHEDULABLE or sentence is None:
        return PodRefusal.MAY_PASS
    parts = [_REASON.fullmatch(part) for part in _BETWEEN.split(sentence["reasons"])]
    counts = {part["words"]: int(part["count"]) for part in parts if part is not None}
    nodes, others = int(sentence["nodes"]), sum(counts.pop(words, 0) for words in _OTHER_NODE)
    if others >= nodes:
        # Its own node as well: the pod asks for labels besides the pin.
        return PodRefusal.LASTS
    if others != nodes - 1 or any(count != 1 for count in counts.values()):
        # Something is said of other nodes, so that nobody knows what is said of this one.
        return PodRefusal.MAY_PASS
    if any(words.startswith(_TAINT) for words in counts):
        return PodRefusal.LASTS
    if any(words == _TOO_MANY_PODS or words.startswith(_INSUFFICIENT) for words in counts):
        return PodRefusal.NO_ROOM
    return PodRefusal.MAY_PASS
