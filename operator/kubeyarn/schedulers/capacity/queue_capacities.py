"""What every queue is guaranteed and allowed now: effective minima and maxima, made of capacities.

Theory of operation. A queue's configuration says a capacity and a maximum capacity for each
partition: percentages of the parent, weights among siblings, or amounts. What they amount to
depends on the cluster's size, so all of it is recomputed from root down whenever a node joins,
leaves or changes, a configuration comes into force, or a queue is created or removed
(`update_cluster_resource`). What holds afterwards, for each queue and partition:

* *effective_minimum* is the guarantee and *effective_maximum* the most it may hold, in amounts;
  children are never guaranteed more than their parent, however much they were promised;
* *shares* are the same as fractions of the parent (*capacity*, *maximum*) and of the whole
partition
  (*absolute*, *absolute_maximum*), in single precision as in Hadoop, because orders and limits of
  applications go by them.

Two rules make them, as in Hadoop. In *legacy queue mode* (the default) all types of a capacity have
one unit, and siblings do not mix units. Without it each resource type has its own capacity vector.

A leaf's limits follow at once (`_refresh_leaf`): how many applications it takes, its AM and user
limits, and what becomes active by them. Caches that hang on these numbers are cleared by
`Queue.measure` (places among siblings, guarantees) and `UsersManager.limits_changed` (user limits).

Hadoop: AbstractParentQueue.updateClusterResource, AbstractCSQueue.updateEffectiveResources,
AbstractLeafQueue.updateClusterResource, CapacitySchedulerQueueCapacityHandler.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.model.queues import Capacity, Share, Unit, weight
from kubeyarn.model.resources import MEMORY, Vector, add
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.capacity.am_limits import activate_applications
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.queue import Shares
from kubeyarn.schedulers.capacity.objects.resource_limits import ResourceLimits
from kubeyarn.schedulers.java_numbers import quotient, single, to_long

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.capacity.objects.queue import Queue

_TINY = 1e-6


def update_cluster_resource(queue: ParentQueue, config: SchedulerConfig) -> None:
    """Recompute a parent and everything below it, and activate the applications that fit now."""
    limits = ResourceLimits(queue.cluster.total)
    if config.legacy_queue_mode:
        _update_parent(queue, limits, config)
    else:
        _update_by_type(queue, limits, config)


# -- legacy queue mode -----------------------------------------------------------------------------


def _update(queue: Queue, limits: ResourceLimits, config: SchedulerConfig) -> None:
    if queue.leaf:
        _update_leaf(queue, limits, config)
    else:
        _update_parent(queue, limits, config)


def _update_parent(queue: ParentQueue, limits: ResourceLimits, config: SchedulerConfig) -> None:
    """Shares first, then amounts, then the children, whose limits depend on both."""
    if queue.parent is None:
        # Root has no siblings to be weighed against.
        for share in queue.shares.values():
            if share.weight > 0:
                share.normalized_weight = 1.0
    _derive_absolute(queue)
    _normalize_weights(queue)
    for label in queue.settings.labels:
        _set_effective(queue, label)
        _set_minimum_ratio(queue, label)
    for child in queue.children:
        room = queue.available_limit(limits, "", net=False)
        limit = queue.child_limit(child, room, "")
        _update(child, ResourceLimits(limit), config)
    queue.forget_derived()


def _update_leaf(queue: LeafQueue, limits: ResourceLimits, config: SchedulerConfig) -> None:
    _derive_absolute(queue)
    for label in queue.settings.labels:
        _set_effective(queue, label)
    _refresh_leaf(queue, limits.limit, config)


def _derive_absolute(queue: Queue) -> None:
    """Absolute shares from the parent's (Hadoop: updateAbsoluteCapacitiesByNodeLabels)."""
    for label, share in queue.shares.items():
        above = queue.parent.share(label) if queue.parent is not None else None
        # One of the two is 0: in legacy queue mode siblings have either percentages or weights.
        capacity = max(share.capacity, share.normalized_weight)
        # Where it is 0 what stands there is left: amounts, and auto-created leaves, set it
        # themselves.
        if capacity > 0:
            share.absolute = single(capacity * (above.absolute if above else 1.0))
        if share.maximum > 0:
            share.absolute_maximum = single(
                share.maximum * (above.absolute_maximum if above else 1.0)
            )


