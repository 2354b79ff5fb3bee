"""Opportunistic containers: they run in what is free and have no guarantee.

Hadoop: OpportunisticContainerAllocatorAMService and the NodeManager's ContainerScheduler.

Theory of operation: the scheduler knows nothing of these containers and grants as if they were not
there; they count against no queue and no user. After each of its cycles this allocator looks at
what the scheduler's containers leave free on each node. First it kills: where opportunistic
containers hold more than is free, the newest go until the rest fits. Then it grants, each time to
the application that holds the least of them, on the node with the most left. Pod slots are room,
too. A container that was told to go keeps its place until it is released, so that nobody is put
there twice.

Root says whether there are any, and each queue how many its applications, and those of the queues
below it, may have (`OpportunisticLimits`). What runs when a limit is lowered runs on; it goes as
its room is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.queues import ConfiguredState, SchedulerConfig
from kubeyarn.model.reasons import Reason, Verdict
from kubeyarn.model.resources import Vector, add, fits, subtract
from kubeyarn.schedulers.api import Decision, Grant, Preempt, SchedulerNodeReport

NextId = Callable[[ApplicationId], ContainerId]
QueueOf = Callable[[ApplicationId], str]

_KILLED = "opportunistic: its room went to a guaranteed container"


@dataclass(frozen=True, slots=True)
class OpportunisticLimits:
    """How many opportunistic containers queues may have; *maximum* by full path.

    *closed* are queues that are stopped: they end what they have and begin no more.
    """

    enabled: bool = False
    maximum: Mapping[str, int] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: SchedulerConfig | None) -> OpportunisticLimits:
        """What a queue tree says of them."""
        if config is None:
            return cls()
        maximum = {
            queue.path: queue.maximum_opportunistic
            for queue in config.queues
            if queue.maximum_opportunistic is not None
        }
        stopped = (ConfiguredState.STOPPED,)
        closed = frozenset(queue.path for queue in config.queues if queue.state in stopped)
        return cls(config.opportunistic, maximum, closed)

    def refusal(self, queue: str) -> str:
        """Why an application in *queue* may have none at all; "" if it may."""
        if not self.enabled:
            return (
                "found Opportunistic, allowed: Guaranteed, because root does not say "
                "cluster.opportunisticContainers: true"
            )
        for path in _path_up(queue):
            if self.maximum.get(path) == 0:
                return (
                    f"found Opportunistic, allowed: Guaranteed, because queue {path} has "
                    "maximumOpportunisticContainers: 0"
                )
        return ""


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

    def why(
        self,
        application: ApplicationId,
        key: AskKey,
        limits: OpportunisticLimits,
        queue_of: QueueOf,
    ) -> Verdict | None:
        """What stops an ask; None when nothing waits under the key."""
        ask = self._asks.get((application, key))
        if ask is None:
            return None
        stopped = self.full(application, limits, queue_of)
        if stopped is not None:
            return stopped
        message = f"{ask.count} opportunistic containers wait for room that nobody holds"
        return Verdict(Reason.NODES_BUSY, message)

    def full(
        self, application: ApplicationId, limits: OpportunisticLimits, queue_of: QueueOf
    ) -> Verdict | None:
        """Which queue lets an application have no more of them now; None: none does."""
        return _full(queue_of(application), limits, self._by_queue(limits, queue_of))

    def _by_queue(self, limits: OpportunisticLimits, queue_of: QueueOf) -> Counter[str]:
        """How many containers each queue that bounds them has, with those below it."""
        held: Counter[str] = Counter()
        if limits.maximum:
            for container in self._held:
                held.update(_path_up(queue_of(container.attempt.application)))
        return held

    def cycle(
        self,
        nodes: Sequence[SchedulerNodeReport],
        next_id: NextId,
        limit: int,
        limits: OpportunisticLimits,
        queue_of: QueueOf,
    ) -> list[Decision]:
        """Kill containers where the scheduler took their room, then grant up to *limit* others.

        *queue_of* says the leaf of an application, "" for one that is in none any more.
        """
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
        if limits.enabled:
            decisions += self._grant(nodes, left, slots, next_id, limit, limits, queue_of)
        return decisions

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
        limits: OpportunisticLimits,
        queue_of: QueueOf,
    ) -> list[Decision]:
        """Grant what fits into what is *left* of the nodes, at most *limit* containers."""
        granted: list[Decision] = []
        asks: dict[ApplicationId, list[Ask]] = {}
        # By application and key, so that the same asks lead to the same grants after a restart.
        for (application, _), ask in sorted(self._asks.items(), key=lambda item: item[0]):
            asks.setdefault(application, []).append(ask)
        by_queue, shares = self._by_queue(limits, queue_of), _Shares(nodes, self._held.values())
        while asks and len(granted) < limit:
            application = min(asks, key=lambda one: (shares.of(one), one))
            container = None
            if _full(queue_of(application), limits, by_queue) is None:
                container = self._place(application, asks[application], nodes, left, slots, next_id)
            if container is None:
                # Room only shrinks in a cycle, so there is nothing more in this one.
                del asks[application]
                continue
            self.hold(container)
            shares.add(container)
            by_queue.update(_path_up(queue_of(application)) if limits.maximum else ())
            granted.append(Grant(container))
        return granted

    def _place(
        self,
        application: ApplicationId,
        asks: list[Ask],
        nodes: Sequence[SchedulerNodeReport],
        left: dict[str, Vector],
        slots: dict[str, int],
        next_id: NextId,
    ) -> Container | None:
        """One container of the first of an application's *asks* that fits; the others are gone."""
        while asks:
            ask = asks[0]
            node = _best(ask, [node for node in nodes if slots[node.name] > 0], left)
            if node is None:
                asks.pop(0)
                continue
            left[node.name] = subtract(left[node.name], ask.size)
            slots[node.name] -= 1
            asks[0] = replace(ask, count=ask.count - 1)
            self.update(application, asks[0])
            if not asks[0].count:
                asks.pop(0)
            return Container(next_id(application), ask.key, node.name, ask.size)
        return None


