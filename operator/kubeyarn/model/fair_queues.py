"""What fair-scheduler.xml says beyond the queue tree, as neutral values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FairQueueConfig:
    """What a queue says to the Fair Scheduler."""


@dataclass(frozen=True, slots=True)
class FairClusterConfig:
    """What the cluster says to the Fair Scheduler."""
