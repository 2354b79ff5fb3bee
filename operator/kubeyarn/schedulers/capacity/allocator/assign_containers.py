"""Who gets a node's free room: down the tree to one application.

Theory of operation. From root down, each parent asks its children in serving order
(`ParentQueue.in_order`: the least used of its guarantee first) until one of them assigns something.
A queue passes where it has no access to the partition, nothing is asked for, or its limit is
reached. The limit that a parent hands to a child is what it has left and what the child holds
already, so that no queue below can pass the maximum of one above.

A child that stopped at its limit keeps the headroom it could not use (*blocked_headroom*): the
children after it get that much less. Otherwise small containers of theirs would eat up what a big
one needs, again and again.

A leaf asks its applications in order; each user must be within its limit. While the first
application holds reservations, what these could give back counts as room, for the queue and for
the user (`_assign_looking_at_reservations`).

Hadoop: AbstractParentQueue.assignContainers, AbstractCSQueue.canAssignToThisQueue,
AbstractLeafQueue.assignContainers and canAssignToUser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import all_positive, subtract
from kubeyarn.schedulers.capacity.allocator.commit import commit
from kubeyarn.schedulers.capacity.allocator.container_allocator import allocate, allocate_reserved
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.preemptable_containers import used_without_killable
from kubeyarn.schedulers.capacity.objects.resource_limits import (
    NULL_ASSIGNMENT,
    CSAssignment,
    ResourceLimits,
    SkippedType,
)

if TYPE_CHECKING:
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.queue import Queue
    from kubeyarn.schedulers.capacity.objects.resource_limits import SchedulingOpportunity as Chance


def assign_containers(queue: Queue, opportunity: Chance, limits: ResourceLimits) -> CSAssignment:
    """Assign at most one container of the queue to the node, or reserve the node for it."""
    if queue.leaf:
        return assign_to_leaf(queue, opportunity, limits)
    return _assign_to_parent(queue, opportunity, limits)


def _assign_to_parent(
    queue: ParentQueue, opportunity: Chance, limits: ResourceLimits
) -> CSAssignment:
    """Offer the node to the children in their order until one of them takes something."""
    partition = opportunity.partition
    if not opportunity.ignore_exclusivity and partition and not queue.reaches(partition):
        return NULL_ASSIGNMENT
    if not queue.wants(opportunity.requested_partition):
        return NULL_ASSIGNMENT
    # A reserved node is for its own leaf, which is asked before the tree is.
    if opportunity.node.reservation is not None and opportunity.candidates is None:
        return NULL_ASSIGNMENT
    if not can_assign_to_queue(queue, opportunity, limits, queue.reserved.get("")):
        return NULL_ASSIGNMENT
    result = NULL_ASSIGNMENT
    available = queue.available_limit(limits, partition, net=True)
    for _, _, _, child in queue.in_order(partition):
        # New for each child: what the child notes in it (headroom, what it blocks) is its own.
        child_limits = ResourceLimits(queue.child_limit(child, available, partition))
        assignment = assign_containers(child, opportunity, child_limits)
        if assignment.size is not None:
            return assignment
        if assignment.skipped is SkippedType.QUEUE_LIMIT:
            # The parent's own parent is told the first such result, and blocks headroom in turn.
            if result.skipped is not SkippedType.QUEUE_LIMIT:
                result = assignment
            # What a child could not use for its limit is kept from the siblings behind it: else
            # they would fill the room that it is owed as soon as its limit lets it.
            blocked = child_limits.headroom if child.leaf else child_limits.blocked_headroom
            limits.add_blocked_headroom(
                queue.calc.max(queue.cluster.total, blocked or queue.zero, queue.zero)
            )
            available = queue.available_limit(limits, partition, net=True)
    return result


def can_assign_to_queue(
    queue: Queue, opportunity: Chance, limits: ResourceLimits, unreservable: Vector | None
) -> bool:
    """Whether the queue is below its limit, or would be without what is reserved."""
    calc, partition = queue.calc, opportunity.partition
    total = queue.cluster.total
    if opportunity.ignore_exclusivity:
        limit = queue.cluster.partition(partition)
    else:
        limit = calc.min(total, queue.maximum(partition), limits.limit)
    # A leaf cannot have its own containers killed.
    kills = queue.killable and not queue.leaf
    used = used_without_killable(queue, partition) if kills else queue.use(partition)
    # Noted even where nothing is left: the parent blocks it for a child at its limit.
    limits.headroom = headroom = subtract(limit, used)
    if all_positive(headroom) or calc.compare(total, used, limit) < 0:
        return True
    if not opportunity.rules.continue_look_at_reservations or unreservable is None:
        return False
    if calc.compare(total, unreservable, queue.zero) <= 0:
        return False
    return calc.compare(total, subtract(used, unreservable), limit) < 0


def assign_to_leaf(queue: LeafQueue, opportunity: Chance, limits: ResourceLimits) -> CSAssignment:
    """Assign to the first application of the leaf that can use the node, and commit that."""
    queue.set_current_limit(limits.limit)
    node, partition = opportunity.node, opportunity.partition
    reservation = node.reservation
    # First of all, and whatever the order of applications: the node was kept for this one.
    mine = reservation if reservation is not None and reservation.app.queue is queue else None
    if mine is not None and opportunity.candidates is None:
        return commit(allocate_reserved(mine, opportunity, limits), opportunity)
    if not opportunity.ignore_exclusivity and partition and not queue.reaches(partition):
        return NULL_ASSIGNMENT
    if not queue.wants(opportunity.requested_partition):
        return NULL_ASSIGNMENT
    queue.reorder_changed()
    # Among all active applications, not only those that ask: one may hold reservations and want
    # nothing more.
    first = next(iter(queue.assignable(queue.active, partition)), None)
    if first is None:
        return NULL_ASSIGNMENT
    if first.reserved and any(first.reservation_total()):
        return _assign_looking_at_reservations(queue, opportunity, limits)
    if not can_assign_to_queue(queue, opportunity, limits, None):
        return NULL_ASSIGNMENT
    # Hadoop looks at the first active application even if only those that wait for admission want
    # something: what the AM limit goes by is then what the queue may use now.
    queue.take_current_limit()
    # Without reservations an application that asks for nothing changes nothing, so only the others
    # are gone through.
    for app in queue.assignable(queue.with_pending_requests, partition):
        if not _can_assign_to_user(queue, app, opportunity, limits):
            continue
        assignment = allocate(app, opportunity, limits)
        if assignment.skipped is not SkippedType.OTHER:
            return commit(assignment, opportunity)
    return NULL_ASSIGNMENT


def _assign_looking_at_reservations(
    queue: LeafQueue, opportunity: Chance, limits: ResourceLimits
) -> CSAssignment:
    """As long as applications hold reservations, what these might give back counts for each."""
    check_queue = True
    for app in queue.assignable(queue.active, opportunity.partition):
        reserved = app.reservation_total()
        if check_queue:
            if not can_assign_to_queue(queue, opportunity, limits, reserved):
                return NULL_ASSIGNMENT
            # Hadoop checks the queue anew only as long as each application may free something of
            # its own.
            if not opportunity.rules.continue_look_at_reservations or not any(reserved):
                check_queue = False
        if not _can_assign_to_user(queue, app, opportunity, limits):
            continue
        assignment = allocate(app, opportunity, limits)
        if assignment.skipped is not SkippedType.OTHER:
            return commit(assignment, opportunity)
    return NULL_ASSIGNMENT


def _can_assign_to_user(
    queue: LeafQueue, app: FiCaSchedulerApp, opportunity: Chance, limits: ResourceLimits
) -> bool:
    """Whether the user is not above its limit, or would not be without reservations.

    More than the limit, not as much as: a user may overshoot by one container.
    """
    partition = opportunity.partition
    calc, users = queue.calc, queue.users
    user = users.get(app.user)
    used = user.use(partition)
    # Reset for each application: the limits are the leaf's, and are handed to one after the other.
    limits.amount_needed_unreserve = None
    queue.take_current_limit()
    if not opportunity.ignore_exclusivity and users.surely_within(user, partition):
        return True
    total = queue.cluster.total
    limit = users.limit(app.user, partition, whole=opportunity.ignore_exclusivity)
    if calc.compare(total, used, limit) <= 0:
        return True
    if not opportunity.rules.continue_look_at_reservations:
        return False
    # Both are of the default partition, whichever is offered, as in Hadoop.
    default = subtract(user.use(""), app.reservation_total())
    if calc.compare(total, default, limit) > 0:
        return False
    limits.amount_needed_unreserve = subtract(used, limit)
    return True