def _normalize_weights(queue: ParentQueue) -> None:
    """Set each child's weight over the sum of its siblings' (Hadoop: calculateNormalizedWeight).

    An auto-created queue that says no weight of a partition has weight 1 there.
    """
    for label in queue.shares:
        for child in queue.children:
            if child.dynamic and child.shares.setdefault(label, Shares()).weight == -1:
                child.shares[label].weight = 1.0
    if not queue.children or not any(
        share.weight >= 0
        for child in queue.children
        for label, share in child.shares.items()
        if label in queue.shares
    ):
        return
    for label in queue.shares:
        weighed = [child.shares[label] for child in queue.children if label in child.shares]
        total = 0.0
        for share in weighed:
            total = single(total + max(0.0, share.weight))
        # All weights 0 in one partition: there is nothing to divide by, and nobody has a part.
        if abs(total) > _TINY:
            for share in weighed:
                share.normalized_weight = quotient(share.weight, total)


def _set_effective(queue: Queue, label: str) -> None:
    whole = queue.cluster.partition(label)
    if queue.parent is None:
        queue.effective_minimum[label] = queue.effective_maximum[label] = whole
    elif is_absolute(queue):
        queue.effective_minimum[label] = _normalized_down(
            queue.configured_minimum.get(label, queue.zero), queue.parent.minimum_ratio
        )
        queue.effective_maximum[label] = _absolute_maximum(queue, queue.parent, label, whole)
        _derive_shares(queue, queue.parent, label)
    else:
        share = queue.share(label)
        queue.effective_minimum[label] = multiply(whole, share.absolute)
        queue.effective_maximum[label] = multiply(whole, share.absolute_maximum)


def is_absolute(queue: Queue) -> bool:
    """Whether the queue's capacity is configured in amounts."""
    return any(
        said is not None and said.unit is Unit.ABSOLUTE for said, _ in queue.capacities.values()
    )


def _normalized_down(amounts: Vector, ratios: dict[int, float]) -> Vector:
    return tuple(
        to_long(single(single(x) * ratios[i])) if i in ratios else x for i, x in enumerate(amounts)
    )


def _absolute_maximum(queue: Queue, parent: Queue, label: str, whole: Vector) -> Vector:
    """The lesser of the queue's own maximum and the parent's, which may be configured or not."""
    above = parent.configured_maximum.get(label, parent.zero)
    if not any(above):
        above = parent.maximum(label)
    own = queue.configured_maximum.get(label, queue.zero)
    return queue.calc.min(whole, own, above) if any(own) else above


def _set_minimum_ratio(queue: ParentQueue, label: str) -> None:
    """Set how much absolute children shrink, by type, because they were promised too much."""
    promised = queue.zero
    for child in queue.children:
        promised = add(promised, child.configured_minimum.get(label, queue.zero))
    whole = queue.cluster.partition(label)
    own = whole if queue.parent is None else queue.minimum(label)
    queue.minimum_ratio = {}
    if queue.parent is None and not any(whole):
        # Hadoop leaves amounts as they are while root has no nodes of the partition.
        return
    # Only where children were promised more than there is, each type by its own ratio; otherwise
    # what is promised holds.
    if queue.calc.compare(queue.cluster.total, own, promised) < 0:
        queue.minimum_ratio = {
            i: quotient(x, promised[i]) for i, x in enumerate(own) if promised[i]
        }


# -- both modes ------------------------------------------------------------------------------------


def _derive_shares(queue: Queue, parent: Queue, label: str) -> None:
    """Set shares by effective amounts (Hadoop: deriveCapacityFromAbsoluteConfigurations)."""
    calc, total = queue.calc, queue.cluster.total
    share = queue.shares.setdefault(label, Shares())
    above = parent.share(label)
    capacity = calc.divide(total, queue.minimum(label), parent.minimum(label))
    maximum = calc.divide(total, queue.maximum(label), parent.maximum(label))
    # A parent with nothing divides to infinity in Java's floats; the child has no share then.
    share.capacity = 0.0 if capacity == float("inf") else capacity
    share.maximum = 0.0 if maximum == float("inf") else maximum
    share.absolute = single(share.capacity * above.absolute)
    share.absolute_maximum = single(share.maximum * above.absolute_maximum)


