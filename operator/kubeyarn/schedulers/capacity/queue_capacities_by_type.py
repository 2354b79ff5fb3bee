"""Effective guarantees and maxima where each resource type has its own word on capacity.

Hadoop: CapacitySchedulerQueueCapacityHandler, in force where legacy queue mode is off. The
arithmetic is `policy.vectors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.queues import weight
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.resource_limits import Limits
from kubeyarn.schedulers.capacity.queue_capacities import derive_shares, refresh_leaf
from kubeyarn.schedulers.capacity.vectors import Claim, Room, divide

if TYPE_CHECKING:
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.capacity.objects.queue import Queue


def update_by_type(queue: ParentQueue, config: SchedulerConfig) -> None:
    """Recompute a parent and everything below it."""
    if queue.parent is None:
        for label, share in queue.shares.items():
            whole = queue.cluster.partition(label)
            queue.effective_minimum[label] = queue.effective_maximum[label] = whole
            share.absolute = share.absolute_maximum = 1.0
    _update_children(queue, Limits(queue.cluster.total), config)


def _update_children(queue: ParentQueue, limits: Limits, config: SchedulerConfig) -> None:
    queue.minimum_ratio = {}
    for label in queue.shares:
        _divide(queue, label)
    for child in queue.children:
        for label in child.shares:
            _derive(child, queue, label)
        room = queue.room(limits, "", net=False)
        limit = queue.child_limit(child, room, "")
        if isinstance(child, LeafQueue):
            refresh_leaf(child, limit, config)
        elif isinstance(child, ParentQueue):
            _update_children(child, Limits(limit), config)
    queue.measure()


def _derive(child: Queue, queue: ParentQueue, label: str) -> None:
    """Shares from amounts; a maximum of nothing, as of an empty cluster, keeps the share before."""
    share = child.shares[label]
    before = share.absolute_maximum
    derive_shares(child, queue, label)
    if not share.maximum > 0:
        share.absolute_maximum = before


def _divide(queue: ParentQueue, label: str) -> None:
    children = [child for child in queue.children if label in child.capacities]
    room = Room(queue.cluster.partition(label), queue.minimum(label), queue.maximum(label))
    found = divide([_claim(child, label) for child in children], room)
    for child, (minimum, maximum) in zip(children, found, strict=True):
        child.effective_minimum[label], child.effective_maximum[label] = minimum, maximum


def _claim(child: Queue, label: str) -> Claim:
    capacity, maximum = child.capacities[label]
    if capacity is None and child.dynamic:
        capacity = weight(1.0)
    return Claim.of(capacity, maximum, len(child.zero))
