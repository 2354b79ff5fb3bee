"""The Capacity Scheduler (Hadoop: CapacityScheduler); `scheduler` puts its parts together."""

from __future__ import annotations

from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

__all__ = ["CapacityScheduler"]
