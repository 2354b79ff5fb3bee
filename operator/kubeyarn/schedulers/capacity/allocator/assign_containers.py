"""Who gets a node's free room: down the tree to one application.

Hadoop: AbstractParentQueue.assignContainers, AbstractCSQueue.canAssignToThisQueue and
AbstractLeafQueue.assignContainers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import all_positive, subtract
from kubeyarn.schedulers.calculator import at_least
from kubeyarn.schedulers.capacity.allocator.commit import commit
from kubeyarn.schedulers.capacity.allocator.container_allocator import (
    allocate_app,
    allocate_reserved,
)
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.preemptable_containers import used_without
from kubeyarn.schedulers.capacity.objects.resource_limits import NOTHING, Limits, Proposal, Skip

if TYPE_CHECKING:
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication
    from kubeyarn.schedulers.capacity.objects.queue import Queue
    from kubeyarn.schedulers.capacity.objects.resource_limits import Offer


def assign(queue: Queue, offer: Offer, limits: Limits) -> Proposal:
    """What the queue would take of the offered node, one container at most."""
    if isinstance(queue, LeafQueue):
        return assign_leaf(queue, offer, limits)
    if isinstance(queue, ParentQueue):
        return _assign_parent(queue, offer, limits)
    return NOTHING


def _assign_parent(queue: ParentQueue, offer: Offer, limits: Limits) -> Proposal:
    partition = offer.partition
    if not offer.borrowing and partition and not queue.reaches(partition):
        return NOTHING
    if not queue.wants(offer.wanted_partition):
        return NOTHING
    if offer.node.reservation is not None and offer.candidates is None:
        return NOTHING
    if not can_assign(queue, offer, limits, queue.reserved.get("")):
        return NOTHING
    result = NOTHING
    room = queue.room(limits, partition, net=True)
    for _, _, _, child in queue.in_order(partition):
        child_limits = Limits(queue.child_limit(child, room, partition))
        proposal = assign(child, offer, child_limits)
        if proposal.size is not None:
            return proposal
        if proposal.skip is Skip.QUEUE_LIMIT:
            if result.skip is not Skip.QUEUE_LIMIT:
                result = proposal
            blocked = child_limits.headroom if child.leaf else child_limits.blocked
            limits.block(
                at_least(queue.calc, queue.cluster.total, blocked or queue.zero, queue.zero)
            )
            room = queue.room(limits, partition, net=True)
    return result


def can_assign(queue: Queue, offer: Offer, limits: Limits, unreservable: Vector | None) -> bool:
    """Whether the queue is below its limit, or would be without what is reserved."""
    calc, partition = queue.calc, offer.partition
    total = queue.cluster.total
    if offer.borrowing:
        limit = queue.cluster.partition(partition)
    else:
        limit = calc.lesser(total, queue.maximum(partition), limits.limit)
    # A leaf cannot have its own containers killed.
    lent = queue.killable and not queue.leaf
    used = used_without(queue, partition) if lent else queue.use(partition)
    limits.headroom = headroom = subtract(limit, used)
    if all_positive(headroom) or calc.compare(total, used, limit) < 0:
        return True
    if not offer.rules.continue_look_at_reservations or unreservable is None:
        return False
    if calc.compare(total, unreservable, queue.zero) <= 0:
        return False
    return calc.compare(total, subtract(used, unreservable), limit) < 0


def assign_leaf(queue: LeafQueue, offer: Offer, limits: Limits) -> Proposal:
    """What the first application of the leaf that can would take of the node."""
    queue.set_current_limit(limits.limit)
    reservation = offer.node.reservation
    if reservation is not None and reservation.app.queue is queue and offer.candidates is None:
        return commit(allocate_reserved(reservation, offer, limits), offer)
    if not offer.borrowing and offer.partition and not queue.reaches(offer.partition):
        return NOTHING
    if not queue.wants(offer.wanted_partition):
        return NOTHING
    queue.settle_order()
    first = next(iter(queue.served(queue.active, offer.partition)), None)
    if first is None:
        return NOTHING
    if first.reserved and any(first.reservation_total()):
        return _assign_looking_at_reservations(queue, offer, limits)
    if not can_assign(queue, offer, limits, None):
        return NOTHING
    for app in queue.served(queue.hungry, offer.partition):
        if not _user_may(queue, app, offer, limits):
            continue
        proposal = allocate_app(app, offer, limits)
        if proposal.skip is not Skip.APPLICATION:
            return commit(proposal, offer)
    return NOTHING


def _assign_looking_at_reservations(queue: LeafQueue, offer: Offer, limits: Limits) -> Proposal:
    """As long as applications hold reservations, what these might give back counts for each."""
    check_queue = True
    for app in queue.served(queue.active, offer.partition):
        reserved = app.reservation_total()
        if check_queue:
            if not can_assign(queue, offer, limits, reserved):
                return NOTHING
            if not offer.rules.continue_look_at_reservations or not any(reserved):
                check_queue = False
        if not _user_may(queue, app, offer, limits):
            continue
        proposal = allocate_app(app, offer, limits)
        if proposal.skip is not Skip.APPLICATION:
            return commit(proposal, offer)
    return NOTHING


def _user_may(queue: LeafQueue, app: LedgerApplication, offer: Offer, limits: Limits) -> bool:
    """Whether the user is not above its limit, or would not be without reservations.

    More than the limit, not as much as: a user may overshoot by one container.
    """
    partition = offer.partition
    calc, users = queue.calc, queue.users
    user = users.get(app.user)
    used = user.use(partition)
    limits.unreserve = None
    queue.known_limit = queue.current_limit
    if not offer.borrowing and users.surely_within(user, partition):
        return True
    total = queue.cluster.total
    limit = users.limit(app.user, partition, whole=offer.borrowing)
    if calc.compare(total, used, limit) <= 0:
        return True
    if not offer.rules.continue_look_at_reservations:
        return False
    default = subtract(user.use(""), app.reservation_total())
    if calc.compare(total, default, limit) > 0:
        return False
    limits.unreserve = subtract(used, limit)
    return True
