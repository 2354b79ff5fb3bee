"""Containers outside of all guarantees, in room that nobody holds.

Source: Hadoop OpportunisticContainerAllocatorAMService and the NodeManager's ContainerScheduler. A
scheduling engine grants as if these containers were not there; whatever it grants, the newest of
them on the node make room at once. They count against no queue and no user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.reasons import Reason, Verdict
from kubeyarn.model.resources import Vector, add, fits, subtract
from kubeyarn.schedulers.api import Decision, Grant, Preempt, SchedulerNodeReport

NextId = Callable[[ApplicationId], ContainerId]

_KILLED = "opportunistic: its room went to a guaranteed container"


class OpportunisticContainerAllocator:
    """The ledger of opportunistic asks and containers.

    A container that was told to go holds its place until it is released; nobody is put there.
    """

    def __init__(self) -> None:
        self._asks: dict[tuple[ApplicationId, AskKey], Ask] = {}
        self._held: dict[ContainerId, Container] = {}
        self._on_node: dict[str, dict[ContainerId, Container]] = {}
        self._leaving: set[ContainerId] = set()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to see to."""
        return not self._asks and not self._held

    def update(self, application: ApplicationId, ask: Ask) -> None:
        """Replace what is outstanding under the ask's key; 0 cancels."""
        self._asks.pop((application, ask.key), None)
        if ask.count > 0:
            self._asks[application, ask.key] = ask

    def finish(self, application: ApplicationId) -> None:
        """An application ended; it asks for nothing and holds nothing."""
        for key in [key for key in self._asks if key[0] == application]:
            del self._asks[key]
        for container in [c for c in self._held if c.attempt.application == application]:
            self.release(container)

    def hold(self, container: Container) -> None:
        """Count a container that runs so, because it was granted before or is demoted."""
        self._held[container.id] = container
        self._on_node.setdefault(container.node, {})[container.id] = container

    def release(self, container: ContainerId) -> Container | None:
        """A container ended or is promoted; unknown ones are ignored."""
        held = self._held.pop(container, None)
        if held is not None:
            self._leaving.discard(container)
            del self._on_node[held.node][container]
            if not self._on_node[held.node]:
                del self._on_node[held.node]
        return held

    def held(self, container: ContainerId) -> Container | None:
        """A container that is counted here."""
        return self._held.get(container)

    def why(self, application: ApplicationId, key: AskKey) -> Verdict | None:
        """What stops an ask; None when nothing waits under the key."""
        ask = self._asks.get((application, key))
        if ask is None:
            return None
        message = f"{ask.count} opportunistic containers wait for room that nobody holds"
        return Verdict(Reason.NODES_BUSY, message)

    def cycle(
        self, rooms: Sequence[SchedulerNodeReport], next_id: NextId, limit: int
    ) -> list[Decision]:
        """Have those go whose room was taken, and put others where there is room."""
        decisions: list[Decision] = []
        left: dict[str, Vector] = {}
        for room in rooms:
            held = self._on_node.get(room.name)
            if held and room.is_schedulable:
                # Where nothing is granted, nobody needs the room: a lost node's pods are over soon.
                decisions += self._make_room(room, held.values())
            taken = _sum(held.values(), room.available) if held else None
            left[room.name] = room.available if taken is None else subtract(room.available, taken)
        return decisions + self._grant(rooms, left, next_id, limit)

    def _make_room(self, room: SchedulerNodeReport, held: Iterable[Container]) -> list[Decision]:
        """Those of a node that have to go, the newest first."""
        staying = [c for c in sorted(held, key=lambda c: c.id) if c.id not in self._leaving]
        gone: list[Decision] = []
        while staying and not fits(_sum(staying, room.available), room.available):
            last = staying.pop()
            self._leaving.add(last.id)
            gone.append(Preempt(last.id, kill=True, message=_KILLED))
        return gone

    def _grant(
        self,
        rooms: Sequence[SchedulerNodeReport],
        left: dict[str, Vector],
        next_id: NextId,
        limit: int,
    ) -> list[Decision]:
        granted: list[Decision] = []
        for (application, key), ask in sorted(self._asks.items(), key=lambda item: item[0]):
            while ask.count > 0 and len(granted) < limit:
                room = _best(ask, rooms, left)
                if room is None:
                    break
                container = Container(next_id(application), key, room.name, ask.size)
                self.hold(container)
                left[room.name] = subtract(left[room.name], ask.size)
                granted.append(Grant(container))
                ask = replace(ask, count=ask.count - 1)
            self.update(application, ask)
        return granted


def _sum(held: Iterable[Container], like: Vector) -> Vector:
    total: Vector = tuple(0 for _ in like)
    for container in held:
        total = add(total, container.size)
    return total


def _best(
    ask: Ask, rooms: Sequence[SchedulerNodeReport], left: dict[str, Vector]
) -> SchedulerNodeReport | None:
    """The node with the most left where the ask may be; those that it names come first."""
    able = [room for room in rooms if _may(ask, room) and fits(ask.size, left[room.name])]
    wanted = [room for room in able if _named(ask, room)]
    if wanted or not ask.locality.relax:
        able = wanted
    return max(able, key=lambda room: left[room.name], default=None)


def _may(ask: Ask, room: SchedulerNodeReport) -> bool:
    excluded = room.name in ask.locality.excluded or room.rack in ask.locality.excluded
    closed = not room.is_schedulable or room.is_reserved
    return not closed and room.partition == (ask.partition or "") and not excluded


def _named(ask: Ask, room: SchedulerNodeReport) -> bool:
    nodes = {name for name, _ in ask.locality.nodes}
    racks = {name for name, _ in ask.locality.racks}
    return room.name in nodes or room.rack in racks
