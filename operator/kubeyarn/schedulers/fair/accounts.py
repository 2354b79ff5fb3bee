"""What the Fair Scheduler keeps, and the few changes that must stay consistent with each other.

Mutable, and only changed by the modules of this package.
"""

from __future__ import annotations

from kubeyarn.model.containers import Container
from kubeyarn.model.fair_queues import FairClusterConfig, FairPolicy
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.resources import ResourceTypes, Vector, add, scale, subtract
from kubeyarn.schedulers.allocation_tags import AllocationTagsManager
from kubeyarn.schedulers.fair import ordering
from kubeyarn.schedulers.fair.objects import Attempt, Queue, Reservation, Room


class Ledger:
    """Everything there is."""

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
        self.attempts: dict[ApplicationId, Attempt] = {}
        self.rooms: dict[str, Room] = {}
        self.homeless: dict[str, list[Container]] = {}
        self.cluster = self.zero
        self.allocated = self.zero
        self.available = self.zero
        self.sizes: dict[Vector, int] = {}
        self.unreckoned: dict[Attempt, None] = {}
        self.is_stale = True
        self.version = 0
        self.tags = AllocationTagsManager()

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
        return ordering.fair_key(
            attempt.usage[0],
            attempt.demand[0],
            0,
            attempt.weight,
            attempt.start_ms,
            attempt.name,
        )

    def line_up(self, attempt: Attempt) -> None:
        """Put *attempt* and the queues above it where they belong now."""
        queue = attempt.queue
        if attempt.is_runnable and attempt.demand != attempt.usage:
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

    def reckon(self) -> None:
        """Bring the demand of everyone up to date who asked or lost something since the last time.

        Hadoop: FSAppAttempt.updateDemand. A grant leaves the demand as it is.
        """
        wanting, self.unreckoned = self.unreckoned, {}
        for attempt in wanting:
            attempt.demand = add(attempt.usage, attempt.pending)
            if not attempt.stopped:
                self.line_up(attempt)

    def hold(self, attempt: Attempt, container: Container) -> None:
        """Charge *container* to its attempt, its queues and its node."""
        attempt.containers[container.id] = container
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
        if container.tags:
            self.tags.add_container(container, room.node.rack)

    def open(self, room: Room) -> None:
        """Add a node, with the containers that were known to be on it before it was."""
        self.rooms[room.node.name] = room
        for container in self.homeless.pop(room.node.name, ()):
            room.containers[id(container)] = container
            room.free = subtract(room.free, container.size)
            if container.tags:
                self.tags.add_container(container, room.node.rack)

    def change_rack(self, room: Room, rack: str) -> None:
        """Count the tags of a node's containers in another rack."""
        for container in room.containers.values():
            if container.tags:
                self.tags.remove_container(container, room.node.rack)
                self.tags.add_container(container, rack)

    def free(self, attempt: Attempt, container: Container) -> None:
        """Take *container* back from everything it was charged to."""
        del attempt.containers[container.id]
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
            if container.tags:
                self.tags.remove_container(container, room.node.rack)
            room.marked.discard(container.id)
        self.available = subtract(self.cluster, self.allocated)
        self.unreckoned[attempt] = None
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
