"""What one preemption pass looks at and has chosen so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.queues import ChildOrdering
from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.preemptable_containers import size_of
from kubeyarn.schedulers.capacity.preemption.claims import Claim
from kubeyarn.schedulers.capacity.preemption.ideal_assignment import (
    IdealTerms,
    compute_ideal,
    decide_amounts,
)
from kubeyarn.schedulers.java_collections import hash_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.model.queues import PreemptionConfig
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication, Reservation
    from kubeyarn.schedulers.capacity.objects.node import Cluster
    from kubeyarn.schedulers.capacity.objects.queue import Queue
    from kubeyarn.schedulers.capacity.preemption.demand import Budget


@dataclass(slots=True)
class Pass:
    """One pass over all partitions.

    *claims* are by partition and path; *chosen* the containers to take back and how long each is
    given; *dropped* reservations to give up at once; *underserved*, by partition, the queues that
    wanted more, in the order they were found. *lazy*: who was chosen is killed only for somebody.
    """

    calc: Calculator
    cluster: Cluster
    config: PreemptionConfig
    root: ParentQueue
    budget: Budget
    apps: Mapping[ApplicationId, LedgerApplication]
    underserved: dict[str, dict[str, None]] = field(default_factory=dict)
    claims: dict[str, dict[str, Claim]] = field(default_factory=dict)
    leaves: list[LeafQueue] = field(default_factory=list)
    chosen: dict[ContainerId, tuple[Container, int]] = field(default_factory=dict)
    dropped: list[Reservation] = field(default_factory=list)
    lazy: bool = False

    def note_underserved(self, path: str, partition: str) -> None:
        """Remember a queue that wants more."""
        self.underserved.setdefault(partition, {})[path] = None

    def choose(self, container: Container, wait_ms: int) -> None:
        """Take a container back."""
        self.chosen[container.id] = (container, wait_ms)

    def may_be_killed(self, container: Container) -> bool:
        """Whether a container was chosen by an earlier pass and waits for somebody in need."""
        return self.lazy and container.id in self.cluster.nodes[container.node].killable

    def claim(self, path: str, partition: str) -> Claim:
        """A queue's claim on a partition."""
        return self.claims[partition][path]

    def look(self, partitions: list[str], exclusive: set[str]) -> None:
        """Make the claims of all queues anew."""
        for partition in partitions:
            whole = self.cluster.partition(partition)
            root = _claim(self.root, whole, partition, 0, shared=partition not in exclusive)
            self.claims[partition] = {claim.path: claim for claim in root.walk()}
        by_path = {queue.path: queue for queue in _leaves(self.root)}
        self.leaves = [by_path[path] for path in hash_order(list(by_path))]

    def compute(self, *, reserved: bool, balance: bool = False) -> None:
        """Find out what should be held, and what is taken of each leaf."""
        terms = IdealTerms(
            calc=self.calc,
            allowed=self.budget.left,
            maximum_ignored=self.config.maximum_ignored_over_capacity,
            natural_termination=self.config.natural_termination,
            reserved=reserved,
            balance=balance,
            underserved=self.note_underserved,
        )
        for claims in self.claims.values():
            compute_ideal(claims[self.root.path], terms)
            leaf_claims = [claims[leaf.path] for leaf in self.leaves]
            decide_amounts(leaf_claims, self.cluster.total, terms)

    def deduct_chosen(self) -> None:
        """Count what earlier selections took against what this one takes."""
        for container, _ in self.chosen.values():
            node = self.cluster.nodes.get(container.node)
            queue = self.queue_of(container)
            if node is not None and queue is not None:
                self.claim(queue.path, node.partition).deduct(self.calc, container.size)

    def queue_of(self, container: Container) -> LeafQueue | None:
        """The leaf a container belongs to."""
        app = self.apps.get(container.id.attempt.application)
        return app.queue if app is not None else None

    def wanted_of(self, leaf: LeafQueue) -> dict[str, Vector]:
        """What is taken of a leaf, by partition, where there is anything."""
        found: dict[str, Vector] = {}
        for partition in self.claims:
            claim = self.claim(leaf.path, partition)
            zero = (0,) * len(claim.taken)
            if not claim.protected and self.calc.compare(self.cluster.total, claim.taken, zero) > 0:
                found[partition] = claim.taken
        return found


def applications(leaf: LeafQueue) -> list[LedgerApplication]:
    """The leaf's applications, admitted ones first."""
    return [*leaf.active, *leaf.waiting]


def _leaves(queue: Queue) -> list[LeafQueue]:
    if isinstance(queue, LeafQueue):
        return [queue]
    if isinstance(queue, ParentQueue):
        return [leaf for child in queue.children for leaf in _leaves(child)]
    return []


def _claim(queue: Queue, whole: Vector, partition: str, priority: int, *, shared: bool) -> Claim:
    zero = queue.zero
    minimum, maximum = queue.minimum(partition), queue.maximum(partition)
    share = queue.share(partition)
    absolute_maximum = 1.0 if shared else share.absolute_maximum
    pending = pending_unreserved = zero
    if isinstance(queue, LeafQueue):
        pending = pending_within_limits(queue, partition, less_reserved=False)
        pending_unreserved = pending_within_limits(queue, partition, less_reserved=True)
    claim = Claim(
        path=queue.path,
        partition=partition,
        total=whole,
        used=queue.use(partition),
        reserved=queue.reserved.get(partition, zero),
        pending=pending,
        pending_unreserved=pending_unreserved,
        guaranteed=minimum if any(minimum) else multiply(whole, share.absolute),
        maximum=maximum if any(maximum) else multiply(whole, absolute_maximum),
        absolute=share.absolute,
        leaf=queue.leaf,
        protected=queue.settings.preemption_disabled,
        priority=priority,
        ideal=zero,
        untouchable=zero,
        takeable=zero,
        to_take=zero,
        taken=zero,
        killable=size_of(queue.killable.get(partition, {}), zero),
    )
    if isinstance(queue, ParentQueue):
        by_priority = queue.settings.child_ordering is ChildOrdering.PRIORITY_UTILIZATION
        for child in queue.children:
            child_priority = child.settings.priority if by_priority else 0
            claim.adopt(_claim(child, whole, partition, child_priority, shared=shared))
    return claim


def pending_within_limits(queue: LeafQueue, partition: str, *, less_reserved: bool) -> Vector:
    """What admitted applications want and their users' limits allow.

    Hadoop: AbstractLeafQueue.getTotalPendingResourcesConsideringUserLimit.
    """
    rooms: dict[str, Vector] = {}
    total = queue.zero
    for app in queue.active:
        if app.user not in rooms:
            limit = queue.users.limit(app.user, partition, whole=False)
            used = queue.users.get(app.user).used.get(partition, queue.zero)
            rooms[app.user] = tuple(max(0, x) for x in subtract(limit, used))
        pending = app.pending.get(partition, queue.zero)
        if less_reserved:
            pending = subtract(pending, app.reserved.get(partition, queue.zero))
        counted = tuple(min(r, max(0, p)) for r, p in zip(rooms[app.user], pending, strict=True))
        total = add(total, counted)
        rooms[app.user] = subtract(rooms[app.user], counted)
    return total
