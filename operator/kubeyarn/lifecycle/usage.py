"""What containers have used over their lives: amounts times the time that they held them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubeyarn.lifecycle.exit_status import ExitStatus


@dataclass(frozen=True, slots=True)
class Usage:
    """What ended containers have used: base units of each resource times seconds.

    *preempted_seconds* is the part of those *preempted* containers that were taken back for other
    queues or applications. Source: AggregateAppResourceUsage, RMAppAttemptMetrics.
    """

    seconds: Mapping[str, int] = field(default_factory=dict)
    preempted_seconds: Mapping[str, int] = field(default_factory=dict)
    preempted: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            _sum(self.seconds, other.seconds),
            _sum(self.preempted_seconds, other.preempted_seconds),
            self.preempted + other.preempted,
        )


def of_container(size: Mapping[str, int], held_s: int, exit_status: int) -> Usage:
    """What a container used that held *size* for *held_s* seconds until it ended.

    As in Hadoop the size is the one that it had in the end (RMContainerImpl.updateAttemptMetrics).
    """
    used = {name: amount * held_s for name, amount in size.items() if amount * held_s}
    if exit_status != ExitStatus.PREEMPTED:
        return Usage(used)
    return Usage(used, used, 1)


def _sum(a: Mapping[str, int], b: Mapping[str, int]) -> Mapping[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in sorted({*a, *b})}
