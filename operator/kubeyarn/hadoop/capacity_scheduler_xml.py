"""The Capacity Scheduler's settings for all queues, from capacity-scheduler.xml and yarn-site.xml.

Hadoop: CapacitySchedulerConfiguration, YarnConfiguration. Each setting has Hadoop's default where
the property is not set; the queues themselves are read by `capacity_queues_xml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.hadoop.capacity_queues_xml import (
    PREFIX,
    read_branch_templates,
    read_node_ordering,
    read_queues,
    read_undeclared,
)
from kubeyarn.hadoop.mapping_rules import read_rules
from kubeyarn.hadoop.properties import Configuration, read_access, refuse, trim
from kubeyarn.hadoop.resource_types import maximum_allocation, minimum_allocation, resource_types
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.queues import (
    Access,
    IntraQueueOrder,
    OfferConfig,
    Partition,
    PreemptionConfig,
    SchedulerConfig,
    SchedulerKind,
)
from kubeyarn.model.resources import MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubeyarn.model.resources import ResourceTypes, Vector

_CALCULATORS = "org.apache.hadoop.yarn.util.resource."
_PREEMPTION = "yarn.resourcemanager.monitor.capacity.preemption."
_PREEMPTION_POLICY = (
    "org.apache.hadoop.yarn.server.resourcemanager.monitor.capacity."
    "ProportionalCapacityPreemptionPolicy"
)
_OF_CAPACITY = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity."
_MONITORS = (
    _PREEMPTION_POLICY,
    _OF_CAPACITY + "AutoCreatedQueueDeletionPolicy",
    _OF_CAPACITY + "QueueConfigurationAutoRefreshPolicy",
    _OF_CAPACITY + "QueueManagementDynamicEditPolicy",
)
_INTRA = _PREEMPTION + "intra-queue-preemption."
_UNDERUTILIZED = PREFIX + "ordering-policy.priority-utilization.underutilized-preemption."
_HEARTBEAT = PREFIX + "per-node-heartbeat."
_STATE = ".state"
_SORTING_CLASS = "multi-node-sorting.policy.default.class"
_ALWAYS = ("memory", "cpu")
# Ours, not Hadoop's: a story is told with what `cluster.corrections` of root changes.
_CORRECTIONS = "kubeyarn.corrections"
_DEPTH = "auto-queue-creation-v2.maximum-queue-depth"


_PROPERTIES = {
    "accessible_partitions": "accessible-node-labels",
    "capacity_by_resource": "capacity",
    "default_partition": "default-node-label-expression",
    "lifetime": "maximum-application-lifetime",
    "maximum_capacity_by_resource": "maximum-capacity",
    "name": "queues",
    "user_weights": "user-settings",
}
_PROPERTIES_OF_CLUSTER = {
    "legacy_queue_mode": PREFIX + "legacy-queue-mode.enabled",
    "maximum_allocation": "yarn.scheduler.maximum-allocation",
    "placement_rules": PREFIX + "mapping-rule-json",
}


def spelling(queue: str, setting: str) -> str:
    """The property in which a setting of `model.queues` is said."""
    if queue == "root" and setting in _PROPERTIES_OF_CLUSTER:
        return _PROPERTIES_OF_CLUSTER[setting]
    return f"{PREFIX}{queue}.{_PROPERTIES.get(setting, setting.replace('_', '-'))}"


def read_capacity_scheduler(
    values: Mapping[str, str], partitions: Sequence[Partition] = ()
) -> tuple[SchedulerConfig, ResourceTypes]:
    """Read capacity-scheduler.xml and yarn-site.xml; memory is MiB, CPU is vcores.

    Args:
        values: The properties of both files, as text by name.
        partitions: The cluster's node labels, which Hadoop keeps outside of its files.

    Raises:
        ConfigRefused: a value cannot be read or contradicts another.
    """
    conf = Configuration(values)
    # First: every amount below is read in the order of the types.
    types = resource_types(conf)
    _check_unused(conf)
    dominant = _dominant(conf)
    minimum, maximum = _allocations(conf, types, dominant=dominant)
    if not dominant and len(types.names) > len(_ALWAYS):
        refuse(
            "yarn.resource-types",
            f"found {', '.join(types.names[len(_ALWAYS) :])}, allowed: none, because the "
            f"DefaultResourceCalculator looks at memory alone; set {PREFIX}resource-calculator to "
            "the DominantResourceCalculator",
        )
    queues = read_queues(conf, types)
    config = SchedulerConfig(
        types=types,
        spelling=spelling,
        queues=queues,
        branch_templates=read_branch_templates(conf, types, queues),
        undeclared=read_undeclared(conf, types, queues),
        minimum_allocation=minimum,
        maximum_allocation=maximum,
        kind=SchedulerKind.CAPACITY,
        dominant=dominant,
        corrections=conf.get_boolean(_CORRECTIONS, False),
        legacy_queue_mode=conf.get_boolean(PREFIX + "legacy-queue-mode.enabled", True),
        partitions=tuple(partitions),
        am_default_partition=conf.get_trimmed(
            "yarn.resourcemanager.node-labels.am.default-node-label-expression"
        ),
        am_in_shared_partitions=conf.get_boolean(
            "yarn.resourcemanager.node-labels.am.allow-non-exclusive-allocation", False
        ),
        maximum_application_priority=conf.get_int("yarn.cluster.max-application-priority", 0),
        maximum_applications=conf.get_int(PREFIX + "maximum-applications", 10000),
        maximum_applications_per_queue=conf.get_int(PREFIX + "global-queue-max-application", -1),
        maximum_am_share=conf.get_float(PREFIX + "maximum-am-resource-percent", 0.1),
        user_limit_factor=conf.get_float(PREFIX + "user-limit-factor", 1.0),
        minimum_user_limit_percent=conf.get_float(PREFIX + "minimum-user-limit-percent", 100.0),
        maximum_parallel_applications=conf.get_int(PREFIX + "max-parallel-apps", None),
        user_maximum_parallel_applications=conf.get_int(PREFIX + "user.max-parallel-apps", None),
        maximum_parallel_applications_of=_max_parallel_apps_of_users(conf),
        check_access=conf.get_boolean("yarn.acl.enable", False),
        administrators=_administrators(conf),
        placement_rules=read_rules(conf),
        placement_override=conf.get_boolean(PREFIX + "queue-mappings-override.enable", False),
        queue_expiry_seconds=conf.get_int(
            PREFIX + "auto-queue-creation-v2.queue-expiration-time", 300
        ),
        offers=_offers(conf),
        choose_nodes=conf.get_boolean(PREFIX + "multi-node-placement-enabled", False),
        lazy_preemption=conf.get_boolean(PREFIX + "lazy-preemption-enabled", False),
        preemption=_preemption(conf),
        removable=_stopped_paths(conf) - {queue.path for queue in queues},
    )
    return config, types


def _check_unused(conf: Configuration) -> None:
    """Refuse unreadable values of properties that only Hadoop uses: it would not start."""
    name = "yarn.resourcemanager.am.max-attempts"
    if conf.get_int(name, 2) <= 0:
        refuse(name, f"found {conf.get(name)}, expected at least 1")
    for depth in (f"{PREFIX}root.{_DEPTH}", f"{PREFIX}{_DEPTH}"):
        conf.get_int(depth, None)
    for policy in conf.get_strings(PREFIX + "multi-node-sorting.policy.names"):
        # Hadoop defines the policy "default" itself unless the file does.
        if policy != "default" or conf.get(PREFIX + _SORTING_CLASS) is not None:
            read_node_ordering(policy, conf)


def _allocations(
    conf: Configuration, types: ResourceTypes, *, dominant: bool
) -> tuple[Vector, Vector]:
    """Minimum and maximum allocation (Hadoop: CapacityScheduler.validateConf).

    Only the scheduler's own properties are compared, even where those of `yarn.resource-types` are
    in force; but the DefaultResourceCalculator cannot round to multiples of no memory.
    """
    for unit, default_minimum, default_maximum in (("mb", 1024, 8192), ("vcores", 1, 4)):
        low = f"yarn.scheduler.minimum-allocation-{unit}"
        high = f"yarn.scheduler.maximum-allocation-{unit}"
        least, most = conf.get_int(low, default_minimum), conf.get_int(high, default_maximum)
        if not 0 < least <= most:
            refuse(low, f"found {least}, must be at least 1 and at most {high}, which is {most}")
    minimum, maximum = minimum_allocation(conf, types), maximum_allocation(conf, types)
    if minimum[MEMORY] <= 0 and not dominant:
        name = "yarn.resource-types.memory-mb.minimum-allocation"
        refuse(name, f"found {minimum[MEMORY]}, must be at least 1")
    return minimum, maximum


def _dominant(conf: Configuration) -> bool:
    """Whether `resource-calculator` is the DominantResourceCalculator."""
    name = PREFIX + "resource-calculator"
    class_name = conf.get(name)
    if class_name is None:
        return False
    known = {
        _CALCULATORS + "DefaultResourceCalculator": False,
        _CALCULATORS + "DominantResourceCalculator": True,
    }
    dominant = known.get(trim(class_name))
    if dominant is None:
        refuse(name, f"found {class_name!r}, expected one of {sorted(known)}")
    return dominant


def _max_parallel_apps_of_users(conf: Configuration) -> dict[str, int]:
    """`user.<name>.max-parallel-apps`, by user."""
    start, end = PREFIX + "user.", ".max-parallel-apps"
    limits: dict[str, int] = {}
    for name in conf.names(start):
        if name.endswith(end) and len(name) > len(start) + len(end):
            number = conf.get_untrimmed_int(name, None)
            if number is not None:
                limits[name[len(start) : -len(end)]] = number
    return limits


def _stopped_paths(conf: Configuration) -> frozenset[str]:
    """Paths with `state` STOPPED, whether or not such queues are declared.

    Hadoop lets a refresh remove a queue only if the new file stops it
    (CapacitySchedulerQueueManager).
    """
    return frozenset(
        name[len(PREFIX) : -len(_STATE)]
        for name in conf.names(PREFIX + "root.")
        if name.endswith(_STATE) and (conf.get_trimmed(name) or "").upper() == "STOPPED"
    )


def _administrators(conf: Configuration) -> Access:
    # Untrimmed: a blank is a list of nobody, and no value at all is everybody.
    acl = conf.get("yarn.admin.acl")
    return read_access("*" if acl is None else acl)


def _offers(conf: Configuration) -> OfferConfig:
    """How many containers one node update may assign, and how long it waits for locality."""
    offswitch = conf.get_int(_HEARTBEAT + "maximum-offswitch-assignments", 1)
    return OfferConfig(
        multiple_assignments=conf.get_boolean(_HEARTBEAT + "multiple-assignments-enabled", True),
        maximum_assignments=conf.get_int(_HEARTBEAT + "maximum-container-assignments", 100),
        maximum_offswitch=max(1, offswitch),
        node_locality_delay=conf.get_int(PREFIX + "node-locality-delay", 40),
        rack_additional_delay=conf.get_int(PREFIX + "rack-locality-additional-delay", -1),
        rack_full_reset=conf.get_boolean(PREFIX + "rack-locality-full-reset", True),
        continue_look_at_reservations=conf.get_boolean(
            PREFIX + "reservations-continue-look-all-nodes", True
        ),
        skip_reserved_nodes=conf.get_boolean(
            PREFIX + "skip-allocate-on-nodes-with-reserved-containers", False
        ),
    )


def _preemption(conf: Configuration) -> PreemptionConfig:
    """The preemption policy's settings; Hadoop reads them only where the policy runs."""
    enabled = _preempts(conf)
    try:
        return _read_preemption(conf, enabled=enabled)
    # Hadoop does not make the policy's monitor then, so nothing reads what is wrong.
    except ConfigRefused:
        if enabled:
            raise
        return PreemptionConfig()


