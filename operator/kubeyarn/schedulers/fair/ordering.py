"""Keeps the children of every queue sorted as its policy serves them.

What holds: a leaf's sorted children are its runnable attempts that want more than they hold; a
parent's are the child queues that have sorted children themselves. Each child is filed under the
key it had when it was last placed (`order_entry`). A key depends on usage, weight and minimum, and
under drf on the size of the cluster. So a grant, a release or an ask places one attempt and the
queues above it; after shares were updated `place_changed` places all queues, whose demand changed;
`rebuild` starts anew when the configuration or the cluster changed.

An attempt that asked since the last update is not placed by its ask alone: its demand is still
what it was, and Hadoop serves it after the next update, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.schedulers.fair.comparators import drf_key, fair_share_key, fifo_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.objects.queue import FSQueue
    from kubeyarn.schedulers.fair.objects.schedulables import SortKey


def key_of_queue(state: FairClusterState, queue: FSQueue) -> SortKey:
    """Where the parent's policy places *queue* now."""
    parent = queue.parent
    if parent is not None and parent.policy is FairPolicy.DRF:
        return drf_key(queue.used, queue.min_share, queue.weight, state.cluster, 0, queue.path)
    return fair_share_key(
        queue.used[0], queue.demand[0], queue.min_share[0], queue.weight, 0, queue.path
    )


def key_of_attempt(state: FairClusterState, attempt: FSAppAttempt) -> SortKey:
    """Where the leaf's policy places *attempt* now."""
    policy = attempt.queue.policy
    if policy is FairPolicy.FIFO:
        return fifo_key(attempt.start_ms, attempt.name)
    if policy is FairPolicy.DRF:
        return drf_key(
            attempt.used,
            state.zero,
            attempt.weight,
            state.cluster,
            attempt.start_ms,
            attempt.name,
        )
    return fair_share_key(
        attempt.used[0], attempt.demand[0], 0, attempt.weight, attempt.start_ms, attempt.name
    )


def place_attempt(state: FairClusterState, attempt: FSAppAttempt) -> None:
    """Put *attempt* and the queues above it where they belong now."""
    leaf = attempt.queue
    # Demand is as of the last update, so what was asked since does not bring anybody in line.
    if attempt.is_runnable and attempt.demand != attempt.used:
        leaf.schedulables.put(attempt, key_of_attempt(state, attempt))
    else:
        leaf.schedulables.remove(attempt)
    place_queue(state, leaf)


def place_queue(state: FairClusterState, queue: FSQueue) -> None:
    """Put *queue* and its ancestors where they belong now."""
    parent = queue.parent
    while parent is not None:
        # A queue below which nobody wants anything is not in order at all, so offers skip it.
        if queue.schedulables.entries:
            parent.schedulables.put(queue, key_of_queue(state, queue))
        else:
            parent.schedulables.remove(queue)
        queue, parent = parent, parent.parent


def place_changed(state: FairClusterState, attempts: Iterable[FSAppAttempt]) -> None:
    """Place *attempts*, and every queue that asks for something, by their new keys."""
    for attempt in attempts:
        place_attempt(state, attempt)
    for queue in state.queues.values():
        if queue.order_entry is not None and queue.parent is not None:
            queue.parent.schedulables.put(queue, key_of_queue(state, queue))


def rebuild(state: FairClusterState) -> None:
    """Sort all children anew, after policies, weights or the cluster changed."""
    # All out first: entries are found by the keys they were filed under, which are of another
    # policy or of another cluster.
    for queue in state.queues.values():
        queue.schedulables.clear()
        queue.order_entry = None
    for attempt in state.attempts.values():
        attempt.order_entry = None
    for attempt in state.attempts.values():
        place_attempt(state, attempt)
