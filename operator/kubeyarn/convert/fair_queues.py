"""The Fair Scheduler's queues and its settings of the whole cluster as YarnQueues."""

from __future__ import annotations

from typing import Any

from kubeyarn.convert.cluster_spec import say_allocations
from kubeyarn.convert.converted import Converted, SpecWriter
from kubeyarn.convert.quantities import (
    nearest_percentage,
    number,
    percentage,
    quantities,
    quantity,
    seconds,
)
from kubeyarn.convert.queue_names import QueueNames
from kubeyarn.model.fair_queues import (
    NEVER_MS,
    UNLIMITED_APPLICATIONS,
    FairClusterConfig,
    FairOffers,
    FairPreemption,
    FairQueueConfig,
    FairQueueDefaults,
    FairRule,
    ResourceLimit,
)
from kubeyarn.model.queues import SchedulerConfig

_FAIR = "yarn.scheduler.fair."
_NO_CHECK = "-1"


def fair_queues(config: SchedulerConfig, names: QueueNames) -> Converted:
    """Every queue of an allocation file, root first."""
    result = Converted()
    parents = {queue.parent for queue in config.queues}
    for queue in config.queues:
        writer = SpecWriter(queue.path, result)
        if queue.fair is not None:
            _say_queue(queue.fair, config.types.names, writer)
            if queue.fair.parent and queue.path not in parents:
                writer.say("fair.type", "Parent", "type")
        result.queue(queue.path, names.of(queue.path), writer.spec)
    return result


def say_fair_cluster(config: SchedulerConfig, names: QueueNames, writer: SpecWriter) -> None:
    """Say in root's `cluster` what holds for all queues."""
    fair = config.fair or FairClusterConfig()
    writer.say("cluster.scheduler", "Fair", "yarn.resourcemanager.scheduler.class")
    say_allocations(config, writer)
    _say_defaults(fair.defaults, config.types.names, writer)
    _say_limits(fair, writer)
    rules = [_rule(rule, names) for rule in fair.rules]
    writer.say("cluster.fair.placementRules", rules or None, "queuePlacementPolicy")
    for value, field, name in (
        (fair.allow_undeclared, "allowUndeclaredQueues", "allow-undeclared-pools"),
        (fair.user_as_default, "userAsDefaultQueue", "user-as-default-queue"),
    ):
        if not value:
            writer.say(f"cluster.fair.{field}", False, _FAIR + name)
    if fair.size_based_weight:
        writer.say("cluster.fair.sizeBasedWeight", True, f"{_FAIR}sizebasedweight")
    _say_offers(fair.offers, writer)
    _say_preemption(fair.preemption, names, writer)


def _say_queue(queue: FairQueueConfig, names: tuple[str, ...], writer: SpecWriter) -> None:
    if queue.weight is not None:
        writer.say("fair.weight", number(queue.weight), "weight")
    if queue.minimum is not None:
        amounts = quantities(zip(names, queue.minimum, strict=False))
        writer.say("fair.minResources", amounts, "minResources")
    writer.say("fair.maxResources", _limit(queue.maximum, names), "maxResources")
    writer.say("fair.maxChildResources", _limit(queue.child_maximum, names), "maxChildResources")
    largest = ResourceLimit(queue.maximum_container or ())
    writer.say("fair.maxContainerAllocation", _limit(largest, names), "maxContainerAllocation")
    if queue.policy is not None:
        writer.say("fair.policy", queue.policy.value, "schedulingPolicy")
    writer.say("fair.maxRunningApplications", queue.maximum_running_applications, "maxRunningApps")
    if queue.maximum_am_share is not None:
        writer.say("fair.maxAMShare", _am_share(queue.maximum_am_share), "maxAMShare")
    _say_timeouts(queue, writer)
    if not queue.allow_preemption_from:
        writer.say("fair.allowPreemptionFrom", False, "allowPreemptionFrom")
    if queue.reservable:
        writer.note("reservation", "a YarnQueue has no reservations by calendar")


