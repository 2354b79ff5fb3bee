"""Who is starved, and whose containers are taken back for them.

Hadoop: FSLeafQueue.updateStarvedApps, FSStarvedApps and FSPreemptionThread. An application is
starved of its fair share, or carries part of what its queue lacks of its minimum. For each, room
is sought node by node, with the fewest ApplicationMasters, and only from applications that stay
at or above their own fair share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kubeyarn.model.containers import Container
from kubeyarn.model.resources import Vector, add, fits, scale, subtract
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.comparing import below, greater
from kubeyarn.schedulers.fair.objects import Attempt, Outstanding, Queue, Room
from kubeyarn.schedulers.fair.starvation import (
    cluster_is_busy,
    containers_that_fit,
    fair_claim,
    is_starved,
    lacking,
    min_share_lack,
)
from kubeyarn.schedulers.java_collections import JavaHeap, request_key_order

_EVERY = 2**31 - 1


@dataclass(slots=True)
class _Victims:
    """Containers of one node that would make room for one ask."""

    room: Room
    masters: int = 0
    containers: list[Container] = field(default_factory=list)
    of: dict[Attempt, Vector] = field(default_factory=dict)


class StarvedQueue:
    """Starved attempts, those that lack less before those that lack more, each once.

    What lacks grows and shrinks while attempts wait in it, so the order is what their lack was
    when they moved (Hadoop: FSStarvedApps).
    """

    def __init__(self) -> None:
        self._heap = JavaHeap[Attempt](_compare_lacks)

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, attempt: Attempt) -> None:
        """Add an attempt that is not in it."""
        if attempt not in self._heap:
            self._heap.add(attempt)

    def take(self) -> Attempt:
        """Remove the first."""
        return self._heap.take()


def _compare_lacks(one: Attempt, other: Attempt) -> int:
    return -1 if fits(_lack(one), _lack(other)) else 1


def _lack(attempt: Attempt) -> Vector:
    return add(attempt.fair_lack, attempt.min_lack)


class Preempter:
    """Finds the starved and chooses victims on a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._starved = StarvedQueue()

    # --- who is starved

    def look(self, now_ms: int) -> None:
        """Note who is starved now, if the cluster is busy enough to take containers back."""
        ledger = self._ledger
        settings = ledger.config.preemption
        if not settings.enabled:
            return
        if not cluster_is_busy(ledger.allocated, ledger.cluster, settings.utilization_threshold):
            return
        for queue in ledger.queues.values():
            if queue.is_leaf:
                self._look_in(queue, now_ms)

    def _look_in(self, leaf: Queue, now_ms: int) -> None:
        wanting = [
            member
            for member in leaf.line
            if isinstance(member, Attempt) and now_ms >= member.next_check_ms
        ]
        lack = self._fair_lack(wanting, now_ms)
        self._share_min_lack(leaf, wanting, lacking(self._min_lack(leaf, now_ms), lack))

    def _fair_lack(self, wanting: Iterable[Attempt], now_ms: int) -> Vector:
        """What those at the head of the line lack of their fair shares, together."""
        total = self._ledger.zero
        for attempt in wanting:
            lack = self._fair_lack_of(attempt, now_ms)
            if not any(lack):
                break
            self._starved.add(attempt)
            total = add(total, lack)
        return total

    def _fair_lack_of(self, attempt: Attempt, now_ms: int) -> Vector:
        queue, ledger = attempt.queue, self._ledger
        claim = fair_claim(attempt.fair_share, queue.threshold, attempt.demand)
        starved = is_starved(queue.policy, ledger.cluster, attempt.usage, claim)
        if not starved:
            attempt.at_fair_share_ms = now_ms
        if not starved or now_ms - attempt.at_fair_share_ms < queue.fair_timeout_ms:
            attempt.fair_lack = ledger.zero
        else:
            attempt.fair_lack = lacking(claim, attempt.usage)
        return attempt.fair_lack

    def _min_lack(self, leaf: Queue, now_ms: int) -> Vector:
        lack = min_share_lack(leaf.minimum, leaf.demand, leaf.usage)
        if not any(lack):
            leaf.at_min_share_ms = now_ms
        if now_ms - leaf.at_min_share_ms < leaf.min_timeout_ms:
            return self._ledger.zero
        return lack

    def _share_min_lack(self, leaf: Queue, wanting: Iterable[Attempt], lack: Vector) -> None:
        """Hand what the queue lacks to its attempts, in order.

        The last one gets what is left of its own wish and not of the lack: Hadoop subtracts that
        way round (FSLeafQueue.updateStarvedAppsMinshare).
        """
        ledger, left = self._ledger, lack
        for attempt in wanting:
            if not any(left):
                attempt.min_lack = ledger.zero
                continue
            wish = lacking(subtract(attempt.demand, attempt.usage), attempt.fair_lack)
            if greater(leaf.policy, ledger.cluster, wish, left):
                wish, left = lacking(wish, left), ledger.zero
            else:
                left = lacking(left, wish)
            attempt.min_lack = wish
            self._starved.add(attempt)

    # --- whose containers go

    def choose(self, now_ms: int) -> list[Container]:
        """Mark containers for everyone starved; room they make is promised to those."""
        chosen: list[Container] = []
        settings = self._ledger.config.preemption
        delay = (
            settings.wait_before_kill_ms
            + settings.allocation_delay_ms
            + settings.wait_before_next_check_ms
        )
        while len(self._starved):
            attempt = self._starved.take()
            if attempt.stopped:
                continue
            chosen += self._choose_for(attempt, now_ms)
            attempt.next_check_ms = now_ms + delay
        return chosen

    def _choose_for(self, attempt: Attempt, now_ms: int) -> list[Container]:
        chosen: list[Container] = []
        for ask, count in list(self._starved_asks(attempt)):
            for _ in range(count):
                victims = self._best_room(ask)
                if victims is None or not victims.containers:
                    continue
                self._promise(victims, attempt)
                for container in victims.containers:
                    self._mark(container, now_ms)
                chosen += victims.containers
        return chosen

    def _starved_asks(self, attempt: Attempt) -> Iterator[tuple[Outstanding, int]]:
        """Asks worth what it lacks, with how many containers of each."""
        left = _lack(attempt)
        for key in request_key_order(attempt.asks):
            if not any(left):
                return
            ask = attempt.asks[key]
            size = ask.ask.size
            count = min(containers_that_fit(left[0], size[0]), ask.count)
            if count:
                yield ask, count
                left = lacking(left, scale(size, count))

    def _best_room(self, ask: Outstanding) -> _Victims | None:
        """The first node that costs the fewest ApplicationMasters."""
        rooms = self._ledger.rooms
        if not ask.nodes:
            return self._cheapest(rooms.values(), ask.ask.size)
        near = [rooms[name] for name in ask.nodes if name in rooms]
        best = self._cheapest(near, ask.ask.size)
        if best is not None and best.masters and ask.ask.locality.relax:
            others = self._cheapest(
                (room for room in rooms.values() if room not in near), ask.ask.size
            )
            if others is not None and others.masters < best.masters:
                return others
        return best

    def _cheapest(self, rooms: Iterable[Room], size: Vector) -> _Victims | None:
        best: _Victims | None = None
        fewest = _EVERY
        for room in rooms:
            victims = self._victims_on(room, size, fewest)
            if victims is not None:
                best, fewest = victims, victims.masters
                if not fewest:
                    break
        return best

    def _victims_on(self, room: Room, size: Vector, fewest: int) -> _Victims | None:
        """Containers of *room* that make room for *size* with fewer masters than *fewest*."""
        victims = _Victims(room)
        potential = lacking(room.free, room.held)
        for container in _masters_last(room):
            owner = self._ledger.attempts.get(container.id.attempt.application)
            if owner is None or container.id not in owner.containers:
                continue
            if self._may_go(container, owner, victims.of.get(owner, self._ledger.zero)):
                if container.am:
                    victims.masters += 1
                    if victims.masters >= fewest:
                        return None
                victims.containers.append(container)
                victims.of[owner] = add(victims.of.get(owner, self._ledger.zero), container.size)
                potential = add(potential, container.size)
            if fits(size, potential):
                return victims
        return None

    def _may_go(self, container: Container, owner: Attempt, considered: Vector) -> bool:
        """Whether *owner* can lose this one too and keep its fair share."""
        queue = owner.queue
        if not queue.allow_preemption or container.id in owner.marked:
            return False
        if container.am and not self._masters_may_go(owner.home):
            return False
        left = subtract(subtract(owner.usage, owner.marked_total), container.size)
        left = subtract(left, considered)
        return not below(queue.policy, self._ledger.cluster, left, owner.fair_share)

    def _masters_may_go(self, home: str) -> bool:
        settings = self._ledger.config.preemption
        for path, allowed in settings.masters_of:
            if path == home:
                return allowed
        return settings.masters

    def _promise(self, victims: _Victims, attempt: Attempt) -> None:
        room, total = victims.room, self._ledger.zero
        for container in victims.containers:
            if container.id not in room.marked:
                room.marked.add(container.id)
                total = add(total, container.size)
        if any(total):
            room.promised_total = add(room.promised_total, total)
            room.promised[attempt] = add(room.promised.get(attempt, self._ledger.zero), total)

    def _mark(self, container: Container, now_ms: int) -> None:
        owner = self._ledger.attempts[container.id.attempt.application]
        if container.id not in owner.marked:
            owner.marked[container.id] = now_ms
            owner.marked_total = add(owner.marked_total, container.size)


def _masters_last(room: Room) -> list[Container]:
    """Containers that are not taken yet: tasks, the newest first, then ApplicationMasters."""
    open_ones = [c for c in room.containers.values() if c.id not in room.marked]
    tasks = [container for container in reversed(open_ones) if not container.am]
    return tasks + [container for container in open_ones if container.am]
