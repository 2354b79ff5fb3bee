"""Making an assignment true, or refusing it.

Theory of operation. An assignment is committed in the leaf where it was made, before anything else
happens. Hadoop commits later, in another thread (`ResourceCommitRequest`), so it checks once more
what may have changed since: the user's limit and the maximum of each queue up to root. Here nothing
changes meanwhile, and the second check still decides, because it is not the first one: it counts
the container that is to be charged, and each type of resource on its own. An assignment that is
refused has used up the node's turn.

Order matters where sums are rounded (see `accounts`): what is killed or given up for the container
is discharged first, then the container is charged, as in Hadoop's FiCaSchedulerApp.apply.

Hadoop: FiCaSchedulerApp.accept and apply, AbstractLeafQueue.accept and apply,
AbstractCSQueue.accept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.api import Decision, Grant, Preempt, Reserve
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.app_attempt import (
    FiCaSchedulerApp,
    PendingAsk,
    Reservation,
)
from kubeyarn.schedulers.capacity.objects.preemptable_containers import (
    next_over_maximum,
    unmark_killable,
)
from kubeyarn.schedulers.capacity.objects.resource_limits import CSAssignment, NodeType

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.objects.resource_limits import SchedulingOpportunity as Chance


def commit(assignment: CSAssignment, opportunity: Chance) -> CSAssignment:
    """Charge an assignment and add the decision; returns it, whether accepted or refused."""
    decision = _accept_and_apply(assignment, opportunity)
    if decision is not None:
        for one in assignment.to_kill:
            size = one.app.queue.cluster.types.text(one.container.size)
            why = f"{size} on {one.container.node} is needed by others now"
            opportunity.decisions.append(Preempt(one.container.id, kill=True, message=why))
        opportunity.decisions.append(decision)
    return assignment


def _accept_and_apply(assignment: CSAssignment, opportunity: Chance) -> Decision | None:
    """The decision; None when nothing was granted or reserved anew."""
    app, ask, node = assignment.app, assignment.ask, opportunity.node
    fulfilled = assignment.fulfilled_reservation
    # Nothing was assigned, but a reservation that nobody needs any more may have been found.
    if assignment.size is None or app is None or ask is None:
        if assignment.excess_reservation is not None:
            unreserve(assignment.excess_reservation, node)
        return None
    # Reserved again: the node stays as it is, and the offer counts as one in vain.
    if assignment.is_reservation and fulfilled is not None:
        app.re_reservations[ask.key] = app.re_reservations.get(ask.key, 0) + 1
        return None
    if fulfilled is None and node.reservation is not None:
        # Chosen among several nodes: another's reservation stands.
        return None
    if fulfilled is not None:
        # Asked for in another size since: what was reserved is given, if there is room for that.
        # Hadoop looks for room for what is asked now.
        free = add(node.free, _total_to_kill(assignment, app.zero))
        compatible = app.queue.cluster.hadoop_compatible
        if not compatible and not app.queue.calc.holds(free, fulfilled.size):
            return None
    elif not _accept(assignment, app, assignment.size, opportunity):
        return None
    if assignment.is_reservation:
        decision = _reserve(app, ask, opportunity)
    else:
        decision = _allocate(app, ask, assignment, opportunity)
    if app.queue.chain[-1].killable and fulfilled is None:
        _kill_over_maxima(assignment, app.queue, opportunity)
    return decision


def _accept(
    assignment: CSAssignment, app: FiCaSchedulerApp, size: Vector, opportunity: Chance
) -> bool:
    """The user is not over its limit and no queue up to root would be over its maximum."""
    queue, partition = app.queue, opportunity.partition
    calc = queue.calc
    # What is given up for the container counts as used up to now, so only the difference must fit.
    net = size
    if assignment.excess_reservation is not None:
        net = subtract(size, assignment.excess_reservation.size)
    if assignment.to_kill:
        net = subtract(net, _total_to_kill(assignment, queue.zero))
    if not assignment.user_limit_checked and not _is_user_within(assignment, app, opportunity):
        return False
    zero = queue.zero
    # From the leaf up, each with its own sums: headroom that came down the tree was rounded to
    # whole minimum allocations, and was compared by the largest share where this looks at what
    # fits.
    for one in queue.chain:
        if opportunity.ignore_exclusivity:
            maximum = queue.cluster.partition(partition)
        else:
            maximum = one.effective_maximum.get(partition, zero)
        if not calc.fits(add(one.use(partition), net), maximum):
            return False
    return True


def _is_user_within(assignment: CSAssignment, app: FiCaSchedulerApp, opportunity: Chance) -> bool:
    queue, partition = app.queue, opportunity.partition
    limit = queue.user_limit(app, partition, whole=opportunity.ignore_exclusivity)
    used = queue.users.get(app.user).use(partition)
    if assignment.excess_reservation is not None:
        used = subtract(used, assignment.excess_reservation.size)
    if assignment.to_kill:
        used = subtract(used, _total_to_kill(assignment, queue.zero))
    return queue.calc.compare(queue.cluster.total, used, limit) <= 0


def _total_to_kill(assignment: CSAssignment, zero: Vector) -> Vector:
    total = zero
    for one in assignment.to_kill:
        total = add(total, one.container.size)
    return total


def _kill_over_maxima(assignment: CSAssignment, queue: LeafQueue, opportunity: Chance) -> None:
    """Kill what may be killed in parents that hold more than their maximum now."""
    # Parents alone: in the leaf what may be killed counts as held, so it cannot be over by that.
    for parent in queue.chain[1:]:
        while (one := next_over_maximum(parent, opportunity.partition)) is not None:
            complete_container(one.app, one.container, opportunity.nodes[one.container.node])
            assignment.to_kill.append(one)


def _reserve(app: FiCaSchedulerApp, ask: PendingAsk, opportunity: Chance) -> Decision:
    node = opportunity.node
    # The id is taken now and kept by the container that the reservation becomes, as in Hadoop,
    # where a reserved container is an RMContainer already.
    made = new_container_id(app)
    accounts.reserve(
        Reservation(made, app, ask.key, node.name, ask.size, node.partition, opportunity.now_ms),
        node,
    )
    app.re_reservations[ask.key] = 0
    app.queue.needs_reordering(app)
    return Reserve(app.app.id, ask.key, node.name, ask.size)


def _allocate(
    app: FiCaSchedulerApp, ask: PendingAsk, assignment: CSAssignment, opportunity: Chance
) -> Decision:
    node, fulfilled = opportunity.node, assignment.fulfilled_reservation
    am = app.waiting_for_am
    container = Container(
        id=fulfilled.id if fulfilled is not None else new_container_id(app),
        key=ask.key,
        node=node.name,
        size=fulfilled.size if fulfilled is not None else ask.size,
        partition=node.partition,
        am=am,
        tags=ask.tags,
    )
    # The first container of an attempt is its AM's, whatever it was asked for as: nothing else is
    # granted before it.
    if am:
        app.waiting_for_am = False
        app.am_container = container.id
    for one in assignment.to_kill:
        complete_container(one.app, one.container, node)
    if assignment.excess_reservation is not None:
        given_up = assignment.excess_reservation
        unreserve(given_up, opportunity.nodes[given_up.node])
    # What is given up was discharged above, so that the ratio of users goes through the same
    # roundings as in Hadoop.
    if fulfilled is None:
        accounts.charge(app, container, node)
        app.queue.needs_reordering(app)
    else:
        accounts.fulfil(fulfilled, container, node)
        app.re_reservations[ask.key] = 0
        if app.queue.cluster.hadoop_compatible:
            accounts.miscount(app, node.partition, subtract(ask.size, fulfilled.size))
    _lower_places(ask, assignment.node_type, node)
    accounts.take_one(app, ask)
    # Borrowed: it goes first when the partition's own queues want it back.
    if node.partition and not ask.partition:
        app.queue.add_ignore_exclusivity_container(container)
    return Grant(container)


def new_container_id(app: FiCaSchedulerApp) -> ContainerId:
    """The next id of the current attempt; the first is the AM's."""
    number = app.next_number
    app.next_number += 1
    return ContainerId(app.attempt_id, app.epoch, number)


