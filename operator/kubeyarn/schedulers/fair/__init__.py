"""The Fair Scheduler's engine (Hadoop: FairScheduler)."""

from __future__ import annotations

from kubeyarn.schedulers.fair.scheduler import FairScheduler

__all__ = ["FairScheduler"]
