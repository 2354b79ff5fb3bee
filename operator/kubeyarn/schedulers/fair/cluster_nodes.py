"""What follows from the size of the cluster: maxima, steady shares, the largest container.

Hadoop: ClusterNodeTracker, FairScheduler.addNode and removeNode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, component_min
from kubeyarn.schedulers.fair import fair_shares, ordering

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.queue import FSQueue


class ClusterNodeTracker:
    """Brings up to date what hangs on the nodes, once for any number that came or went.

    Cached are the maxima and steady shares of queues, the order of all children (drf keys divide
    by the cluster), and the largest node. `dirty.cluster` says that they are stale; every call
    from outside that reads one of them begins with `bring_up_to_date`.
    """

    def __init__(self, state: FairClusterState) -> None:
        self._state = state
        self._largest_node: Vector | None = None

    def bring_up_to_date(self) -> None:
        """Bring everything up to date, if nodes changed."""
        state = self._state
        if not state.dirty.cluster or not state.queues:
            return
        state.dirty.cluster_updated()
        totals = [node.rm_node.total for node in state.nodes.values()]
        self._largest_node = tuple(map(max, zip(*totals, strict=True))) if totals else None
        fair_shares.update_max_shares(state)
        fair_shares.update_steady_shares(state)
        ordering.rebuild(state)

    def maximum_allocation(self, queue: FSQueue | None) -> Vector:
        """The largest container a queue may ask for: configured, and what a node can hold.

        Hadoop: getMaximumResourceCapability of a queue.
        """
        self.bring_up_to_date()
        maximum = self._state.maximum_allocation
        if self._largest_node is not None:
            maximum = component_min(maximum, self._largest_node)
        return queue_maximum_allocation(
            maximum, queue.max_container_allocation if queue is not None else ()
        )

    def normalize(self, size: Vector, queue: FSQueue) -> Vector:
        """The size a container of *queue* gets when *size* is asked for."""
        state = self._state
        return normalize(
            size,
            state.minimum_allocation,
            self.maximum_allocation(queue),
            state.increment_allocation,
        )


def normalize(size: Vector, minimum: Vector, maximum: Vector, increment: Vector) -> Vector:
    """*size* raised to the minimum, rounded up to the increment, cut at the maximum.

    Hadoop: DominantResourceCalculator.normalize with `yarn.scheduler.increment-allocation-*`; an
    increment of 0 does not round.
    """
    # Cut last, so the largest container need not be a multiple of the increment.
    return tuple(
        min(_round_up(max(amount, least), step), limit)
        for amount, least, limit, step in zip(size, minimum, maximum, increment, strict=True)
    )


def _round_up(amount: int, step: int) -> int:
    return -(-amount // step) * step if step else amount


def queue_maximum_allocation(scheduler: Vector, queue: Sequence[int | None]) -> Vector:
    """The scheduler's maximum, lowered where `maxContainerAllocation` of a queue says less."""
    return tuple(
        limit if place >= len(queue) or queue[place] is None else min(limit, queue[place] or 0)
        for place, limit in enumerate(scheduler)
    )
