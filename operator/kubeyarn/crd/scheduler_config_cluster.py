"""The `cluster` part of the root YarnQueue as the scheduler's cluster-wide settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubeyarn.crd import (
    amounts,
    defaults,
    field_reader,
    quantities,
)
from kubeyarn.crd.field_reader import (
    FieldFault,
    FieldReader,
    count,
    fraction,
    milliseconds,
    one_of,
    otherwise,
    text,
    truth,
    with_set,
)
from kubeyarn.crd.fields import camel
from kubeyarn.crd.scheduler_config_fair import fair_cluster
from kubeyarn.model import fair_queues, queues
from kubeyarn.model.resources import ResourceTypes, Vector

_NO_CALCULATOR = "Default"
_BY_ROLE = "ByRole"
_ROOT = "root"


@dataclass(frozen=True, slots=True)
class ClusterRead:
    """The configuration that was read, and what of it was wrong."""

    config: queues.SchedulerConfig
    faults: tuple[FieldFault, ...]


def read_cluster(
    root: FieldReader, types: ResourceTypes, tree: tuple[queues.QueueConfig, ...]
) -> ClusterRead:
    """The cluster's settings by root's spec, with *tree* as the queues."""
    cluster = root.inside("cluster") or FieldReader({}, "spec.cluster", root.faults)
    kind = cluster.read("scheduler", one_of(queues.SchedulerKind)) or queues.SchedulerKind.CAPACITY
    preempting = cluster.inside("preemption")
    preemption = _preemption(preempting)
    lazy = preempting is not None and preempting.read("lazy", truth)
    most_per_queue = cluster.read("maximumApplicationsPerQueue", count)
    by_role = cluster.read("queueAccess", text) == _BY_ROLE
    config = queues.SchedulerConfig(
        spelling=_spelling,
        queues=_closed(tree) if by_role else tree,
        opportunistic=bool(cluster.read("opportunisticContainers", truth)),
        check_access=by_role,
        administrators=queues.Access(everyone=not by_role),
        user_groups=cluster.read("userGroups", _groups) or {},
        kind=kind,
        minimum_allocation=_allocation(
            cluster, "minimumAllocation", types, defaults.MINIMUM_ALLOCATION, 0
        ),
        increment_allocation=_allocation(
            cluster, "incrementAllocation", types, defaults.INCREMENT_ALLOCATION, 1
        ),
        maximum_allocation=_allocation(
            cluster, "maximumAllocation", types, defaults.MAXIMUM_ALLOCATION, quantities.LARGEST
        ),
        dominant=cluster.read("resourceCalculator", text) != _NO_CALCULATOR,
        # Hadoop with its default calculator looks at memory alone and lets a node be overcommitted.
        # A kubelet refuses a pod that has no room in any one resource.
        fit_every_resource=True,
        # Memory is counted in bytes here and in MiB in Hadoop, whose rules that say "one" mean one
        # MiB.
        memory_per_mib=2**20,
        corrections=cluster.read("corrections", truth) is not False,
        legacy_queue_mode=cluster.read("legacyQueueMode", truth) is not False,
        partitions=tuple(_partition(entry) for entry in cluster.each("partitions")),
        maximum_application_priority=_priority(cluster),
        maximum_applications=otherwise(cluster.read("maximumApplications", count), 10_000),
        maximum_applications_per_queue=otherwise(most_per_queue, -1),
        maximum_am_share=otherwise(cluster.read("maximumAMShare", fraction), 0.1),
        user_limit_factor=otherwise(cluster.read("userLimitFactor", field_reader.factor), 1.0),
        minimum_user_limit_percent=otherwise(
            cluster.read("minimumUserLimitPercent", field_reader.user_limit_percent), 100.0
        ),
        maximum_parallel_applications=cluster.read("maximumParallelApplications", count),
        user_maximum_parallel_applications=cluster.read(
            "maximumParallelApplicationsPerUser", count
        ),
        maximum_parallel_applications_of=cluster.read("maximumParallelApplicationsOf", _counts)
        or {},
        am_default_partition=cluster.read("masterPartition", text) or None,
        am_in_shared_partitions=bool(cluster.read("mastersInSharedPartitions", truth)),
        placement_override=bool(cluster.read("placementRulesOverride", truth)),
        offers=_offers(cluster.inside("offers")),
        lazy_preemption=bool(lazy),
        placement_rules=tuple(_rule(entry) for entry in cluster.each("placementRules")),
        # To keep nodes in order costs each grant a little, so it is done only if a queue wants it.
        choose_nodes=any(_packs(queue) for queue in tree),
        preemption=preemption,
        queue_expiry_seconds=_expiry(root),
        fair=_fair(cluster, preemption, types) if kind is queues.SchedulerKind.FAIR else None,
        types=types,
    )
    _check_order(cluster, config, types)
    return ClusterRead(config, tuple(root.faults))


def _packs(queue: queues.QueueConfig) -> bool:
    """Whether a queue, or an auto-created one below it, wants the fullest node."""
    made = queue.auto_create
    configs = [queue]
    if made is not None:
        templates = (made.template, made.leaf_template, made.parent_template)
        configs += [template for template in templates if template is not None]
    return any(one.node_ordering is queues.NodeOrdering.PACK for one in configs)


def _allocation(
    cluster: FieldReader, name: str, types: ResourceTypes, standard: Mapping[str, str], others: int
) -> Vector:
    """An allocation; *standard* where memory or cpu is not set, *others* for further resources."""

    def parse(value: object, field: str) -> Vector:
        settings: dict[str, Any] = {**standard, **field_reader.mapping(value, field)}
        whole = amounts.positive_vector(settings, field, types)
        return tuple(
            amount if name in settings else others
            for name, amount in zip(types.names, whole, strict=True)
        )

    return cluster.read(name, parse) or parse({}, f"{cluster.at}.{name}")


def _check_order(
    cluster: FieldReader, config: queues.SchedulerConfig, types: ResourceTypes
) -> None:
    smallest, largest = config.minimum_allocation, config.maximum_allocation
    for name, low, high in zip(types.names, smallest, largest, strict=True):
        if low > high:
            place = f"{cluster.at}.minimumAllocation.{name}"
            message = (
                f"{place}: found {quantities.show(name, low)}, allowed: at most "
                f"maximumAllocation.{name}, {quantities.show(name, high)}"
            )
            cluster.faults.append(FieldFault(place, message))


# Access is inherited, and no YarnQueue says any, so closing root closes all of them. Who may use a
# queue is asked of the API server, for each application.
def _closed(tree: tuple[queues.QueueConfig, ...]) -> tuple[queues.QueueConfig, ...]:
    """Queues that let nobody in by themselves: what is allowed is each application's to know."""
    nobody = queues.Access()
    return tuple(
        replace(queue, submit=nobody, administer=nobody) if queue.path == _ROOT else queue
        for queue in tree
    )


