"""Nodes where an application gets nothing for a while, because its pods were refused there.

A scheduler that grants on a node which kube-scheduler refuses would grant there again in the next
cycle, and starve the application. So the node is left out for this application alone (Hadoop: the
blacklist of AppSchedulingInfo), for 30 s at first and twice as long after each further refusal. The
request whose grant was refused lists it in its status, so that another process keeps off it, too;
nothing is written when the time is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kubeyarn.crd import times
from kubeyarn.crd.container_request import ContainerRequest
from kubeyarn.model.reasons import Verdict

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


def backed_off(now_ms: int, message: str, refusals: int = 1) -> NodeBackoff:
    """Refused for the *refusals*-th time in a row."""
    wait_ms = min(LONGEST_MS, FIRST_MS * 2 ** min(refusals - 1, 10))
    # In whole seconds, as status says it: another process has the same.
    return NodeBackoff(-(-(now_ms + wait_ms) // 1000) * 1000, refusals, message[:512])


def avoided_nodes(backoffs: Iterable[Mapping[str, NodeBackoff]], now_ms: int) -> frozenset[str]:
    """Where an application gets nothing now, because its requests back off from there."""
    return frozenset(
        node for one in backoffs for node, known in one.items() if known.until_ms > now_ms
    )


def excluded_places(request: ContainerRequest, avoided: frozenset[str]) -> frozenset[str]:
    """Where a request gets nothing: what it excludes, and what its application avoids."""
    return avoided.union(request.spec.exclude_nodes) if request.spec.exclude_nodes else avoided


def with_refusal(verdict: Verdict, backoffs: Mapping[str, NodeBackoff], now_ms: int) -> Verdict:
    """A verdict with kube-scheduler's words of the last refusal that is still heeded, if any."""
    heeded = [(known.until_ms, node) for node, known in backoffs.items() if known.until_ms > now_ms]
    if not heeded:
        return verdict
    node = max(heeded)[1]
    refusal = f"kube-scheduler refused a pod on {node}: {backoffs[node].message}"
    return replace(verdict, message=f"{verdict.message}; {refusal}")


def read_backoffs(request: ContainerRequest) -> dict[str, NodeBackoff]:
    """The node backoffs that a request's status lists."""
    return {
        avoided.node: NodeBackoff(
            times.milliseconds(avoided.until), avoided.refusals, avoided.message
        )
        for avoided in request.status.avoided_nodes
    }
