"""One measurement of a scheduler, in processor time of this process."""

from __future__ import annotations

import gc
import resource
from dataclasses import dataclass, replace
from time import process_time
from typing import TYPE_CHECKING, Protocol, TypeVar

from kubeyarn.schedulers.api import Decision, Grant, ResourceScheduler

if TYPE_CHECKING:
    from collections.abc import Sequence

E = TypeVar("E", bound=ResourceScheduler)

_IDLE_CYCLES = 100


class Shape(Protocol[E]):
    """A load: a scheduler with everything in it but the requests, and the requests."""

    def scheduler(self) -> E:
        """The scheduler; its applications have their masters."""

    def ask(self, made: E) -> int:
        """Make the requests; returns how many containers they are."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run came to; *wanted* may be more than limits let be granted.

    *pending_rss_mb* is the most that the process held until all was asked for and nothing granted.
    """

    wanted: int
    grants: int
    seconds: float
    grants_per_second: float
    grants_per_cycle: int
    cycles: int
    cycle_ms: dict[str, float]
    idle_cycle_ms: float
    pending_rss_mb: float
    peak_rss_mb: float


def measure(shape: Shape[E], grants_per_cycle: int) -> Measured:
    """Cycle until nothing more is granted."""
    scheduler = shape.scheduler()
    wanted = shape.ask(scheduler)
    pending = _rss_mb()
    # As in the live scheduler: what was there before the cycle is no garbage.
    gc.collect()
    gc.freeze()
    grants, took = 0, []
    while True:
        begin = process_time()
        decisions = scheduler.cycle(1, grants_per_cycle)
        took.append(process_time() - begin)
        grants += _granted(decisions)
        if not decisions:
            break
    # Still frozen: what the collector does is no part of an idle cycle.
    idle = _idle_ms(scheduler)
    gc.unfreeze()
    seconds = sum(took)
    return Measured(
        wanted=wanted,
        grants=grants,
        seconds=round(seconds, 4),
        grants_per_second=round(grants / seconds, 1),
        grants_per_cycle=grants_per_cycle,
        cycles=len(took),
        cycle_ms=_percentiles(took),
        idle_cycle_ms=idle,
        pending_rss_mb=pending,
        peak_rss_mb=_rss_mb(),
    )


def median(runs: list[Measured]) -> Measured:
    """The run in the middle by speed; what pending requests hold is told by the first alone."""
    middle = sorted(runs, key=lambda run: run.grants_per_second)[len(runs) // 2]
    return replace(middle, pending_rss_mb=runs[0].pending_rss_mb)


def _rss_mb() -> float:
    """The most that this process held so far; without what its parent held when it was forked."""
    try:
        # No Path: with all that it imports it would be a third of a megabyte of what is measured.
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
            kib = next(line.split()[1] for line in status if "VmHWM" in line)
    except FileNotFoundError:
        kib = str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return round(int(kib) / 1024, 1)


def _granted(decisions: Sequence[Decision]) -> int:
    return sum(1 for decision in decisions if isinstance(decision, Grant))


def _idle_ms(scheduler: ResourceScheduler) -> float:
    begin = process_time()
    for _ in range(_IDLE_CYCLES):
        scheduler.cycle(2, 1)
    return round((process_time() - begin) * 1000 / _IDLE_CYCLES, 5)


def _percentiles(took: list[float]) -> dict[str, float]:
    ordered = sorted(took)
    seconds_at = {
        f"p{percent}": ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
        for percent in (50, 90, 99)
    }
    seconds_at["most"] = ordered[-1]
    return {at: round(seconds * 1000, 3) for at, seconds in seconds_at.items()}
