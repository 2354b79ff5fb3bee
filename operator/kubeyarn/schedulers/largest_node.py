"""The bound that the registered nodes put on the largest container, for both schedulers."""

from __future__ import annotations

from operator import eq

from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import Vector, component_max, component_min


class LargestNode:
    """Of each resource what the node with the most of it has, kept as nodes come, change and go.

    It looks at each resource by itself and at nodes of every partition. A node that no container
    may ever use does not count: where there is no other, the configured maximum is in force, as
    on a cluster whose nodes are yet to come.

    Nodes are counted by what they have, so that of many equal ones any may go. Cached is the
    largest; the last node that had the most of something makes it stale when it goes.

    Hadoop: ClusterNodeTracker.maxAllocation.
    """

    __slots__ = ("_counts", "_is_stale", "_largest")

    def __init__(self) -> None:
        self._counts: dict[Vector, int] = {}
        self._largest: Vector | None = None
        self._is_stale = False

    def max_allowed_allocation(self, configured: Vector) -> Vector:
        """*configured*, and of each resource no more than some node has; all of it without nodes.

        Hadoop: ClusterNodeTracker.getMaxAllowedAllocation.
        """
        if self._is_stale:
            self._is_stale = False
            self._largest = tuple(map(max, zip(*self._counts, strict=True))) or None
        return configured if self._largest is None else component_min(configured, self._largest)

    def came(self, node: Node) -> None:
        """A node joined."""
        if not node.is_registered:
            return
        has = node.total_capability
        known, largest = self._counts.get(has, 0), self._largest
        self._counts[has] = known + 1
        # What is known already changes no maximum. A stale one may take it in: it is made anew from
        # the counts anyway.
        if not known:
            self._largest = has if largest is None else component_max(largest, has)

    def changed(self, before: Node, now: Node) -> None:
        """A node may hold other containers than before."""
        is_same = before.is_registered == now.is_registered
        if not is_same or before.total_capability != now.total_capability:
            self.went(before)
            self.came(now)

    def went(self, node: Node) -> None:
        """A node left."""
        if not node.is_registered:
            return
        has, largest = node.total_capability, self._largest
        left = self._counts[has] - 1
        if left:
            self._counts[has] = left
            return
        del self._counts[has]
        # Others may have as much of it: that is found out when the maximum is asked for, once for
        # all nodes that went until then.
        if largest is not None and any(map(eq, has, largest)):
            self._is_stale = True
