"""What queues and headroom look like from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import MEMORY, add, component_min, subtract
from kubeyarn.schedulers.api import NO_MAXIMUM, QueueStatus, UserStatus
from kubeyarn.schedulers.calculator import at_most
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.queue import Queue, QueueState
from kubeyarn.schedulers.capacity.queue_manager import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication


def queue_statuses(root: ParentQueue) -> Sequence[QueueStatus]:
    """Every queue, parents before children."""
    return [_status(queue) for queue in walk(root)]


def total(vectors: Iterable[Vector], zero: Vector) -> Vector:
    """The sum of vectors, *zero* when there are none."""
    result = zero
    for vector in vectors:
        result = add(result, vector)
    return result


def leaves(queue: Queue) -> list[LeafQueue]:
    """The leaves in or below a queue."""
    return [one for one in walk(queue) if isinstance(one, LeafQueue)]


def _status(queue: Queue) -> QueueStatus:
    below = leaves(queue)
    leaf = queue if isinstance(queue, LeafQueue) else None
    return QueueStatus(
        path=queue.path,
        leaf=queue.leaf,
        state=str(queue.state or QueueState.RUNNING),
        minimum=queue.minimum(""),
        maximum=queue.maximum(""),
        used=total(queue.used.values(), queue.zero),
        pending=total(queue.pending.values(), queue.zero),
        reserved=total(queue.reserved.values(), queue.zero),
        containers=sum(len(app.containers) for one in below for app in one.all_applications()),
        used_capacity=queue.used_capacity(""),
        absolute_used_capacity=queue.absolute_used(""),
        am_used=total(leaf.am_used.values(), queue.zero) if leaf else queue.zero,
        am_limit=leaf.am_limits.get("", queue.zero) if leaf else queue.zero,
        active_applications=sum(len(one.active) for one in below),
        pending_applications=sum(len(one.waiting) + len(one.parked) for one in below),
        users=user_statuses(leaf) if leaf else (),
    )


def user_statuses(leaf: LeafQueue) -> tuple[UserStatus, ...]:
    """The leaf's users by name, with the limits they would have as active users."""
    return tuple(
        UserStatus(
            name=user.name,
            used=total(user.used.values(), leaf.zero),
            limit=leaf.users.limit(user.name, "", whole=False),
            active_applications=user.active_apps,
            pending_applications=user.pending_apps,
        )
        for _, user in sorted(leaf.users.by_name.items())
    )


def effective_maximum_of(queue: Queue, partition: str, config: SchedulerConfig) -> Vector:
    """What a queue may hold at most on nodes of *partition*.

    A shared partition's room is lent, whatever the queue has of it (Hadoop: AbstractCSQueue.accept
    under IGNORE_PARTITION_EXCLUSIVITY); and where only memory counts nothing else has a limit.
    """
    shared = any(p.name == partition and not p.exclusive for p in config.partitions)
    most = queue.cluster.partition(partition) if shared else queue.maximum(partition)
    if config.dominant:
        return most
    return tuple(amount if at == MEMORY else NO_MAXIMUM for at, amount in enumerate(most))


def headroom_of(app: LedgerApplication) -> Vector:
    """What an application may still get (Hadoop: AbstractLeafQueue.getHeadroom).

    The user's and the queue's room, rounded down, and not more than is free.
    """
    queue = app.queue
    partition = app.app.partition or ""
    user = queue.users.get(app.user)
    by_user = subtract(
        queue.users.limit(app.user, partition, whole=False),
        user.used.get(partition, queue.zero),
    )
    limit = queue.maximum(partition) if partition else queue.known_limit
    by_queue = subtract(limit, queue.use(partition))
    room = tuple(max(0, x) for x in component_min(by_user, by_queue))
    whole = queue.cluster.partition(partition)
    root = list(queue.path_up())[-1]
    free = subtract(whole, root.use(partition))
    return at_most(queue.calc, whole, free, queue.calc.round_down(room, queue.step))