def _refresh_leaf(queue: LeafQueue, limit: Vector, config: SchedulerConfig) -> None:
    """Bring everything that depends on a leaf's limits up to date.

    The order is Hadoop's: shares of users are counted anew before applications become active, and
    users' limits are computed once more after it, because more users may be active then.
    """
    queue.update_maximum_applications(config)
    queue.forget_derived()
    # AM limits go by what the leaf might use now, so that comes before them.
    queue.set_current_limit(limit)
    queue.headroom_limit = queue.current_limit
    for partition in {*queue.shares, *queue.used}:
        accounts.recount_ratios(queue.users, partition)
    queue.forget_derived()
    activate_applications(queue)
    queue.users.limits_changed()
    # For what it leaves behind: the headroom that ApplicationMasters are told, until the next
    # offer.
    for app in queue.active:
        queue.user_limit(app, "", whole=False)


# -- one capacity vector for each resource type ----------------------------------------------------


def _update_by_type(queue: ParentQueue, limits: ResourceLimits, config: SchedulerConfig) -> None:
    if queue.parent is None:
        for label, share in queue.shares.items():
            whole = queue.cluster.partition(label)
            queue.effective_minimum[label] = queue.effective_maximum[label] = whole
            share.absolute = share.absolute_maximum = 1.0
    _update_children_by_type(queue, limits, config)


def _update_children_by_type(
    queue: ParentQueue, limits: ResourceLimits, config: SchedulerConfig
) -> None:
    queue.minimum_ratio = {}
    for label in queue.shares:
        _divide(queue, label)
    for child in queue.children:
        for label in child.shares:
            _derive(child, queue, label)
        room = queue.available_limit(limits, "", net=False)
        limit = queue.child_limit(child, room, "")
        if child.leaf:
            _refresh_leaf(child, limit, config)
        else:
            _update_children_by_type(child, ResourceLimits(limit), config)
    queue.forget_derived()


def _derive(child: Queue, queue: ParentQueue, label: str) -> None:
    """Shares from amounts; a maximum of 0, as in an empty cluster, keeps the share it had."""
    share = child.shares[label]
    before = share.absolute_maximum
    _derive_shares(child, queue, label)
    if not share.maximum > 0:
        share.absolute_maximum = before


def _divide(queue: ParentQueue, label: str) -> None:
    children = [child for child in queue.children if label in child.capacities]
    parent = ParentResource(
        queue.cluster.partition(label), queue.minimum(label), queue.maximum(label)
    )
    found = divide([_vectors_of(child, label) for child in children], parent)
    for child, (minimum, maximum) in zip(children, found, strict=True):
        child.effective_minimum[label], child.effective_maximum[label] = minimum, maximum


def _vectors_of(child: Queue, label: str) -> CapacityVectors:
    capacity, maximum = child.capacities[label]
    if capacity is None and child.dynamic:
        capacity = weight(1.0)
    return CapacityVectors.of(capacity, maximum, len(child.zero))


_PRECEDENCE = (Unit.ABSOLUTE, Unit.PERCENT, Unit.WEIGHT)
_UNLIMITED = Share(Unit.ABSOLUTE, 0.0)


@dataclass(frozen=True, slots=True)
class ParentResource:
    """What is divided among children: the parent's minimum, capped by its maximum.

    *whole* is the partition, of which percentages and weights are taken.
    """

    whole: Vector
    minimum: Vector
    maximum: Vector


def vector_of(capacity: Capacity | None, types: int, default: Share | None) -> tuple[Share, ...]:
    """The share of each type; *default* for all of them where none is configured.

    A percentage or weight that is negative or no finite number configures none (Hadoop:
    QueueCapacityConfigParser, whose expression it does not match).
    """
    uniform = capacity.uniform if capacity else None
    if capacity is None or (uniform and not 0 <= uniform.amount < math.inf):
        return (default,) * types if default else ()
    return (capacity.uniform,) * types if capacity.uniform else capacity.by_resource


@dataclass(frozen=True, slots=True)
class CapacityVectors:
    """One child's capacity and maximum capacity (Hadoop: QueueCapacityVector).

    Without *minimum* the child has nothing.
    """

    minimum: tuple[Share, ...]
    maximum: tuple[Share, ...]

    @classmethod
    def of(cls, capacity: Capacity | None, maximum: Capacity | None, types: int) -> CapacityVectors:
        """The vectors of a capacity and a maximum capacity; without a maximum, the parent's."""
        return cls(vector_of(capacity, types, None), vector_of(maximum, types, _UNLIMITED))


