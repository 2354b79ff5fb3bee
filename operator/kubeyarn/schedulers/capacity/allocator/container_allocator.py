"""Which of an application's asks takes the node (Hadoop: RegularContainerAllocator)."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY
from kubeyarn.model.resources import add, fits, subtract
from kubeyarn.schedulers.calculator import at_least
from kubeyarn.schedulers.capacity.objects.preemptable_containers import below_guarantee, victims
from kubeyarn.schedulers.capacity.objects.resource_limits import (
    LIMITED,
    NOTHING,
    SKIPPED,
    Limits,
    Locality,
    Proposal,
    Skip,
)
from kubeyarn.schedulers.java_numbers import quotient, single, to_long

if TYPE_CHECKING:
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import (
        LedgerApplication,
        OutstandingAsk,
        Reservation,
    )
    from kubeyarn.schedulers.capacity.objects.node import NodesByUse
    from kubeyarn.schedulers.capacity.objects.preemptable_containers import Killable
    from kubeyarn.schedulers.capacity.objects.resource_limits import Offer


class Passed(Enum):
    """Why an ask took nothing: try the next ask, the next place, the next application or queue."""

    ASK = auto()
    PLACE = auto()
    APPLICATION = auto()
    QUEUE = auto()


_SKIPS = {Passed.APPLICATION: SKIPPED, Passed.QUEUE: LIMITED}


def allocate_app(app: LedgerApplication, offer: Offer, limits: Limits) -> Proposal:
    """What the application would take of the node; asks are tried by priority."""
    stake = app.stakes.get(offer.wanted_partition)
    if stake is None or not app.queue.calc.any_above_zero(stake.pending):
        return SKIPPED
    for key in app.keys:
        if offer.candidates is not None:
            result = _try_nodes(app, app.asks[key], offer, offer.candidates, limits)
        else:
            result = _try_ask(app, app.asks[key], offer, limits)
        if result is Passed.ASK:
            continue
        if isinstance(result, Proposal):
            return result
        return _SKIPS.get(result, NOTHING)
    return SKIPPED


def allocate_reserved(reservation: Reservation, offer: Offer, limits: Limits) -> Proposal:
    """Turn a reservation into a container if there is room by now, else keep or drop it."""
    app = reservation.app
    ask = app.asks.get(reservation.key)
    if ask is None or ask.count <= 0 or ask.barred(app.app.id, offer.node):
        # Hadoop keeps room on an excluded node and never uses it.
        dropped = Proposal(Skip.QUEUE_LIMIT, app)
        dropped.unreserve = reservation
        return dropped
    ask.opportunities += 1
    result = _on_node(app, ask, offer, limits, reservation)
    if isinstance(result, Proposal):
        return result
    return _SKIPS.get(result, NOTHING)


def _try_ask(
    app: LedgerApplication, ask: OutstandingAsk, offer: Offer, limits: Limits
) -> Proposal | Passed:
    stopped = _precheck(app, ask, offer, limits)
    if stopped is not None:
        return stopped
    if not ask.plain and ask.barred(app.app.id, offer.node):
        return Passed.ASK
    ask.opportunities += 1
    result = _on_node(app, ask, offer, limits, None)
    if result is Passed.ASK and not ask.strict_racks:
        # Racks that an ask insists on are waited for like others: Hadoop forgets the wait, too, and
        # never serves them.
        ask.opportunities -= 1
    if isinstance(result, Proposal):
        _reset_opportunities(ask, result, offer)
    return result


def _try_nodes(
    app: LedgerApplication,
    ask: OutstandingAsk,
    offer: Offer,
    candidates: NodesByUse,
    limits: Limits,
) -> Proposal | Passed:
    """Allocate on the first node that fits; room is reserved on the last or nowhere."""
    nodes = candidates.in_order(app.queue.settings.node_ordering)
    result: Proposal | Passed = Passed.ASK
    for node in nodes:
        if node is not nodes[-1]:
            if offer.rules.skip_reserved_nodes and node.reservation is not None:
                continue
            if not candidates.may_hold(node, ask.size):
                continue
        offer.node = node
        result = _try_ask(app, ask, offer, limits)
        if isinstance(result, Proposal) and not result.reserve:
            break
    return result


def _precheck(
    app: LedgerApplication, ask: OutstandingAsk, offer: Offer, limits: Limits
) -> Passed | None:
    if app.waiting_for_am and ask.key != AM_KEY:
        # Asks written before the AM runs; on a node of their partition they would pass for it.
        return Passed.APPLICATION
    if offer.borrowing and app.waiting_for_am and not offer.am_may_borrow:
        return Passed.APPLICATION
    if ask.partition != offer.wanted_partition:
        return Passed.ASK
    if not offer.rules.continue_look_at_reservations and not needs_container(app, ask):
        return Passed.ASK
    if not _headroom_suffices(app, ask, offer, limits):
        return Passed.QUEUE
    if not ask.partition:
        ask.missed += 1
    if offer.borrowing and ask.missed < len(offer.nodes):
        return Passed.APPLICATION
    return None


def _headroom_suffices(
    app: LedgerApplication, ask: OutstandingAsk, offer: Offer, limits: Limits
) -> bool:
    available, size = limits.headroom, ask.size
    if fits(size, available):
        return True
    if offer.rules.continue_look_at_reservations:
        available = add(available, app.reserved.get(offer.partition, app.zero))
    return app.queue.calc.fits(size, available)


def _on_node(
    app: LedgerApplication,
    ask: OutstandingAsk,
    offer: Offer,
    limits: Limits,
    reservation: Reservation | None,
) -> Proposal | Passed:
    """Try the node as wanted by host, then by rack, then as any node."""
    node = offer.node
    if not ask.nodes and not ask.racks:
        if not ask.relax:
            return Passed.ASK
        result = _place(app, ask, offer, limits, reservation, Locality.ANY)
        return Passed.APPLICATION if result is Passed.PLACE else result
    if ask.nodes.get(node.name, 0) > 0 and ask.racks.get(node.rack, 0) > 0:
        result = _place(app, ask, offer, limits, reservation, Locality.NODE)
        if isinstance(result, Proposal):
            return result
    if ask.racks.get(node.rack, 0) > 0:
        if not ask.relax and node.rack not in ask.strict_racks:
            return Passed.ASK
        nearest = not ask.relax and not ask.nodes
        if nearest or min(len(offer.nodes), offer.rules.node_locality_delay) < ask.opportunities:
            result = _place(app, ask, offer, limits, reservation, Locality.RACK)
            if isinstance(result, Proposal):
                return result
    if not ask.relax:
        return Passed.ASK
    if not _may_leave(ask, offer, reservation):
        return Passed.APPLICATION
    result = _place(app, ask, offer, limits, reservation, Locality.ANY)
    return Passed.APPLICATION if result is Passed.PLACE else result


def _may_leave(ask: OutstandingAsk, offer: Offer, reservation: Reservation | None) -> bool:
    if reservation is not None or ask.locations == 1:
        return True
    rules = offer.rules
    if rules.rack_additional_delay > -1:
        delay = rules.node_locality_delay + rules.rack_additional_delay
        return ask.opportunities > min(len(offer.nodes), delay)
    factor = min(quotient(ask.locations - 1, len(offer.nodes)), 1.0)
    return min(len(offer.nodes), single(ask.count * factor)) < ask.opportunities


def _place(
    app: LedgerApplication,
    ask: OutstandingAsk,
    offer: Offer,
    limits: Limits,
    reservation: Reservation | None,
    locality: Locality,
) -> Proposal | Passed:
    """Allocate on the node, or reserve it, or pass."""
    queue, node = app.queue, offer.node
    calc, total = queue.calc, queue.cluster.total
    size = ask.size
    excess = subtract(size, limits.headroom)
    if limits.unreserve is not None or not fits(excess, queue.zero):
        excess = at_least(calc, total, excess, limits.unreserve or queue.zero)
        must_unreserve = calc.any_above_zero(excess)
    else:
        must_unreserve = False
    kills: list[Killable] = []
    if calc.available(node.free, size) <= 0:
        if not calc.fits(size, node.total):
            return Passed.PLACE
        if node.killable and below_guarantee(queue, offer.partition):
            kills = victims(size, queue, node)
        if not kills:
            return _reserve(app, ask, offer, reservation, locality, must_unreserve=must_unreserve)
    if not calc.fits(size, node.total):
        return Passed.PLACE
    given_up = None
    if reservation is None and offer.rules.continue_look_at_reservations:
        if must_unreserve:
            given_up = _find_to_unreserve(app, ask, excess)
        elif ask.key in app.reservations and not needs_container(app, ask):
            must_unreserve = True
            given_up = _find_to_unreserve(app, ask, size)
        if must_unreserve and given_up is None:
            return Passed.PLACE
    proposal = Proposal(Skip.NOTHING, app, ask, size, locality)
    proposal.within_limit = limits.unreserve is None
    proposal.unreserve, proposal.fulfils, proposal.kills = given_up, reservation, kills
    return proposal


def _reserve(
    app: LedgerApplication,
    ask: OutstandingAsk,
    offer: Offer,
    reservation: Reservation | None,
    locality: Locality,
    *,
    must_unreserve: bool,
) -> Proposal | Passed:
    """Hold the node's room until the container fits, unless enough nodes are held."""
    if reservation is None:
        if not needs_container(app, ask):
            return Passed.PLACE
        if offer.rules.continue_look_at_reservations and must_unreserve:
            return Passed.PLACE
    proposal = Proposal(Skip.NOTHING, app, ask, ask.size, locality)
    proposal.reserve, proposal.fulfils = True, reservation
    return proposal


