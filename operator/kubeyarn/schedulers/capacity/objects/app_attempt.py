"""An application's current attempt: asks, containers, reservations (Hadoop: FiCaSchedulerApp)."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, ANYWHERE, NOWHERE, Locality, is_update
from kubeyarn.model.ids import AttemptId
from kubeyarn.model.resources import MEMORY, Vector, add

if TYPE_CHECKING:
    from kubeyarn.model.applications import Application
    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.constraints import PlacementConstraint
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.objects.users_manager import User
    from kubeyarn.schedulers.capacity.ordering import ApplicationKey


def indexed(
    known: dict[ContainerId, Container], fresh: list[Container]
) -> dict[ContainerId, Container]:
    """*known* with what is *unindexed* in it, which is then no longer so.

    Most grants are followed by further ones before anybody asks for a container by its id, and to
    file a hundred at once costs less than to look for the same table a hundred times.
    """
    if fresh:
        for container in fresh:
            known[container.id] = container
        fresh.clear()
    return known


@dataclass(slots=True)
class PendingAsk:
    """What is still asked for under one key (Hadoop: PendingAsk).

    *nodes* and *racks* count the containers that would rather be there. Without *relax* nothing but
    *nodes* and *strict_racks* will do. *excluded* are nodes and racks that will not (a blacklist),
    *excluded_here* those of them that the ask names itself. *classes* are the node classes that
    will do (`Locality.classes`).
    *unconstrained*: any node will do, and nothing says otherwise. *scheduling_opportunities* and
    *missed_opportunities* count offers that were passed up (see `allocator.locality_delay`).
    """

    key: AskKey
    count: int
    size: Vector
    partition: str
    nodes: dict[str, int] = field(default_factory=dict)
    racks: dict[str, int] = field(default_factory=dict)
    relax: bool = True
    strict_racks: frozenset[str] = NOWHERE
    excluded: frozenset[str] = NOWHERE
    excluded_here: frozenset[str] = NOWHERE
    classes: frozenset[int] | None = None
    unconstrained: bool = True
    constraint: PlacementConstraint | None = None
    tags: tuple[str, ...] = ()
    scheduling_opportunities: int = 0
    missed_opportunities: int = 0

    @property
    def unique_locations(self) -> int:
        """How many places are named, anywhere included (Hadoop: getUniqueLocationAsks)."""
        return 1 + len(self.nodes) + len(self.racks)

    @property
    def is_strictly_local(self) -> bool:
        """Whether it is to be on named nodes and nowhere else, however long it waits."""
        return not self.relax and bool(self.nodes) and not self.strict_racks

    def set_locality(
        self, locality: Locality, racks: dict[str, int], excluded: frozenset[str] = NOWHERE
    ) -> None:
        """Take over what an ask says of places; *racks* includes the racks of its nodes.

        *excluded* are places that its attempt excludes for all asks.
        """
        self.nodes = dict(locality.nodes)
        self.racks = racks
        self.relax = locality.relax
        strict = frozenset(name for name, count in locality.racks if count > 0)
        self.strict_racks = strict or NOWHERE
        self.excluded_here, self.classes = locality.excluded, locality.classes
        self.exclude(excluded)

    def exclude(self, places: frozenset[str]) -> None:
        """Take nothing on these nodes and racks, besides those that the ask names itself."""
        self.excluded = self.excluded_here | places if places else self.excluded_here
        self._update_unconstrained()

    def set_constraint(self, constraint: PlacementConstraint | None, tags: tuple[str, ...]) -> None:
        """Take over what an ask says of tags."""
        self.constraint, self.tags = constraint, tags
        self._update_unconstrained()

    def _update_unconstrained(self) -> None:
        self.unconstrained = self.classes is None and not self.tells_alike_apart

    @property
    def tells_alike_apart(self) -> bool:
        """Whether nodes of one class, total and free room are not all the same to it."""
        named = self.nodes or self.racks or self.excluded or not self.relax
        return bool(named or self.constraint or self.tags)

    def suits(self, node: FiCaSchedulerNode) -> bool:
        """Whether the node is of a class that will do; a container grows where it is."""
        # A container that grows is on its node already, whatever its ask says of places.
        if self.classes is None:
            return not node.dedicated or is_update(self.key)
        return node.node.node_class in self.classes

    def refuses(self, application: ApplicationId, node: FiCaSchedulerNode) -> bool:
        """Whether the node is excluded, or the placement constraint forbids it now."""
        if self.excluded and self.excludes(node.name, node.rack):
            return True
        if self.constraint is None:
            return False
        # Asked anew at each offer: where other containers with tags are may have changed since the
        # last.
        said = self.constraint.expression
        return not node.tags.can_satisfy(said, application, node.name, node.rack)

    def excludes(self, name: str, rack: str) -> bool:
        """Whether nothing may be taken on a node (Hadoop: SchedulerAppUtils.isPlaceBlacklisted)."""
        return name in self.excluded or rack in self.excluded


@dataclass(slots=True)
class Reservation:
    """Room held on a node for a container that does not fit yet."""

    id: ContainerId
    app: FiCaSchedulerApp
    key: AskKey
    node: str
    size: Vector
    partition: str
    made_ms: int = 0


class AppUsage:
    """What an application holds and wants of one partition."""

    __slots__ = ("pending", "used")

    def __init__(self, zero: Vector) -> None:
        self.used = zero
        self.pending = zero


class FiCaSchedulerApp:
    """One application: its attempt, asks, containers and reservations.

    *unindexed* are containers that were granted and are not in the index by id yet. *cached_user*
    is its user in the leaf, as last looked up; it holds while the user's *manager* is the leaf's.
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
        "cached_user",
        "default_usage",
        "epoch",
        "excluded",
        "first_ask",
        "keys",
        "master_classes",
        "master_locality",
        "missed",
        "next_number",
        "order_key",
        "priority",
        "queue",
        "re_reservations",
        "requested_partitions",
        "reservations",
        "reserved",
        "runnable",
        "submitted_ms",
        "unindexed",
        "updates",
        "usages",
        "user",
        "waiting_for_am",
        "zero",
    )

    def __init__(self, app: Application, queue: LeafQueue, zero: Vector, now_ms: int) -> None:
        # What belongs to the application and outlives its attempts; `clear_attempt` sets the rest.
        self.app = app
        self.user = app.user
        self.cached_user: User | None = None
        self.queue = queue
        self.zero = zero
        self.priority = app.priority or 0
        self.am_size: Vector = app.am_size if app.am_size is not None else zero
        self.am_partition = ""
        self.master_classes = app.am_classes
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
        # Numbers of containers begin anew, too: ids of different attempts differ in the attempt.
        self.asks: dict[AskKey, PendingAsk] = {}
        self.first_ask: PendingAsk | None = None
        self.keys: list[AskKey] = []
        self._containers: dict[ContainerId, Container] = {}
        self.unindexed: list[Container] = []
        self.reservations: dict[AskKey, dict[str, Reservation]] = {}
        self.re_reservations: dict[AskKey, int] = {}
        self.updates: dict[str, Container] = {}
        self.default_usage = AppUsage(self.zero)
        self.usages: dict[str, AppUsage] = {"": self.default_usage}
        self.reserved: dict[str, Vector] = {}
        self.next_number = 1
        self.waiting_for_am = self.app.am_size is not None
        self.am_container: ContainerId | None = None
        anywhere = self.master_classes is None
        self.master_locality = ANYWHERE if anywhere else Locality(classes=self.master_classes)
        self.excluded = NOWHERE
        self.missed: dict[AskKey, tuple[int, int]] = {}
        self.requested_partitions: tuple[str, ...] = ()
        self.cached_used = 0
        self.cached_demand = 0

    @property
    def containers(self) -> dict[ContainerId, Container]:
        """What is held, by id."""
        return indexed(self._containers, self.unindexed)

    def locate_master(self, places: frozenset[str], classes: frozenset[int] | None) -> None:
        """Where this attempt's AM is not to be, and the node classes where any AM of it may be."""
        self.master_classes = classes
        self.master_locality = Locality(excluded=places, classes=classes)

    @property
    def has_place_for_master(self) -> bool:
        """Whether there are nodes where its AM may be, full ones included."""
        return self.master_classes is None or bool(self.master_classes)

    def reservation_total(self) -> Vector:
        """What is reserved in the default partition (Hadoop: getCurrentReservation)."""
        return self.reserved.get("", self.zero)

    @property
    def used(self) -> dict[str, Vector]:
        """What is held, by partition."""
        return {name: usage.used for name, usage in self.usages.items()}

    @property
    def pending(self) -> dict[str, Vector]:
        """What is outstanding, by partition."""
        return {name: usage.pending for name, usage in self.usages.items()}

    def usage(self, partition: str) -> AppUsage:
        """What is held and wanted of a partition, known from now on."""
        found = self.usages.get(partition)
        if found is None:
            found = self.usages[partition] = AppUsage(self.zero)
        return found

    def all_used(self) -> Vector:
        """What is held in all partitions."""
        total = self.zero
        for usage in self.usages.values():
            total = add(total, usage.used)
        return total

    def all_pending(self) -> Vector:
        """What is outstanding in all partitions."""
        total = self.zero
        for usage in self.usages.values():
            total = add(total, usage.pending)
        return total

    def cache_usage(self) -> None:
        """Take over what fair order goes by (Hadoop: updateSchedulingResourceUsage)."""
        # Hadoop's fair order looks at memory alone, summed over all partitions, whatever the
        # calculator; and at what was used when the application was last put in order, not now.
        used = self.all_used()[MEMORY]
        self.cached_used, self.cached_demand = used, used + self.all_pending()[MEMORY]

    def exclude(self, places: frozenset[str]) -> None:
        """Take nothing on these nodes and racks but the AM, in place of those before."""
        self.excluded = places
        for key, ask in self.asks.items():
            if key != AM_KEY:
                ask.exclude(places)

    def request_partition(self, partition: str) -> None:
        """Remember that the attempt asked in *partition*, whatever becomes of the ask."""
        # A tuple: a set of one takes four times as much, in every application.
        if partition not in self.requested_partitions:
            self.requested_partitions += (partition,)

    def add_ask(self, ask: PendingAsk) -> None:
        """Start to want something under a key that had nothing outstanding.

        The offers that the key passed up count on (Hadoop: SchedulerApplicationAttempt keeps
        schedulingOpportunities by key, for as long as the attempt lives).
        """
        self.asks[ask.key] = ask
        if ask.key in self.missed:
            ask.scheduling_opportunities, ask.missed_opportunities = self.missed.pop(ask.key)
        # Keys are kept sorted: within an application priorities are strict, and every offer asks
        # for the first.
        insort(self.keys, ask.key)
        self.first_ask = self.asks[self.keys[0]]
        if len(self.keys) == 1:
            self.queue.requests_changed(self)

    def remove_ask(self, key: AskKey) -> None:
        """Nothing is wanted under *key* any more."""
        ask = self.asks.pop(key)
        # Only where there is anything to remember, since most asks end without.
        if ask.scheduling_opportunities or ask.missed_opportunities:
            self.missed[key] = ask.scheduling_opportunities, ask.missed_opportunities
        self.keys.remove(key)
        self.first_ask = self.asks[self.keys[0]] if self.keys else None
        if not self.keys:
            self.queue.requests_changed(self)
