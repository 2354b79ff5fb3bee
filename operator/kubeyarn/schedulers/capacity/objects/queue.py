"""What every queue of the Capacity Scheduler has: shares, limits, use (Hadoop: AbstractCSQueue)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias, cast

from kubeyarn.model.queues import EVERY_PARTITION, QueueConfig
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.calculator import Calculator, multiply
from kubeyarn.schedulers.capacity.ordering import SATISFIED, child_rank
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kubeyarn.model.ids import ContainerId
    from kubeyarn.model.queues import AutoCreate, Capacity
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
    from kubeyarn.schedulers.capacity.objects.preemptable_containers import KillableContainer
    from kubeyarn.schedulers.capacity.queue_settings import QueueSettings

    Queue: TypeAlias = LeafQueue | ParentQueue
    """A queue of either kind (Hadoop: CSQueue); *leaf* tells which."""


Entry = tuple[int, float, int, "Queue"]
"""A queue behind what puts it before or after its siblings; the third number is never equal."""


class QueueState(StrEnum):
    """A queue's state; Draining ends in Stopped when the last application is gone."""

    RUNNING = "Running"
    DRAINING = "Draining"
    STOPPED = "Stopped"


@dataclass(slots=True)
class Shares:
    """One partition's shares of a queue, single-precision fractions (Hadoop: QueueCapacities)."""

    capacity: float = 0.0
    maximum: float = 0.0
    weight: float = -1.0
    normalized_weight: float = 0.0
    absolute: float = 0.0
    absolute_maximum: float = 0.0
    maximum_am_share: float = 0.0


class QueueUsage:
    """What a queue is to one partition: what it holds and wants, and where it stands.

    *was_used*: something was ever used there; *was_pending*: something was ever pending. *rank*,
    *tie*, *empty* (no capacity there) and *guarantee* (what use is measured against) put the queue
    among its siblings and do not change with use. *entry* is its place as last computed, and
    *misplaced* says that its use has changed since. One object, because a grant looks at most of
    it, and with a thousand queues each further object is a miss of the processor's caches.
    """

    __slots__ = (
        "empty",
        "entry",
        "guarantee",
        "maximum",
        "misplaced",
        "pending",
        "queue",
        "rank",
        "tie",
        "used",
        "was_pending",
        "was_used",
    )

    def __init__(self, queue: Queue, zero: Vector) -> None:
        self.queue = queue
        self.used = zero
        self.pending = zero
        self.maximum: Vector | None = None
        self.was_used = False
        self.was_pending = False
        self.rank = 0
        self.tie = 0
        self.empty = False
        self.guarantee = 0.0
        self.entry: Entry | tuple[()] = ()
        self.misplaced = False

    def update_entry(self, calc: Calculator, whole: Vector) -> Entry:
        """Where the queue stands among its siblings now; *whole* is the partition."""
        # Hadoop compares queues without capacity by their use of the whole partition, the others by
        # their use of the guarantee.
        share = 0.0
        if self.empty:
            share = calc.divide(whole, self.used, whole) if calc.any_above_zero(whole) else 0.0
        elif self.guarantee and self.was_used:
            share = single(calc.share(whole, self.used) / self.guarantee)
        # From its guarantee on, a queue comes after all that are below theirs, whatever the
        # priority.
        rank = self.rank
        entry = (rank + SATISFIED if share >= 1.0 else rank, share, self.tie, self.queue)
        self.entry = entry
        self.misplaced = False
        return entry