def divide(
    children: Sequence[CapacityVectors], parent: ParentResource
) -> list[tuple[Vector, Vector]]:
    """Each child's effective minimum and maximum.

    Resource types are independent but for one rule: a queue without memory has nothing at all, so
    memory is served first.
    """
    drivers = [_TypeDriver(children, parent, place) for place in range(len(parent.whole))]
    for driver in drivers:
        driver.serve(drivers[MEMORY].minimum)
    return [
        (
            tuple(driver.minimum[number] for driver in drivers),
            tuple(driver.maximum[number] for driver in drivers),
        )
        for number in range(len(children))
    ]


class _TypeDriver:
    """One resource type of all children (Hadoop: ResourceCalculationDriver).

    Children with amounts are served first, then those with percentages of what is left, then those
    with weights of what is left then; of one unit in their order.
    """

    def __init__(
        self, children: Sequence[CapacityVectors], parent: ParentResource, place: int
    ) -> None:
        self.wanted = [child.minimum[place] if child.minimum else None for child in children]
        self.limits = [child.maximum[place] if child.minimum else None for child in children]
        self.is_memory = place == MEMORY
        self.whole = parent.whole[place]
        self.parent_minimum = parent.minimum[place]
        self.parent_maximum = parent.maximum[place]
        self.minimum = [0] * len(children)
        self.maximum = [0] * len(children)
        self.batch_remaining: float = self.parent_minimum
        """What is left before the children of the unit at hand (getBatchRemainingResource)."""
        self.overall_remaining: float = self.parent_minimum
        """What is left before the child at hand (getOverallRemainingResource)."""
        self.normalized_ratio = self._normalized_ratio()
        self.weights = sum(
            share.amount for share in self.wanted if share and share.unit is Unit.WEIGHT
        )

    def _normalized_ratio(self) -> float:
        """How much amounts shrink because together they are more than there is."""
        total = int(
            sum(share.amount for share in self.wanted if share and share.unit is Unit.ABSOLUTE)
        )
        if not total:
            return 1.0
        return single(single(min(total, self.parent_minimum)) / single(total))

    def serve(self, memory: Sequence[int]) -> None:
        """Set each child's minimum and maximum; a child needs some of *memory* to have any."""
        for unit in _PRECEDENCE:
            used = 0.0
            for number, share in enumerate(self.wanted):
                limit = self.limits[number]
                if share is None or limit is None or share.unit is not unit:
                    continue
                minimum, maximum = self._minimum(share), self._maximum(limit)
                # A queue without memory can run nothing, whatever else it is promised; Hadoop
                # leaves it nothing.
                if not self.is_memory and not memory[number]:
                    minimum = 0.0
                # What a child before it left, not what was there at the start: rounding must not
                # promise a unit twice.
                minimum = min(minimum, maximum, self.overall_remaining)
                self.minimum[number], self.maximum[number] = to_long(minimum), to_long(maximum)
                self.overall_remaining -= minimum
                used += minimum
            self.batch_remaining -= used

    def _minimum(self, share: Share) -> float:
        part = self._part(share)
        # WeightQueueCapacityCalculator rounds to the nearest, the other two down.
        return math.floor(part + 0.5) if share.unit is Unit.WEIGHT else math.floor(part)

    def _part(self, share: Share) -> float:
        if not self.parent_minimum or not self.whole:
            return 0.0
        remaining_ratio = self.batch_remaining / self.parent_minimum
        if share.unit is Unit.ABSOLUTE:
            return self.normalized_ratio * remaining_ratio * share.amount
        of_whole = self.parent_minimum / self.whole * remaining_ratio
        if share.unit is Unit.PERCENT:
            return self.whole * (of_whole * share.amount / 100)
        normalized_weight = share.amount / self.weights if self.weights else 0.0
        if normalized_weight == 1:
            # The only weight takes all that is left, without the detour by rounded shares.
            return self.batch_remaining
        return self.whole * (of_whole * normalized_weight)

    def _maximum(self, limit: Share) -> float:
        """The maximum, which is at most the parent's; 0 is the parent's."""
        if limit.unit is Unit.PERCENT:
            part = self.parent_maximum / self.whole * limit.amount / 100 if self.whole else 0.0
            maximum = float(math.floor(self.whole * part))
        else:
            maximum = math.floor(limit.amount)
        return min(maximum, self.parent_maximum) if maximum else self.parent_maximum
