"""One scheduling opportunity of one node (Hadoop: FairScheduler.attemptScheduling).

First those containers were taken back for, then whoever reserved the node, then the queues from
the root down: the first in line that can take something gets it.
"""

from __future__ import annotations

from math import ceil

from kubeyarn.model.asks import AM_KEY, AskKey, Locality, is_update
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector, add, component_min, fits, subtract
from kubeyarn.schedulers.api import Decision, Grant, Reserve
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.am_limits import is_unchecked, master_limit
from kubeyarn.schedulers.fair.comparing import below, greater
from kubeyarn.schedulers.fair.drf_comparing import Sibling, compare_siblings
from kubeyarn.schedulers.fair.objects import Attempt, Outstanding, Queue, Reservation, Room
from kubeyarn.schedulers.fair.starvation import lacking
from kubeyarn.schedulers.java_collections import tree_order
from kubeyarn.schedulers.java_numbers import single

UNSEEN, NODE_LOCAL, RACK_LOCAL, ANYWHERE = -1, 0, 1, 2


class Assigner:
    """Grants and reserves on a ledger's nodes."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def offer(self, room: Room) -> list[Decision]:
        """What *room*'s node gives out now."""
        decisions: list[Decision] = []
        ledger = self._ledger
        if not room.node.schedulable:
            return decisions
        if room.promised:
            self._serve_promised(room, decisions)
        if room.reservation is None or not self._serve_reservation(room, decisions):
            self._serve_queues(room, decisions)
        if decisions:
            ledger.available = subtract(ledger.cluster, ledger.allocated)
        return decisions

    def is_of_use(self, room: Room) -> bool:
        """Whether an offer of this node could change anything."""
        ledger = self._ledger
        if room.reservation is not None or room.promised:
            return True
        if not ledger.sizes or not room.node.schedulable:
            return False
        free = room.free
        threshold = ledger.reservation_threshold
        return any(fits(size, free) or _any_reaches(size, threshold) for size in ledger.sizes)

    # --- those containers were taken back for

    def _serve_promised(self, room: Room, decisions: list[Decision]) -> None:
        self._forget_promises(room)
        for attempt, promised in list(room.promised.items()):
            left = promised
            while not attempt.stopped and any(left):
                made = self._assign_attempt(attempt, room)
                if made is None:
                    break
                decisions.append(made)
                if not isinstance(made, Grant):
                    break
                left = lacking(left, made.container.size)

    def _forget_promises(self, room: Room) -> None:
        """Drop promises to attempts that need them no more (Hadoop: cleanupPreemptionList)."""
        for attempt in list(room.promised):
            starved = self._is_starved(attempt) and attempt.is_starved_of_lack
            if attempt.stopped or not starved:
                promised = room.promised.pop(attempt)
                room.promised_total = subtract(room.promised_total, promised)

    def _keep_promise(self, attempt: Attempt, room: Room, size: Vector) -> None:
        promised = room.promised.get(attempt)
        if promised is None:
            return
        kept = component_min(promised, size)
        room.promised_total = subtract(room.promised_total, kept)
        left = subtract(promised, kept)
        if any(left):
            room.promised[attempt] = left
        else:
            del room.promised[attempt]

    # --- reservations

    def _serve_reservation(self, room: Room, decisions: list[Decision]) -> bool:
        """Use a node's reservation or give it up; whether it still stands or was used."""
        reservation = room.reservation
        if reservation is None:
            return False
        attempt, key = reservation.attempt, reservation.key
        ask = attempt.asks.get(key)
        if ask is None or not self._could_be_here(attempt, ask, room) or self._over_am(attempt):
            self._ledger.unreserve(room)
            return False
        if fits(reservation.size, room.free):
            made = self._assign_ask(attempt, key, ask, room, reservation=reservation)
            if made is not None:
                decisions.append(made)
        return True

    # --- the queues

    def _serve_queues(self, room: Room, decisions: list[Decision]) -> None:
        offers = self._ledger.config.offers
        half = multiply(room.free, 0.5) if offers.multiple else room.free
        assigned = self._ledger.zero
        count = 0
        while room.reservation is None:
            made = self._assign_queue(self._ledger.root, room)
            if made is None:
                return
            decisions.append(made)
            if not offers.multiple or not isinstance(made, Grant):
                return
            count += 1
            assigned = add(assigned, made.container.size)
            if offers.dynamic_maximum:
                if not fits(assigned, half):
                    return
            elif 0 < offers.maximum <= count:
                return

    def _assign_queue(self, queue: Queue, room: Room) -> Grant | Reserve | None:
        if queue.is_bounded and not fits(queue.usage, queue.maximum):
            return None
        if queue.is_contrary:
            return self._assign_contrary(queue, room)
        for _, member in queue.line.entries:
            if isinstance(member, Queue):
                made = self._assign_queue(member, room)
            else:
                made = self._assign_attempt(member, room)
            if made is not None:
                return made
        return None

    def _assign_contrary(self, queue: Queue, room: Room) -> Grant | Reserve | None:
        """Children in the order Hadoop's set has where their comparator contradicts itself."""
        siblings = {
            Sibling(child.usage, child.minimum, child.weight, child.path): child
            for child in queue.children
        }
        cluster = self._ledger.cluster
        for sibling in tree_order(siblings, lambda a, b: compare_siblings(a, b, cluster)):
            made = self._assign_queue(siblings[sibling], room)
            if made is not None:
                return made
        return None

    def _assign_attempt(self, attempt: Attempt, room: Room) -> Grant | Reserve | None:
        """The first ask that can be served here decides, whether or not it fits right now."""
        if self._over_am(attempt):
            return None
        for key in attempt.keys:
            ask = attempt.asks[key]
            if not self._could_be_here(attempt, ask, room):
                continue
            level = self._level_here(ask, room)
            if level is not None:
                return self._place(attempt, key, ask, room, level)
        return None

    def _over_am(self, attempt: Attempt) -> bool:
        """Whether its AM waits for the queue's AM share (Hadoop: isOverAMShareLimit)."""
        if attempt.am_running or attempt.unmanaged:
            return False
        return not attempt.keys or not self.may_run_am(
            attempt.queue, attempt.asks[attempt.keys[0]].ask.size
        )

    def may_run_am(self, queue: Queue, size: Vector) -> bool:
        """Whether *queue* has room for another AM of this size (Hadoop: canRunAppAM)."""
        if is_unchecked(queue.maximum_am_share):
            return True
        return fits(add(queue.am_usage, size), self.am_limit(queue))

    def am_limit(self, queue: Queue) -> Vector:
        """What the AMs of *queue* may use together."""
        return master_limit(
            queue.maximum_am_share, queue.fair_share, self._ledger.available, queue.maximum
        )

    def _could_be_here(self, attempt: Attempt, ask: Outstanding, room: Room) -> bool:
        """Whether an empty node of this kind would do (Hadoop: hasContainerForNode)."""
        size = ask.ask.size
        if ask.count <= 0 or not fits(size, room.node.total):
            return False
        locality = ask.ask.locality
        if locality.excluded and is_excluded(locality, room):
            return False
        if ask.ask.constraint is not None and not self.allows(attempt, ask, room):
            return False
        if not locality.relax:
            on_node = ask.nodes.get(room.node.name, 0) > 0
            in_rack = ask.racks.get(room.node.rack, 0) > 0
            if not in_rack or (not on_node and not _names_rack(ask, room.node.rack)):
                return False
        return self._fits_maxima(attempt.queue, size)

    def allows(self, attempt: Attempt, ask: Outstanding, room: Room) -> bool:
        """Whether the ask's placement constraint, if it has one, allows the node now."""
        constraint = ask.ask.constraint
        return constraint is None or self._ledger.tags.can_satisfy(
            constraint.expression, attempt.application.id, room.node.name, room.node.rack
        )

    def _fits_maxima(self, queue: Queue, size: Vector) -> bool:
        above: Queue | None = queue
        while above is not None:
            if above.is_bounded and not fits(add(above.usage, size), above.maximum):
                return False
            above = above.parent
        return True

    # --- locality

    def _level_here(self, ask: Outstanding, room: Room) -> int | None:
        """How near this node is to what was asked for; None while a nearer one is waited for."""
        if not ask.nodes and not ask.racks:
            return ANYWHERE
        ask.patience.opportunities += 1
        allowed = self._allowed_level(ask)
        in_rack = ask.racks.get(room.node.rack, 0) > 0
        if in_rack and ask.nodes.get(room.node.name, 0) > 0:
            return NODE_LOCAL
        if in_rack and not ask.ask.locality.relax and not _names_rack(ask, room.node.rack):
            return None
        if in_rack and allowed >= RACK_LOCAL:
            return RACK_LOCAL
        if not ask.ask.locality.relax:
            return None
        return ANYWHERE if allowed == ANYWHERE else None

    def _allowed_level(self, ask: Outstanding) -> int:
        """Relax after so many missed opportunities (Hadoop: getAllowedLocalityLevel)."""
        offers = self._ledger.config.offers
        node, rack = offers.node_locality_threshold, offers.rack_locality_threshold
        if node < 0 or rack < 0:
            return ANYWHERE
        patience = ask.patience
        if patience.level == UNSEEN:
            patience.level = NODE_LOCAL
        elif patience.level < ANYWHERE:
            threshold = min(node if patience.level == NODE_LOCAL else rack, 1.0)
            if patience.opportunities > len(self._ledger.rooms) * single(threshold):
                patience.level += 1
                patience.opportunities = 0
        return patience.level

    # --- placing

    def _assign_ask(
        self,
        attempt: Attempt,
        key: AskKey,
        ask: Outstanding,
        room: Room,
        *,
        reservation: Reservation,
    ) -> Grant | Reserve | None:
        level = self._level_here(ask, room)
        if level is None:
            return None
        return self._place(attempt, key, ask, room, level, reservation=reservation)

    def _place(
        self,
        attempt: Attempt,
        key: AskKey,
        ask: Outstanding,
        room: Room,
        level: int,
        *,
        reservation: Reservation | None = None,
    ) -> Grant | Reserve | None:
        """Grant if it fits now; otherwise reserve if that is allowed."""
        size = ask.ask.size
        if fits(size, room.free):
            return self._grant(attempt, key, ask, room, level, reservation)
        if reservation is None and self._may_reserve(attempt, size, room, level):
            return self._reserve(attempt, key, size, room)
        return None

    def _grant(
        self,
        attempt: Attempt,
        key: AskKey,
        ask: Outstanding,
        room: Room,
        level: int,
        reservation: Reservation | None,
    ) -> Grant:
        ledger = self._ledger
        if reservation is not None:
            ledger.unreserve(room)
            container_id, size = reservation.container, reservation.size
            if size != ask.ask.size:
                # What was asked changed since room was reserved: Hadoop grants what was reserved.
                ledger.unreckoned[attempt] = None
                ledger.touch()
        else:
            container_id, size = self.next_id(attempt), ask.ask.size
        container = Container(
            id=container_id,
            key=key,
            node=room.node.name,
            size=size,
            partition=room.node.partition,
            am=key == AM_KEY,
            tags=ask.ask.tags,
        )
        ledger.hold(attempt, container)
        self._count_down(attempt, key, ask, room, level)
        if room.promised:
            self._keep_promise(attempt, room, size)
        if not attempt.am_running and not attempt.unmanaged and not is_update(key):
            attempt.am_running = True
            attempt.am_size = ask.ask.size
            attempt.queue.am_usage = add(attempt.queue.am_usage, ask.ask.size)
        ledger.line_up(attempt)
        ledger.version += 1
        return Grant(container)

    def next_id(self, attempt: Attempt) -> ContainerId:
        """The next id of an attempt; the first is the AM's."""
        number = attempt.next_number
        attempt.next_number = number + 1
        return ContainerId(attempt.id, self._ledger.epoch, number)

    def _count_down(
        self, attempt: Attempt, key: AskKey, ask: Outstanding, room: Room, level: int
    ) -> None:
        """One container less is wanted, here and wherever it might have been instead."""
        ask.count -= 1
        if ask.nodes or ask.racks:
            ask.patience.level = min(ask.patience.level, level)
            if level == NODE_LOCAL:
                ask.nodes[room.node.name] -= 1
            if level <= RACK_LOCAL:
                ask.racks[room.node.rack] -= 1
        self._ledger.want(attempt, ask.ask.size, -1)
        if ask.count <= 0:
            del attempt.asks[key]
            attempt.keys.remove(key)

    # --- reserving

    def _may_reserve(self, attempt: Attempt, size: Vector, room: Room, level: int) -> bool:
        ledger = self._ledger
        held = room.reservation
        if held is not None or attempt in room.promised:
            return False
        policy = attempt.queue.policy
        if greater(policy, ledger.cluster, ledger.reservation_threshold, size):
            return False
        return self._is_starved(attempt) and not self._reserves_enough(attempt, room, level)

    def _is_starved(self, attempt: Attempt) -> bool:
        """Below its fair share, or owed part of its queue's minimum (Hadoop: isStarved)."""
        return any(attempt.min_lack) or below(
            attempt.queue.policy, self._ledger.cluster, attempt.usage, attempt.fair_share
        )

    def _reserves_enough(self, attempt: Attempt, room: Room, level: int) -> bool:
        if level == NODE_LOCAL:
            return False
        rooms = self._ledger.rooms
        rack = None if level == ANYWHERE else room.node.rack
        there = _count_in(rooms, rooms, rack)
        reserved = _count_in(rooms, attempt.reservations, rack)
        return reserved >= ceil(single(there * single(self._ledger.config.offers.reservable_nodes)))

    def _reserve(self, attempt: Attempt, key: AskKey, size: Vector, room: Room) -> Reserve:
        reservation = Reservation(attempt, key, size, self.next_id(attempt))
        self._ledger.reserve(reservation, room)
        return Reserve(attempt.application.id, key, room.node.name, size)


def _count_in(
    rooms: dict[str, Room], names: dict[str, Room] | dict[str, Reservation], rack: str | None
) -> int:
    """How many of the named nodes are in *rack*, None for any."""
    if rack is None:
        return len(names)
    return sum(1 for name in names if rooms[name].node.rack == rack)


def is_excluded(locality: Locality, room: Room) -> bool:
    """Whether an ask may take nothing on a node (Hadoop: SchedulerAppUtils.isPlaceBlacklisted)."""
    return room.node.name in locality.excluded or room.node.rack in locality.excluded


def _names_rack(ask: Outstanding, rack: str) -> bool:
    return any(name == rack for name, _ in ask.ask.locality.racks)


def _any_reaches(size: Vector, threshold: Vector) -> bool:
    """Whether some policy could find *size* large enough to reserve."""
    return any(amount >= least for amount, least in zip(size, threshold, strict=True) if least)
