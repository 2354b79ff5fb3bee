"""Headroom as ApplicationMasters are told it: how much more their application may get."""

from __future__ import annotations

from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.cluster_limits import amounts, path_down


def headroom(cache: Cache, record: ApplicationRecord) -> dict[str, int]:
    """What is left of the maximum of the application's queues, and of its user's limit in the leaf.

    In base units by resource name; empty before the scheduler has written the queues' status.

    It is an estimate made from that status: as old as it, with what is used in all partitions taken
    off the maximum of the default one, and without the Fair Scheduler's fair shares. The headroom
    that the schedulers count themselves (`schedulers.api`) is in another process. An AM uses
    headroom to decide what to give up while it waits; no grant depends on it.

    Source: Hadoop AllocateResponse.availableResources, as LeafQueue.getHeadroom counts it.
    """
    left: dict[str, int] = {}
    for path in path_down(record.queue):
        queue = cache.queues.get(path)
        if queue is None:
            continue
        maximum, used = amounts(queue.status.effective.maximum), amounts(queue.status.used)
        for name, amount in maximum.items():
            free = max(0, amount - used.get(name, 0))
            left[name] = min(free, left.get(name, free))
    leaf = cache.queues.get(record.queue)
    for user in leaf.status.users if leaf is not None else ():
        if user.name == record.user:
            used = amounts(user.used)
            for name, amount in amounts(user.limit).items():
                free = max(0, amount - used.get(name, 0))
                left[name] = min(free, left.get(name, free))
    return left
