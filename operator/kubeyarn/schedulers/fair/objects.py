"""Who stands in the Fair Scheduler's ledger: queues, attempts, nodes, and the lines they make.

Every queue keeps its children (a leaf: its runnable attempts) that want something in a sorted
line; a change of one member moves that member alone, so a grant costs the depth of the tree and
not its width.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import ANYWHERE, Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.fair_queues import (
    NEVER_MS,
    NO_LIMIT,
    UNLIMITED_APPLICATIONS,
    FairPolicy,
    ResourceLimit,
)
from kubeyarn.model.ids import AttemptId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import Access
from kubeyarn.model.resources import Vector, add
from kubeyarn.schedulers.fair import ordering


class Line:
    """Members in order of their keys, which are unique."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: list[tuple[ordering.Key, Queue | Attempt]] = []

    def __iter__(self) -> Iterator[Queue | Attempt]:
        for _, member in self.entries:
            yield member

    def __len__(self) -> int:
        return len(self.entries)

    def clear(self) -> None:
        """Nobody is in line any more."""
        self.entries.clear()

    def put(self, member: Queue | Attempt, key: ordering.Key) -> None:
        """Move *member* to where *key* places it, or add it."""
        entry = member.entry
        if entry is not None:
            if entry[0] == key:
                return
            del self.entries[bisect_left(self.entries, entry)]
        member.entry = entry = (key, member)
        insort(self.entries, entry)

    def drop(self, member: Queue | Attempt) -> None:
        """Take *member* out, if it is in."""
        entry = member.entry
        if entry is not None:
            del self.entries[bisect_left(self.entries, entry)]
            member.entry = None


class Queue:
    """A queue (Hadoop: FSParentQueue, FSLeafQueue).

    *declared* False is a dynamic one. Where it *is_contrary* its policy contradicts itself and the
    line does not say who is first (policy.fair.drf_comparing). *pending* and *reserved* are kept
    in leaves only; usage in every queue, because each grant asks for it.
    """

    __slots__ = (
        "access",
        "allow_preemption",
        "am_usage",
        "at_min_share_ms",
        "child_limit",
        "children",
        "declared",
        "demand",
        "entry",
        "fair_share",
        "fair_timeout_ms",
        "is_bounded",
        "is_contrary",
        "is_leaf",
        "limit",
        "line",
        "maximum",
        "maximum_am_share",
        "maximum_container",
        "maximum_running",
        "min_timeout_ms",
        "minimum",
        "parent",
        "path",
        "pending",
        "policy",
        "reserved",
        "runnable",
        "running",
        "steady_share",
        "threshold",
        "usage",
        "waiting",
        "weight",
    )

    def __init__(self, path: str, parent: Queue | None, zero: Vector, *, is_leaf: bool) -> None:
        self.path = path
        self.parent = parent
        self.is_leaf = is_leaf
        self.declared = False
        self.children: list[Queue] = []
        self.runnable: list[Attempt] = []
        self.waiting: list[Attempt] = []
        self.running = 0
        self.line = Line()
        self.entry: tuple[ordering.Key, Queue | Attempt] | None = None
        self.policy = FairPolicy.FAIR
        self.weight = 1.0
        self.minimum = zero
        self.limit: ResourceLimit = NO_LIMIT
        self.child_limit: ResourceLimit | None = None
        self.maximum = zero
        self.is_bounded = True
        self.is_contrary = False
        self.maximum_container: tuple[int | None, ...] = ()
        self.maximum_running = UNLIMITED_APPLICATIONS
        self.maximum_am_share = 0.5
        self.min_timeout_ms = NEVER_MS
        self.fair_timeout_ms = NEVER_MS
        self.threshold = 0.5
        self.allow_preemption = True
        self.access: tuple[Access, Access] = (Access(), Access())
        self.usage = zero
        self.pending = zero
        self.reserved = zero
        self.demand = zero
        self.fair_share = zero
        self.steady_share = zero
        self.am_usage = zero
        self.at_min_share_ms = 0

    def up(self) -> Iterator[Queue]:
        """This queue and its ancestors, root last."""
        queue: Queue | None = self
        while queue is not None:
            yield queue
            queue = queue.parent

    def down(self) -> Iterator[Queue]:
        """This queue and everything under it, parents first."""
        yield self
        for child in self.children:
            yield from child.down()

    def leaves(self) -> Iterator[Queue]:
        """The leaves under it, or itself."""
        return (queue for queue in self.down() if queue.is_leaf)

    @property
    def is_empty(self) -> bool:
        """Whether no attempt is in it or under it."""
        if self.is_leaf:
            return not self.runnable and not self.waiting
        return all(child.is_empty for child in self.children)


