"""A fair scenario's `config` and `fairAllocations` as the Fair Scheduler's configuration.

The keys are yarn-site.xml's. What is not said has YARN's default, except that assigning several
containers at a heartbeat is off, as the scenario format wants it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kubeyarn.hadoop.fair_numbers import read_boolean, read_decimal, read_int, read_long
from kubeyarn.hadoop.fair_scheduler_xml import read_allocations
from kubeyarn.model.errors import ConfigRefused, Problem, SpecError
from kubeyarn.model.fair_queues import FairClusterConfig, FairOffers, FairPreemption
from kubeyarn.model.queues import SchedulerConfig, SchedulerKind
from kubeyarn.model.resources import ResourceTypes, Vector

_FAIR = "yarn.scheduler.fair."
_PREEMPTION = f"{_FAIR}preemption"
_MASTERS = f"{_FAIR}am.preemption"
_TYPES = "yarn.resource-types"
_INCREMENT = "increment-allocation"
_UNLIMITED = 2**63 - 1
_AMOUNT = re.compile(r"([0-9]+) ?([a-zA-Z]*)")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}


def read_fair_scheduler(
    config: Mapping[str, str], allocations: str, types: ResourceTypes
) -> SchedulerConfig:
    """The Fair Scheduler's configuration.

    Raises:
        ConfigRefused: a value cannot be read, or the allocation file is refused.
    """
    settings = _Settings(config)
    read = read_allocations(allocations, types.names, _cluster(settings))
    return SchedulerConfig(
        queues=read.queues,
        minimum_allocation=_minimum(settings, types),
        maximum_allocation=_maximum(settings, types),
        increment_allocation=_increment(settings, types),
        kind=SchedulerKind.FAIR,
        check_access=True,
        fair=read.cluster,
    )


def reload_fair_scheduler(
    now: SchedulerConfig, config: Mapping[str, str], allocations: str, types: ResourceTypes
) -> SchedulerConfig:
    """*now* with another allocation file and maximum allocation.

    Hadoop's FairScheduler reads nothing else when it is reinitialised, and goes on with the maximum
    it has if it cannot read the new one.

    Raises:
        ConfigRefused: the allocation file is refused.
    """
    before, fresh = now.fair or FairClusterConfig(), FairClusterConfig()
    kept = replace(
        before,
        defaults=fresh.defaults,
        user_maximum_default=fresh.user_maximum_default,
        user_maximum=fresh.user_maximum,
    )
    read = read_allocations(allocations, types.names, kept)
    try:
        maximum = _maximum(_Settings(config), types)
    except ConfigRefused:
        maximum = now.maximum_allocation
    return replace(now, queues=read.queues, fair=read.cluster, maximum_allocation=maximum)


@dataclass(frozen=True, slots=True)
class _Settings:
    """Typed access to yarn-site.xml's keys."""

    values: Mapping[str, str]

    def integer(self, key: str, default: int) -> int:
        text = self.values.get(key)
        if text is None:
            return default
        try:
            return read_long(text.strip())
        except SpecError as error:
            raise _refused(key, error) from error

    def amount(self, key: str, default: int, *, base: int) -> int:
        """An amount with an optional unit, such as `1 Gi`, in multiples of *base*."""
        text = self.values.get(key)
        if text is None:
            return default
        match = _AMOUNT.fullmatch(text)
        unit = None if match is None else _UNITS.get(match[2])
        if match is None or unit is None:
            raise _refused(key, SpecError(f"found {text!r}, expected a number and a unit"))
        return int(match[1]) * unit // base if match[2] else int(match[1])

    def int32(self, key: str, default: int) -> int:
        text = self.values.get(key)
        if text is None:
            return default
        try:
            return read_int(text.strip())
        except SpecError as error:
            raise _refused(key, error) from error

    def decimal(self, key: str, default: float) -> float:
        text = self.values.get(key)
        if text is None:
            return default
        try:
            return read_decimal(text)
        except SpecError as error:
            raise _refused(key, error) from error

    def boolean(self, key: str, *, default: bool) -> bool:
        """Hadoop's Configuration.getBoolean: anything but true or false is the default."""
        text = self.values.get(key, "").strip().lower()
        return read_boolean(text) if text in ("true", "false") else default


def _refused(key: str, error: SpecError) -> ConfigRefused:
    return ConfigRefused((Problem("root", key, "InvalidField", f"{key}: {error}"),))


