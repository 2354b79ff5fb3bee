"""The `fair` part of a YarnQueue as what the Fair Scheduler is told of it."""

from __future__ import annotations

from collections.abc import Callable

from kubeyarn.crd import amounts, reading
from kubeyarn.crd.reading import (
    Reader,
    count,
    fraction,
    milliseconds,
    one_of,
    truth,
    with_said,
)
from kubeyarn.model import fair_queues, queues
from kubeyarn.model.resources import ResourceTypes, Vector


def fair_queue(said: Reader, types: ResourceTypes) -> fair_queues.FairQueueConfig:
    """What one queue says to the Fair Scheduler; its faults are the reader's."""
    may_preempt = said.read("allowPreemptionFrom", truth)
    return fair_queues.FairQueueConfig(
        weight=said.read("weight", reading.weight),
        minimum=said.read("minResources", _vector(types)),
        maximum=said.read("maxResources", amounts.limit(types)),
        child_maximum=said.read("maxChildResources", amounts.limit(types)),
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


def fair_cluster(
    said: Reader, preemption: queues.PreemptionConfig, types: ResourceTypes
) -> fair_queues.FairClusterConfig:
    """What root says to the Fair Scheduler of the whole cluster; its faults are the reader's."""
    unlimited = fair_queues.UNLIMITED_APPLICATIONS
    per_user = said.read("maxRunningApplicationsPerUser", count)
    return fair_queues.FairClusterConfig(
        defaults=_defaults(said.inside("defaults") or Reader({}, ""), types),
        user_maximum_default=unlimited if per_user is None else per_user,
        user_maximum=said.read("maxRunningApplicationsOf", _counts) or (),
        rules=tuple(_rule(entry) for entry in said.each("placementRules")),
        allow_undeclared=said.read("allowUndeclaredQueues", truth) is not False,
        user_as_default=said.read("userAsDefaultQueue", truth) is not False,
        size_based_weight=bool(said.read("sizeBasedWeight", truth)),
        memory_per_mib=2**20,
        offers=_offers(said),
        preemption=_preemption(said, preemption),
    )


def _preemption(said: Reader, preemption: queues.PreemptionConfig) -> fair_queues.FairPreemption:
    found = {
        "utilization_threshold": said.read("preemptionUtilizationThreshold", fraction),
        "masters": said.read("preemptMasters", truth),
        "masters_of": said.read("preemptMastersOf", _truths),
        "wait_before_next_check_ms": said.read(
            "waitBeforeNextStarvationCheckSeconds", milliseconds
        ),
    }
    standard = fair_queues.FairPreemption(
        enabled=preemption.enabled, wait_before_kill_ms=preemption.maximum_wait_before_kill_ms
    )
    return with_said(standard, found)


def _offers(said: Reader) -> fair_queues.FairOffers:
    found = {
        "multiple": said.read("assignMultiple", truth),
        "dynamic_maximum": said.read("dynamicMaximumAssign", truth),
        "maximum": said.read("maximumAssign", count),
        "node_locality_threshold": said.read("nodeLocalityThreshold", fraction),
        "rack_locality_threshold": said.read("rackLocalityThreshold", fraction),
        "reservable_nodes": said.read("reservableNodes", fraction),
        "reservation_multiple": said.read("reservationThresholdIncrements", count),
    }
    return with_said(fair_queues.FairOffers(), found)


def _defaults(said: Reader, types: ResourceTypes) -> fair_queues.FairQueueDefaults:
    found = {
        "policy": said.read("policy", one_of(fair_queues.FairPolicy)),
        "maximum": said.read("maxResources", amounts.limit(types)),
        "maximum_running_applications": said.read("maxRunningApplications", count),
        "maximum_am_share": said.read("maxAMShare", _am_share),
    }
    return with_said(fair_queues.FairQueueDefaults(), found)


def _rule(entry: Reader) -> fair_queues.FairRule:
    above = entry.inside("parent")
    kind = entry.read("policy", one_of(fair_queues.FairRuleKind))
    return fair_queues.FairRule(
        kind=kind or fair_queues.FairRuleKind.SPECIFIED,
        create=entry.read("create", truth) is not False,
        queue=entry.read("queue", reading.text) or "",
        parent=None if above is None else _rule(above),
    )


def _counts(value: object, field: str) -> tuple[tuple[str, int], ...]:
    said = reading.mapping(value, field)
    return tuple((user, count(said[user], f"{field}.{user}")) for user in sorted(said))


def _truths(value: object, field: str) -> tuple[tuple[str, bool], ...]:
    said = reading.mapping(value, field)
    return tuple((queue, truth(said[queue], f"{field}.{queue}")) for queue in sorted(said))


def _vector(types: ResourceTypes) -> Callable[[object, str], Vector]:
    return lambda value, field: amounts.vector(reading.mapping(value, field), field, types)


def _limits(types: ResourceTypes) -> Callable[[object, str], tuple[int | None, ...]]:
    def parse(value: object, field: str) -> tuple[int | None, ...]:
        said = amounts.places(types)(value, field)
        return tuple(said.get(place) for place in range(len(types.names)))

    return parse


def _am_share(value: object, field: str) -> float:
    return -1.0 if value == "-1" else fraction(value, field)
