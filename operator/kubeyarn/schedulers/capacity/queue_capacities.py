"""Effective guarantees and maxima in legacy queue mode, as nodes come and go.

Hadoop: AbstractParentQueue.updateClusterResourceLegacyMode,
AbstractCSQueue.updateEffectiveResources and AbstractLeafQueue.updateClusterResource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.queues import Unit
from kubeyarn.model.resources import Vector, add
from kubeyarn.schedulers.calculator import at_most, multiply
from kubeyarn.schedulers.capacity.am_limits import activate_applications
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.queue import Queue, Shares
from kubeyarn.schedulers.capacity.objects.resource_limits import Limits
from kubeyarn.schedulers.java_numbers import quotient, single, to_long

if TYPE_CHECKING:
    from kubeyarn.model.queues import SchedulerConfig

_TINY = 1e-6


def update_legacy(queue: ParentQueue, config: SchedulerConfig) -> None:
    """Recompute a parent and everything below it (legacy queue mode)."""
    _update_parent(queue, Limits(queue.cluster.total), config)


def _update(queue: Queue, limits: Limits, config: SchedulerConfig) -> None:
    if isinstance(queue, ParentQueue):
        _update_parent(queue, limits, config)
    elif isinstance(queue, LeafQueue):
        _update_leaf(queue, limits, config)


def _update_parent(queue: ParentQueue, limits: Limits, config: SchedulerConfig) -> None:
    if queue.parent is None:
        for share in queue.shares.values():
            if share.weight > 0:
                share.normalized_weight = 1.0
    derive_absolute(queue)
    _normalize_weights(queue)
    for label in queue.settings.labels:
        _set_effective(queue, label)
        _set_minimum_ratio(queue, label)
    for child in queue.children:
        room = queue.room(limits, "", net=False)
        limit = queue.child_limit(child, room, "")
        _update(child, Limits(limit), config)
    queue.measure()


def _update_leaf(queue: LeafQueue, limits: Limits, config: SchedulerConfig) -> None:
    derive_absolute(queue)
    for label in queue.settings.labels:
        _set_effective(queue, label)
    refresh_leaf(queue, limits.limit, config)


def refresh_leaf(queue: LeafQueue, limit: Vector, config: SchedulerConfig) -> None:
    """Bring everything that depends on a leaf's limits up to date."""
    queue.update_maximum_applications(
        config.maximum_applications, config.maximum_applications_per_queue
    )
    queue.measure()
    queue.set_current_limit(limit)
    queue.known_limit = queue.current_limit
    for partition in {*queue.shares, *queue.used}:
        accounts.recount_ratios(queue.users, partition)
    queue.measure()
    activate_applications(queue)
    queue.users.limits_changed()
    for app in queue.active:
        queue.user_limit(app, "", whole=False)


def derive_absolute(queue: Queue) -> None:
    """Absolute shares from the parent's (Hadoop: updateAbsoluteCapacitiesByNodeLabels)."""
    for label, share in queue.shares.items():
        above = queue.parent.share(label) if queue.parent is not None else None
        capacity = max(share.capacity, share.normalized_weight)
        if capacity > 0:
            share.absolute = single(capacity * (above.absolute if above else 1.0))
        if share.maximum > 0:
            share.absolute_maximum = single(
                share.maximum * (above.absolute_maximum if above else 1.0)
            )


def _normalize_weights(queue: ParentQueue) -> None:
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
        if abs(total) > _TINY:
            for share in weighed:
                share.normalized_weight = quotient(share.weight, total)


def _set_effective(queue: Queue, label: str) -> None:
    whole = queue.cluster.partition(label)
    if queue.parent is None:
        queue.effective_minimum[label] = queue.effective_maximum[label] = whole
    elif is_absolute(queue):
        queue.effective_minimum[label] = _shrunk(
            queue.configured_minimum.get(label, queue.zero), queue.parent.minimum_ratio
        )
        queue.effective_maximum[label] = _absolute_maximum(queue, queue.parent, label, whole)
        derive_shares(queue, queue.parent, label)
    else:
        share = queue.share(label)
        queue.effective_minimum[label] = multiply(whole, share.absolute)
        queue.effective_maximum[label] = multiply(whole, share.absolute_maximum)


def is_absolute(queue: Queue) -> bool:
    """Whether the queue's capacity is said in amounts."""
    return any(
        said is not None and said.unit is Unit.ABSOLUTE for said, _ in queue.capacities.values()
    )


def _shrunk(amounts: Vector, ratios: dict[int, float]) -> Vector:
    return tuple(
        to_long(single(single(x) * ratios[i])) if i in ratios else x for i, x in enumerate(amounts)
    )


def _absolute_maximum(queue: Queue, parent: Queue, label: str, whole: Vector) -> Vector:
    above = parent.configured_maximum.get(label, parent.zero)
    if not any(above):
        above = parent.maximum(label)
    own = queue.configured_maximum.get(label, queue.zero)
    return at_most(queue.calc, whole, own, above) if any(own) else above


def derive_shares(queue: Queue, parent: Queue, label: str) -> None:
    """Shares from effective amounts: for show, and for what is derived from shares."""
    calc, total = queue.calc, queue.cluster.total
    share = queue.shares.setdefault(label, Shares())
    above = parent.share(label)
    capacity = calc.divide(total, queue.minimum(label), parent.minimum(label))
    maximum = calc.divide(total, queue.maximum(label), parent.maximum(label))
    share.capacity = 0.0 if capacity == float("inf") else capacity
    share.maximum = 0.0 if maximum == float("inf") else maximum
    share.absolute = single(share.capacity * above.absolute)
    share.absolute_maximum = single(share.maximum * above.absolute_maximum)


def _set_minimum_ratio(queue: ParentQueue, label: str) -> None:
    """How much absolute children shrink, for each type, when they were promised too much."""
    promised = queue.zero
    for child in queue.children:
        promised = add(promised, child.configured_minimum.get(label, queue.zero))
    whole = queue.cluster.partition(label)
    own = whole if queue.parent is None else queue.minimum(label)
    queue.minimum_ratio = {}
    if queue.parent is None and not any(whole):
        return
    if queue.calc.compare(queue.cluster.total, own, promised) < 0:
        queue.minimum_ratio = {
            i: quotient(x, promised[i]) for i, x in enumerate(own) if promised[i]
        }
