"""What `status` of each queue shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubeyarn.model.resources import Vector, add
from kubeyarn.schedulers.api import QueueStatus, UserStatus
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.container_assigner import Assigner
from kubeyarn.schedulers.fair.objects import Attempt, Queue


def queue_status(ledger: Ledger, assigner: Assigner) -> Sequence[QueueStatus]:
    """Every queue, parents before children."""
    return [_status(ledger, assigner, queue) for queue in ledger.root.down()]


def _status(ledger: Ledger, assigner: Assigner, queue: Queue) -> QueueStatus:
    waiting = sum(1 for attempt in queue.runnable if not attempt.started)
    return QueueStatus(
        path=queue.path,
        leaf=queue.is_leaf,
        state="Running",
        minimum=queue.minimum,
        maximum=queue.maximum,
        used=queue.usage,
        pending=_total(ledger, (leaf.pending for leaf in queue.leaves())),
        reserved=_total(ledger, (leaf.reserved for leaf in queue.leaves())),
        containers=count_containers(queue),
        used_capacity=_memory_part(queue.usage, queue.fair_share),
        absolute_used_capacity=_memory_part(queue.usage, ledger.cluster),
        am_used=queue.am_usage,
        am_limit=assigner.am_limit(queue) if queue.is_leaf else queue.maximum,
        active_applications=len(queue.runnable) - waiting,
        pending_applications=waiting + len(queue.waiting),
        steady_fair_share=queue.steady_share,
        instantaneous_fair_share=queue.fair_share,
        users=_users(ledger, queue),
    )


def _total(ledger: Ledger, vectors: Iterable[Vector]) -> Vector:
    total = ledger.zero
    for vector in vectors:
        total = add(total, vector)
    return total


def count_containers(queue: Queue) -> int:
    """How many containers its applications hold."""
    return sum(
        len(attempt.containers)
        for leaf in queue.leaves()
        for attempt in (*leaf.runnable, *leaf.waiting)
    )


def _memory_part(usage: Vector, whole: Vector) -> float:
    return usage[0] / whole[0] if whole[0] else 0.0


def _users(ledger: Ledger, queue: Queue) -> tuple[UserStatus, ...]:
    """Who is in a leaf; the Fair Scheduler sets users no limit of resources but the queue's."""
    by_name: dict[str, list[Attempt]] = {}
    for attempt in (*queue.runnable, *queue.waiting):
        by_name.setdefault(attempt.application.user, []).append(attempt)
    return tuple(_user(ledger, queue, name, by_name[name]) for name in sorted(by_name))


def _user(ledger: Ledger, queue: Queue, name: str, attempts: Sequence[Attempt]) -> UserStatus:
    used = tuple(sum(amounts) for amounts in zip(*(a.usage for a in attempts), strict=True))
    active = sum(1 for attempt in attempts if attempt.is_runnable and attempt.started)
    return UserStatus(
        name=name,
        used=used or ledger.zero,
        limit=queue.maximum,
        active_applications=active,
        pending_applications=len(attempts) - active,
    )
