"""Root's `cluster`: what Hadoop's files say of the whole cluster."""

from __future__ import annotations

from typing import Any

from kubeyarn.convert.converted import SpecWriter
from kubeyarn.convert.quantities import (
    factor,
    nearest_percentage,
    percentage,
    quantities,
    seconds,
    user_limit_percent,
)
from kubeyarn.convert.queue_names import QueueNames
from kubeyarn.crd.fields import camel
from kubeyarn.model.queues import (
    IntraQueueOrder,
    OfferConfig,
    PlacementFallback,
    PlacementRule,
    PreemptionConfig,
    SchedulerConfig,
    SchedulerKind,
)
from kubeyarn.schedulers.java_numbers import single

_UNLIMITED = 2**62
_PREFIX = "yarn.scheduler.capacity."
_BEAT = f"{_PREFIX}per-node-heartbeat."
_PREEMPTION = "yarn.resourcemanager.monitor.capacity.preemption."
_UNDERUTILIZED = f"{_PREFIX}ordering-policy.priority-utilization.underutilized-preemption."


def say_cluster(config: SchedulerConfig, names: QueueNames, writer: SpecWriter) -> None:
    """Say the settings that both schedulers have, those of the Capacity Scheduler included."""
    say_allocations(config, writer)
    writer.say(
        "cluster.resourceCalculator",
        "Dominant" if config.dominant else "Default",
        f"{_PREFIX}resource-calculator",
    )
    if not config.legacy_queue_mode:
        writer.say("cluster.legacyQueueMode", False, f"{_PREFIX}legacy-queue-mode.enabled")
    if config.kind is SchedulerKind.CAPACITY and not config.corrections:
        # Who comes from Hadoop finds what its files decide; the corrections are one word away.
        writer.say("cluster.corrections", False, "kubeyarn.corrections")
    writer.say(
        "cluster.partitions",
        [{"name": p.name, "exclusive": p.exclusive} for p in config.partitions] or None,
        "yarn rmadmin -addToClusterNodeLabels",
    )
    _say_applications(config, writer)
    _say_masters(config, writer)
    _say_placement(config, names, writer)
    _say_offers(config.offers, writer)
    _say_preemption(config, writer)


def say_allocations(config: SchedulerConfig, writer: SpecWriter) -> None:
    """Say the smallest and the largest container."""
    for field, vector in (
        ("minimum_allocation", config.minimum_allocation),
        ("increment_allocation", config.increment_allocation),
        ("maximum_allocation", config.maximum_allocation),
    ):
        bounded = [x if x < _UNLIMITED else 0 for x in vector or ()]
        amounts = quantities(zip(config.types.names, bounded, strict=False))
        at = f"cluster.{camel(field)}"
        writer.say(at, amounts, f"yarn.scheduler.{field.replace('_', '-')}")
        for name, amount in zip(config.types.names, vector or (), strict=False):
            if amount <= 0 and name in ("memory", "cpu"):
                writer.note(at, f"found 0 {name}; allowed: above 0, and YarnQueue's default holds")


def _say_applications(config: SchedulerConfig, writer: SpecWriter) -> None:
    standard = SchedulerConfig((), (), ())
    priority = config.maximum_application_priority
    name = "yarn.cluster.max-application-priority"
    writer.say("cluster.maximumApplicationPriority", priority, name)
    if config.maximum_applications != standard.maximum_applications:
        name = f"{_PREFIX}maximum-applications"
        writer.say("cluster.maximumApplications", config.maximum_applications, name)
    if config.maximum_applications_per_queue > 0:
        name = f"{_PREFIX}global-queue-max-application"
        most = config.maximum_applications_per_queue
        writer.say("cluster.maximumApplicationsPerQueue", most, name)
    _say_defaults(config, standard, writer)
    writer.say(
        "cluster.maximumParallelApplicationsPerUser",
        config.user_maximum_parallel_applications,
        f"{_PREFIX}user.max-parallel-apps",
    )
    of_users = dict(config.maximum_parallel_applications_of)
    name = f"{_PREFIX}user.NAME.max-parallel-apps"
    writer.say("cluster.maximumParallelApplicationsOf", of_users, name)


