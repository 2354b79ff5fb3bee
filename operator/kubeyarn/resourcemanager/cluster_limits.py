"""What the queues allow, as the YarnQueue objects say it: allocations, headroom, cluster size."""

from __future__ import annotations

from typing import Any

from kubeyarn.crd import defaults, quantities
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import SpecError
from kubeyarn.resourcemanager.cache import Cache


def allocation(cache: Cache, queue: str) -> tuple[dict[str, int], dict[str, int]]:
    """The smallest and the largest container of *queue*, in base units.

    Source: Hadoop `yarn.scheduler.minimum-allocation-*`, `maximum-allocation-*` and the queue's
    own `maximum-allocation`, of which the smaller counts.
    """
    cluster = root(cache).get("cluster") or {}
    low = _amounts({**defaults.MINIMUM_ALLOCATION}) | _amounts(cluster.get("minimumAllocation"))
    high = _amounts({**defaults.MAXIMUM_ALLOCATION}) | _amounts(cluster.get("maximumAllocation"))
    for path in _upwards(queue):
        spec = (cache.queues.get(path) or {}).get("spec") or {}
        for name, amount in _amounts(spec.get("maximumAllocation")).items():
            high[name] = min(amount, high.get(name, amount))
    return low, high


def root(cache: Cache) -> Object:
    """What the root queue says; nothing when there is none."""
    spec: Object = (cache.queues.get("root") or {}).get("spec") or {}
    return spec


def scheduled(cache: Cache) -> list[str]:
    """The resources that the scheduler weighs (Hadoop: getSchedulingResourceTypes)."""
    cluster = root(cache).get("cluster") or {}
    memory_only = cluster.get("resourceCalculator") == "Default"
    return ["memory"] if memory_only else ["memory", "cpu"]


def headroom(cache: Cache, record: ApplicationRecord) -> dict[str, int]:
    """What the application may still get: what is left of its queues' maximum and its user's limit.

    By the queues' own status. Source: Hadoop LeafQueue.getHeadroom.
    """
    left: dict[str, int] = {}
    for path in _upwards(record.queue):
        status = (cache.queues.get(path) or {}).get("status") or {}
        maximum = _amounts((status.get("effective") or {}).get("maximum"))
        used = _amounts(status.get("used"))
        for name, amount in maximum.items():
            free = max(0, amount - used.get(name, 0))
            left[name] = min(free, left.get(name, free))
    leaf = (cache.queues.get(record.queue) or {}).get("status") or {}
    for user in leaf.get("users") or ():
        if user.get("name") == record.user:
            used = _amounts(user.get("used"))
            for name, amount in _amounts(user.get("limit")).items():
                free = max(0, amount - used.get(name, 0))
                left[name] = min(free, left.get(name, free))
    return left


def nodes(cache: Cache) -> int:
    """How many nodes take containers, as the root queue's status tells."""
    status = (cache.queues.get("root") or {}).get("status") or {}
    return int(status.get("nodes") or 0)


def _upwards(queue: str) -> list[str]:
    parts = queue.split(".") if queue else []
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _amounts(said: Any) -> dict[str, int]:
    try:
        return quantities.amounts(said or {}, "resources")
    except SpecError:
        return {}
