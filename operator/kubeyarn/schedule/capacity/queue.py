"""What every queue of the Capacity Scheduler has: shares, limits, use (Hadoop: AbstractCSQueue)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kubeyarn.model.queues import EVERY_PARTITION, QueueConfig
from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.policy.calculator import Calculator, at_least, times
from kubeyarn.policy.queue_order import OrderKey, child_order_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubeyarn.policy.settings import QueueSettings
    from kubeyarn.schedule.capacity.nodes import Cluster
    from kubeyarn.schedule.capacity.parent import ParentQueue


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
    am_share: float = 0.0


class Queue:
    """A queue in the ledger."""

    __slots__ = (
        "absolute_used",
        "accessible",
        "calc",
        "cluster",
        "configured_maximum",
        "configured_minimum",
        "containers",
        "dynamic",
        "effective_maximum",
        "effective_minimum",
        "last_submitted_ms",
        "name",
        "order_keys",
        "parent",
        "path",
        "pending",
        "reserved",
        "settings",
        "shares",
        "state",
        "step",
        "template_absolute",
        "used",
        "used_capacity",
        "zero",
    )

    settings: QueueSettings
    leaf = False

    def __init__(
        self, path: str, parent: ParentQueue | None, cluster: Cluster, calc: Calculator
    ) -> None:
        self.path = path
        self.name = path.rpartition(".")[2]
        self.parent = parent
        self.cluster = cluster
        self.calc = calc
        self.zero = cluster.zero
        self.step = cluster.zero
        self.dynamic = False
        self.state: QueueState | None = None
        self.accessible: frozenset[str] = frozenset()
        self.shares: dict[str, Shares] = {}
        self.configured_minimum: dict[str, Vector] = {}
        self.configured_maximum: dict[str, Vector] = {}
        self.effective_minimum: dict[str, Vector] = {}
        self.effective_maximum: dict[str, Vector] = {}
        self.template_absolute: dict[str, float] | None = None
        self.used: dict[str, Vector] = {}
        self.pending: dict[str, Vector] = {}
        self.reserved: dict[str, Vector] = {}
        self.used_capacity: dict[str, float] = {}
        self.absolute_used: dict[str, float] = {}
        self.order_keys: dict[str, OrderKey] = {}
        self.containers = 0
        self.last_submitted_ms = 0

    @property
    def config(self) -> QueueConfig:
        """What was said of the queue."""
        return self.settings.config

    @property
    def on_demand(self) -> bool:
        """Whether no configuration declares the queue."""
        return self.dynamic or self.template_absolute is not None and self.leaf

    def minimum(self, partition: str) -> Vector:
        """The guarantee in a partition (Hadoop: getEffectiveCapacity)."""
        return self.effective_minimum.get(partition, self.zero)

    def maximum(self, partition: str) -> Vector:
        """The most the queue may hold of a partition (Hadoop: getEffectiveMaxCapacity)."""
        return self.effective_maximum.get(partition, self.zero)

    def use(self, partition: str) -> Vector:
        """What is held of a partition, reservations included."""
        return self.used.get(partition, self.zero)

    def share(self, partition: str) -> Shares:
        """The shares of a partition; of one the queue has no word on, none."""
        return self.shares.get(partition) or Shares()

    def reaches(self, partition: str) -> bool:
        """Whether nodes of the partition may be used by right."""
        return (
            not partition or partition in self.accessible or EVERY_PARTITION in self.accessible
        )

    def path_up(self) -> Iterable[Queue]:
        """This queue and its ancestors, root last."""
        queue: Queue | None = self
        while queue is not None:
            yield queue
            queue = queue.parent

    def charge(self, size: Vector, partition: str) -> None:
        """Count a container or reservation as held."""
        self.used[partition] = add(self.used.get(partition, self.zero), size)
        self.containers += 1
        self.measure(partition)

    def discharge(self, size: Vector, partition: str) -> None:
        """Count a container or reservation as given back."""
        self.used[partition] = subtract(self.used.get(partition, self.zero), size)
        self.containers -= 1
        self.measure(partition)

    def measure_all(self) -> None:
        """Relate use to guarantees in every partition the queue knows of."""
        for partition in {*self.shares, *self.used}:
            self.measure(partition)

    def measure(self, partition: str) -> None:
        """Relate use to the guarantee and to the partition (Hadoop: updateUsedCapacity)."""
        total = self.cluster.partition(partition)
        used_capacity = absolute = 0.0
        if self.calc.any_above_zero(total):
            guarantee = at_least(self.calc, total, self._measure_of(partition, total), self.step)
            used = self.used.get(partition, self.zero)
            absolute = self.calc.divide(total, used, total)
            used_capacity = self.calc.divide(total, used, guarantee)
        self.absolute_used[partition] = absolute
        self.used_capacity[partition] = used_capacity
        self.order_keys.pop(partition, None)

    def _measure_of(self, partition: str, total: Vector) -> Vector:
        if self.template_absolute is not None and self.share(partition).absolute == 0:
            return times(total, self.template_absolute.get(partition, 0.0))
        return self.minimum(partition)

    def order_key(self, partition: str, *, by_priority: bool) -> OrderKey:
        """Where the queue stands among its siblings."""
        key = self.order_keys.get(partition)
        if key is None:
            key = self.order_keys[partition] = child_order_key(
                accessible=self.reaches(partition),
                absolute_capacity=self.share(partition).absolute,
                used_capacity=self.used_capacity.get(partition, 0.0),
                absolute_used_capacity=self.absolute_used.get(partition, 0.0),
                configured_minimum=self.configured_minimum.get(partition, self.zero),
                priority=self.settings.priority if by_priority else 0,
            )
        return key

    def change_pending(self, partition: str, change: Vector) -> None:
        """Count a change of what is outstanding, here and above."""
        for queue in self.path_up():
            queue.pending[partition] = add(queue.pending.get(partition, queue.zero), change)

    def change_reserved(self, partition: str, change: Vector) -> None:
        """Count a change of what is reserved, here and above."""
        for queue in self.path_up():
            queue.reserved[partition] = add(queue.reserved.get(partition, queue.zero), change)

    @property
    def applications(self) -> int:
        """Applications in or below this queue."""
        raise NotImplementedError

    def wants(self, partition: str) -> bool:
        """Whether anything is outstanding for a partition."""
        pending = self.pending.get(partition)
        return pending is not None and self.calc.any_above_zero(pending)