def _groups(value: object, place: str) -> Mapping[str, tuple[str, ...]]:
    groups = field_reader.mapping(value, place)
    return {user: tuple(field_reader.texts(groups[user], f"{place}.{user}")) for user in groups}


def _counts(value: object, place: str) -> Mapping[str, int]:
    counts = field_reader.mapping(value, place)
    return {user: count(counts[user], f"{place}.{user}") for user in counts}


def _partition(entry: FieldReader) -> queues.Partition:
    exclusive = entry.read("exclusive", truth)
    return queues.Partition(entry.read("name", text) or "", exclusive is not False)


def _priority(cluster: FieldReader) -> int:
    highest = cluster.read("maximumApplicationPriority", count)
    return otherwise(highest, defaults.MAXIMUM_APPLICATION_PRIORITY)


def _rule(entry: FieldReader) -> queues.PlacementRule:
    fallback = entry.read("fallbackResult", one_of(queues.PlacementFallback))
    return queues.PlacementRule(
        kind=entry.read("type", one_of(queues.MatcherKind)) or queues.MatcherKind.USER,
        matches=entry.read("matches", text) or "*",
        policy=entry.read("policy", text) or "specified",
        parent_queue=entry.read("parentQueue", text) or "",
        fallback=fallback or queues.PlacementFallback.SKIP,
        create=entry.read("create", truth) is not False,
        value=entry.read("value", text) or "",
        custom_placement=entry.read("customPlacement", text) or "",
    )


