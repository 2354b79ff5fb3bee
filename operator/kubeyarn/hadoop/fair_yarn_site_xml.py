"""The Fair Scheduler's properties of yarn-site.xml (Hadoop: FairSchedulerConfiguration).

Together with the allocation file (`fair_scheduler_xml`) they are the scheduler's configuration. A
property that is not set has Hadoop's default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from kubeyarn.hadoop.fair_scheduler_xml import read_allocations
from kubeyarn.hadoop.properties import UNITS, Configuration, refuse
from kubeyarn.hadoop.resource_types import maximum_allocation, minimum_allocation
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.fair_queues import FairClusterConfig, FairOffers, FairPreemption
from kubeyarn.model.queues import SchedulerConfig, SchedulerKind
from kubeyarn.model.resources import ResourceTypes, Vector

_FAIR = "yarn.scheduler.fair."
_PREEMPTION = f"{_FAIR}preemption"
_MASTERS = f"{_FAIR}am.preemption"
_TYPES = "yarn.resource-types"
_INCREMENT = "increment-allocation"
_AMOUNT = re.compile(r"([0-9]+) ?([a-zA-Z]*)")


def read_fair_scheduler(
    values: Mapping[str, str], allocations: str, types: ResourceTypes
) -> SchedulerConfig:
    """Read yarn-site.xml and the allocation file; memory is MiB, CPU is vcores.

    Args:
        values: The properties of yarn-site.xml, as text by name.
        allocations: The text of fair-scheduler.xml.
        types: Memory, CPU and the types that `yarn.resource-types` adds.

    Raises:
        ConfigRefused: a value cannot be read, or the allocation file is refused.
    """
    conf = Configuration(values)
    read = read_allocations(allocations, types.names, _cluster(conf))
    return SchedulerConfig(
        queues=read.queues,
        minimum_allocation=minimum_allocation(conf, types),
        maximum_allocation=maximum_allocation(conf, types),
        increment_allocation=_increment(conf, types),
        kind=SchedulerKind.FAIR,
        types=types,
        check_access=True,
        fair=read.cluster,
    )


def reload_fair_scheduler(
    now: SchedulerConfig, values: Mapping[str, str], allocations: str, types: ResourceTypes
) -> SchedulerConfig:
    """What a refresh of the queues changes: the allocation file and the maximum allocation.

    Hadoop: FairScheduler.reinitialize, which reads no other property again, and keeps the maximum
    allocation that it has if it cannot read the new one.

    Raises:
        ConfigRefused: the allocation file is refused.
    """
    before, fresh = now.fair or FairClusterConfig(), FairClusterConfig()
    # What the allocation file says is replaced whole; what it leaves out falls back to the standard
    # and not to the file before.
    kept = replace(
        before,
        defaults=fresh.defaults,
        user_maximum_default=fresh.user_maximum_default,
        user_maximum=fresh.user_maximum,
    )
    read = read_allocations(allocations, types.names, kept)
    try:
        maximum = maximum_allocation(Configuration(values), types)
    except ConfigRefused:
        maximum = now.maximum_allocation
    return replace(now, queues=read.queues, fair=read.cluster, maximum_allocation=maximum)


def _check_unused(conf: Configuration) -> None:
    """Refuse unreadable values of properties that only Hadoop uses: it would not start."""
    conf.get_int("yarn.cluster.max-application-priority", 0)
    conf.get_int(f"{_FAIR}continuous-scheduling-sleep-ms", 0)
    for name in ("update-interval-ms", "locality-delay-node-ms", "locality-delay-rack-ms"):
        conf.get_long(f"{_FAIR}{name}", 0)


def _cluster(conf: Configuration) -> FairClusterConfig:
    _check_unused(conf)
    return FairClusterConfig(
        allow_undeclared=conf.get_boolean(f"{_FAIR}allow-undeclared-pools", True),
        user_as_default=conf.get_boolean(f"{_FAIR}user-as-default-queue", True),
        size_based_weight=conf.get_boolean(f"{_FAIR}sizebasedweight", False),
        offers=_offers(conf),
        preemption=_preemption(conf),
    )


def _offers(conf: Configuration) -> FairOffers:
    return FairOffers(
        multiple=conf.get_boolean(f"{_FAIR}assignmultiple", False),
        dynamic_maximum=conf.get_boolean(f"{_FAIR}dynamic.max.assign", True),
        maximum=conf.get_int(f"{_FAIR}max.assign", -1),
        node_locality_threshold=conf.get_float(f"{_FAIR}locality.threshold.node", -1.0),
        rack_locality_threshold=conf.get_float(f"{_FAIR}locality.threshold.rack", -1.0),
        reservable_nodes=conf.get_float(f"{_FAIR}reservable-nodes", 0.05),
        reservation_multiple=conf.get_float(
            "yarn.scheduler.reservation-threshold.increment-multiple", 2.0
        ),
    )


def _preemption(conf: Configuration) -> FairPreemption:
    """Preemption; while it is off, Hadoop does not read its other properties."""
    if not conf.get_boolean(_PREEMPTION, False):
        return FairPreemption()
    prefix = f"{_MASTERS}."
    return FairPreemption(
        enabled=True,
        utilization_threshold=conf.get_float(f"{_PREEMPTION}.cluster-utilization-threshold", 0.8),
        masters=conf.get_boolean(_MASTERS, True),
        masters_of=tuple(
            (key.removeprefix(prefix), conf.get_boolean(key, True)) for key in conf.names(prefix)
        ),
        wait_before_kill_ms=conf.get_int(f"{_FAIR}waitTimeBeforeKill", 15000),
        wait_before_next_check_ms=conf.get_long(f"{_FAIR}waitTimeBeforeNextStarvationCheck", 10000),
    )


def _increment(conf: Configuration, types: ResourceTypes) -> Vector:
    memory = conf.get_int(f"yarn.scheduler.{_INCREMENT}-mb", 1024)
    cpu = conf.get_int(f"yarn.scheduler.{_INCREMENT}-vcores", 1)
    return (
        _amount(conf, f"{_TYPES}.memory-mb.{_INCREMENT}", memory, base=2**20),
        _amount(conf, f"{_TYPES}.vcores.{_INCREMENT}", cpu, base=1),
        *(_amount(conf, f"{_TYPES}.{name}.{_INCREMENT}", 0, base=1) for name in types.names[2:]),
    )


def _amount(conf: Configuration, name: str, default: int, *, base: int) -> int:
    """An amount with an optional unit, such as `1 Gi`, in multiples of *base*."""
    text = conf.get(name)
    if text is None:
        return default
    match = _AMOUNT.fullmatch(text)
    unit = None if match is None else UNITS.get(match[2])
    if match is None or unit is None:
        refuse(name, f"found {text!r}, expected a number and a unit such as 1 Gi")
    return int(match[1]) * unit // base if match[2] else int(match[1])
