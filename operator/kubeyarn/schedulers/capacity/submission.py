"""What the Capacity Scheduler takes: applications and asks, checked and brought into its form.

Hadoop: CapacityScheduler.addApplication, AbstractLeafQueue.validateSubmitApplication, RMAppManager
(access, the AM's request), SchedulerUtils (sizes and labels) and AppPriorityACLsManager. An
application that was taken before, and is told again after a restart, is not checked again: it was
let in, and what it is refused now could not be explained to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.model.errors import AccessDenied, Rejected
from kubeyarn.model.queues import EVERY_PARTITION
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import component_max, component_min
from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
from kubeyarn.schedulers.capacity.objects.queue import QueueState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.applications import Application
    from kubeyarn.model.asks import Ask
    from kubeyarn.model.queues import PriorityAccess, SchedulerConfig
    from kubeyarn.model.resources import ResourceTypes, Vector
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
    from kubeyarn.schedulers.capacity.objects.queue import Queue

_MASTER = "ApplicationMaster"


# -- applications ----------------------------------------------------------------------------------


def make_application(
    app: Application,
    leaf: LeafQueue,
    config: SchedulerConfig,
    types: ResourceTypes,
    now_ms: int,
    *,
    leaf_is_new: bool = False,
) -> FiCaSchedulerApp:
    """An application in *leaf*; one that was placed before is not checked again.

    Nor is its AM's size where the leaf was made for it: `check_master_without_queue` was called.

    Raises:
        Rejected: its AM is too big or in a partition out of reach, or its priority is not allowed.
    """
    made = FiCaSchedulerApp(app, leaf, leaf.zero, now_ms)
    made.am_partition = _am_partition(app, leaf, config)
    if not app.placed:
        check_partition(leaf, made.am_partition, config, _MASTER)
        if not leaf_is_new:
            check_size(app.am_size or leaf.zero, maximum_allocation(leaf), types, _MASTER)
    if app.am_size is None:
        made.am_size = config.minimum_allocation
    elif leaf_is_new:
        # Hadoop's RMAppManager rounds before there is a leaf whose maximum could cut it.
        made.am_size = scheduler_size(app.am_size, leaf, config)
    else:
        made.am_size = normalize(app.am_size, leaf, config)
    made.priority = allowed_priority(app, leaf, config, app.priority, check=not app.placed)
    return made


def check_master_without_queue(
    app: Application, cluster: CapacityNodeTracker, config: SchedulerConfig
) -> None:
    """Check the AM's size before its leaf is made, so that a refusal leaves nothing behind.

    The largest container of the leaf to be is not known then: the cluster's counts. Hadoop:
    RMAppManager.validateAndCreateResourceRequest, before the scheduler hears of the application.

    Raises:
        Rejected: it is negative or too large.
    """
    if not app.placed:
        maximum = cluster.largest_node.max_allowed_allocation(config.maximum_allocation)
        check_size(app.am_size or cluster.zero, maximum, cluster.types, _MASTER)


def allowed_priority(
    app: Application, leaf: LeafQueue, config: SchedulerConfig, said: int | None, *, check: bool
) -> int:
    """The priority in force when *said* is asked for.

    Without *check* its user's rights do not count: it had that priority before (Hadoop:
    CapacityScheduler.addApplicationOnRecovery).

    Raises:
        Rejected: AccessDenied.
    """
    access = leaf.settings.priority_access if config.check_access else ()
    if said is None:
        said = default_priority_of(access, app.user, app.groups)
    if said is None:
        said = leaf.settings.default_application_priority
    priority = min(said, config.maximum_application_priority)
    if check and not may_have_priority(access, app.user, app.groups, priority):
        raise Rejected(
            Reason.ACCESS_DENIED,
            f"user {app.user} may not run {app.id} at priority {priority} in queue {leaf.path}",
        )
    return priority


def _am_partition(app: Application, leaf: LeafQueue, config: SchedulerConfig) -> str:
    """Its own partition, the cluster's default for AMs, the application's, or the queue's default.

    An AM's empty string means: not set. Hadoop: RMAppManager.validateAndCreateResourceRequest.
    """
    if app.am_partition or config.am_default_partition:
        return app.am_partition or config.am_default_partition or ""
    if app.partition is not None:
        return app.partition
    return leaf.settings.default_partition or ""


def default_priority_of(
    access: Sequence[PriorityAccess], user: str, groups: tuple[str, ...]
) -> int | None:
    """The priority a user gets without asking for one; None when no rule is about the user."""
    found = None
    for one in _by_maximum(access):
        if one.users.allows(user, groups):
            found = one
    return None if found is None else found.default


def may_have_priority(
    access: Sequence[PriorityAccess], user: str, groups: tuple[str, ...], priority: int
) -> bool:
    """Whether the user may run at *priority*; everybody may where there are no rules."""
    return not access or any(
        one.users.allows(user, groups) and (one.maximum is None or priority <= one.maximum)
        for one in access
    )


def _by_maximum(access: Sequence[PriorityAccess]) -> list[PriorityAccess]:
    return sorted(access, key=lambda one: (one.maximum is None, one.maximum or 0))


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


# -- asks ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckedAsk:
    """An ask as it is served: rounded, its partition known."""

    ask: Ask
    size: Vector
    partition: str

    @property
    def count(self) -> int:
        """How many are to be granted here; opportunistic containers are granted elsewhere."""
        return 0 if self.ask.opportunistic else self.ask.count


def check_asks(
    app: FiCaSchedulerApp, asks: Sequence[Ask], config: SchedulerConfig, types: ResourceTypes
) -> list[CheckedAsk]:
    """The asks as they are served.

    Raises:
        Rejected: above the maximum allocation, negative, or a partition without access.
    """
    return [_check_ask(app, ask, config, types) for ask in asks]


def _check_ask(
    app: FiCaSchedulerApp, ask: Ask, config: SchedulerConfig, types: ResourceTypes
) -> CheckedAsk:
    """An ask with its size rounded to what is granted, and its partition (SchedulerUtils)."""
    leaf = app.queue
    where = f"request of priority {ask.key.priority}"
    # Before it is rounded up: Hadoop refuses a request that is too large, it never shortens one.
    check_size(ask.size, maximum_allocation(leaf, admitted=ask.admitted), types, where)
    if ask.count < 0:
        raise Rejected(Reason.INVALID_REQUEST, f"{where}: count {ask.count} is negative")
    partition = ask.partition
    if partition is None:
        partition = app.app.partition
    if partition is None:
        partition = leaf.settings.default_partition or ""
    check_partition(leaf, partition, config, where)
    size = scheduler_size(normalize(ask.size, leaf, config), leaf, config)
    return CheckedAsk(ask, size, partition)


# -- sizes and partitions --------------------------------------------------------------------------


def maximum_allocation(leaf: LeafQueue, *, admitted: bool = False) -> Vector:
    """The largest container that may be asked for in *leaf*: configured, and what a node has.

    What was *admitted* before may be as large as is configured. Hadoop: CapacityScheduler.
    getMaximumResourceCapability of a queue.
    """
    configured = leaf.settings.maximum_allocation
    return configured if admitted else leaf.cluster.largest_node.max_allowed_allocation(configured)


def normalize(size: Vector, leaf: LeafQueue, config: SchedulerConfig) -> Vector:
    """*size* rounded up to the minimum allocation's multiples, and cut at the maximum."""
    minimum = config.minimum_allocation
    maximum = _cut_at(leaf, leaf.settings.maximum_allocation, size)
    return leaf.calc.normalize(size, minimum, maximum, minimum)


def _cut_at(leaf: LeafQueue, configured: Vector, size: Vector) -> Vector:
    """Where a *size* that was taken is cut when it is rounded up: never below itself.

    It may be larger than every node, when those that could hold it have gone.
    """
    largest = leaf.cluster.largest_node.max_allowed_allocation(configured)
    return component_min(configured, component_max(largest, size))


def scheduler_size(size: Vector, leaf: LeafQueue, config: SchedulerConfig) -> Vector:
    """A normalized *size* as the scheduler grants it.

    Hadoop normalizes twice: the ApplicationMasterService by the queue's maximum, the scheduler by
    the cluster's, which matters when the queue's maximum is no multiple of the minimum allocation.
    """
    minimum = config.minimum_allocation
    maximum = _cut_at(leaf, config.maximum_allocation, size)
    return leaf.calc.normalize(size, minimum, maximum, minimum)


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
