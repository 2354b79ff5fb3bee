"""What the queues allow, as the YarnQueue objects say it: allocations, headroom, cluster size."""

from __future__ import annotations

from typing import Any

from kubeyarn.crd import defaults, quantities
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import SpecError
from kubeyarn.resourcemanager.cache import Cache

Object = dict[str, Any]


def allocation(cache: Cache, queue: str) -> tuple[dict[str, int], dict[str, int]]:
    """The smallest and the largest container of *queue*, in base units.

    Source: Hadoop `yarn.scheduler.minimum-allocation-*`, `maximum-allocation-*` and the queue's
    own `maximum-allocation`, of which the smaller counts.
    """
    root = (cache.queues.get("root") or {}).get("spec") or {}
    cluster = root.get("cluster") or {}
    low = _amounts({**defaults.MINIMUM_ALLOCATION}) | _amounts(cluster.get("minimumAllocation"))
    high = _amounts({**defaults.MAXIMUM_ALLOCATION}) | _amounts(cluster.get("maximumAllocation"))
    for path in _upwards(queue):
        spec = (cache.queues.get(path) or {}).get("spec") or {}
        for name, amount in _amounts(spec.get("maximumAllocation")).items():
            high[name] = min(amount, high.get(name, amount))
    return low, high


def headroom(cache: Cache, record: ApplicationRecord) -> dict[str, int]:
    """What is left of the queue's maximum, by the queues' own status (Hadoop: headroom)."""
    left: dict[str, int] = {}
    for path in _upwards(record.queue):
        status = (cache.queues.get(path) or {}).get("status") or {}
        maximum = _amounts((status.get("effective") or {}).get("maximum"))
        used = _amounts(status.get("used"))
        for name, amount in maximum.items():
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