def _find_to_unreserve(
    app: LedgerApplication, ask: OutstandingAsk, amount: Vector
) -> Reservation | None:
    for reservation in app.reservations.get(ask.key, {}).values():
        if app.queue.calc.fits(amount, reservation.size):
            return reservation
    return None


def needs_container(app: LedgerApplication, ask: OutstandingAsk) -> bool:
    """Whether more nodes may be held: outstanding, and a bonus for waiting, over reserved."""
    reserved = len(app.reservations.get(ask.key, ()))
    starvation = 0
    if reserved > 0:
        calc = app.queue.calc
        maximum = app.queue.settings.maximum_allocation
        node_factor = calc.ratio(ask.size, maximum)
        floor = calc.ratio(subtract(maximum, app.queue.step), maximum)
        waits = quotient(app.re_reservations.get(ask.key, 0), reserved)
        starvation = to_long(single(waits * single(1.0 - min(node_factor, floor))))
    return starvation + ask.count - reserved > 0


def _reset_opportunities(ask: OutstandingAsk, result: Proposal, offer: Offer) -> None:
    if result.locality is Locality.NODE or (
        result.locality is Locality.RACK and offer.rules.rack_full_reset
    ):
        ask.opportunities = 0
    if not offer.node.partition:
        ask.missed = 0
