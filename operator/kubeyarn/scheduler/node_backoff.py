"""Nodes where an application gets nothing for a while, because its pods were refused there.

A scheduler that grants on a node which kube-scheduler refuses would grant there again in the next
cycle, and starve the application. So the node is left out for this application alone (Hadoop: the
blacklist of AppSchedulingInfo), for 30 s at first and twice as long after each further refusal. The
request whose grant was refused lists it in its status, so that another process keeps off it, too;
nothing is written when the time is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubeyarn.crd import submissions
from kubeyarn.crd.object import Object

FIRST_MS = 30_000
LONGEST_MS = 600_000
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class NodeBackoff:
    """How often a node refused an application's pods in a row, and until when it is left out."""

    until_ms: int
    refusals: int = 1
    message: str = ""

    def again(self, now_ms: int, message: str) -> NodeBackoff:
        """Refused once more."""
        return backed_off(now_ms, message, self.refusals + 1)


def backed_off(now_ms: int, message: str, times: int = 1) -> NodeBackoff:
    """Refused for the *times*-th time in a row."""
    wait_ms = min(LONGEST_MS, FIRST_MS * 2 ** min(times - 1, 10))
    # In whole seconds, as status says it: another process has the same.
    return NodeBackoff(-(-(now_ms + wait_ms) // 1000) * 1000, times, message[:512])


def excluded_places(
    found: Object, backoffs: Iterable[Mapping[str, NodeBackoff]], now_ms: int
) -> frozenset[str]:
    """Where a request gets nothing now: what it excludes, and where its application backs off."""
    excluded = (found.get("spec") or {}).get("excludeNodes") or ()
    return frozenset(excluded) | {
        node for one in backoffs for node, known in one.items() if known.until_ms > now_ms
    }


def read_backoffs(found: Object) -> dict[str, NodeBackoff]:
    """The node backoffs that a request's status lists."""
    return {
        entry["node"]: NodeBackoff(
            submissions.milliseconds(entry.get("until")),
            int(entry.get("refusals") or 1),
            entry.get("message") or "",
        )
        for entry in (found.get("status") or {}).get("avoidedNodes") or ()
    }
