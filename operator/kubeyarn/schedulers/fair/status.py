"""What `status` of each queue shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add
from kubeyarn.schedulers.api import QueueStatus, UserStatus
from kubeyarn.schedulers.fair.am_limits import am_limit
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.objects.queue import FSQueue


def queue_statuses(state: FairClusterState) -> Sequence[QueueStatus]:
    """Every queue, parents before children."""
    return [_status(state, queue) for queue in state.root.walk()]


def _status(state: FairClusterState, queue: FSQueue) -> QueueStatus:
    leaf = queue if isinstance(queue, FSLeafQueue) else None
    runnable = leaf.runnable_apps if leaf is not None else []
    non_runnable = leaf.non_runnable_apps if leaf is not None else []
    # An application is active once it has held a container, even when it holds none now.
    pending = sum(1 for attempt in runnable if not attempt.started)
    return QueueStatus(
        path=queue.path,
        leaf=leaf is not None,
        state="Running",
        minimum=queue.min_share,
        maximum=queue.max_share,
        used=queue.used,
        pending=_total(state, (leaf.pending for leaf in queue.leaves())),
        reserved=_total(state, (leaf.reserved for leaf in queue.leaves())),
        containers=_count_containers(queue),
        used_capacity=_memory_part(queue.used, queue.fair_share),
        absolute_used_capacity=_memory_part(queue.used, state.cluster),
        am_used=leaf.am_used if leaf is not None else state.zero,
        am_limit=am_limit(state, leaf) if leaf is not None else queue.max_share,
        active_applications=len(runnable) - pending,
        pending_applications=pending + len(non_runnable),
        steady_fair_share=queue.steady_fair_share,
        instantaneous_fair_share=queue.fair_share,
        demand=queue.demand,
        users=_users(state, queue, [*runnable, *non_runnable]),
    )


def _total(state: FairClusterState, vectors: Iterable[Vector]) -> Vector:
    total = state.zero
    for vector in vectors:
        total = add(total, vector)
    return total


def _count_containers(queue: FSQueue) -> int:
    return sum(
        len(attempt.containers)
        for leaf in queue.leaves()
        for attempt in (*leaf.runnable_apps, *leaf.non_runnable_apps)
    )


def _memory_part(used: Vector, whole: Vector) -> float:
    return used[0] / whole[0] if whole[0] else 0.0


def _users(
    state: FairClusterState, queue: FSQueue, attempts: Sequence[FSAppAttempt]
) -> tuple[UserStatus, ...]:
    """Who is in a leaf; a user's resources are limited by the queue alone."""
    by_name: dict[str, list[FSAppAttempt]] = {}
    for attempt in attempts:
        by_name.setdefault(attempt.application.user, []).append(attempt)
    return tuple(_user(state, queue, name, by_name[name]) for name in sorted(by_name))


def _user(
    state: FairClusterState, queue: FSQueue, name: str, attempts: Sequence[FSAppAttempt]
) -> UserStatus:
    active = sum(1 for attempt in attempts if attempt.is_runnable and attempt.started)
    return UserStatus(
        name=name,
        used=_total(state, (attempt.used for attempt in attempts)),
        limit=queue.max_share,
        active_applications=active,
        pending_applications=len(attempts) - active,
    )