def _check_unused(settings: _Settings) -> None:
    """Refuse what Hadoop reads at its start and cannot, though nothing here goes by it."""
    settings.int32("yarn.cluster.max-application-priority", 0)
    settings.int32(f"{_FAIR}continuous-scheduling-sleep-ms", 0)
    for name in ("update-interval-ms", "locality-delay-node-ms", "locality-delay-rack-ms"):
        settings.integer(f"{_FAIR}{name}", 0)


def _cluster(settings: _Settings) -> FairClusterConfig:
    _check_unused(settings)
    return FairClusterConfig(
        allow_undeclared=settings.boolean(f"{_FAIR}allow-undeclared-pools", default=True),
        user_as_default=settings.boolean(f"{_FAIR}user-as-default-queue", default=True),
        size_based_weight=settings.boolean(f"{_FAIR}sizebasedweight", default=False),
        offers=_offers(settings),
        preemption=_preemption(settings),
    )


def _offers(settings: _Settings) -> FairOffers:
    return FairOffers(
        multiple=settings.boolean(f"{_FAIR}assignmultiple", default=False),
        dynamic_maximum=settings.boolean(f"{_FAIR}dynamic.max.assign", default=True),
        maximum=settings.int32(f"{_FAIR}max.assign", -1),
        node_locality_threshold=settings.decimal(f"{_FAIR}locality.threshold.node", -1.0),
        rack_locality_threshold=settings.decimal(f"{_FAIR}locality.threshold.rack", -1.0),
        reservable_nodes=settings.decimal(f"{_FAIR}reservable-nodes", 0.05),
        reservation_multiple=settings.decimal(
            "yarn.scheduler.reservation-threshold.increment-multiple", 2.0
        ),
    )


def _preemption(settings: _Settings) -> FairPreemption:
    """How containers are taken back; where they are not, Hadoop does not even read how."""
    if not settings.boolean(_PREEMPTION, default=False):
        return FairPreemption()
    prefix = f"{_MASTERS}."
    return FairPreemption(
        enabled=True,
        utilization_threshold=settings.decimal(f"{_PREEMPTION}.cluster-utilization-threshold", 0.8),
        masters=settings.boolean(_MASTERS, default=True),
        masters_of=tuple(
            (key.removeprefix(prefix), settings.boolean(key, default=True))
            for key in settings.values
            if key.startswith(prefix)
        ),
        wait_before_kill_ms=settings.int32(f"{_FAIR}waitTimeBeforeKill", 15000),
        wait_before_next_check_ms=settings.integer(
            f"{_FAIR}waitTimeBeforeNextStarvationCheck", 10000
        ),
    )


def _minimum(settings: _Settings, types: ResourceTypes) -> Vector:
    what = "minimum-allocation"
    return (*_of_two(settings, what, 1024, 1), *_of_others(settings, types, what, 0))


def _maximum(settings: _Settings, types: ResourceTypes) -> Vector:
    what = "maximum-allocation"
    return (*_of_two(settings, what, 8192, 4), *_of_others(settings, types, what, _UNLIMITED))


def _of_two(settings: _Settings, what: str, memory: int, cpu: int) -> tuple[int, int]:
    """Memory and CPU; keys of resource types go before the scheduler's own."""
    return (
        settings.integer(
            f"{_TYPES}.memory-mb.{what}", settings.int32(f"yarn.scheduler.{what}-mb", memory)
        ),
        settings.integer(
            f"{_TYPES}.vcores.{what}", settings.int32(f"yarn.scheduler.{what}-vcores", cpu)
        ),
    )


def _increment(settings: _Settings, types: ResourceTypes) -> Vector:
    memory = settings.int32(f"yarn.scheduler.{_INCREMENT}-mb", 1024)
    cpu = settings.int32(f"yarn.scheduler.{_INCREMENT}-vcores", 1)
    return (
        settings.amount(f"{_TYPES}.memory-mb.{_INCREMENT}", memory, base=2**20),
        settings.amount(f"{_TYPES}.vcores.{_INCREMENT}", cpu, base=1),
        *(settings.amount(f"{_TYPES}.{name}.{_INCREMENT}", 0, base=1) for name in types.names[2:]),
    )


def _of_others(
    settings: _Settings, types: ResourceTypes, what: str, default: int
) -> tuple[int, ...]:
    return tuple(settings.integer(f"{_TYPES}.{name}.{what}", default) for name in types.names[2:])
