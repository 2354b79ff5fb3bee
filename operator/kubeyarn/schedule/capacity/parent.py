"""Parent queues (Hadoop: AbstractParentQueue)."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from kubeyarn.model.queues import ChildOrdering
from kubeyarn.model.resources import add, subtract
from kubeyarn.policy.queue_order import OrderKey, tie_ranks
from kubeyarn.schedule.capacity.queue import Queue

if TYPE_CHECKING:
    from kubeyarn.model.queues import AutoCreate
    from kubeyarn.model.resources import Vector
    from kubeyarn.policy.calculator import Calculator
    from kubeyarn.schedule.capacity.limits import Limits
    from kubeyarn.schedule.capacity.nodes import Cluster


class _Order:
    """The children in serving order for one partition, and those whose place is not known."""

    __slots__ = ("entries", "misplaced")

    def __init__(self) -> None:
        self.entries: list[tuple[OrderKey, Queue]] = []
        self.misplaced: dict[str, Queue] = {}


def _key(entry: tuple[OrderKey, Queue]) -> OrderKey:
    return entry[0]


class ParentQueue(Queue):
    """A queue with children.

    *minimum_ratio* shrinks absolute children of a queue too small for them. *entitled* is what a
    managed parent's leaves are guaranteed, absolute, by partition.
    """

    __slots__ = (
        "_count",
        "_orders",
        "children",
        "created_by",
        "entitled",
        "minimum_ratio",
        "runnable",
    )

    def __init__(
        self, path: str, parent: ParentQueue | None, cluster: Cluster, calc: Calculator
    ) -> None:
        super().__init__(path, parent, cluster, calc)
        self.children: list[Queue] = []
        self.minimum_ratio: dict[int, float] = {}
        self.entitled: dict[str, float] = {}
        self.runnable = 0
        self._count = 0
        self._orders: dict[str, _Order] = {}
        self.created_by: AutoCreate | None = None

    @property
    def applications(self) -> int:
        """Applications below this queue."""
        return self._count

    def count_application(self, change: int) -> None:
        """Count an application that came or went."""
        self._count += change

    # -- order of children -----------------------------------------------------------------------

    def reorder(self) -> None:
        """Forget the order: children, guarantees or sizes changed."""
        self._orders.clear()

    def misplaced(self, child: Queue, partition: str) -> None:
        """A child's use changed; it is put in its place before the order is next asked for."""
        order = self._orders.get(partition)
        if order is not None:
            order.misplaced[child.path] = child

    def in_order(self, partition: str) -> list[tuple[OrderKey, Queue]]:
        """The children with their keys, those to be served first before the others."""
        order = self._orders.get(partition)
        if order is None:
            return self._sort(partition).entries
        if order.misplaced:
            by_priority = self._by_priority()
            entries = order.entries
            for child in order.misplaced.values():
                entries.pop(bisect_left(entries, child.order_keys[partition], key=_key))
                key = child.order_key(partition, by_priority=by_priority)
                child.order_keys[partition] = key
                insort(entries, (key, child), key=_key)
            order.misplaced.clear()
        return order.entries

    def _by_priority(self) -> bool:
        return self.settings.child_ordering is ChildOrdering.PRIORITY_UTILIZATION

    def _sort(self, partition: str) -> _Order:
        ties = tie_ranks(
            [
                (child.configured_minimum.get(partition, ()), child.share(partition).absolute)
                for child in self.children
            ]
        )
        by_priority = self._by_priority()
        order = self._orders[partition] = _Order()
        for child, tie in zip(self.children, ties, strict=True):
            child.tie[partition] = tie
            key = child.order_keys[partition] = child.order_key(partition, by_priority=by_priority)
            order.entries.append((key, child))
        order.entries.sort(key=_key)
        return order

    # -- limits ----------------------------------------------------------------------------------

    def child_limit(self, child: Queue, limits: Limits, partition: str, *, net: bool) -> Vector:
        """What *child* may hold now: what this queue may, less what its siblings hold.

        *net*: less what siblings that hit a limit left unused, too.
        """
        total = self.cluster.total
        limits.limit = self.calc.lesser(total, limits.limit, self.maximum(partition))
        limit = limits.net() if net else limits.limit
        available = subtract(limit, self.use(partition))
        return self.calc.round_down(add(available, child.use(partition)), self.step)