class _Shares:
    """How much of what opportunistic containers may have each application has: its largest part."""

    def __init__(self, nodes: Sequence[SchedulerNodeReport], held: Iterable[Container]) -> None:
        self._whole: Vector = ()
        for node in nodes:
            self._whole = add(self._whole, node.available) if self._whole else node.available
        self._held: dict[ApplicationId, Vector] = {}
        for container in held:
            self.add(container)

    def add(self, container: Container) -> None:
        """One more is held."""
        application = container.id.attempt.application
        before = self._held.get(application)
        self._held[application] = add(before, container.size) if before else container.size

    def of(self, application: ApplicationId) -> float:
        """An application's share; 0 for one that holds none."""
        held = self._held.get(application, ())
        parts = zip(held, self._whole, strict=False)
        return max((amount / whole for amount, whole in parts if whole > 0), default=0.0)


def _full(queue: str, limits: OpportunisticLimits, by_queue: Mapping[str, int]) -> Verdict | None:
    """Which queue on the way up from *queue* lets it have no more; None: none does."""
    for path in _path_up(queue):
        if path in limits.closed:
            message = f"queue {path} is stopped and begins no opportunistic containers"
            return Verdict(Reason.QUEUE_STOPPED, message)
        most = limits.maximum.get(path)
        if most is not None and by_queue.get(path, 0) >= most:
            message = f"queue {path} has {by_queue.get(path, 0)} of at most {most} opportunistic"
            return Verdict(Reason.QUEUE_MAXIMUM, f"{message} containers")
    return None


def _path_up(queue: str) -> list[str]:
    """The full path of a queue and those of all above it."""
    words = queue.split(".") if queue else []
    return [".".join(words[:n]) for n in range(len(words), 0, -1)]


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
