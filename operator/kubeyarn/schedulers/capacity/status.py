"""What queues and users look like from outside (Hadoop: CapacitySchedulerQueueInfo, UserInfo)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import MEMORY, add
from kubeyarn.schedulers.api import NO_MAXIMUM, PartitionStatus, QueueStatus, UserStatus
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.queue import QueueState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.queue import Queue


def queue_statuses(root: ParentQueue, partitions: Sequence[str]) -> Sequence[QueueStatus]:
    """Every queue, parents before children; *partitions* are the cluster's, by name."""
    return [_status(queue, partitions) for queue in root.walk()]


def total(vectors: Iterable[Vector], zero: Vector) -> Vector:
    """The sum of vectors, *zero* when there are none."""
    result = zero
    for vector in vectors:
        result = add(result, vector)
    return result


def _status(queue: Queue, partitions: Sequence[str]) -> QueueStatus:
    # Counted from the leaves on request: a report is asked for once in a while, a grant is made all
    # the time.
    below = queue.leaves()
    leaf = queue if queue.leaf else None
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
        pending_applications=sum(
            len(one.pending_applications) + len(one.non_runnable_applications) for one in below
        ),
        users=user_statuses(leaf) if leaf else (),
        partitions=_partition_statuses(queue, partitions),
    )


def _partition_statuses(queue: Queue, partitions: Sequence[str]) -> tuple[PartitionStatus, ...]:
    """What a queue has of each partition that it may use or holds something of."""
    if not partitions:
        return ()
    reached = {name for name in partitions if queue.reaches(name)}
    held = {name for name, used in queue.used.items() if any(used)}
    return tuple(_partition_status(queue, name) for name in sorted({"", *reached, *held}))


def _partition_status(queue: Queue, name: str) -> PartitionStatus:
    leaf, zero = (queue if queue.leaf else None), queue.zero
    return PartitionStatus(
        name=name,
        minimum=queue.minimum(name),
        maximum=queue.maximum(name),
        used=queue.use(name),
        pending=queue.pending.get(name, zero),
        reserved=queue.reserved.get(name, zero),
        am_used=leaf.am_used.get(name, zero) if leaf else zero,
        am_limit=leaf.am_limits.get(name, zero) if leaf else zero,
        users=_users_in(leaf, name) if leaf else (),
    )


def _users_in(leaf: LeafQueue, partition: str) -> tuple[UserStatus, ...]:
    """The users who hold something of a partition, with the limits they would have as active."""
    return tuple(
        UserStatus(
            name=user.name,
            used=user.use(partition),
            limit=leaf.users.limit(user.name, partition, whole=False),
            active_applications=user.active_apps,
            pending_applications=user.pending_apps,
        )
        for _, user in sorted(leaf.users.by_name.items())
        if any(user.use(partition))
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

    Of a shared partition a queue may borrow all, whatever its maximum (Hadoop:
    AbstractCSQueue.accept under IGNORE_PARTITION_EXCLUSIVITY). Where only memory counts, the other
    types have no maximum.
    """
    # A queue's own maximum bounds what it has by right; a shared partition is lent beyond that.
    shared = any(p.name == partition and not p.exclusive for p in config.partitions)
    most = queue.cluster.partition(partition) if shared else queue.maximum(partition)
    if config.dominant:
        return most
    return tuple(amount if at == MEMORY else NO_MAXIMUM for at, amount in enumerate(most))
