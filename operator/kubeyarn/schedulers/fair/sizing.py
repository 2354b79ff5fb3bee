"""What hangs on the size of the cluster: percentages, steady shares, the largest container."""

from __future__ import annotations

from kubeyarn.model.resources import Vector, add, component_min, subtract
from kubeyarn.schedulers.fair import share_update as sharing
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.objects import Queue
from kubeyarn.schedulers.fair.queue_manager import Tree
from kubeyarn.schedulers.fair.sizes import container_maximum, normalized


class Sizing:
    """Works it out once for any number of nodes that came or went."""

    def __init__(self, ledger: Ledger, tree: Tree) -> None:
        self._ledger = ledger
        self._tree = tree
        self._is_settled = False
        self._largest_node: Vector | None = None

    def grow(self, change: Vector) -> None:
        """The cluster has so much more, or less."""
        ledger = self._ledger
        ledger.cluster = add(ledger.cluster, change)
        ledger.available = subtract(ledger.cluster, ledger.allocated)
        ledger.touch()
        self._is_settled = False

    def settle(self) -> None:
        """Bring everything up to date, if anything changed."""
        if self._is_settled or not self._ledger.queues:
            return
        self._is_settled = True
        totals = [room.node.total for room in self._ledger.rooms.values()]
        self._largest_node = tuple(map(max, zip(*totals, strict=True))) if totals else None
        self._tree.set_maxima()
        self._tree.share_steadily()
        sharing.rebuild_lines(self._ledger)

    def container_maximum(self, queue: Queue | None) -> Vector:
        """The largest container that may be asked for: configured, and what a node can hold."""
        self.settle()
        maximum = self._ledger.maximum_allocation
        if self._largest_node is not None:
            maximum = component_min(maximum, self._largest_node)
        return container_maximum(maximum, queue.maximum_container if queue is not None else ())

    def normalized(self, size: Vector, queue: Queue) -> Vector:
        """The size a container of *queue* gets when *size* is asked for."""
        ledger = self._ledger
        return normalized(
            size, ledger.minimum_allocation, self.container_maximum(queue), ledger.increment
        )
