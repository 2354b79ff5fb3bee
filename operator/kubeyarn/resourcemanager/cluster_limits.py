"""The cluster's limits, as the YarnQueues give them: allocations, resources, nodes."""

from __future__ import annotations

from kubeyarn.crd import defaults, quantities
from kubeyarn.crd.fields import ResourceAmounts
from kubeyarn.crd.yarn_queue_cluster import ClusterSpec, ResourceCalculator
from kubeyarn.model.errors import SpecError
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.queue_templates import template_words


def allocation(cache: Cache, queue: str) -> tuple[dict[str, int], dict[str, int]]:
    """The smallest and the largest container of *queue*, in base units.

    Source: Hadoop `yarn.scheduler.minimum-allocation-*`, `maximum-allocation-*` and, under the
    Capacity Scheduler, the queue's own `maximum-allocation`, of which the smaller counts.
    """
    whole = cluster(cache)
    low = amounts(defaults.MINIMUM_ALLOCATION) | amounts(whole.minimum_allocation)
    high = amounts(defaults.MAXIMUM_ALLOCATION) | amounts(whole.maximum_allocation)
    has_own = whole.scheduler is SchedulerKind.CAPACITY
    for path in path_down(queue) if has_own else ():
        known = cache.queues.get(path)
        own = known.spec.maximum_allocation if known is not None else None
        templates = template_words(cache.queues, path, "maximumAllocation", leaf=path == queue)
        for name, amount in amounts(own or next(templates, {})).items():
            high[name] = min(amount, high.get(name, amount))
    return low, high


def cluster(cache: Cache) -> ClusterSpec:
    """What the root queue says of the whole cluster; the defaults when there is none."""
    root = cache.queues.get("root")
    spec = root.spec.cluster if root is not None else None
    return spec if spec is not None else ClusterSpec()


def scheduled(cache: Cache) -> list[str]:
    """The resources that the scheduler weighs (Hadoop: getSchedulingResourceTypes)."""
    memory_only = cluster(cache).resource_calculator is ResourceCalculator.DEFAULT
    return ["memory"] if memory_only else ["memory", "cpu"]


def nodes(cache: Cache) -> int:
    """How many nodes take containers, from the root queue's status."""
    root = cache.queues.get("root")
    return root.status.nodes if root is not None else 0


def path_down(queue: str) -> list[str]:
    """The queues from root down to *queue*; "" has none."""
    parts = queue.split(".") if queue else []
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def amounts(quantities_by_name: ResourceAmounts | None) -> dict[str, int]:
    """Quantities in base units by resource name; nothing where they cannot be read."""
    try:
        return quantities.amounts(quantities_by_name or {}, "resources")
    except SpecError:
        return {}