def _say_defaults(config: SchedulerConfig, standard: SchedulerConfig, writer: SpecWriter) -> None:
    """Say what holds for queues that do not say it themselves."""
    for setting, field, suffix, write in (
        ("maximum_am_share", "maximumAMShare", "maximum-am-resource-percent", percentage),
        ("user_limit_factor", "userLimitFactor", "user-limit-factor", factor),
        (
            "minimum_user_limit_percent",
            "minimumUserLimitPercent",
            "minimum-user-limit-percent",
            user_limit_percent,
        ),
        ("maximum_parallel_applications", "maximumParallelApplications", "max-parallel-apps", int),
    ):
        value = getattr(config, setting)
        # 0.1 is a little more as a 32-bit float.
        if value is not None and (
            not isinstance(value, float) or single(value) != single(getattr(standard, setting))
        ):
            writer.say(f"cluster.{field}", write(value), _PREFIX + suffix)


def _say_masters(config: SchedulerConfig, writer: SpecWriter) -> None:
    start = "yarn.resourcemanager.node-labels.am."
    label = f"{start}default-node-label-expression"
    writer.say("cluster.masterPartition", config.am_default_partition, label)
    if config.am_in_shared_partitions:
        name = f"{start}allow-non-exclusive-allocation"
        writer.say("cluster.mastersInSharedPartitions", True, name)


def _say_placement(config: SchedulerConfig, names: QueueNames, writer: SpecWriter) -> None:
    rules = [_rule(rule, names) for rule in config.placement_rules]
    writer.say("cluster.placementRules", rules or None, f"{_PREFIX}mapping-rule-json")
    if config.placement_override:
        name = f"{_PREFIX}queue-mappings-override.enable"
        writer.say("cluster.placementRulesOverride", True, name)


def _rule(rule: PlacementRule, names: QueueNames) -> dict[str, Any]:
    said: dict[str, Any] = {"type": rule.kind.value, "matches": rule.matches, "policy": rule.policy}
    if rule.parent_queue:
        said["parentQueue"] = names.of(rule.parent_queue)
    if rule.fallback is not PlacementFallback.SKIP:
        said["fallbackResult"] = rule.fallback.value
    if not rule.create:
        said["create"] = False
    if rule.value:
        said["value"] = names.of(rule.value)
    if rule.custom_placement:
        said["customPlacement"] = rule.custom_placement
    return said


# Each row: the setting's name in `model.queues`, the field, Hadoop's property.
_OFFERS = (
    ("multiple_assignments", "multipleAssignments", f"{_BEAT}multiple-assignments-enabled"),
    ("maximum_assignments", "maximumAssignments", f"{_BEAT}maximum-container-assignments"),
    ("maximum_offswitch", "maximumOffSwitchAssignments", f"{_BEAT}maximum-offswitch-assignments"),
    ("node_locality_delay", "nodeLocalityDelay", f"{_PREFIX}node-locality-delay"),
    (
        "rack_additional_delay",
        "rackLocalityAdditionalDelay",
        f"{_PREFIX}rack-locality-additional-delay",
    ),
    ("rack_full_reset", "rackLocalityFullReset", f"{_PREFIX}rack-locality-full-reset"),
    (
        "continue_look_at_reservations",
        "reservationsContinueLook",
        f"{_PREFIX}reservations-continue-look-all-nodes",
    ),
    (
        "skip_reserved_nodes",
        "skipReservedNodes",
        f"{_PREFIX}skip-allocate-on-nodes-with-reserved-containers",
    ),
)


def _say_offers(offers: OfferConfig, writer: SpecWriter) -> None:
    standard = OfferConfig()
    for setting, field, source in _OFFERS:
        value = getattr(offers, setting)
        if value == getattr(standard, setting):
            continue
        if value < 0:
            writer.note(source, f"found {value}; allowed: 0 or more, and the default holds")
            continue
        writer.say(f"cluster.offers.{field}", value, source)


