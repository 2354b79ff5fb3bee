"""What every queue is guaranteed and allowed now, recomputed for the cluster as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.capacity.queue_capacities import update_legacy
from kubeyarn.schedulers.capacity.queue_capacities_by_type import update_by_type

if TYPE_CHECKING:
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue


def update_below(queue: ParentQueue, config: SchedulerConfig) -> None:
    """Recompute a parent and everything below it, and admit what fits now."""
    if config.legacy_queue_mode:
        update_legacy(queue, config)
    else:
        update_by_type(queue, config)
