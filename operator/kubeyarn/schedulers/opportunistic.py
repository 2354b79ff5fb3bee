"""Opportunistic containers: they run in what is free and have no guarantee.

Hadoop: OpportunisticContainerAllocatorAMService and the NodeManager's ContainerScheduler.

Theory of operation: the scheduler knows nothing of these containers and grants as if they were not
there; they count against no queue and no user. After each of its cycles this allocator looks at
what the scheduler's containers leave free on each node. First it kills: where opportunistic
containers hold more than is free, the newest go until the rest fits. Then it grants, in the order
of applications and keys, each time on the node with the most left. Pod slots are room, too. A
container that was told to go
keeps its place until it is released, so that nobody is put there twice.
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
    """Keeps the opportunistic asks and containers, and decides which are granted and killed."""

    def __init__(self) -> None:
        self._asks: dict[tuple[ApplicationId, AskKey], Ask] = {}
        self._held: dict[ContainerId, Container] = {}
        self._on_node: dict[str, dict[ContainerId, Container]] = {}
        self._leaving: set[ContainerId] = set()

    @property
    def idle(self) -> bool:
        """Whether there are no asks and no containers."""
        return not self._asks and not self._held

    def update(self, application: ApplicationId, ask: Ask) -> None:
        """Replace the outstanding count of the ask's key; 0 cancels it."""
        self._asks.pop((application, ask.key), None)
        if ask.count > 0:
            self._asks[application, ask.key] = ask

    def finish(self, application: ApplicationId) -> None:
        """Forget the asks and containers of an application that ended."""
        for key in [key for key in self._asks if key[0] == application]:
            del self._asks[key]
        for container in [c for c in self._held if c.attempt.application == application]:
            self.release(container)

    def hold(self, container: Container) -> None:
        """Count a container that is opportunistic: recovered after a restart, or demoted."""
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
        self, nodes: Sequence[SchedulerNodeReport], next_id: NextId, limit: int
    ) -> list[Decision]:
        """Kill containers where the scheduler took their room, then grant up to *limit* others."""
        decisions: list[Decision] = []
        left: dict[str, Vector] = {}
        slots: dict[str, int] = {}
        for node in nodes:
            held = self._on_node.get(node.name)
            if held and node.is_schedulable:
                # Nothing is granted on a node that is not schedulable, so nobody needs their room.
                decisions += self._kill_newest(node, held.values())
            # Those that were just told to go count too, until they are gone.
            taken = _sum(held.values(), node.available) if held else None
            left[node.name] = node.available if taken is None else subtract(node.available, taken)
            slots[node.name] = node.free_slots - (len(held) if held else 0)
        return decisions + self._grant(nodes, left, slots, next_id, limit)

    def _kill_newest(self, node: SchedulerNodeReport, held: Iterable[Container]) -> list[Decision]:
        """Those of a node that have to go, the newest first."""
        # The oldest stay: they have done the most work, and the same ones after a restart.
        staying = [c for c in sorted(held, key=lambda c: c.id) if c.id not in self._leaving]
        gone: list[Decision] = []
        while staying and not (
            len(staying) <= node.free_slots and fits(_sum(staying, node.available), node.available)
        ):
            last = staying.pop()
            self._leaving.add(last.id)
            gone.append(Preempt(last.id, kill=True, message=_KILLED))
        return gone

    def _grant(
        self,
        nodes: Sequence[SchedulerNodeReport],
        left: dict[str, Vector],
        slots: dict[str, int],
        next_id: NextId,
        limit: int,
    ) -> list[Decision]:
        """Grant what fits into what is *left* of the nodes, at most *limit* containers."""
        granted: list[Decision] = []
        # By application and key, so that the same asks lead to the same grants after a restart.
        for (application, key), ask in sorted(self._asks.items(), key=lambda item: item[0]):
            while ask.count > 0 and len(granted) < limit:
                node = _best(ask, [node for node in nodes if slots[node.name] > 0], left)
                if node is None:
                    break
                container = Container(next_id(application), key, node.name, ask.size)
                self.hold(container)
                left[node.name] = subtract(left[node.name], ask.size)
                slots[node.name] -= 1
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
    ask: Ask, nodes: Sequence[SchedulerNodeReport], left: dict[str, Vector]
) -> SchedulerNodeReport | None:
    """The node with the most left where the ask may be; those that it names come first."""
    able = [node for node in nodes if _may(ask, node) and fits(ask.size, left[node.name])]
    # Places are preferred, not waited for: an opportunistic container takes what is free now.
    wanted = [node for node in able if _named(ask, node)]
    if wanted or not ask.locality.relax:
        able = wanted
    return max(able, key=lambda node: left[node.name], default=None)


def _may(ask: Ask, node: SchedulerNodeReport) -> bool:
    excluded = node.name in ask.locality.excluded or node.rack in ask.locality.excluded
    closed = not node.is_schedulable or node.is_reserved
    suits = ask.locality.suits(node.node_class, dedicated=node.is_dedicated)
    return not closed and node.partition == (ask.partition or "") and suits and not excluded


def _named(ask: Ask, node: SchedulerNodeReport) -> bool:
    nodes = {name for name, _ in ask.locality.nodes}
    racks = {name for name, _ in ask.locality.racks}
    return node.name in nodes or node.rack in racks