_BALANCE = "preemption-to-balance-queue-after-satisfied."
_WITHIN = "intra-queue-preemption."
_PREEMPTION_FIELDS = (
    ("enabled", "enabled", "yarn.resourcemanager.scheduler.monitor.enable"),
    ("observe_only", "observeOnly", f"{_PREEMPTION}observe_only"),
    ("interval_ms", "intervalSeconds", f"{_PREEMPTION}monitoring_interval"),
    (
        "maximum_wait_before_kill_ms",
        "maximumWaitBeforeKillSeconds",
        f"{_PREEMPTION}max_wait_before_kill",
    ),
    ("total_per_round", "totalPerRound", f"{_PREEMPTION}total_preemption_per_round"),
    (
        "maximum_ignored_over_capacity",
        "maximumIgnoredOverCapacity",
        f"{_PREEMPTION}max_ignored_over_capacity",
    ),
    ("natural_termination", "naturalTermination", f"{_PREEMPTION}natural_termination_factor"),
    (
        "select_on_reserved",
        "forReservedContainers",
        f"{_PREEMPTION}select_based_on_reserved_containers",
    ),
    ("conservative_drf", "conservativeDrf", f"{_PREEMPTION}conservative-drf"),
    ("balance_after_satisfied", "balanceAfterSatisfied", f"{_PREEMPTION}{_BALANCE}enabled"),
    (
        "balance_wait_before_kill_ms",
        "balanceMaximumWaitBeforeKillSeconds",
        f"{_PREEMPTION}{_BALANCE}max-wait-before-kill",
    ),
    (
        "additional_balance_on_reserved",
        "balanceReservedContainers",
        f"{_PREEMPTION}additional_res_balance_based_on_reserved_containers",
    ),
    ("intra_queue", "intraQueue.enabled", f"{_PREEMPTION}{_WITHIN}enabled"),
    (
        "intra_queue_minimum_threshold",
        "intraQueue.minimumThreshold",
        f"{_PREEMPTION}{_WITHIN}minimum-threshold",
    ),
    (
        "intra_queue_maximum_allowable",
        "intraQueue.maximumAllowable",
        f"{_PREEMPTION}{_WITHIN}max-allowable-limit",
    ),
    ("intra_queue_order", "intraQueue.order", f"{_PREEMPTION}{_WITHIN}preemption-order-policy"),
    (
        "intra_queue_conservative_drf",
        "intraQueue.conservativeDrf",
        f"{_PREEMPTION}{_WITHIN}conservative-drf",
    ),
    ("underutilized", "underutilized.enabled", f"{_UNDERUTILIZED}enabled"),
    (
        "underutilized_delay_ms",
        "underutilized.delaySeconds",
        f"{_UNDERUTILIZED}reserved-container-delay-ms",
    ),
    (
        "underutilized_move_reservation",
        "underutilized.moveReservation",
        f"{_UNDERUTILIZED}allow-move-reservation",
    ),
)


def _say_preemption(config: SchedulerConfig, writer: SpecWriter) -> None:
    standard = PreemptionConfig()
    if config.lazy_preemption:
        writer.say("cluster.preemption.lazy", True, f"{_PREFIX}lazy-preemption-enabled")
    for setting, field, source in _PREEMPTION_FIELDS:
        value = getattr(config.preemption, setting)
        if value == getattr(standard, setting):
            continue
        if setting.endswith("_ms"):
            if value % 1000:
                writer.note(source, f"found {value} ms; whole seconds are said, rounded up")
            value = seconds(value)
        elif isinstance(value, float):
            if not 0 <= value <= 1:
                writer.note(source, f"found {value}; allowed: 0 to 1, and the nearest is said")
            value = nearest_percentage(value)
        elif isinstance(value, IntraQueueOrder):
            value = value.value
        writer.say(f"cluster.preemption.{field}", value, source)
