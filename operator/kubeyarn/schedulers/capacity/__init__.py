"""The Capacity Scheduler's engine."""

from __future__ import annotations

from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

__all__ = ["CapacityScheduler"]
