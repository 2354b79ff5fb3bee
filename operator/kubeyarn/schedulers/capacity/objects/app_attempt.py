"""An application's current attempt in the ledger (Hadoop: FiCaSchedulerApp)."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.asks import ANYWHERE
from kubeyarn.model.ids import AttemptId
from kubeyarn.model.resources import MEMORY, Vector, add

if TYPE_CHECKING:
    from kubeyarn.model.applications import Application
    from kubeyarn.model.asks import AskKey, Locality
    from kubeyarn.model.constraints import PlacementConstraint
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import LedgerNode
    from kubeyarn.schedulers.capacity.objects.users_manager import User
    from kubeyarn.schedulers.capacity.ordering import ApplicationKey


def taken_in(
    known: dict[ContainerId, Container], fresh: list[Container]
) -> dict[ContainerId, Container]:
    """*known* with what is *fresh* in it, which is then no longer so.

    Most grants are followed by further ones before anybody asks for a container by its id, and to
    file a hundred at once costs less than to look for the same table a hundred times.
    """
    if fresh:
        for container in fresh:
            known[container.id] = container
        fresh.clear()
    return known


@dataclass(slots=True)
class OutstandingAsk:
    """What is still wanted under one key.

    *nodes* and *racks* count what would rather be there; without *relax* nothing but *nodes* and
    *strict_racks* will do; *excluded* are nodes and racks that will not; *plain*: any node will.
    *opportunities* are offers passed up for locality, *missed* those passed up to leave a shared
    partition to its own.
    """

    key: AskKey
    count: int
    size: Vector
    partition: str
    nodes: dict[str, int] = field(default_factory=dict)
    racks: dict[str, int] = field(default_factory=dict)
    relax: bool = True
    strict_racks: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    plain: bool = True
    constraint: PlacementConstraint | None = None
    tags: tuple[str, ...] = ()
    opportunities: int = 0
    missed: int = 0

    @property
    def locations(self) -> int:
        """How many places are named, anywhere included (Hadoop: getUniqueLocationAsks)."""
        return 1 + len(self.nodes) + len(self.racks)

    @property
    def fixed(self) -> bool:
        """Whether it is to be on named nodes and nowhere else, however long it waits."""
        return not self.relax and bool(self.nodes) and not self.strict_racks

    def relocate(self, locality: Locality, racks: dict[str, int]) -> None:
        """Take over what an ask says of places; *racks* includes the racks of its nodes."""
        self.nodes = {name: count for name, count in locality.nodes if count > 0}
        self.racks = racks
        self.relax = locality.relax
        self.strict_racks = frozenset(name for name, count in locality.racks if count > 0)
        self.excluded = locality.excluded
        self._judge()

    def constrain(self, constraint: PlacementConstraint | None, tags: tuple[str, ...]) -> None:
        """Take over what an ask says of tags."""
        self.constraint, self.tags = constraint, tags
        self._judge()

    def _judge(self) -> None:
        choosy = self.nodes or self.racks or self.excluded or self.constraint or self.tags
        self.plain = self.relax and not choosy

    def barred(self, application: ApplicationId, node: LedgerNode) -> bool:
        """Whether the node is excluded, or the placement constraint forbids it now."""
        if self.excluded and self.excludes(node.name, node.rack):
            return True
        if self.constraint is None:
            return False
        said = self.constraint.expression
        return not node.tags.can_satisfy(said, application, node.name, node.rack)

    def excludes(self, name: str, rack: str) -> bool:
        """Whether nothing may be taken on a node (Hadoop: SchedulerAppUtils.isPlaceBlacklisted)."""
        return name in self.excluded or rack in self.excluded


@dataclass(slots=True)
class Reservation:
    """Room held on a node for a container that does not fit yet."""

    id: ContainerId
    app: LedgerApplication
    key: AskKey
    node: str
    size: Vector
    partition: str
    made_ms: int = 0


class Stake:
    """What an application holds and wants of one partition."""

    __slots__ = ("pending", "used")

    def __init__(self, zero: Vector) -> None:
        self.used = zero
        self.pending = zero


class LedgerApplication:
    """One application: its attempt, asks, containers and reservations.

    *fresh* are containers that are not among the others yet; *holder* is its user in the leaf, when
    that was last looked for.
    """

    __slots__ = (
        "_containers",
        "active",
        "am_container",
        "am_partition",
        "am_size",
        "app",
        "asks",
        "attempt",
        "attempt_id",
        "cached_demand",
        "cached_used",
        "epoch",
        "first_ask",
        "fresh",
        "holder",
        "keys",
        "master_locality",
        "next_number",
        "order_key",
        "plain",
        "priority",
        "queue",
        "re_reservations",
        "reservations",
        "reserved",
        "runnable",
        "stakes",
        "submitted_ms",
        "updates",
        "user",
        "waiting_for_am",
        "zero",
    )

    def __init__(self, app: Application, queue: LeafQueue, zero: Vector, now_ms: int) -> None:
        self.app = app
        self.user = app.user
        self.holder: User | None = None
        self.queue = queue
        self.zero = zero
        self.priority = app.priority or 0
        self.am_size: Vector = app.am_size if app.am_size is not None else zero
        self.am_partition = ""
        self.submitted_ms = now_ms
        self.attempt = 1
        self.attempt_id = AttemptId(app.id, 1)
        self.epoch = 0
        self.runnable = True
        self.active = False
        self.order_key: ApplicationKey = ()
        self.clear_attempt()

    def clear_attempt(self) -> None:
        """Forget everything an attempt owns."""
        self.asks: dict[AskKey, OutstandingAsk] = {}
        self.first_ask: OutstandingAsk | None = None
        self.keys: list[AskKey] = []
        self._containers: dict[ContainerId, Container] = {}
        self.fresh: list[Container] = []
        self.reservations: dict[AskKey, dict[str, Reservation]] = {}
        self.re_reservations: dict[AskKey, int] = {}
        self.updates: dict[str, Container] = {}
        self.plain = Stake(self.zero)
        self.stakes: dict[str, Stake] = {"": self.plain}
        self.reserved: dict[str, Vector] = {}
        self.next_number = 1
        self.waiting_for_am = self.app.am_size is not None
        self.am_container: ContainerId | None = None
        self.master_locality = ANYWHERE
        self.cached_used = 0
        self.cached_demand = 0

    @property
    def containers(self) -> dict[ContainerId, Container]:
        """What is held, by id."""
        return taken_in(self._containers, self.fresh)

    def reservation_total(self) -> Vector:
        """What is reserved in the default partition (Hadoop: getCurrentReservation)."""
        return self.reserved.get("", self.zero)

    @property
    def used(self) -> dict[str, Vector]:
        """What is held, by partition."""
        return {name: stake.used for name, stake in self.stakes.items()}

    @property
    def pending(self) -> dict[str, Vector]:
        """What is outstanding, by partition."""
        return {name: stake.pending for name, stake in self.stakes.items()}

    def stake(self, partition: str) -> Stake:
        """What is held and wanted of a partition, known from now on."""
        found = self.stakes.get(partition)
        if found is None:
            found = self.stakes[partition] = Stake(self.zero)
        return found

    def all_used(self) -> Vector:
        """What is held in all partitions."""
        total = self.zero
        for stake in self.stakes.values():
            total = add(total, stake.used)
        return total

    def all_pending(self) -> Vector:
        """What is outstanding in all partitions."""
        total = self.zero
        for stake in self.stakes.values():
            total = add(total, stake.pending)
        return total

    def remember_usage(self) -> None:
        """Take over what fair order goes by (Hadoop: updateSchedulingResourceUsage)."""
        used = self.all_used()[MEMORY]
        self.cached_used, self.cached_demand = used, used + self.all_pending()[MEMORY]

    def put_ask(self, ask: OutstandingAsk) -> None:
        """Start to want something under a key that had nothing outstanding."""
        self.asks[ask.key] = ask
        insort(self.keys, ask.key)
        self.first_ask = self.asks[self.keys[0]]
        if len(self.keys) == 1:
            self.queue.hunger_changed(self)

    def drop_ask(self, key: AskKey) -> None:
        """Nothing is wanted under *key* any more."""
        del self.asks[key]
        self.keys.remove(key)
        self.first_ask = self.asks[self.keys[0]] if self.keys else None
        if not self.keys:
            self.queue.hunger_changed(self)
