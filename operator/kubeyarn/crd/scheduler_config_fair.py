"""The `fair` part of a YarnQueue as what the Fair Scheduler is told of it."""

from __future__ import annotations

from collections.abc import Callable

from kubeyarn.crd import amounts, field_reader
from kubeyarn.crd.field_reader import (
    FieldReader,
    count,
    fraction,
    milliseconds,
    one_of,
    truth,
    with_set,
)
from kubeyarn.crd.yarn_queue import FairQueueType
from kubeyarn.model import fair_queues, queues
from kubeyarn.model.resources import ResourceTypes, Vector


def fair_queue(fair: FieldReader, types: ResourceTypes) -> fair_queues.FairQueueConfig:
    """One queue's settings of the Fair Scheduler; its faults are the reader's."""
    may_preempt = fair.read("allowPreemptionFrom", truth)
    return fair_queues.FairQueueConfig(
        weight=fair.read("weight", field_reader.weight),
        minimum=fair.read("minResources", _vector(types)),
        maximum=fair.read("maxResources", amounts.limit(types)),
        child_maximum=fair.read("maxChildResources", amounts.limit(types)),
        maximum_container=fair.read("maxContainerAllocation", _limits(types)),
        policy=fair.read("policy", one_of(fair_queues.FairPolicy)),
        maximum_running_applications=fair.read("maxRunningApplications", count),
        maximum_am_share=fair.read("maxAMShare", _am_share),
        min_share_preemption_timeout_ms=fair.read("minSharePreemptionTimeoutSeconds", milliseconds),
        fair_share_preemption_timeout_ms=fair.read(
            "fairSharePreemptionTimeoutSeconds", milliseconds
        ),
        fair_share_preemption_threshold=fair.read("fairSharePreemptionThreshold", fraction),
        allow_preemption_from=may_preempt is not False,
        parent=fair.read("type", one_of(FairQueueType)) is FairQueueType.PARENT,
    )


def fair_cluster(
    fair: FieldReader, preemption: queues.PreemptionConfig, types: ResourceTypes
) -> fair_queues.FairClusterConfig:
    """The whole cluster's settings of the Fair Scheduler; its faults are the reader's."""
    unlimited = fair_queues.UNLIMITED_APPLICATIONS
    per_user = fair.read("maxRunningApplicationsPerUser", count)
    return fair_queues.FairClusterConfig(
        defaults=_defaults(fair.inside("defaults") or FieldReader({}, ""), types),
        user_maximum_default=unlimited if per_user is None else per_user,
        user_maximum=fair.read("maxRunningApplicationsOf", _counts) or (),
        rules=tuple(_rule(entry) for entry in fair.each("placementRules")),
        allow_undeclared=fair.read("allowUndeclaredQueues", truth) is not False,
        user_as_default=fair.read("userAsDefaultQueue", truth) is not False,
        size_based_weight=bool(fair.read("sizeBasedWeight", truth)),
        offers=_offers(fair),
        preemption=_preemption(fair, preemption),
    )


def _preemption(
    fair: FieldReader, preemption: queues.PreemptionConfig
) -> fair_queues.FairPreemption:
    settings = {
        "utilization_threshold": fair.read("preemptionUtilizationThreshold", fraction),
        "masters": fair.read("preemptMasters", truth),
        "masters_of": fair.read("preemptMastersOf", _truths),
        "wait_before_next_check_ms": fair.read(
            "waitBeforeNextStarvationCheckSeconds", milliseconds
        ),
    }
    standard = fair_queues.FairPreemption(
        enabled=preemption.enabled, wait_before_kill_ms=preemption.maximum_wait_before_kill_ms
    )
    return with_set(standard, settings)


def _offers(fair: FieldReader) -> fair_queues.FairOffers:
    settings = {
        "multiple": fair.read("assignMultiple", truth),
        "dynamic_maximum": fair.read("dynamicMaximumAssign", truth),
        "maximum": fair.read("maximumAssign", count),
        "node_locality_threshold": fair.read("nodeLocalityThreshold", fraction),
        "rack_locality_threshold": fair.read("rackLocalityThreshold", fraction),
        "reservable_nodes": fair.read("reservableNodes", fraction),
        "reservation_multiple": fair.read("reservationThresholdIncrements", count),
    }
    return with_set(fair_queues.FairOffers(), settings)


def _defaults(defaults: FieldReader, types: ResourceTypes) -> fair_queues.FairQueueDefaults:
    settings = {
        "policy": defaults.read("policy", one_of(fair_queues.FairPolicy)),
        "maximum": defaults.read("maxResources", amounts.limit(types)),
        "maximum_running_applications": defaults.read("maxRunningApplications", count),
        "maximum_am_share": defaults.read("maxAMShare", _am_share),
    }
    return with_set(fair_queues.FairQueueDefaults(), settings)


def _rule(entry: FieldReader) -> fair_queues.FairRule:
    above = entry.inside("parent")
    kind = entry.read("policy", one_of(fair_queues.FairRuleKind))
    return fair_queues.FairRule(
        kind=kind or fair_queues.FairRuleKind.SPECIFIED,
        create=entry.read("create", truth) is not False,
        queue=entry.read("queue", field_reader.text) or "",
        parent=None if above is None else _rule(above),
    )


def _counts(value: object, field: str) -> tuple[tuple[str, int], ...]:
    counts = field_reader.mapping(value, field)
    return tuple((user, count(counts[user], f"{field}.{user}")) for user in sorted(counts))


def _truths(value: object, field: str) -> tuple[tuple[str, bool], ...]:
    truths = field_reader.mapping(value, field)
    return tuple((queue, truth(truths[queue], f"{field}.{queue}")) for queue in sorted(truths))


def _vector(types: ResourceTypes) -> Callable[[object, str], Vector]:
    return lambda value, field: amounts.vector(field_reader.mapping(value, field), field, types)


def _limits(types: ResourceTypes) -> Callable[[object, str], tuple[int | None, ...]]:
    def parse(value: object, field: str) -> tuple[int | None, ...]:
        limits = amounts.places(types)(value, field)
        return tuple(limits.get(place) for place in range(len(types.names)))

    return parse


def _am_share(value: object, field: str) -> float:
    return -1.0 if value == "-1" else fraction(value, field)
