"""Which of an application's asks takes the node (Hadoop: RegularContainerAllocator).

Theory of operation. Asks are tried in order of their keys, highest priority first. Each is checked
(`_precheck`), then the node is tried as one that the ask names, as one in a rack that it names,
and as any node (`_try_node_types`, with the delays of `locality_delay`); `_place` allocates there,
reserves, or passes. Whoever cannot go on says what is to be skipped with it (`AllocationState`).

Nothing is charged here. What comes back is a CSAssignment, which the leaf commits. The counts of
opportunities do change, for each ask that is tried: an ask that reaches no node keeps waiting.

Reservations (`_place`, `_reserve`) are why an ask too big for what nodes have free is ever served:
where it does not fit now but would on an empty node, the node is reserved, and takes nothing else
until the container fits or the reservation is given up. The longer an application waits, the more
nodes it may hold reserved (`should_allocate_or_reserve_new_container`). What is reserved counts as
used. So where a limit has no room, an ask may give up a reservation of its own for the container
that fits here (`_find_excess_reservation`).
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, is_update
from kubeyarn.model.resources import add, fits, subtract
from kubeyarn.schedulers.capacity.allocator.locality_delay import (
    may_be_off_switch,
    may_be_rack_local,
    may_ignore_exclusivity,
    reset_opportunities,
)
from kubeyarn.schedulers.capacity.objects.preemptable_containers import (
    may_have_killed,
    select_to_kill,
)
from kubeyarn.schedulers.capacity.objects.resource_limits import (
    NULL_ASSIGNMENT,
    QUEUE_LIMIT_ASSIGNMENT,
    SKIP_ASSIGNMENT,
    CSAssignment,
    NodeType,
    ResourceLimits,
    SkippedType,
)
from kubeyarn.schedulers.java_numbers import quotient, single, to_long

if TYPE_CHECKING:
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import (
        FiCaSchedulerApp,
        PendingAsk,
        Reservation,
    )
    from kubeyarn.schedulers.capacity.objects.node import CandidateNodeSet
    from kubeyarn.schedulers.capacity.objects.preemptable_containers import KillableContainer
    from kubeyarn.schedulers.capacity.objects.resource_limits import SchedulingOpportunity as Chance


class AllocationState(Enum):
    """What is skipped with an ask that took nothing (Hadoop: AllocationState).

    PRIORITY_SKIPPED: this ask; LOCALITY_SKIPPED: this node type; APP_SKIPPED, QUEUE_SKIPPED: the
    application, the queue.
    """

    PRIORITY_SKIPPED = auto()
    LOCALITY_SKIPPED = auto()
    APP_SKIPPED = auto()
    QUEUE_SKIPPED = auto()


_ASSIGNMENTS = {
    AllocationState.APP_SKIPPED: SKIP_ASSIGNMENT,
    AllocationState.QUEUE_SKIPPED: QUEUE_LIMIT_ASSIGNMENT,
}


def allocate(app: FiCaSchedulerApp, opportunity: Chance, limits: ResourceLimits) -> CSAssignment:
    """What the application takes of the node; asks are tried by priority."""
    usage = app.usages.get(opportunity.requested_partition)
    if usage is None or not app.queue.calc.any_above_zero(usage.pending):
        return SKIP_ASSIGNMENT
    for key in app.keys:
        if opportunity.candidates is not None:
            result = _try_nodes(app, app.asks[key], opportunity, opportunity.candidates, limits)
        else:
            result = _try_ask(app, app.asks[key], opportunity, limits)
        # Of all outcomes this one alone lets a lower priority of the same application have the
        # node.
        if result is AllocationState.PRIORITY_SKIPPED:
            continue
        if isinstance(result, CSAssignment):
            return result
        return _ASSIGNMENTS.get(result, NULL_ASSIGNMENT)
    return SKIP_ASSIGNMENT


def allocate_reserved(
    reservation: Reservation, opportunity: Chance, limits: ResourceLimits
) -> CSAssignment:
    """Turn a reservation into a container if that fits by now, else keep it or give it up."""
    app = reservation.app
    ask, node = app.asks.get(reservation.key), opportunity.node
    if ask is None or ask.count <= 0 or not ask.suits(node) or ask.refuses(app.app.id, node):
        if app.queue.cluster.hadoop_compatible and ask is not None and ask.count > 0:
            # Hadoop keeps a node reserved that was excluded since, and never uses it.
            return NULL_ASSIGNMENT
        given_up = CSAssignment(SkippedType.QUEUE_LIMIT, app)
        given_up.excess_reservation = reservation
        return given_up
    # No precheck: the queue's and the user's limits were kept when the node was reserved, and what
    # is reserved has counted as used since.
    ask.scheduling_opportunities += 1
    result = _try_node_types(app, ask, opportunity, limits, reservation)
    if isinstance(result, CSAssignment):
        return result
    return _ASSIGNMENTS.get(result, NULL_ASSIGNMENT)


def _try_ask(
    app: FiCaSchedulerApp, ask: PendingAsk, opportunity: Chance, limits: ResourceLimits
) -> CSAssignment | AllocationState:
    stopped = _precheck(app, ask, opportunity, limits)
    if stopped is not None:
        return stopped
    # After the precheck, which counts a missed opportunity whether or not the node is refused.
    if not ask.unconstrained and ask.refuses(app.app.id, opportunity.node):
        return AllocationState.PRIORITY_SKIPPED
    ask.scheduling_opportunities += 1
    result = _try_node_types(app, ask, opportunity, limits, None)
    if result is AllocationState.PRIORITY_SKIPPED and not ask.strict_racks:
        # An ask that insists on racks counts these opportunities, too: Hadoop forgets them, and
        # never serves such an ask.
        ask.scheduling_opportunities -= 1
    if isinstance(result, CSAssignment):
        reset_opportunities(ask, result, opportunity)
    return result


def _try_nodes(
    app: FiCaSchedulerApp,
    ask: PendingAsk,
    opportunity: Chance,
    candidates: CandidateNodeSet,
    limits: ResourceLimits,
) -> CSAssignment | AllocationState:
    """Allocate on the first node that fits; reserve the last one or none."""
    nodes = candidates.in_order(app.queue.settings.node_ordering)
    result: CSAssignment | AllocationState = AllocationState.PRIORITY_SKIPPED
    # The last node is tried whatever it has free: there the ask reserves, as in Hadoop, where the
    # last candidate's result is the one that is kept.
    for node in nodes:
        if node is not nodes[-1]:
            if opportunity.rules.skip_reserved_nodes and node.reservation is not None:
                continue
            if not candidates.may_hold(node, ask.size):
                continue
        opportunity.node = node
        result = _try_ask(app, ask, opportunity, limits)
        if isinstance(result, CSAssignment) and not result.is_reservation:
            break
    return result


def _precheck(
    app: FiCaSchedulerApp, ask: PendingAsk, opportunity: Chance, limits: ResourceLimits
) -> AllocationState | None:
    """What stops the ask before places are looked at (Hadoop: preCheckForNodeCandidateSet)."""
    if app.waiting_for_am and ask.key != AM_KEY:
        # Asks written before the AM runs; on a node of their partition they would pass for it.
        return AllocationState.APP_SKIPPED
    ignores = opportunity.ignore_exclusivity
    if ignores and app.waiting_for_am and not opportunity.am_may_ignore_exclusivity:
        return AllocationState.APP_SKIPPED
    if ask.partition != opportunity.requested_partition:
        return AllocationState.PRIORITY_SKIPPED
    node = opportunity.node
    if (node.dedicated or ask.classes is not None) and not ask.suits(node):
        # As with a node of another partition: it stops nothing else, and counts as missed.
        if not ask.partition:
            ask.missed_opportunities += 1
        return AllocationState.PRIORITY_SKIPPED
    # With *continue_look_at_reservations* that is asked again in `_place`, where a reservation may
    # be given up instead.
    looks = opportunity.rules.continue_look_at_reservations
    if not looks and not should_allocate_or_reserve_new_container(app, ask):
        return AllocationState.PRIORITY_SKIPPED
    if not _headroom_suffices(app, ask, opportunity, limits):
        return AllocationState.QUEUE_SKIPPED
    # Counted for asks of the default partition alone: how long these have waited at home decides
    # when they may borrow a shared partition.
    if not ask.partition:
        ask.missed_opportunities += 1
    if ignores and not may_ignore_exclusivity(ask, len(opportunity.nodes)):
        return AllocationState.APP_SKIPPED
    return None


def _headroom_suffices(
    app: FiCaSchedulerApp, ask: PendingAsk, opportunity: Chance, limits: ResourceLimits
) -> bool:
    # Mostly it fits in every type, which no calculator says otherwise of.
    available, size = limits.headroom, ask.size
    if fits(size, available):
        return True
    if opportunity.rules.continue_look_at_reservations:
        available = add(available, app.reserved.get(opportunity.partition, app.zero))
    return app.queue.calc.fits(size, available)


def _try_node_types(
    app: FiCaSchedulerApp,
    ask: PendingAsk,
    opportunity: Chance,
    limits: ResourceLimits,
    reservation: Reservation | None,
) -> CSAssignment | AllocationState:
    """Try the node as one that is named, then as one of a rack that is named, then as any node."""
    # Nothing is named, so the node is as good as any, and there is nothing to wait for.
    if not ask.nodes and not ask.racks:
        if not ask.relax:
            return AllocationState.PRIORITY_SKIPPED
        result = _place(app, ask, opportunity, limits, reservation, NodeType.OFF_SWITCH)
        passed = result is AllocationState.LOCALITY_SKIPPED
        return AllocationState.APP_SKIPPED if passed else result
    node, rules, cluster_nodes = opportunity.node, opportunity.rules, len(opportunity.nodes)
    # A node counts only with its rack: Hadoop's ApplicationMasters ask for both, and each grant
    # lowers both.
    if ask.nodes.get(node.name, 0) > 0 and ask.racks.get(node.rack, 0) > 0:
        result = _place(app, ask, opportunity, limits, reservation, NodeType.NODE_LOCAL)
        if isinstance(result, CSAssignment):
            return result
    if ask.racks.get(node.rack, 0) > 0:
        # The rack is there for the sake of a node in it, and without relaxed locality the node
        # alone will do.
        if not ask.relax and node.rack not in ask.strict_racks:
            return AllocationState.PRIORITY_SKIPPED
        if may_be_rack_local(ask, rules, cluster_nodes):
            result = _place(app, ask, opportunity, limits, reservation, NodeType.RACK_LOCAL)
            if isinstance(result, CSAssignment):
                return result
    if not ask.relax:
        return AllocationState.PRIORITY_SKIPPED
    # Where it holds the node reserved it has waited before, and does not wait for locality again.
    if reservation is None and not may_be_off_switch(ask, rules, cluster_nodes):
        return AllocationState.APP_SKIPPED
    result = _place(app, ask, opportunity, limits, reservation, NodeType.OFF_SWITCH)
    # There is no further node type: the application's later asks do not get ahead of this one.
    passed = result is AllocationState.LOCALITY_SKIPPED
    return AllocationState.APP_SKIPPED if passed else result


def _place(
    app: FiCaSchedulerApp,
    ask: PendingAsk,
    opportunity: Chance,
    limits: ResourceLimits,
    reservation: Reservation | None,
    node_type: NodeType,
) -> CSAssignment | AllocationState:
    """Allocate on the node, or reserve it, or pass (Hadoop: assignContainer).

    1. Find out how much reservations must give back: what the size is more than the queue's
       headroom, or what the user is over its limit, whichever is greater.
    2. Where the node has too little free, look for containers to kill; without any, reserve. A node
       without a free pod slot is not reserved: whatever ends there frees a slot and is offered.
    3. Find a reservation of the same ask to give up, if one must be, or if the ask holds as many
       nodes reserved as it may: the container here takes the place of one there.
    """
    queue, node, size = app.queue, opportunity.node, ask.size
    calc, total = queue.calc, queue.cluster.total
    needed = limits.amount_needed_unreserve
    excess = subtract(size, limits.headroom)
    must_unreserve = False
    # One comparison of numbers in the common case, that there is headroom and the user is within
    # its limit.
    if needed is not None or not fits(excess, queue.zero):
        excess = calc.max(total, excess, needed or queue.zero)
        must_unreserve = calc.any_above_zero(excess)

    to_kill: list[KillableContainer] = []
    has_slot = node.free_slots > 0 or _needs_no_slot(app, ask)
    if not has_slot or not calc.holds(node.free, size):
        # Too big for the node even when it is empty: to reserve it would lock the node for ever.
        if not calc.holds(node.total, size):
            return AllocationState.LOCALITY_SKIPPED
        if node.killable and may_have_killed(queue, opportunity.partition):
            to_kill = select_to_kill(size, queue, node)
        if not to_kill and not has_slot:
            return AllocationState.LOCALITY_SKIPPED
        if not to_kill:
            return _reserve(
                app, ask, opportunity, reservation, node_type, must_unreserve=must_unreserve
            )
    if not calc.holds(node.total, size):
        return AllocationState.LOCALITY_SKIPPED

    given_up = None
    if reservation is None and opportunity.rules.continue_look_at_reservations:
        # Only when a limit has no room, or the ask has all the nodes it may, does a container cost
        # a reservation; otherwise both stand.
        if must_unreserve:
            given_up = _find_excess_reservation(app, ask, excess)
        elif ask.key in app.reservations and not should_allocate_or_reserve_new_container(app, ask):
            must_unreserve = True
            given_up = _find_excess_reservation(app, ask, size)
        if must_unreserve and given_up is None:
            return AllocationState.LOCALITY_SKIPPED
    assignment = CSAssignment(SkippedType.NONE, app, ask, size, node_type)
    # `commit` asks for the user's limit again only where reservations were counted as room.
    assignment.user_limit_checked = needed is None
    assignment.excess_reservation, assignment.to_kill = given_up, to_kill
    assignment.fulfilled_reservation = reservation
    return assignment


def _needs_no_slot(app: FiCaSchedulerApp, ask: PendingAsk) -> bool:
    """Whether the ask is for a pod that the node counts already: a container that grows."""
    return is_update(ask.key) and app.updates[ask.key.name].id in app.containers


def _reserve(
    app: FiCaSchedulerApp,
    ask: PendingAsk,
    opportunity: Chance,
    reservation: Reservation | None,
    node_type: NodeType,
    *,
    must_unreserve: bool,
) -> CSAssignment | AllocationState:
    """Keep the node until the container fits, unless enough nodes are reserved."""
    # A node that is reserved already stays so, and counts one more offer in vain.
    if reservation is None:
        if not should_allocate_or_reserve_new_container(app, ask):
            return AllocationState.LOCALITY_SKIPPED
        # A limit has no room for the reservation either: it counts as used.
        if opportunity.rules.continue_look_at_reservations and must_unreserve:
            return AllocationState.LOCALITY_SKIPPED
    assignment = CSAssignment(SkippedType.NONE, app, ask, ask.size, node_type)
    assignment.is_reservation, assignment.fulfilled_reservation = True, reservation
    return assignment


def _find_excess_reservation(
    app: FiCaSchedulerApp, ask: PendingAsk, amount: Vector
) -> Reservation | None:
    """The first reservation of the ask that holds *amount* (Hadoop: findNodeToUnreserve)."""
    for reservation in app.reservations.get(ask.key, {}).values():
        if app.queue.calc.fits(amount, reservation.size):
            return reservation
    return None


def should_allocate_or_reserve_new_container(app: FiCaSchedulerApp, ask: PendingAsk) -> bool:
    """Whether the ask may take or reserve one more node.

    It may while it is for more containers than it holds nodes reserved; how often these were
    offered in vain, and how big the container is, count in its favour.
    """
    reserved = len(app.reservations.get(ask.key, ()))
    starvation = 0
    if reserved > 0:
        calc, leaf = app.queue.calc, app.queue
        maximum = leaf.settings.maximum_allocation
        # The bigger the container, the fewer offers in vain win it one node more: a big one would
        # else reserve node after node. *floor* keeps the factor below 1 even for the biggest.
        node_factor = calc.ratio(ask.size, maximum)
        floor = calc.ratio(subtract(maximum, leaf.minimum_allocation), maximum)
        waits = quotient(app.re_reservations.get(ask.key, 0), reserved)
        starvation = to_long(single(waits * single(1.0 - min(node_factor, floor))))
    return starvation + ask.count - reserved > 0
