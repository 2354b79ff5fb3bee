"""What one preemption pass computes on, and what it has selected so far.

Hadoop: CapacitySchedulerPreemptionContext and CapacitySchedulerPreemptionUtils.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.queues import ChildOrdering
from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.preemptable_containers import is_killable, total_size
from kubeyarn.schedulers.capacity.preemption.ideal_assignment import (
    IdealAssignmentTerms,
    TempQueuePerPartition,
    calculate_to_be_preempted,
    compute_ideal_allocation,
)
from kubeyarn.schedulers.java_collections import hash_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.model.queues import PreemptionConfig
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp, Reservation
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
    from kubeyarn.schedulers.capacity.objects.queue import Queue


@dataclass(slots=True)
class PreemptionContext:
    """One pass over all partitions.

    *total_preemption_allowed* is the budget that is left. *temp_queues* are by partition and path.
    *selected* are the containers to take back and how long each is given, *unreserved* reservations
    to give up at once, *underserved*, by partition, the queues that wanted more, in the order in
    which they were found. With *lazy* what was selected is killed only when somebody needs it.
    """

    calc: Calculator
    cluster: CapacityNodeTracker
    config: PreemptionConfig
    root: ParentQueue
    total_preemption_allowed: Vector
    apps: Mapping[ApplicationId, FiCaSchedulerApp]
    lazy: bool = False
    underserved: dict[str, dict[str, None]] = field(default_factory=dict)
    temp_queues: dict[str, dict[str, TempQueuePerPartition]] = field(default_factory=dict)
    leaves: list[LeafQueue] = field(default_factory=list)
    selected: dict[ContainerId, tuple[Container, int]] = field(default_factory=dict)
    unreserved: list[Reservation] = field(default_factory=list)

    # -- the copies ------------------------------------------------------------------------------

    def sync_queues(self, partitions: list[str], exclusive: set[str]) -> None:
        """Copy what every queue has of each partition (Hadoop: cloneQueues).

        Leaves are gone through in the order in which Hadoop's HashMap of them lists their paths.
        """
        for partition in partitions:
            whole = self.cluster.partition(partition)
            root = _copy(self.root, whole, partition, 0, shared=partition not in exclusive)
            self.temp_queues[partition] = {queue.path: queue for queue in root.walk()}
        # The order decides whose containers go first when the budget of the pass runs out.
        by_path = {queue.path: queue for queue in self.root.leaves()}
        self.leaves = [by_path[path] for path in hash_order(list(by_path))]

    def temp_queue(self, path: str, partition: str) -> TempQueuePerPartition:
        """What a queue has of a partition (Hadoop: getQueueByPartition)."""
        return self.temp_queues[partition][path]

    def leaf_of(self, container: Container) -> LeafQueue | None:
        """The leaf a container belongs to."""
        app = self.apps.get(container.id.attempt.application)
        return app.queue if app is not None else None

    def compute_ideal_allocation(self, *, consider_reserved: bool, balance: bool = False) -> None:
        """Find out what every queue should hold, and what this pass takes of each leaf."""
        terms = IdealAssignmentTerms(
            calc=self.calc,
            allowed=self.total_preemption_allowed,
            maximum_ignored_over_capacity=self.config.maximum_ignored_over_capacity,
            natural_termination=self.config.natural_termination,
            consider_reserved=consider_reserved,
            balance=balance,
            underserved=self._add_underserved,
        )
        # Each partition by itself: use and guarantees of one say nothing of another.
        for temp_queues in self.temp_queues.values():
            compute_ideal_allocation(temp_queues[self.root.path], terms)
            leaves = [temp_queues[leaf.path] for leaf in self.leaves]
            calculate_to_be_preempted(leaves, self.cluster.total, terms)

    def _add_underserved(self, path: str, partition: str) -> None:
        self.underserved.setdefault(partition, {})[path] = None

    # -- what is selected ------------------------------------------------------------------------

    def select(self, container: Container, wait_ms: int) -> None:
        """Take a container back, *wait_ms* after its AM was told."""
        self.selected[container.id] = (container, wait_ms)

    def spend(self, size: Vector) -> None:
        """Count *size* against the budget."""
        self.total_preemption_allowed = subtract(self.total_preemption_allowed, size)

    def is_killable(self, container: Container) -> bool:
        """Whether a container was selected by an earlier pass and waits for somebody in need."""
        return self.lazy and is_killable(container, self.cluster.nodes[container.node])

    def deduct_selected(self) -> None:
        """Count what earlier selectors took against what this one takes."""
        for container, _ in self.selected.values():
            node = self.cluster.nodes.get(container.node)
            leaf = self.leaf_of(container)
            if node is not None and leaf is not None:
                temp_queue = self.temp_queue(leaf.path, node.partition)
                temp_queue.deduct_actually_to_be_preempted(self.calc, container.size)

    def to_obtain(self, leaf: LeafQueue) -> dict[str, Vector]:
        """What this pass takes of a leaf, by partition, where it takes anything."""
        found: dict[str, Vector] = {}
        for partition in self.temp_queues:
            queue = self.temp_queue(leaf.path, partition)
            amount, zero = queue.actually_to_be_preempted, self.cluster.zero
            taken = self.calc.compare(self.cluster.total, amount, zero) > 0
            if taken and not queue.preemption_disabled:
                found[partition] = amount
        return found

    def try_to_obtain(
        self, to_obtain: dict[str, Vector], partition: str, size: Vector, *, conservative: bool
    ) -> bool:
        """Whether a container of *size* is worth taking; if so it is counted.

        Hadoop: tryPreemptContainerAndDeductResToObtain. *to_obtain* loses a partition of which
        nothing more is wanted. Conservative: a container is worth taking only while every type is
        wanted; otherwise as long as taking it lessens what is wanted.
        """
        if partition not in to_obtain:
            return False
        calc, total = self.calc, self.cluster.total
        # Hadoop marks a type of which nothing is wanted as -1, so that it never counts as one that
        # is short.
        wanted = tuple(x or -1 for x in to_obtain[partition])
        to_obtain[partition] = wanted
        if not calc.any_above_zero(wanted) or not calc.fits(size, self.total_preemption_allowed):
            return False
        after = subtract(wanted, size)
        if conservative:
            worth = not calc.any_zero_or_below(wanted)
        else:
            worth = calc.compare(total, _positive(after), _positive(wanted)) < 0
        if not worth:
            return False
        to_obtain[partition] = after
        self.spend(size)
        # Gone from the table, so that the caller's loops end as soon as nothing is wanted anywhere.
        if calc.compare(total, after, self.cluster.zero) <= 0:
            del to_obtain[partition]
        return True


def containers_to_preempt(app: FiCaSchedulerApp) -> list[Container]:
    """An application's containers: least important request first, of these the newest first.

    Hadoop: FifoCandidatesSelector.sortContainers.
    """
    return sorted(app.containers.values(), key=lambda c: (c.key, c.id), reverse=True)


def _positive(vector: Vector) -> Vector:
    return tuple(max(0, x) for x in vector)


def _copy(
    queue: Queue, whole: Vector, partition: str, priority: int, *, shared: bool
) -> TempQueuePerPartition:
    """Copy a queue and all below it; *priority* is the queue's where its parent respects it.

    In a shared partition every queue may hold all of it, whatever its maximum says.
    """
    zero = queue.zero
    minimum, maximum = queue.minimum(partition), queue.maximum(partition)
    share = queue.share(partition)
    absolute_maximum = 1.0 if shared else share.absolute_maximum
    pending = pending_deduct_reserved = zero
    if queue.leaf:
        pending = pending_within_limits(queue, partition, deduct_reserved=False)
        pending_deduct_reserved = pending_within_limits(queue, partition, deduct_reserved=True)
    copied = TempQueuePerPartition(
        path=queue.path,
        partition=partition,
        total=whole,
        used=queue.use(partition),
        reserved=queue.reserved.get(partition, zero),
        pending=pending,
        pending_deduct_reserved=pending_deduct_reserved,
        guaranteed=minimum if any(minimum) else multiply(whole, share.absolute),
        maximum=maximum if any(maximum) else multiply(whole, absolute_maximum),
        absolute=share.absolute,
        preemption_disabled=queue.settings.preemption_disabled,
        priority=priority,
        killable=total_size(queue.killable.get(partition, {}), zero),
    )
    by_priority = queue.settings.child_ordering is ChildOrdering.PRIORITY_UTILIZATION
    for child in queue.children:
        child_priority = child.settings.priority if by_priority else 0
        copied.add_child(_copy(child, whole, partition, child_priority, shared=shared))
    return copied


def pending_within_limits(queue: LeafQueue, partition: str, *, deduct_reserved: bool) -> Vector:
    """What active applications want of a partition and their users' limits allow.

    Hadoop: AbstractLeafQueue.getTotalPendingResourcesConsideringUserLimit.
    """
    headroom_of: dict[str, Vector] = {}
    total = queue.zero
    for app in queue.active:
        if app.user not in headroom_of:
            limit = queue.users.limit(app.user, partition, whole=False)
            used = queue.users.get(app.user).used.get(partition, queue.zero)
            headroom_of[app.user] = _positive(subtract(limit, used))
        headroom = headroom_of[app.user]
        pending = app.pending.get(partition, queue.zero)
        if deduct_reserved:
            pending = subtract(pending, app.reserved.get(partition, queue.zero))
        counted = tuple(min(h, max(0, p)) for h, p in zip(headroom, pending, strict=True))
        total = add(total, counted)
        headroom_of[app.user] = subtract(headroom, counted)
    return total