class AbstractCSQueue:
    """What parents and leaves have in common.

    *leaf* says which of the two a queue is. *chain* is the queue and its ancestors, root last;
    *capacities* what is configured of the capacity and the maximum capacity, *usages* what the
    queue is to each partition, *default_usage* to the default one.
    """

    __slots__ = (
        "_guarantee_shares",
        "accessible",
        "calc",
        "capacities",
        "chain",
        "cluster",
        "configured_maximum",
        "configured_minimum",
        "default_usage",
        "dynamic",
        "effective_maximum",
        "effective_minimum",
        "killable",
        "last_submitted_ms",
        "minimum_allocation",
        "name",
        "parent",
        "path",
        "reserved",
        "settings",
        "shares",
        "state",
        "template_absolute",
        "usages",
        "zero",
    )

    settings: QueueSettings
    leaf: ClassVar[bool]
    # Of a leaf, too, so that who goes down the tree need not ask which kind a queue is.
    children: Sequence[Queue] = ()
    auto_create: AutoCreate | None = None

    def __init__(
        self, path: str, parent: ParentQueue | None, cluster: CapacityNodeTracker, calc: Calculator
    ) -> None:
        self.path = path
        self.name = path.rpartition(".")[2]
        self.parent = parent
        self.cluster = cluster
        self.calc = calc
        self.zero = cluster.zero
        self.minimum_allocation = cluster.zero
        self.dynamic = False
        self.state: QueueState | None = None
        # Kept, because each charge walks it; made anew by QueueIndex when the tree changes.
        self.chain: tuple[Queue, ...] = tuple(self.path_up())
        self.accessible: frozenset[str] = frozenset()
        self.shares: dict[str, Shares] = {}
        self.capacities: dict[str, tuple[Capacity | None, Capacity | None]] = {}
        self.killable: dict[str, dict[ContainerId, KillableContainer]] = {}
        self.configured_minimum: dict[str, Vector] = {}
        self.configured_maximum: dict[str, Vector] = {}
        self.effective_minimum: dict[str, Vector] = {}
        self.effective_maximum: dict[str, Vector] = {}
        self.template_absolute: dict[str, float] | None = None
        self.default_usage = QueueUsage(self._as_one_kind(), cluster.zero)
        self.usages: dict[str, QueueUsage] = {"": self.default_usage}
        self.reserved: dict[str, Vector] = {}
        self.last_submitted_ms = 0
        self._guarantee_shares: dict[str, float] = {}

    def _as_one_kind(self) -> Queue:
        # Every queue is a leaf or a parent, which its class knows and its base does not.
        return cast("Queue", self)

    @property
    def num_runnable_apps(self) -> int:
        """Runnable applications in or below it."""
        raise NotImplementedError

    def leaves(self) -> list[LeafQueue]:
        """The leaves in or below it."""
        raise NotImplementedError

    def walk(self) -> Iterator[Queue]:
        """The queue and all below it, parents first."""
        yield self._as_one_kind()
        for child in self.children:
            yield from child.walk()

    @property
    def managed(self) -> AutoCreate | None:
        """How a managed parent (v1) creates its leaves; None for every other queue."""
        return None

    @property
    def makes_children(self) -> bool:
        """Whether leaves may be created directly below."""
        return False

    @property
    def makes_branches(self) -> bool:
        """Whether parents and leaves may be created below (v2)."""
        return False

    def parents(self) -> Iterator[ParentQueue]:
        """The queues above it, the nearest first."""
        parent = self.parent
        while parent is not None:
            yield parent
            parent = parent.parent

    @property
    def config(self) -> QueueConfig:
        """What was said of the queue."""
        return self.settings.config

    @property
    def on_demand(self) -> bool:
        """Whether no configuration declares the queue."""
        return self.dynamic or (self.template_absolute is not None and self.leaf)

    def minimum(self, partition: str) -> Vector:
        """The guarantee in a partition (Hadoop: getEffectiveCapacity)."""
        return self.effective_minimum.get(partition, self.zero)

    def maximum(self, partition: str) -> Vector:
        """The most the queue may hold of a partition (Hadoop: getEffectiveMaxCapacity)."""
        return self.effective_maximum.get(partition, self.zero)

    def use(self, partition: str) -> Vector:
        """What is held of a partition, reservations included."""
        part = self.usages.get(partition)
        return self.zero if part is None else part.used

    def outstanding(self, partition: str) -> Vector:
        """What is wanted of a partition."""
        part = self.usages.get(partition)
        return self.zero if part is None else part.pending

    @property
    def used(self) -> dict[str, Vector]:
        """What is held, by every partition that anything was ever held of."""
        return {name: part.used for name, part in self.usages.items() if part.was_used}

    @property
    def pending(self) -> dict[str, Vector]:
        """What is wanted, by every partition that anything was ever wanted of."""
        return {name: part.pending for name, part in self.usages.items() if part.was_pending}

    def usage(self, partition: str) -> QueueUsage:
        """What the queue is to a partition, known from now on."""
        found = self.usages.get(partition)
        if found is None:
            found = self.usages[partition] = QueueUsage(self._as_one_kind(), self.zero)
        return found

    def share(self, partition: str) -> Shares:
        """The shares of a partition; of one the queue has no word on, none."""
        return self.shares.get(partition) or Shares()

    def reaches(self, partition: str) -> bool:
        """Whether nodes of the partition may be used by right."""
        return not partition or partition in self.accessible or EVERY_PARTITION in self.accessible

    def path_up(self) -> Iterator[Queue]:
        """This queue and its ancestors, root last."""
        queue: Queue | None = self._as_one_kind()
        while queue is not None:
            yield queue
            queue = queue.parent

    @property
    def applications(self) -> int:
        """Applications in or below this queue."""
        raise NotImplementedError

    def wants(self, partition: str) -> bool:
        """Whether anything is outstanding for a partition."""
        part = self.usages.get(partition)
        return part is not None and self.calc.any_above_zero(part.pending)

    # -- shares of the guarantee -----------------------------------------------------------------

    def used_capacity(self, partition: str) -> float:
        """Use over the guarantee, which counts as the minimum allocation at least."""
        part = self.usages.get(partition)
        if part is None or not part.was_used:
            return 0.0
        # Cleared by `forget_derived`, whenever a guarantee or the size of a partition may have
        # changed.
        guarantee = self._guarantee_shares.get(partition)
        if guarantee is None:
            guarantee = self._guarantee_shares[partition] = self._guarantee_share(partition)
        if not guarantee:
            return 0.0
        share = self.calc.share(self.cluster.partitions[partition], part.used)
        return single(share / guarantee)

    def _guarantee_share(self, partition: str) -> float:
        """The guarantee's share; 0 where the partition has nothing."""
        total = self.cluster.partition(partition)
        if not self.calc.any_above_zero(total):
            return 0.0
        # A deactivated leaf has no guarantee; its use is measured by what its template would give
        # it.
        guarantee = self.minimum(partition)
        if self.template_absolute is not None and self.share(partition).absolute == 0:
            guarantee = multiply(total, self.template_absolute.get(partition, 0.0))
        return self.calc.share(total, self.calc.max(total, guarantee, self.minimum_allocation))

    def absolute_used(self, partition: str) -> float:
        """Use over the whole partition."""
        total = self.cluster.partition(partition)
        if not self.calc.any_above_zero(total):
            return 0.0
        return self.calc.divide(total, self.use(partition), total)

    def forget_derived(self) -> None:
        """Forget what was derived from guarantees and sizes that may have changed."""
        # Called for each queue whose capacities were computed, so at each change of nodes: what is
        # dropped is soon made again, and never wrong in between.
        self._guarantee_shares.clear()
        maximum = self.effective_maximum.get("")
        self.default_usage.maximum = None if maximum is None else self.cluster.interned(maximum)
        if self.parent is not None:
            self.parent.reorder()

    # -- place among siblings --------------------------------------------------------------------

    def update_place(self, partition: str, tie: int, *, by_priority: bool) -> None:
        """Note what of the place among siblings does not change with use."""
        part = self.usage(partition)
        part.tie = tie
        part.empty = self.share(partition).absolute == 0
        part.guarantee = self.cluster.interned(self._guarantee_share(partition))
        part.rank = child_rank(
            accessible=self.reaches(partition),
            empty=part.empty,
            priority=self.settings.priority if by_priority else 0,
        )
