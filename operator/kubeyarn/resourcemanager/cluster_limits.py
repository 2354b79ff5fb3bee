"""What the cluster allows, as the YarnQueue objects say it: allocations, resources, nodes."""

from __future__ import annotations

from typing import Any

from kubeyarn.crd import defaults, quantities
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError
from kubeyarn.resourcemanager.cache import Cache


def allocation(cache: Cache, queue: str) -> tuple[dict[str, int], dict[str, int]]:
    """The smallest and the largest container of *queue*, in base units.

    Source: Hadoop `yarn.scheduler.minimum-allocation-*`, `maximum-allocation-*` and the queue's
    own `maximum-allocation`, of which the smaller counts.
    """
    cluster = root(cache).get("cluster") or {}
    low = amounts({**defaults.MINIMUM_ALLOCATION}) | amounts(cluster.get("minimumAllocation"))
    high = amounts({**defaults.MAXIMUM_ALLOCATION}) | amounts(cluster.get("maximumAllocation"))
    for path in path_down(queue):
        spec = (cache.queues.get(path) or {}).get("spec") or {}
        for name, amount in amounts(spec.get("maximumAllocation")).items():
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


def nodes(cache: Cache) -> int:
    """How many nodes take containers, as the root queue's status tells."""
    status = (cache.queues.get("root") or {}).get("status") or {}
    return int(status.get("nodes") or 0)


def path_down(queue: str) -> list[str]:
    """The queues from root down to *queue*; "" has none."""
    parts = queue.split(".") if queue else []
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def amounts(said: Any) -> dict[str, int]:
    """Quantities in base units by resource name; nothing where they cannot be read."""
    try:
        return quantities.amounts(said or {}, "resources")
    except SpecError:
        return {}
