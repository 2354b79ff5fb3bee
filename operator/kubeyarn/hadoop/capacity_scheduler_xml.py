"""Cluster-wide settings of capacity-scheduler.xml and yarn-site.xml."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kubeyarn.hadoop.access import read_access
from kubeyarn.hadoop.capacity_queues_xml import (
    PREFIX,
    read_branch_templates,
    read_node_ordering,
    read_queues,
    read_undeclared,
)
from kubeyarn.hadoop.mapping_rules import read_rules
from kubeyarn.hadoop.properties import Properties, refuse
from kubeyarn.model.queues import (
    Access,
    IntraQueueOrder,
    OfferConfig,
    Partition,
    PreemptionConfig,
    SchedulerConfig,
    SchedulerKind,
)
from kubeyarn.model.resources import ResourceTypes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubeyarn.model.resources import Vector

Number = TypeVar("Number", int, float)

_CALCULATORS = "org.apache.hadoop.yarn.util.resource."
_PREEMPTION = "yarn.resourcemanager.monitor.capacity.preemption."
_INTRA = _PREEMPTION + "intra-queue-preemption."
_UNDERUTILIZED = PREFIX + "ordering-policy.priority-utilization.underutilized-preemption."
_HEARTBEAT = PREFIX + "per-node-heartbeat."
_STATE = ".state"
_SORTING_CLASS = "multi-node-sorting.policy.default.class"
_DEPTH = "auto-queue-creation-v2.maximum-queue-depth"
_MOST = 2**63 - 1
DEFAULT_MAXIMUM_MIB = 8192
DEFAULT_MAXIMUM_VCORES = 4


def resource_types(properties: Properties) -> ResourceTypes:
    """Memory, CPU and what `yarn.resource-types` adds."""
    added = sorted(
        name
        for name in set(properties.strings("yarn.resource-types"))
        if name not in ("memory-mb", "vcores")
    )
    return ResourceTypes(("memory", "cpu", *added))


def read_capacity_scheduler(
    values: Mapping[str, str], partitions: Sequence[Partition] = ()
) -> tuple[SchedulerConfig, ResourceTypes]:
    """The configuration that Hadoop properties describe; memory in MiB, CPU in vcores.

    Raises:
        ConfigRefused: a value cannot be read or contradicts another.
    """
    properties = Properties(values)
    types = resource_types(properties)
    _check_unused(properties)
    minimum, maximum = _allocations(properties, types)
    queues = read_queues(properties, types)
    config = SchedulerConfig(
        types=types,
        queues=queues,
        branch_templates=read_branch_templates(properties, types, queues),
        undeclared=read_undeclared(properties, types, queues),
        minimum_allocation=minimum,
        maximum_allocation=maximum,
        kind=SchedulerKind.CAPACITY,
        dominant=_dominant(properties),
        legacy_queue_mode=properties.flag(PREFIX + "legacy-queue-mode.enabled") is not False,
        partitions=tuple(partitions),
        am_default_partition=properties.trimmed(
            "yarn.resourcemanager.node-labels.am.default-node-label-expression"
        ),
        am_in_shared_partitions=bool(
            properties.flag("yarn.resourcemanager.node-labels.am.allow-non-exclusive-allocation")
        ),
        maximum_application_priority=_or(
            properties.integer("yarn.cluster.max-application-priority"), 0
        ),
        maximum_applications=_or(properties.integer(PREFIX + "maximum-applications"), 10000),
        maximum_applications_per_queue=_or(
            properties.integer(PREFIX + "global-queue-max-application"), -1
        ),
        maximum_am_share=_or(properties.number(PREFIX + "maximum-am-resource-percent"), 0.1),
        user_limit_factor=_or(properties.number(PREFIX + "user-limit-factor"), 1.0),
        minimum_user_limit_percent=_or(
            properties.number(PREFIX + "minimum-user-limit-percent"), 100.0
        ),
        maximum_parallel_applications=properties.integer(PREFIX + "max-parallel-apps"),
        user_maximum_parallel_applications=properties.integer(PREFIX + "user.max-parallel-apps"),
        maximum_parallel_applications_of=_parallel_of_users(properties),
        check_access=bool(properties.flag("yarn.acl.enable")),
        administrators=_administrators(properties),
        placement_rules=read_rules(properties),
        placement_override=bool(properties.flag(PREFIX + "queue-mappings-override.enable")),
        queue_expiry_seconds=_or(
            properties.integer(PREFIX + "auto-queue-creation-v2.queue-expiration-time"), 300
        ),
        offers=_offers(properties),
        choose_nodes=bool(properties.flag(PREFIX + "multi-node-placement-enabled")),
        lazy_preemption=bool(properties.flag(PREFIX + "lazy-preemption-enabled")),
        preemption=_preemption(properties),
        removable=_stopped(properties) - {queue.path for queue in queues},
    )
    return config, types


def _check_unused(properties: Properties) -> None:
    """Refuse what Hadoop reads at its start and cannot, though nothing here goes by it."""
    name = "yarn.resourcemanager.am.max-attempts"
    if _or(properties.integer(name), 2) <= 0:
        refuse(name, f"found {properties.text(name)}, expected at least 1")
    for depth in (f"{PREFIX}root.{_DEPTH}", f"{PREFIX}{_DEPTH}"):
        properties.integer(depth)
    for policy in properties.strings(PREFIX + "multi-node-sorting.policy.names"):
        # The one of this name is defined unless it is said otherwise.
        if policy != "default" or properties.text(PREFIX + _SORTING_CLASS) is not None:
            read_node_ordering(policy, properties)


def _or(said: Number | None, otherwise: Number) -> Number:
    return otherwise if said is None else said


def _allocations(properties: Properties, types: ResourceTypes) -> tuple[Vector, Vector]:
    """Minimum and maximum allocation (Hadoop: AbstractYarnScheduler.validateConf)."""
    minimum, maximum = [0] * len(types.names), [_MOST] * len(types.names)
    for place, kind, least, most in (
        (0, "mb", 1024, DEFAULT_MAXIMUM_MIB),
        (1, "vcores", 1, DEFAULT_MAXIMUM_VCORES),
    ):
        low, high = f"yarn.scheduler.minimum-allocation-{kind}", "maximum"
        high = low.replace("minimum", high)
        minimum[place] = int(_or(properties.integer(low), least))
        maximum[place] = int(_or(properties.integer(high), most))
        if minimum[place] < 0 or minimum[place] > maximum[place]:
            refuse(
                low,
                f"found {minimum[place]}, must be at least 0 and at most {high}, "
                f"which is {maximum[place]}",
            )
    for place, name in enumerate(types.names[2:], start=2):
        start = f"yarn.resource-types.{name}."
        minimum[place] = int(_or(properties.long(start + "minimum-allocation"), 0))
        maximum[place] = int(_or(properties.long(start + "maximum-allocation"), _MOST))
    return tuple(minimum), tuple(maximum)


def _dominant(properties: Properties) -> bool:
    name = PREFIX + "resource-calculator"
    said = properties.text(name)
    if said is None:
        return False
    known = {
        _CALCULATORS + "DefaultResourceCalculator": False,
        _CALCULATORS + "DominantResourceCalculator": True,
    }
    if said.strip() not in known:
        refuse(name, f"found {said!r}, expected one of {sorted(known)}")
    return known[said.strip()]


def _parallel_of_users(properties: Properties) -> dict[str, int]:
    start, end = PREFIX + "user.", ".max-parallel-apps"
    found: dict[str, int] = {}
    for name in properties.names(start):
        number = properties.integer(name) if name.endswith(end) else None
        if number is not None and len(name) > len(start) + len(end):
            found[name[len(start) : -len(end)]] = number
    return found


def _stopped(properties: Properties) -> frozenset[str]:
    """Paths that are said to be stopped, whether or not such queues are declared."""
    return frozenset(
        name[len(PREFIX) : -len(_STATE)]
        for name in properties.names(PREFIX + "root.")
        if name.endswith(_STATE) and (properties.trimmed(name) or "").upper() == "STOPPED"
    )


def _administrators(properties: Properties) -> Access:
    said = properties.text("yarn.admin.acl")
    return read_access("*" if said is None else said)


def _offers(properties: Properties) -> OfferConfig:
    said = properties.flag(_HEARTBEAT + "multiple-assignments-enabled")
    offswitch = int(_or(properties.integer(_HEARTBEAT + "maximum-offswitch-assignments"), 1))
    return OfferConfig(
        multiple_assignments=said is not False,
        maximum_assignments=int(
            _or(properties.integer(_HEARTBEAT + "maximum-container-assignments"), 100)
        ),
        maximum_offswitch=max(1, offswitch),
        node_locality_delay=int(_or(properties.integer(PREFIX + "node-locality-delay"), 40)),
        rack_additional_delay=int(
            _or(properties.integer(PREFIX + "rack-locality-additional-delay"), -1)
        ),
        rack_full_reset=properties.flag(PREFIX + "rack-locality-full-reset") is not False,
        continue_look_at_reservations=properties.flag(
            PREFIX + "reservations-continue-look-all-nodes"
        )
        is not False,
        skip_reserved_nodes=bool(
            properties.flag(PREFIX + "skip-allocate-on-nodes-with-reserved-containers")
        ),
    )


def _preemption(properties: Properties) -> PreemptionConfig:
    base = PreemptionConfig()
    order = properties.trimmed(_INTRA + "preemption-order-policy") or "userlimit_first"
    orders = {
        "userlimit_first": IntraQueueOrder.USER_LIMIT_FIRST,
        "priority_first": IntraQueueOrder.PRIORITY_FIRST,
    }
    p, at = properties, _PREEMPTION
    balance = at + "preemption-to-balance-queue-after-satisfied."
    return PreemptionConfig(
        enabled=_preempts(p),
        observe_only=bool(p.flag(at + "observe_only")),
        interval_ms=int(_or(p.long(at + "monitoring_interval"), base.interval_ms)),
        maximum_wait_before_kill_ms=int(
            _or(p.long(at + "max_wait_before_kill"), base.maximum_wait_before_kill_ms)
        ),
        total_per_round=_or(p.number(at + "total_preemption_per_round"), base.total_per_round),
        maximum_ignored_over_capacity=_or(
            p.number(at + "max_ignored_over_capacity"), base.maximum_ignored_over_capacity
        ),
        natural_termination=_or(
            p.number(at + "natural_termination_factor"), base.natural_termination
        ),
        select_on_reserved=bool(p.flag(at + "select_based_on_reserved_containers")),
        conservative_drf=bool(p.flag(at + "conservative-drf")),
        balance_after_satisfied=bool(p.flag(balance + "enabled")),
        balance_wait_before_kill_ms=int(
            _or(p.long(balance + "max-wait-before-kill"), base.balance_wait_before_kill_ms)
        ),
        additional_balance_on_reserved=bool(
            p.flag(at + "additional_res_balance_based_on_reserved_containers")
        ),
        intra_queue=bool(p.flag(_INTRA + "enabled")),
        intra_queue_minimum_threshold=_or(
            p.number(_INTRA + "minimum-threshold"), base.intra_queue_minimum_threshold
        ),
        intra_queue_maximum_allowable=_or(
            p.number(_INTRA + "max-allowable-limit"), base.intra_queue_maximum_allowable
        ),
        intra_queue_order=orders.get(order.lower(), IntraQueueOrder.USER_LIMIT_FIRST),
        intra_queue_conservative_drf=p.flag(_INTRA + "conservative-drf") is not False,
        underutilized=bool(p.flag(_UNDERUTILIZED + "enabled")),
        underutilized_delay_ms=int(
            _or(p.long(_UNDERUTILIZED + "reserved-container-delay-ms"), 60000)
        ),
        underutilized_move_reservation=bool(p.flag(_UNDERUTILIZED + "allow-move-reservation")),
    )


def _preempts(properties: Properties) -> bool:
    if not properties.flag("yarn.resourcemanager.scheduler.monitor.enable"):
        return False
    policies = properties.strings("yarn.resourcemanager.scheduler.monitor.policies")
    return not policies or any(
        name.endswith("ProportionalCapacityPreemptionPolicy") for name in policies
    )