def _lower_places(ask: PendingAsk, node_type: NodeType, node: FiCaSchedulerNode) -> None:
    """One container fewer is wanted on the node and in its rack, if it was wanted there."""
    if node_type is NodeType.NODE_LOCAL:
        _lower(ask.nodes, node.name)
    if node_type is not NodeType.OFF_SWITCH:
        _lower(ask.racks, node.rack)


def _lower(counts: dict[str, int], name: str) -> None:
    counts[name] -= 1
    if counts[name] <= 0:
        del counts[name]


def complete_container(
    app: FiCaSchedulerApp, container: Container, node: FiCaSchedulerNode
) -> None:
    """A container is gone, whatever the reason (Hadoop: completedContainer)."""
    # Told twice, as levels may be: it was freed the first time.
    if not accounts.discharge(app, container, node):
        return
    if node.killable:
        unmark_killable(container, app, node)
    app.queue.needs_reordering(app)
    app.queue.remove_ignore_exclusivity_container(container)


def unreserve(reservation: Reservation, node: FiCaSchedulerNode) -> None:
    """Give a reservation up (Hadoop: FiCaSchedulerApp.unreserve)."""
    app = reservation.app
    if accounts.unreserve(reservation, node):
        app.re_reservations[reservation.key] = 0
        app.queue.needs_reordering(app)
