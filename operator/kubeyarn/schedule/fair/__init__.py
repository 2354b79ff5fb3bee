"""The Fair Scheduler's engine (Hadoop: FairScheduler)."""

from __future__ import annotations

from kubeyarn.schedule.fair.engine import FairEngine

__all__ = ["FairEngine"]
