"""What the Fair Scheduler keeps: queues, attempts, nodes, and the lines they stand in.

Mutable, and only changed by the modules of this package. Every queue keeps its children (a leaf:
its runnable attempts) that want something in a sorted line; a change of one member moves that
member alone, so a grant costs the depth of the tree and not its width.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.fair_queues import (
    NEVER_MS,
    NO_LIMIT,
    UNLIMITED_APPLICATIONS,
    FairClusterConfig,
    FairPolicy,
    ResourceLimit,
)
from kubeyarn.model.ids import AttemptId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import Access
from kubeyarn.model.resources import ResourceTypes, Vector, add, scale, subtract
from kubeyarn.policy.fair import ordering

AM_KEY = AskKey(priority=0, allocation_request_id=-2)


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

    *declared* False is a dynamic one. *pending* and *reserved* are kept in leaves only; usage in
    every queue, because each grant asks for it.
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
class Outstanding:
    """What is still wanted under one key."""

    ask: Ask
    count: int
    nodes: dict[str, int] = field(default_factory=dict)
    racks: dict[str, int] = field(default_factory=dict)
    opportunities: int = 0
    level: int = -1


@dataclass(frozen=True, slots=True)
class Reservation:
    """Room that is held on a node for an ask; the container has its id already."""

    attempt: Attempt
    key: AskKey
    size: Vector
    container: ContainerId


class Attempt:
    """An application's attempt (Hadoop: FSAppAttempt)."""

    __slots__ = (
        "am_running",
        "am_size",
        "application",
        "asks",
        "at_fair_share_ms",
        "containers",
        "entry",
        "fair_lack",
        "fair_share",
        "id",
        "is_runnable",
        "keys",
        "marked",
        "marked_total",
        "min_lack",
        "name",
        "next_check_ms",
        "next_number",
        "pending",
        "queue",
        "reservations",
        "start_ms",
        "started",
        "stopped",
        "unmanaged",
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
        self.start_ms = start_ms
        self.entry: tuple[ordering.Key, Queue | Attempt] | None = None
        self.asks: dict[AskKey, Outstanding] = {}
        self.keys: list[AskKey] = []
        self.containers: dict[tuple[int, int], Container] = {}
        self.reservations: dict[str, Reservation] = {}
        self.next_number = 1
        self.is_runnable = False
        self.started = False
        self.stopped = False
        self.unmanaged = application.am_size is None
        self.am_running = False
        self.am_size = zero
        self.usage = zero
        self.pending = zero
        self.weight = 1.0
        self.fair_share = zero
        self.fair_lack = zero
        self.min_lack = zero
        self.at_fair_share_ms = start_ms
        self.next_check_ms = 0
        self.marked: dict[ContainerId, int] = {}
        self.marked_total = zero

    @property
    def demand(self) -> Vector:
        """What it has and still wants."""
        return add(self.usage, self.pending)

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


class Ledger:
    """Everything, and the few changes that must stay consistent with each other."""

    def __init__(self, types: ResourceTypes, epoch: int) -> None:
        self.types = types
        self.epoch = epoch
        self.zero: Vector = types.zero()
        self.config = FairClusterConfig()
        self.minimum_allocation = self.zero
        self.maximum_allocation = self.zero
        self.increment = self.zero
        self.reservation_threshold = self.zero
        self.check_access = False
        self.queues: dict[str, Queue] = {}
        self.attempts: dict[object, Attempt] = {}
        self.rooms: dict[str, Room] = {}
        self.homeless: dict[str, list[Container]] = {}
        self.cluster = self.zero
        self.allocated = self.zero
        self.available = self.zero
        self.sizes: dict[Vector, int] = {}
        self.is_stale = True
        self.version = 0

    @property
    def root(self) -> Queue:
        """The root queue."""
        return self.queues["root"]

    def touch(self) -> None:
        """Something changed that shares depend on."""
        self.is_stale = True
        self.version += 1

    # --- places in line

    def key_of_queue(self, queue: Queue) -> ordering.Key:
        """Where the parent's policy places *queue* now."""
        policy = queue.parent.policy if queue.parent is not None else FairPolicy.FAIR
        if policy is FairPolicy.DRF:
            return ordering.drf_key(
                queue.usage, queue.minimum, queue.weight, self.cluster, 0, queue.path
            )
        return ordering.fair_key(
            queue.usage[0], queue.demand[0], queue.minimum[0], queue.weight, 0, queue.path
        )

    def key_of_attempt(self, attempt: Attempt) -> ordering.Key:
        """Where the leaf's policy places *attempt* now."""
        policy = attempt.queue.policy
        if policy is FairPolicy.FIFO:
            return ordering.fifo_key(attempt.start_ms, attempt.name)
        if policy is FairPolicy.DRF:
            return ordering.drf_key(
                attempt.usage,
                self.zero,
                attempt.weight,
                self.cluster,
                attempt.start_ms,
                attempt.name,
            )
        memory = attempt.usage[0]
        return ordering.fair_key(
            memory, memory + attempt.pending[0], 0, attempt.weight, attempt.start_ms, attempt.name
        )

    def line_up(self, attempt: Attempt) -> None:
        """Put *attempt* and the queues above it where they belong now."""
        queue = attempt.queue
        if attempt.is_runnable and attempt.keys:
            queue.line.put(attempt, self.key_of_attempt(attempt))
        else:
            queue.line.drop(attempt)
        self.line_up_queue(queue)

    def line_up_queue(self, queue: Queue) -> None:
        """Put *queue* and its ancestors where they belong now."""
        parent = queue.parent
        while parent is not None:
            if queue.line.entries:
                parent.line.put(queue, self.key_of_queue(queue))
            else:
                parent.line.drop(queue)
            queue, parent = parent, parent.parent

    # --- what is held and wanted

    def hold(self, attempt: Attempt, container: Container) -> None:
        """Charge *container* to its attempt, its queues and its node."""
        attempt.containers[container.id.epoch, container.id.number] = container
        attempt.started = True
        size = container.size
        attempt.usage = add(attempt.usage, size)
        queue: Queue | None = attempt.queue
        while queue is not None:
            queue.usage = add(queue.usage, size)
            queue = queue.parent
        self.allocated = add(self.allocated, size)
        room = self.rooms.get(container.node)
        if room is None:
            self.homeless.setdefault(container.node, []).append(container)
            return
        room.containers[id(container)] = container
        room.free = subtract(room.free, size)

    def open(self, room: Room) -> None:
        """Add a node, with the containers that were known to be on it before it was."""
        self.rooms[room.node.name] = room
        for container in self.homeless.pop(room.node.name, ()):
            room.containers[id(container)] = container
            room.free = subtract(room.free, container.size)

    def free(self, attempt: Attempt, container: Container) -> None:
        """Take *container* back from everything it was charged to."""
        del attempt.containers[container.id.epoch, container.id.number]
        size = container.size
        attempt.usage = subtract(attempt.usage, size)
        for queue in attempt.queue.up():
            queue.usage = subtract(queue.usage, size)
        self.allocated = subtract(self.allocated, size)
        if attempt.marked.pop(container.id, None) is not None:
            attempt.marked_total = subtract(attempt.marked_total, size)
        room = self.rooms.get(container.node)
        if room is None:
            self.homeless.get(container.node, []).remove(container)
        else:
            del room.containers[id(container)]
            room.free = add(room.free, size)
            room.marked.discard(container.id)
        self.available = subtract(self.cluster, self.allocated)
        self.touch()

    def want(self, attempt: Attempt, size: Vector, count: int) -> None:
        """Note that *count* more (or, negative, fewer) containers of *size* are wanted."""
        total = scale(size, count)
        attempt.pending = add(attempt.pending, total)
        attempt.queue.pending = add(attempt.queue.pending, total)
        left = self.sizes.get(size, 0) + count
        if left:
            self.sizes[size] = left
        else:
            self.sizes.pop(size, None)

    def reserve(self, reservation: Reservation, room: Room) -> None:
        """Hold room on a node."""
        room.reservation = reservation
        reservation.attempt.reservations[room.node.name] = reservation
        leaf = reservation.attempt.queue
        leaf.reserved = add(leaf.reserved, reservation.size)
        self.version += 1

    def unreserve(self, room: Room) -> None:
        """Give up the room that is held on a node."""
        reservation = room.reservation
        if reservation is None:
            return
        room.reservation = None
        del reservation.attempt.reservations[room.node.name]
        leaf = reservation.attempt.queue
        leaf.reserved = subtract(leaf.reserved, reservation.size)
        self.version += 1