def _expiry(root: FieldReader) -> int:
    """Hadoop has one expiry time for all auto-created queues: here that of root."""
    auto_create = root.inside("autoCreate")
    # `queue_config` reads the same field of every queue: there 0 says that queues below it stay.
    seconds = None if auto_create is None else auto_create.read("expirySeconds", count)
    return 300 if seconds is None else seconds


def _fair(
    cluster: FieldReader, preemption: queues.PreemptionConfig, types: ResourceTypes
) -> fair_queues.FairClusterConfig:
    return fair_cluster(cluster.inside("fair") or FieldReader({}, ""), preemption, types)


_OF_CLUSTER = frozenset({"legacy_queue_mode", "maximum_allocation", "placement_rules"})
"""Settings that root has for the whole cluster."""


def _spelling(queue: str, setting: str) -> str:
    """The field of a YarnQueue's spec in which a setting stands."""
    of_cluster = queue == "root" and setting in _OF_CLUSTER
    return f"cluster.{camel(setting)}" if of_cluster else camel(setting)


def _offers(offers: FieldReader | None) -> queues.OfferConfig:
    """Root's settings of node offers, and Hadoop's defaults for what is not set."""
    standard = queues.OfferConfig()
    if offers is None:
        return standard
    settings = {
        "multiple_assignments": offers.read("multipleAssignments", truth),
        "maximum_assignments": offers.read("maximumAssignments", count),
        "maximum_offswitch": offers.read("maximumOffSwitchAssignments", count),
        "node_locality_delay": offers.read("nodeLocalityDelay", count),
        "rack_additional_delay": offers.read("rackLocalityAdditionalDelay", count),
        "rack_full_reset": offers.read("rackLocalityFullReset", truth),
        "continue_look_at_reservations": offers.read("reservationsContinueLook", truth),
        "skip_reserved_nodes": offers.read("skipReservedNodes", truth),
    }
    return with_set(standard, settings)


def _preemption(preemption: FieldReader | None) -> queues.PreemptionConfig:
    """Root's settings of preemption, and Hadoop's defaults for what is not set."""
    standard = queues.PreemptionConfig()
    if preemption is None:
        return standard
    within = preemption.inside("intraQueue") or FieldReader({}, "")
    under = preemption.inside("underutilized") or FieldReader({}, "")
    settings = {
        "enabled": preemption.read("enabled", truth),
        "observe_only": preemption.read("observeOnly", truth),
        "interval_ms": preemption.read("intervalSeconds", milliseconds),
        "maximum_wait_before_kill_ms": preemption.read(
            "maximumWaitBeforeKillSeconds", milliseconds
        ),
        "total_per_round": preemption.read("totalPerRound", fraction),
        "maximum_ignored_over_capacity": preemption.read("maximumIgnoredOverCapacity", fraction),
        "natural_termination": preemption.read("naturalTermination", fraction),
        "conservative_drf": preemption.read("conservativeDrf", truth),
        "select_on_reserved": preemption.read("forReservedContainers", truth),
        "additional_balance_on_reserved": preemption.read("balanceReservedContainers", truth),
        "balance_after_satisfied": preemption.read("balanceAfterSatisfied", truth),
        "balance_wait_before_kill_ms": preemption.read(
            "balanceMaximumWaitBeforeKillSeconds", milliseconds
        ),
        "intra_queue": within.read("enabled", truth),
        "intra_queue_order": within.read("order", one_of(queues.IntraQueueOrder)),
        "intra_queue_minimum_threshold": within.read("minimumThreshold", fraction),
        "intra_queue_maximum_allowable": within.read("maximumAllowable", fraction),
        "intra_queue_conservative_drf": within.read("conservativeDrf", truth),
        "underutilized": under.read("enabled", truth),
        "underutilized_delay_ms": under.read("delaySeconds", milliseconds),
        "underutilized_move_reservation": under.read("moveReservation", truth),
    }
    return with_set(standard, settings)