@dataclass(slots=True)
class Patience:
    """How many opportunities passed by under one key, and how near a node must be by now.

    It outlives what is asked: a key that is asked anew goes on where it was (Hadoop:
    FSAppAttempt.allowedLocalityLevel).
    """

    opportunities: int = 0
    level: int = -1


@dataclass(slots=True)
class Outstanding:
    """What is still wanted under one key."""

    ask: Ask
    count: int
    nodes: dict[str, int] = field(default_factory=dict)
    racks: dict[str, int] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Room that is held on a node for an ask; the container has its id already."""

    attempt: Attempt
    key: AskKey
    size: Vector
    container: ContainerId


class Attempt:
    """An application's attempt (Hadoop: FSAppAttempt).

    *home* is the queue it started in: that one decides whether its AM may be taken back, wherever
    it was moved to. *demand* is what it had and wanted at the last update; what it asked since is
    not served before the next one.
    """

    __slots__ = (
        "am_running",
        "am_size",
        "application",
        "asks",
        "at_fair_share_ms",
        "containers",
        "demand",
        "entry",
        "fair_lack",
        "fair_share",
        "home",
        "id",
        "is_runnable",
        "keys",
        "marked",
        "marked_total",
        "master_locality",
        "min_lack",
        "name",
        "next_check_ms",
        "next_number",
        "patience",
        "pending",
        "queue",
        "reservations",
        "start_ms",
        "started",
        "stopped",
        "unmanaged",
        "updates",
        "usage",
        "weight",
    )

    def __init__(
        self, application: Application, number: int, queue: Queue, zero: Vector, start_ms: int
    ) -> None:
        self.application = application
        self.id = AttemptId(application.id, number)
        self.name = str(application.id)
        self.queue = queue
        self.home = queue.path
        self.start_ms = start_ms
        self.entry: tuple[ordering.Key, Queue | Attempt] | None = None
        self.asks: dict[AskKey, Outstanding] = {}
        self.keys: list[AskKey] = []
        self.containers: dict[ContainerId, Container] = {}
        self.reservations: dict[str, Reservation] = {}
        self.updates: dict[str, Container] = {}
        self.patience: dict[AskKey, Patience] = {}
        self.next_number = 1
        self.is_runnable = False
        self.started = False
        self.stopped = False
        self.unmanaged = application.am_size is None
        self.am_running = False
        self.am_size = zero
        self.master_locality = ANYWHERE
        self.usage = zero
        self.pending = zero
        self.demand = zero
        self.weight = 1.0
        self.fair_share = zero
        self.fair_lack = zero
        self.min_lack = zero
        self.at_fair_share_ms = start_ms
        self.next_check_ms = 0
        self.marked: dict[ContainerId, int] = {}
        self.marked_total = zero

    @property
    def is_starved_of_lack(self) -> bool:
        """Whether a lack of its fair share or of its queue's minimum is on record."""
        return any(self.fair_lack) or any(self.min_lack)


class Room:
    """A node and what is on it (Hadoop: FSSchedulerNode)."""

    __slots__ = (
        "containers",
        "free",
        "marked",
        "node",
        "promised",
        "promised_total",
        "reservation",
    )

    def __init__(self, node: Node, zero: Vector) -> None:
        self.node = node
        self.free = node.total
        self.containers: dict[int, Container] = {}
        self.reservation: Reservation | None = None
        self.marked: set[ContainerId] = set()
        self.promised: dict[Attempt, Vector] = {}
        self.promised_total = zero

    @property
    def held(self) -> Vector:
        """What is reserved or promised to those containers are taken back for."""
        if self.reservation is None:
            return self.promised_total
        return add(self.promised_total, self.reservation.size)
