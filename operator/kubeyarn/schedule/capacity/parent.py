"""Parent queues (Hadoop: AbstractParentQueue)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.queues import ChildOrdering
from kubeyarn.model.resources import add, subtract
from kubeyarn.policy.calculator import at_most
from kubeyarn.schedule.capacity.queue import Queue

if TYPE_CHECKING:
    from kubeyarn.model.queues import AutoCreate
    from kubeyarn.model.resources import Vector
    from kubeyarn.policy.calculator import Calculator
    from kubeyarn.schedule.capacity.limits import Limits
    from kubeyarn.schedule.capacity.nodes import Cluster


class ParentQueue(Queue):
    """A queue with children.

    *minimum_ratio* shrinks absolute children of a queue too small for them. *entitled* is what a
    managed parent's leaves are guaranteed, absolute, by partition.
    """

    __slots__ = ("_count", "children", "created_by", "entitled", "minimum_ratio", "runnable")

    def __init__(
        self, path: str, parent: ParentQueue | None, cluster: Cluster, calc: Calculator
    ) -> None:
        super().__init__(path, parent, cluster, calc)
        self.children: list[Queue] = []
        self.minimum_ratio: dict[int, float] = {}
        self.entitled: dict[str, float] = {}
        self.runnable = 0
        self._count = 0
        self.created_by: AutoCreate | None = None

    @property
    def applications(self) -> int:
        """Applications below this queue."""
        return self._count

    def count_application(self, change: int) -> None:
        """Count an application that came or went."""
        self._count += change

    def in_order(self, partition: str) -> list[Queue]:
        """The children, those to be served first before the others."""
        by_priority = self.settings.child_ordering is ChildOrdering.PRIORITY_UTILIZATION
        if len(self.children) == 1:
            return self.children
        return sorted(
            self.children, key=lambda child: child.order_key(partition, by_priority=by_priority)
        )

    def child_limit(self, child: Queue, limits: Limits, partition: str, *, net: bool) -> Vector:
        """What *child* may hold now: what this queue may, less what its siblings hold.

        *net*: less what siblings that hit a limit left unused, too.
        """
        total = self.cluster.total
        limits.limit = at_most(self.calc, total, limits.limit, self.maximum(partition))
        limit = limits.net() if net else limits.limit
        available = subtract(limit, self.use(partition))
        return self.calc.round_down(add(available, child.use(partition)), self.step)
