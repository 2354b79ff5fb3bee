"""What an AM is told of containers that will be taken back. Pure.

The Capacity Scheduler's are negotiable: the AM may give back as much in other containers. The Fair
Scheduler's are not (Hadoop: PreemptionMessage, as ProportionalCapacityPreemptionPolicy and
FSPreemptionThread fill it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubeyarn.crd.yarn_queue_cluster import ClusterSpec
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.requests import request_builder


@dataclass(frozen=True, slots=True)
class Marked:
    """A container that the policy takes back: *now* or in a while, why, and how big it is."""

    container: ContainerId
    now: bool
    why: str
    size: Mapping[str, int]


def message(
    marked: list[Marked], cluster: ClusterSpec, smallest: Mapping[str, int]
) -> wire.Preemption:
    """The message about *marked*; *smallest* is the cluster's minimum allocation."""
    if not marked:
        return wire.Preemption()
    fair = cluster.scheduler is SchedulerKind.FAIR
    strict = [m for m in marked if m.now or fair]
    negotiable = [m for m in marked if not (m.now or fair)]
    wait_s = cluster.preemption.maximum_wait_before_kill_seconds
    return wire.Preemption(
        containers=_names(marked),
        strict=wire.PreemptionContract(containers=_names(strict)),
        negotiable=wire.PreemptionContract(
            containers=_names(negotiable), instead=_instead(negotiable, smallest)
        ),
        kill_after_seconds=wait_s if negotiable or fair else 0,
        message="; ".join(sorted({m.why for m in marked})),
    )


def _names(marked: list[Marked]) -> list[str]:
    return sorted(str(m.container) for m in marked)


def _instead(marked: list[Marked], smallest: Mapping[str, int]) -> list[wire.Resources]:
    """As many containers of the minimum allocation as hold what the marked ones hold."""
    count = 0
    for name, least in smallest.items():
        held = sum(m.size.get(name, 0) for m in marked)
        count = max(count, -(-held // least) if least else 0)
    return [wire.Resources(count=count, resources=request_builder.shown(smallest))] if count else []
