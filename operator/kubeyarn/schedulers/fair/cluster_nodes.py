"""What follows from the size of the cluster: maxima, steady shares, the largest container.

Hadoop: ClusterNodeTracker, FairScheduler.addNode and removeNode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, component_max, component_min
from kubeyarn.schedulers.fair import fair_shares, ordering

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.queue import FSQueue


class ClusterNodeTracker:
    """Brings up to date what hangs on the nodes, once for any number that came or went.

    Cached are the maxima and steady shares of queues, and the order of all children (drf keys
    divide by the cluster). `dirty.cluster` says that they are stale; every call from outside that
    reads one of them begins with `bring_up_to_date`.
    """

    def __init__(self, state: FairClusterState) -> None:
        self._state = state

    def bring_up_to_date(self) -> None:
        """Bring everything up to date, if nodes changed."""
        state = self._state
        if not state.dirty.cluster or not state.queues:
            return
        state.dirty.cluster_updated()
        fair_shares.update_max_shares(state)
        fair_shares.update_steady_shares(state)
        ordering.rebuild(state)

    def maximum_allocation(self, queue: FSQueue | None) -> Vector:
        """The largest container a queue may ask for: configured, and what a node can hold.

        Hadoop: getMaximumResourceCapability of a queue.
        """
        configured = self.configured_maximum_allocation(queue)
        return self._state.largest_node.max_allowed_allocation(configured)

    def configured_maximum_allocation(self, queue: FSQueue | None) -> Vector:
        """The largest container of a queue, whatever nodes there are."""
        return queue_maximum_allocation(
            self._state.maximum_allocation,
            queue.max_container_allocation if queue is not None else (),
        )

    def normalize(self, size: Vector, queue: FSQueue) -> Vector:
        """The size a container of *queue* gets when *size* is asked for and taken.

        It is not cut below what is asked for, when the nodes that could hold it have gone.
        """
        state = self._state
        largest = component_max(self.maximum_allocation(queue), size)
        maximum = component_min(self.configured_maximum_allocation(queue), largest)
        return normalize(size, state.minimum_allocation, maximum, state.increment_allocation)


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