def _say_timeouts(queue: FairQueueConfig, writer: SpecWriter) -> None:
    for milliseconds, field, source in (
        (
            queue.min_share_preemption_timeout_ms,
            "minSharePreemptionTimeoutSeconds",
            "minSharePreemptionTimeout",
        ),
        (
            queue.fair_share_preemption_timeout_ms,
            "fairSharePreemptionTimeoutSeconds",
            "fairSharePreemptionTimeout",
        ),
    ):
        if milliseconds is not None and milliseconds < NEVER_MS:
            writer.say(f"fair.{field}", max(0, milliseconds // 1000), source)
    threshold = queue.fair_share_preemption_threshold
    if threshold is not None:
        field = "fair.fairSharePreemptionThreshold"
        writer.say(field, percentage(threshold), "fairSharePreemptionThreshold")


def _limit(limit: ResourceLimit | None, names: tuple[str, ...]) -> dict[str, str]:
    """A limit by resource; a resource without one is not said."""
    said: dict[str, str] = {}
    for place, name in enumerate(names if limit is not None else ()):
        assert limit is not None
        fraction = limit.fractions[place] if place < len(limit.fractions) else None
        amount = limit.amounts[place] if place < len(limit.amounts) else None
        if fraction is not None:
            said[name] = percentage(fraction)
        elif amount is not None:
            said[name] = quantity(name, amount)
    return said


def _am_share(share: float) -> str:
    return _NO_CHECK if share < 0 else percentage(share)


def _say_defaults(defaults: FairQueueDefaults, names: tuple[str, ...], writer: SpecWriter) -> None:
    standard, at = FairQueueDefaults(), "cluster.fair.defaults."
    if defaults.policy is not standard.policy:
        writer.say(f"{at}policy", defaults.policy.value, "defaultQueueSchedulingPolicy")
    writer.say(f"{at}maxResources", _limit(defaults.maximum, names), "queueMaxResourcesDefault")
    if defaults.maximum_running_applications != UNLIMITED_APPLICATIONS:
        most = defaults.maximum_running_applications
        writer.say(f"{at}maxRunningApplications", most, "queueMaxAppsDefault")
    if defaults.maximum_am_share != standard.maximum_am_share:
        share = _am_share(defaults.maximum_am_share)
        writer.say(f"{at}maxAMShare", share, "queueMaxAMShareDefault")
    # Root's own timeouts and threshold are the defaults: queues inherit them.
    root = FairQueueConfig(
        min_share_preemption_timeout_ms=defaults.min_share_preemption_timeout_ms,
        fair_share_preemption_timeout_ms=defaults.fair_share_preemption_timeout_ms,
        fair_share_preemption_threshold=(
            defaults.fair_share_preemption_threshold
            if defaults.fair_share_preemption_threshold != standard.fair_share_preemption_threshold
            else None
        ),
    )
    _say_timeouts(root, writer)


def _say_limits(fair: FairClusterConfig, writer: SpecWriter) -> None:
    if fair.user_maximum_default != UNLIMITED_APPLICATIONS:
        field = "cluster.fair.maxRunningApplicationsPerUser"
        writer.say(field, fair.user_maximum_default, "userMaxAppsDefault")
    field = "cluster.fair.maxRunningApplicationsOf"
    writer.say(field, dict(fair.user_maximum), "user.maxRunningApps")


def _rule(rule: FairRule, names: QueueNames) -> dict[str, Any]:
    said: dict[str, Any] = {"policy": rule.kind.value}
    if not rule.create:
        said["create"] = False
    if rule.queue:
        said["queue"] = names.of(rule.queue)
    if rule.parent is not None:
        said["parent"] = _rule(rule.parent, names)
    return said


def _say_offers(offers: FairOffers, writer: SpecWriter) -> None:
    standard, at = FairOffers(), "cluster.fair."
    if offers.multiple:
        writer.say(f"{at}assignMultiple", True, f"{_FAIR}assignmultiple")
    if not offers.dynamic_maximum:
        writer.say(f"{at}dynamicMaximumAssign", False, f"{_FAIR}dynamic.max.assign")
    if offers.maximum > 0:
        writer.say(f"{at}maximumAssign", offers.maximum, f"{_FAIR}max.assign")
    for threshold, field, name in (
        (offers.node_locality_threshold, "nodeLocalityThreshold", "locality.threshold.node"),
        (offers.rack_locality_threshold, "rackLocalityThreshold", "locality.threshold.rack"),
    ):
        if threshold >= 0:
            writer.say(f"{at}{field}", nearest_percentage(threshold), _FAIR + name)
    if offers.reservable_nodes != standard.reservable_nodes:
        share = nearest_percentage(offers.reservable_nodes)
        writer.say(f"{at}reservableNodes", share, f"{_FAIR}reservable-nodes")
    if offers.reservation_multiple != standard.reservation_multiple:
        source = "yarn.scheduler.reservation-threshold.increment-multiple"
        whole = max(0, round(offers.reservation_multiple))
        writer.say(f"{at}reservationThresholdIncrements", whole, source)
        if whole != offers.reservation_multiple:
            writer.note(source, f"found {offers.reservation_multiple}; whole numbers can be said")


def _say_preemption(preemption: FairPreemption, names: QueueNames, writer: SpecWriter) -> None:
    if not preemption.enabled:
        return
    standard, at = FairPreemption(), "cluster.fair."
    writer.say("cluster.preemption.enabled", True, f"{_FAIR}preemption")
    if preemption.wait_before_kill_ms != standard.wait_before_kill_ms:
        field = "cluster.preemption.maximumWaitBeforeKillSeconds"
        wait_s = seconds(preemption.wait_before_kill_ms)
        writer.say(field, wait_s, f"{_FAIR}waitTimeBeforeKill")
    if preemption.utilization_threshold != standard.utilization_threshold:
        share = nearest_percentage(preemption.utilization_threshold)
        source = f"{_FAIR}preemption.cluster-utilization-threshold"
        writer.say(f"{at}preemptionUtilizationThreshold", share, source)
    if not preemption.masters:
        writer.say(f"{at}preemptMasters", False, f"{_FAIR}am.preemption")
    of_queues = {names.of(path): may for path, may in preemption.masters_of}
    writer.say(f"{at}preemptMastersOf", of_queues, f"{_FAIR}am.preemption.QUEUE")
    if preemption.wait_before_next_check_ms != standard.wait_before_next_check_ms:
        wait_s = seconds(preemption.wait_before_next_check_ms)
        source = f"{_FAIR}waitTimeBeforeNextStarvationCheck"
        writer.say(f"{at}waitBeforeNextStarvationCheckSeconds", wait_s, source)
