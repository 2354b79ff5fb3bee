"""Nodes where nothing is to be granted: those a request excludes, and those that refused its pods.

A node on which kube-scheduler would not bind an application's pod is avoided by the application for
a while, and each time for longer. The request whose grant was refused lists it in its status, so
that another process avoids it, too; nothing is written when the while is over.
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
    """A node that refused an application's pods so many times, and until when it is avoided."""

    until_ms: int
    refusals: int = 1
    message: str = ""

    def again(self, now_ms: int, message: str) -> NodeBackoff:
        """Refused once more."""
        return refused(now_ms, message, self.refusals + 1)


def refused(now_ms: int, message: str, times: int = 1) -> NodeBackoff:
    """Refused for the *times*-th time in a row."""
    wait_ms = min(LONGEST_MS, FIRST_MS * 2 ** min(times - 1, 10))
    # In whole seconds, as status says it: another process has the same.
    return NodeBackoff(-(-(now_ms + wait_ms) // 1000) * 1000, times, message[:512])


def excluded(
    found: Object, avoided: Iterable[Mapping[str, NodeBackoff]], now_ms: int
) -> frozenset[str]:
    """Where a request gets nothing now: what it excludes, and what its application avoids."""
    said = (found.get("spec") or {}).get("excludeNodes") or ()
    return frozenset(said) | {
        node for one in avoided for node, known in one.items() if known.until_ms > now_ms
    }


def read(found: Object) -> dict[str, NodeBackoff]:
    """The avoided nodes that a request's status lists."""
    return {
        entry["node"]: NodeBackoff(
            submissions.milliseconds(entry.get("until")),
            int(entry.get("refusals") or 1),
            entry.get("message") or "",
        )
        for entry in (found.get("status") or {}).get("avoidedNodes") or ()
    }
