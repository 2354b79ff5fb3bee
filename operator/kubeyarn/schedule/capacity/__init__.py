"""The Capacity Scheduler's engine."""

from __future__ import annotations

from kubeyarn.schedule.capacity.engine import CapacityEngine

__all__ = ["CapacityEngine"]