def _read_preemption(conf: Configuration, *, enabled: bool) -> PreemptionConfig:
    """Hadoop: ProportionalCapacityPreemptionPolicy's `monitor.capacity.preemption.` properties."""
    base = PreemptionConfig()
    order = conf.get_trimmed(_INTRA + "preemption-order-policy") or "userlimit_first"
    orders = {
        "userlimit_first": IntraQueueOrder.USER_LIMIT_FIRST,
        "priority_first": IntraQueueOrder.PRIORITY_FIRST,
    }
    at = _PREEMPTION
    balance = at + "preemption-to-balance-queue-after-satisfied."
    return PreemptionConfig(
        enabled=enabled,
        observe_only=conf.get_boolean(at + "observe_only", False),
        interval_ms=conf.get_long(at + "monitoring_interval", base.interval_ms),
        maximum_wait_before_kill_ms=conf.get_long(
            at + "max_wait_before_kill", base.maximum_wait_before_kill_ms
        ),
        total_per_round=conf.get_float(at + "total_preemption_per_round", base.total_per_round),
        maximum_ignored_over_capacity=conf.get_float(
            at + "max_ignored_over_capacity", base.maximum_ignored_over_capacity
        ),
        natural_termination=conf.get_float(
            at + "natural_termination_factor", base.natural_termination
        ),
        select_on_reserved=conf.get_boolean(at + "select_based_on_reserved_containers", False),
        conservative_drf=conf.get_boolean(at + "conservative-drf", False),
        balance_after_satisfied=conf.get_boolean(balance + "enabled", False),
        balance_wait_before_kill_ms=conf.get_long(
            balance + "max-wait-before-kill", base.balance_wait_before_kill_ms
        ),
        additional_balance_on_reserved=conf.get_boolean(
            at + "additional_res_balance_based_on_reserved_containers", False
        ),
        intra_queue=conf.get_boolean(_INTRA + "enabled", False),
        intra_queue_minimum_threshold=conf.get_float(
            _INTRA + "minimum-threshold", base.intra_queue_minimum_threshold
        ),
        intra_queue_maximum_allowable=conf.get_float(
            _INTRA + "max-allowable-limit", base.intra_queue_maximum_allowable
        ),
        intra_queue_order=orders.get(order.lower(), IntraQueueOrder.USER_LIMIT_FIRST),
        intra_queue_conservative_drf=conf.get_boolean(_INTRA + "conservative-drf", True),
        underutilized=conf.get_boolean(_UNDERUTILIZED + "enabled", False),
        underutilized_delay_ms=conf.get_long(_UNDERUTILIZED + "reserved-container-delay-ms", 60000),
        underutilized_move_reservation=conf.get_boolean(
            _UNDERUTILIZED + "allow-move-reservation", False
        ),
    )


def _preempts(conf: Configuration) -> bool:
    """Whether the scheduling monitor runs the preemption policy."""
    if not conf.get_boolean("yarn.resourcemanager.scheduler.monitor.enable", False):
        return False
    name = "yarn.resourcemanager.scheduler.monitor.policies"
    policies = conf.get_strings(name)
    for policy in policies:
        if policy not in _MONITORS:
            refuse(name, f"found {policy!r}, expected one of {sorted(_MONITORS)}")
    return not policies or _PREEMPTION_POLICY in policies
