"""The `fair` part of a YarnQueue as what the Fair Scheduler is told of it."""

from __future__ import annotations

from collections.abc import Callable

from kubeyarn.crd import amounts, reading
from kubeyarn.crd.reading import Reader, count, fraction, milliseconds, one_of, truth
from kubeyarn.model import fair_queues
from kubeyarn.model.resources import ResourceTypes, Vector


def fair_queue(said: Reader, types: ResourceTypes) -> fair_queues.FairQueueConfig:
    """What one queue says to the Fair Scheduler; its faults are the reader's."""
    may_preempt = said.read("allowPreemptionFrom", truth)
    return fair_queues.FairQueueConfig(
        weight=said.read("weight", reading.weight),
        minimum=said.read("minResources", _vector(types)),
        maximum=said.read("maxResources", amounts.limit(types)),
        maximum_container=said.read("maxContainerAllocation", _limits(types)),
        policy=said.read("policy", one_of(fair_queues.FairPolicy)),
        maximum_running_applications=said.read("maxRunningApplications", count),
        maximum_am_share=said.read("maxAMShare", _am_share),
        min_share_preemption_timeout_ms=said.read("minSharePreemptionTimeoutSeconds", milliseconds),
        fair_share_preemption_timeout_ms=said.read(
            "fairSharePreemptionTimeoutSeconds", milliseconds
        ),
        fair_share_preemption_threshold=said.read("fairSharePreemptionThreshold", fraction),
        allow_preemption_from=may_preempt is not False,
    )


def _vector(types: ResourceTypes) -> Callable[[object, str], Vector]:
    return lambda value, field: amounts.vector(reading.mapping(value, field), field, types)


def _limits(types: ResourceTypes) -> Callable[[object, str], tuple[int | None, ...]]:
    def parse(value: object, field: str) -> tuple[int | None, ...]:
        said = amounts.places(types)(value, field)
        return tuple(said.get(place) for place in range(len(types.names)))

    return parse


def _am_share(value: object, field: str) -> float:
    return -1.0 if value == "-1" else fraction(value, field)
