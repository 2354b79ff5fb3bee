"""Which submissions a queue refuses.

Hadoop: CapacityScheduler.addApplication, AbstractLeafQueue.validateSubmitApplication,
RMAppManager (access) and SchedulerUtils (sizes and labels).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.errors import AccessDenied, Rejected
from kubeyarn.model.queues import EVERY_PARTITION
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.queue import Queue, QueueState

if TYPE_CHECKING:
    from kubeyarn.model.applications import Application
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import ResourceTypes, Vector


def find_leaf(queues: dict[str, Queue], by_name: dict[str, list[Queue]], name: str) -> LeafQueue:
    """The leaf a full path or a short name means.

    Raises:
        Rejected: there is none, it is no leaf, or several have the short name.
    """
    queue = find_queue(queues, by_name, name)
    if not isinstance(queue, LeafQueue):
        raise Rejected(Reason.QUEUE_NOT_LEAF, f"queue {queue.path} is not a leaf queue")
    return queue


def find_queue(queues: dict[str, Queue], by_name: dict[str, list[Queue]], name: str) -> Queue:
    """The queue a full path or a short name means.

    Raises:
        Rejected: there is none, or several have the short name.
    """
    queue = queues.get(name)
    if queue is not None:
        return queue
    named = by_name.get(name, [])
    if not named:
        raise Rejected(Reason.QUEUE_NOT_FOUND, f"queue {name!r} does not exist")
    if len(named) > 1:
        raise Rejected(
            Reason.QUEUE_AMBIGUOUS,
            f"queue name {name!r} is ambiguous: it may be "
            + " or ".join(sorted(one.path for one in named))
            + "; use the full path",
        )
    return named[0]


def check_access(queue: Queue, app: Application, config: SchedulerConfig) -> None:
    """Refuse users that neither the queue nor any ancestor lets in.

    Raises:
        AccessDenied: naming the queue.
    """
    if not config.check_access or config.administrators.allows(app.user, app.groups):
        return
    for one in queue.path_up():
        if one.path in app.allowed:
            return
        settings = one.settings
        for access in (settings.submit, settings.administer):
            if access.allows(app.user, app.groups):
                return
    raise AccessDenied(
        queue.path,
        f"user {app.user} does not have permission to submit {app.id} to queue {queue.path}",
    )


def check_limits(leaf: LeafQueue, app: Application) -> None:
    """Refuse what the leaf or an ancestor does not take now.

    Raises:
        Rejected: stopped, or too many applications of the queue or the user.
    """
    if leaf.state is not QueueState.RUNNING:
        raise Rejected(
            Reason.QUEUE_STOPPED, f"queue {leaf.path} is {leaf.state} and takes no applications"
        )
    if leaf.template_absolute is None:
        count = leaf.applications
        if count >= leaf.maximum_applications:
            raise Rejected(
                Reason.APPLICATION_LIMIT,
                f"queue {leaf.path} already has {count} applications of at most "
                f"{leaf.maximum_applications}",
            )
        own = leaf.users.get(app.user).applications
        if own >= leaf.maximum_per_user:
            raise Rejected(
                Reason.APPLICATION_LIMIT,
                f"queue {leaf.path} already has {own} applications from user {app.user} "
                f"of at most {leaf.maximum_per_user}",
            )
    for above in leaf.path_up():
        if above.state is not QueueState.RUNNING:
            raise Rejected(
                Reason.QUEUE_STOPPED,
                f"queue {above.path} is {above.state} and takes no applications",
            )


def check_size(size: Vector, maximum: Vector, types: ResourceTypes, where: str) -> None:
    """Refuse sizes below zero or above the maximum allocation.

    Raises:
        Rejected: InvalidRequest or MaximumAllocation.
    """
    for name, amount, most in zip(types.names, size, maximum, strict=True):
        if amount < 0:
            raise Rejected(
                Reason.INVALID_REQUEST,
                f"{where}: {types.amount(name, amount)}; it must not be negative",
            )
        if amount > most:
            raise Rejected(
                Reason.MAXIMUM_ALLOCATION,
                f"{where}: {types.amount(name, amount)} is greater than the maximum allocation "
                f"{types.show(name, most)}",
            )


def check_partition(queue: Queue, partition: str, config: SchedulerConfig, where: str) -> None:
    """Refuse a partition that is unknown or that the queue has no access to.

    Raises:
        Rejected: PartitionAccess.
    """
    if not partition:
        return
    known = sorted(p.name for p in config.partitions)
    if partition not in known:
        raise Rejected(
            Reason.PARTITION_ACCESS,
            f"{where}: partition {partition!r} does not exist; there are {known}",
        )
    if EVERY_PARTITION not in queue.accessible and partition not in queue.accessible:
        raise Rejected(
            Reason.PARTITION_ACCESS,
            f"{where}: queue {queue.path} has no access to partition {partition!r}, "
            f"only to {sorted(queue.accessible)}",
        )
