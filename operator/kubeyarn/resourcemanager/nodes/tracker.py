"""Follows nodes: their YARN states, and on which of them containers have ended.

Reads Node objects; keeps of each what its state follows from, and when that state last changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from kubeyarn.crd import times
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle import node
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.node import NodeSigns, NodeState, NodeUpdate, NodeView
from kubeyarn.lifecycle.progress import ContainerExit

_log = logging.getLogger(__name__)


TIMEOUT = "kubeyarn.io/decommission-timeout-seconds"
"""The annotation of a node that says how long containers may stay once it is cordoned."""

_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_MOST_DELETED = 1000


@dataclass(frozen=True, slots=True)
class TrackedNode:
    """A node, its state, and the number of the change that brought it into that state."""

    name: str
    signs: NodeSigns
    view: NodeView
    change: int


class NodeTracker:
    """All nodes. *expiry_s*: how long one may be silent; *timeout_s*: drained within that time."""

    def __init__(self, expiry_s: int, timeout_s: int, clock_ms: Callable[[], int]) -> None:
        self._expiry_s = expiry_s
        self._timeout_s = timeout_s
        self._clock_ms = clock_ms
        self._known: dict[str, TrackedNode] = {}
        self._over: dict[str, str] = {}
        self._first_cordoned: dict[str, int] = {}
        self._changes = 0

    @property
    def changes(self) -> int:
        """The number of the last change of any node's state."""
        return self._changes

    def see(self, what: str, item: Object, busy: Collection[str]) -> bool:
        """Take a node as seen; whether its containers are over now and were not before.

        *busy* are the nodes that have containers of applications.
        """
        name = item["metadata"]["name"]
        signs = NodeSigns(deleted=True) if what == "DELETED" else self._signs(item)
        return self._put(name, replace(signs, busy=name in busy))

    def look(self, busy: Collection[str]) -> bool:
        """See what time alone has changed; whether containers of a node are over because of it."""
        overdue = [
            self._put(known.name, replace(known.signs, busy=known.name in busy))
            for known in list(self._known.values())
        ]
        self._forget_deleted(busy)
        return any(overdue)

    @property
    def all_well(self) -> bool:
        """Whether no node's containers are over."""
        return not self._over

    @property
    def need_busy(self) -> bool:
        """Whether it matters which nodes are busy: some are cordoned or deleted."""
        return any(k.signs.cordoned_since_ms or k.signs.deleted for k in self._known.values())

    def ending(self, name: str) -> ContainerExit | None:
        """How containers on a node have ended; None while they may run."""
        why = self._over.get(name)
        return ContainerExit(ExitStatus.ABORTED, why) if why else None

    def reachable(self, name: str) -> bool:
        """Whether a kubelet is there to end a node's pods in order."""
        known = self._known.get(name)
        return known is None or known.view.state not in (NodeState.LOST, NodeState.UNHEALTHY)

    def standing(self) -> Iterator[NodeUpdate]:
        """The nodes that an ApplicationMaster hears of when it registers: those not RUNNING."""
        for known in self._known.values():
            if known.view.state is not NodeState.RUNNING and not known.signs.deleted:
                yield self._told(known)

    def since(self, change: int) -> Iterator[NodeUpdate]:
        """The nodes whose state has changed after *change*, as they are now."""
        for known in self._known.values():
            if known.change > change:
                yield self._told(known)

    def _told(self, known: TrackedNode) -> NodeUpdate:
        """A node, with what is left of its time by now."""
        return NodeUpdate(known.name, node.view(known.signs, self._expiry_s, self._clock_ms()))

    def _put(self, name: str, signs: NodeSigns) -> bool:
        before = self._known.get(name)
        view = node.view(signs, self._expiry_s, self._clock_ms())
        change = before.change if before is not None else 0
        was = before.view.state if before is not None else None
        # ApplicationMasters hear of states, not of every heartbeat of a kubelet.
        if view.state is not was:
            self._changes += 1
            change = self._changes
            _log.info("node %s: %s", name, view.state)
        self._known[name] = TrackedNode(name, signs, view, change)
        if not view.over:
            self._over.pop(name, None)
            return False
        new = name not in self._over
        # The first reason stays: a node that is lost and then deleted was lost.
        self._over.setdefault(name, view.over)
        return new

    def _forget_deleted(self, busy: Collection[str]) -> None:
        """Forget deleted nodes without pods, but the last thousand, which AMs may still hear of."""
        gone = [k for k in self._known.values() if k.signs.deleted and k.name not in busy]
        for known in sorted(gone, key=lambda k: k.change)[:-_MOST_DELETED]:
            del self._known[known.name]
            self._over.pop(known.name, None)

    def _signs(self, item: Object) -> NodeSigns:
        ready = _condition(item, "Ready")
        unready = ready.get("status") != "True"
        since = times.milliseconds(ready.get("lastTransitionTime")) or self._clock_ms()
        return NodeSigns(
            # A kubelet that has never said anything has not been lost.
            silent=ready.get("status") == "Unknown",
            unready_since_ms=since if unready and ready else 0,
            cordoned_since_ms=self._cordoned_since(item),
            timeout_s=self._timeout_of(item),
        )

    def _cordoned_since(self, item: Object) -> int:
        """When a node was cordoned, as the API server knows it; 0: it is not cordoned."""
        name, spec = item["metadata"]["name"], item.get("spec") or {}
        if not spec.get("unschedulable"):
            self._first_cordoned.pop(name, None)
            return 0
        # The node controller adds the taint a moment after the field is set, and writes when.
        # Before that, the field's own manager tells; where neither does, it was now. Kept once
        # known, so that a changed entry does not give a node its time again.
        times_added = [
            t.get("timeAdded") for t in spec.get("taints") or () if t["key"] == _UNSCHEDULABLE
        ]
        times_added += [
            entry.get("time")
            for entry in item["metadata"].get("managedFields") or ()
            if "f:unschedulable" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        ]
        since = next((times.milliseconds(time) for time in times_added if time), 0)
        return self._first_cordoned.setdefault(name, since or self._clock_ms())

    def _timeout_of(self, item: Object) -> int:
        annotation = (item["metadata"].get("annotations") or {}).get(TIMEOUT)
        if annotation is None:
            return self._timeout_s
        try:
            return int(annotation)
        except ValueError:
            _log.warning(
                "node %s: annotation %s: found %r, allowed: seconds, or -1 for no end; %d s counts",
                *(item["metadata"]["name"], TIMEOUT, annotation, self._timeout_s),
            )
            return self._timeout_s


def _condition(item: Object, kind: str) -> Object:
    conditions = (item.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == kind), {})
