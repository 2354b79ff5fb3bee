"""Parent queues (Hadoop: AbstractParentQueue)."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, ClassVar, Literal

from kubeyarn.model.queues import AutoCreateKind, ChildOrdering
from kubeyarn.model.resources import add, subtract
from kubeyarn.schedulers.capacity.objects.preemptable_containers import used_without_killable
from kubeyarn.schedulers.capacity.objects.queue import AbstractCSQueue
from kubeyarn.schedulers.capacity.ordering import tie_ranks

if TYPE_CHECKING:
    from kubeyarn.model.queues import AutoCreate
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
    from kubeyarn.schedulers.capacity.objects.queue import Entry, Queue, QueueUsage
    from kubeyarn.schedulers.capacity.objects.resource_limits import ResourceLimits


class _Order:
    """The children in serving order for one partition, and those whose place is not known."""

    __slots__ = ("entries", "misplaced")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.misplaced: list[QueueUsage] = []


class ParentQueue(AbstractCSQueue):
    """A queue with children.

    *minimum_ratio* shrinks absolute children of a queue too small for them. *absolute_activated* is
    what a managed parent's leaves are guaranteed, absolute, by partition.
    """

    __slots__ = (
        "_count",
        "_num_runnable_apps",
        "absolute_activated",
        "auto_create",
        "children",
        "minimum_ratio",
        "orders",
    )

    leaf: ClassVar[Literal[False]] = False

    def __init__(
        self, path: str, parent: ParentQueue | None, cluster: CapacityNodeTracker, calc: Calculator
    ) -> None:
        super().__init__(path, parent, cluster, calc)
        self.children: list[Queue] = []
        self.minimum_ratio: dict[int, float] = {}
        self.absolute_activated: dict[str, float] = {}
        self._num_runnable_apps = 0
        self._count = 0
        self.orders: dict[str, _Order] = {}
        self.auto_create: AutoCreate | None = None

    @property
    def applications(self) -> int:
        """Applications below this queue."""
        return self._count

    def leaves(self) -> list[LeafQueue]:
        """The leaves below it, in the order of its children."""
        return [leaf for child in self.children for leaf in child.leaves()]

    @property
    def num_runnable_apps(self) -> int:
        """Runnable applications below this queue."""
        return self._num_runnable_apps

    def count_runnable_app(self, change: int) -> None:
        """Count an application that became runnable or was so."""
        self._num_runnable_apps += change

    def count_application(self, change: int) -> None:
        """Count an application that came or went."""
        self._count += change

    @property
    def managed(self) -> AutoCreate | None:
        """How it creates its leaves, if it is a managed parent (Hadoop: ManagedParentQueue)."""
        auto = self.auto_create
        return auto if auto is not None and auto.kind is AutoCreateKind.MANAGED else None

    @property
    def makes_children(self) -> bool:
        """Whether leaves may be created directly below, in either way."""
        return self.managed is not None or self.makes_branches

    @property
    def makes_branches(self) -> bool:
        """Whether parents and leaves may be created below (isEligibleForAutoQueueCreation)."""
        auto = self.auto_create
        return self.dynamic or (auto is not None and auto.kind is AutoCreateKind.FLEXIBLE)

    # -- order of children -----------------------------------------------------------------------

    def reorder(self) -> None:
        """Forget the order: children, guarantees or sizes changed."""
        self.orders.clear()

    def misplaced(self, part: QueueUsage, partition: str) -> None:
        """A child's use changed; it is put in its place before the order is next asked for."""
        # Noted, not moved: a cycle charges many containers to a child before anybody asks for the
        # order.
        order = self.orders.get(partition)
        if order is not None and not part.misplaced:
            part.misplaced = True
            order.misplaced.append(part)

    def in_order(self, partition: str) -> list[Entry]:
        """The children behind their keys, those to be served first before the others."""
        order = self.orders.get(partition)
        if order is None:
            return self._sort(partition).entries
        if order.misplaced:
            entries = order.entries
            calc, whole = self.calc, self.cluster.partition(partition)
            for part in order.misplaced:
                before = part.entry
                # Mostly the one that was served first.
                at = 0
                if not entries or entries[0] is not before:
                    at = bisect_left(entries, before)
                    if at == len(entries) or entries[at] is not before:
                        # A queue that was removed while it drained gives back what it holds.
                        part.misplaced = False
                        continue
                del entries[at]
                entry = part.update_entry(calc, whole)
                # And mostly it is the last now. Others' entries are far away in memory.
                if not entries or entries[-1] < entry:
                    entries.append(entry)
                else:
                    insort(entries, entry)
            order.misplaced.clear()
        return order.entries

    def _sort(self, partition: str) -> _Order:
        """Put all children in order anew; afterwards only those are moved whose use changed."""
        ties = tie_ranks(
            [
                (child.configured_minimum.get(partition, ()), child.share(partition).absolute)
                for child in self.children
            ]
        )
        by_priority = self.settings.child_ordering is ChildOrdering.PRIORITY_UTILIZATION
        order = self.orders[partition] = _Order()
        whole = self.cluster.partition(partition)
        for child, tie in zip(self.children, ties, strict=True):
            child.update_place(partition, tie, by_priority=by_priority)
            order.entries.append(child.usages[partition].update_entry(self.calc, whole))
        order.entries.sort()
        return order

    # -- limits ----------------------------------------------------------------------------------

    def available_limit(self, limits: ResourceLimits, partition: str, *, net: bool) -> Vector:
        """What may be held here beyond what is; capped by the queue's own maximum.

        *net_limit*: less what children that hit a limit left unused, too.
        """
        # Written into the limits, which its caller reads again: each parent narrows what comes from
        # above.
        limits.limit = self.calc.min(self.cluster.total, limits.limit, self.maximum(partition))
        # What was blocked for a child at its limit is not there for the children behind it.
        limit = limits.net_limit() if net else limits.limit
        used = used_without_killable(self, partition) if self.killable else self.use(partition)
        return subtract(limit, used)

    def child_limit(self, child: Queue, room: Vector, partition: str) -> Vector:
        """What *child* may hold now: *available_limit*, and what it holds already."""
        # Rounded down to whole minimum allocations, as in Hadoop: a part of one could not be
        # granted.
        held = child.usages.get(partition)
        return self.calc.round_down(
            room if held is None else add(room, held.used), self.minimum_allocation
        )
