"""Making a proposal true, or refusing it.

Hadoop: FiCaSchedulerApp.accept and apply, AbstractLeafQueue.accept and apply,
AbstractCSQueue.accept. The checks are made once more against what holds now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.api import Decision, Grant, Preempt, Reserve
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.app_attempt import (
    LedgerApplication,
    OutstandingAsk,
    Reservation,
)
from kubeyarn.schedulers.capacity.objects.preemptable_containers import first_to_go, forget
from kubeyarn.schedulers.capacity.objects.resource_limits import Locality, Proposal

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import LedgerNode
    from kubeyarn.schedulers.capacity.objects.resource_limits import Offer


def commit(proposal: Proposal, offer: Offer) -> Proposal:
    """Charge an assignment, and add what came of it to the decisions; returns it.

    A refused assignment is returned, too: the node has had its turn.
    """
    decision = _accept_and_apply(proposal, offer)
    if decision is not None:
        for one in proposal.kills:
            size = one.app.queue.cluster.types.text(one.container.size)
            why = f"{size} on {one.container.node} is needed by others now"
            offer.decisions.append(Preempt(one.container.id, kill=True, message=why))
        offer.decisions.append(decision)
    return proposal


def _accept_and_apply(proposal: Proposal, offer: Offer) -> Decision | None:
    """The decision; None when nothing was granted or reserved anew."""
    app, ask = proposal.app, proposal.ask
    if proposal.size is None or app is None or ask is None:
        if proposal.unreserve is not None:
            drop_reservation(proposal.unreserve, offer.node)
        return None
    if proposal.reserve and proposal.fulfils is not None:
        app.re_reservations[ask.key] = app.re_reservations.get(ask.key, 0) + 1
        return None
    if proposal.fulfils is None and offer.node.reservation is not None:
        # Chosen among several nodes: another's reservation stands.
        return None
    if proposal.fulfils is not None:
        # Asked for in another size since: what was reserved is given, if there is room for that.
        # Hadoop looks for room for what is asked now.
        room = add(offer.node.free, _released(proposal, app.zero))
        if not app.queue.cluster.hadoop_compatible and not app.queue.calc.fits(
            proposal.fulfils.size, room
        ):
            return None
    elif not _acceptable(proposal, app, proposal.size, offer):
        return None
    if proposal.reserve:
        decision = _reserve(app, ask, offer)
    else:
        decision = _allocate(app, ask, proposal, offer)
    if app.queue.chain[-1].killable and proposal.fulfils is None:
        _enforce_maxima(proposal, app.queue, offer)
    return decision


def _acceptable(proposal: Proposal, app: LedgerApplication, size: Vector, offer: Offer) -> bool:
    """The user is not over its limit and no queue up to root would be over its maximum."""
    queue, partition = app.queue, offer.partition
    calc = queue.calc
    net, given_up = size, proposal.unreserve
    if given_up is not None:
        net = subtract(size, given_up.size)
    if proposal.kills:
        net = subtract(net, _released(proposal, queue.zero))
    if not proposal.within_limit and not _user_within(proposal, app, offer):
        return False
    zero = queue.zero
    for one in queue.chain:
        if offer.borrowing:
            maximum = queue.cluster.partition(partition)
        else:
            maximum = one.effective_maximum.get(partition, zero)
        if not calc.fits(add(one.use(partition), net), maximum):
            return False
    return True


def _user_within(proposal: Proposal, app: LedgerApplication, offer: Offer) -> bool:
    queue, partition = app.queue, offer.partition
    limit = queue.user_limit(app, partition, whole=offer.borrowing)
    used = queue.users.get(app.user).use(partition)
    if proposal.unreserve is not None:
        used = subtract(used, proposal.unreserve.size)
    if proposal.kills:
        used = subtract(used, _released(proposal, queue.zero))
    return queue.calc.compare(queue.cluster.total, used, limit) <= 0


def _released(proposal: Proposal, zero: Vector) -> Vector:
    total = zero
    for one in proposal.kills:
        total = add(total, one.container.size)
    return total


def _enforce_maxima(proposal: Proposal, queue: LeafQueue, offer: Offer) -> None:
    """Kill what may be killed in parents that hold more than their maximum now."""
    for parent in queue.chain[1:]:
        while (one := first_to_go(parent, offer.partition)) is not None:
            complete(one.app, one.container, offer.nodes[one.container.node])
            proposal.kills.append(one)


def _reserve(app: LedgerApplication, ask: OutstandingAsk, offer: Offer) -> Decision:
    node = offer.node
    reservation = Reservation(
        new_container_id(app), app, ask.key, node.name, ask.size, node.partition, offer.now_ms
    )
    accounts.reserve(reservation, node)
    app.re_reservations[ask.key] = 0
    app.queue.needs_reordering(app)
    return Reserve(app.app.id, ask.key, node.name, ask.size)


def _allocate(
    app: LedgerApplication, ask: OutstandingAsk, proposal: Proposal, offer: Offer
) -> Decision:
    node, fulfils = offer.node, proposal.fulfils
    am = app.waiting_for_am
    container = Container(
        id=fulfils.id if fulfils is not None else new_container_id(app),
        key=ask.key,
        node=node.name,
        size=fulfils.size if fulfils is not None else ask.size,
        partition=node.partition,
        am=am,
        tags=ask.tags,
    )
    if am:
        app.waiting_for_am = False
        app.am_container = container.id
    for one in proposal.kills:
        complete(one.app, one.container, node)
    if proposal.unreserve is not None:
        drop_reservation(proposal.unreserve, offer.nodes[proposal.unreserve.node])
    if fulfils is None:
        accounts.charge(app, container, node)
        app.queue.needs_reordering(app)
    else:
        accounts.fulfil(fulfils, container, node)
        app.re_reservations[ask.key] = 0
        if app.queue.cluster.hadoop_compatible:
            accounts.miscount(app, node.partition, subtract(ask.size, fulfils.size))
    take_one(ask, proposal.locality, node)
    accounts.take_one(app, ask)
    if node.partition and not ask.partition:
        app.queue.note_borrowed(container)
    return Grant(container)


def new_container_id(app: LedgerApplication) -> ContainerId:
    """The next id of the current attempt; the first is the AM's."""
    number = app.next_number
    app.next_number += 1
    return ContainerId(app.attempt_id, app.epoch, number)


def take_one(ask: OutstandingAsk, locality: Locality, node: LedgerNode) -> None:
    """One container fewer is wanted where the node is."""
    if locality is Locality.NODE:
        _lower(ask.nodes, node.name)
    if locality is not Locality.ANY:
        _lower(ask.racks, node.rack)


def _lower(counts: dict[str, int], name: str) -> None:
    counts[name] -= 1
    if counts[name] <= 0:
        del counts[name]


def complete(app: LedgerApplication, container: Container, node: LedgerNode) -> None:
    """A container is gone, whatever the reason."""
    if not accounts.discharge(app, container, node):
        return
    if node.killable:
        forget(container, app, node)
    app.queue.needs_reordering(app)
    app.queue.forget_borrowed(container)


def drop_reservation(reservation: Reservation, node: LedgerNode) -> None:
    """Give a reservation up."""
    app = reservation.app
    if accounts.unreserve(reservation, node):
        app.re_reservations[reservation.key] = 0
        app.queue.needs_reordering(app)
