"""The `cluster` part of the root YarnQueue as the scheduler's cluster-wide settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubeyarn.crd import (
    amounts,
    defaults,
    offer_settings,
    preemption_settings,
    quantities,
    reading,
)
from kubeyarn.crd.fair_settings import fair_cluster
from kubeyarn.crd.fields import camel
from kubeyarn.crd.reading import Fault, Reader, count, one_of, otherwise, text, truth
from kubeyarn.model import fair_queues, queues
from kubeyarn.model.resources import ResourceTypes, Vector

_NO_CALCULATOR = "Default"
_BY_ROLE = "ByRole"
_ROOT = "root"


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration that was read, and what of it was wrong."""

    config: queues.SchedulerConfig
    faults: tuple[Fault, ...]


def scheduler_config(
    root: Reader, types: ResourceTypes, tree: tuple[queues.QueueConfig, ...]
) -> Settings:
    """The settings that root's spec says, with *tree* as its queues."""
    said = root.inside("cluster") or Reader({}, "spec.cluster", root.faults)
    kind = said.read("scheduler", one_of(queues.SchedulerKind)) or queues.SchedulerKind.CAPACITY
    preempting = said.inside("preemption")
    preemption = preemption_settings.preemption(preempting)
    lazy = preempting is not None and preempting.read("lazy", truth)
    most_per_queue = said.read("maximumApplicationsPerQueue", count)
    by_role = said.read("queueAccess", text) == _BY_ROLE
    config = queues.SchedulerConfig(
        spelling=_spelling,
        queues=_closed(tree) if by_role else tree,
        check_access=by_role,
        administrators=queues.Access(everyone=not by_role),
        user_groups=said.read("userGroups", _groups) or {},
        kind=kind,
        minimum_allocation=_allocation(
            said, "minimumAllocation", types, defaults.MINIMUM_ALLOCATION, 0
        ),
        increment_allocation=_allocation(
            said, "incrementAllocation", types, defaults.INCREMENT_ALLOCATION, 1
        ),
        maximum_allocation=_allocation(
            said, "maximumAllocation", types, defaults.MAXIMUM_ALLOCATION, quantities.LARGEST
        ),
        dominant=said.read("resourceCalculator", text) != _NO_CALCULATOR,
        legacy_queue_mode=said.read("legacyQueueMode", truth) is not False,
        partitions=tuple(_partition(entry) for entry in said.each("partitions")),
        maximum_application_priority=_priority(said),
        maximum_applications=otherwise(said.read("maximumApplications", count), 10_000),
        maximum_applications_per_queue=otherwise(most_per_queue, -1),
        user_maximum_parallel_applications=said.read("maximumParallelApplicationsPerUser", count),
        maximum_parallel_applications_of=said.read("maximumParallelApplicationsOf", _counts) or {},
        am_default_partition=said.read("masterPartition", text) or None,
        am_in_shared_partitions=bool(said.read("mastersInSharedPartitions", truth)),
        placement_override=bool(said.read("placementRulesOverride", truth)),
        offers=offer_settings.offers(said.inside("offers")),
        lazy_preemption=bool(lazy),
        placement_rules=tuple(_rule(entry) for entry in said.each("placementRules")),
        choose_nodes=any(_packs(queue) for queue in tree),
        preemption=preemption,
        queue_expiry_seconds=_expiry(root),
        fair=_fair(said, preemption, types) if kind is queues.SchedulerKind.FAIR else None,
        types=types,
    )
    _check_order(said, config, types)
    return Settings(config, tuple(root.faults))


def _packs(queue: queues.QueueConfig) -> bool:
    """Whether a queue, or one made on demand below it, wants the fullest node."""
    made = queue.auto_create
    said = [queue]
    if made is not None:
        templates = (made.template, made.leaf_template, made.parent_template)
        said += [template for template in templates if template is not None]
    return any(one.node_ordering is queues.NodeOrdering.PACK for one in said)


def _allocation(
    said: Reader, name: str, types: ResourceTypes, standard: Mapping[str, str], others: int
) -> Vector:
    """What is said, the default where memory or cpu is not, and *others* for further resources."""

    def parse(value: object, field: str) -> Vector:
        found: dict[str, Any] = {**standard, **reading.mapping(value, field)}
        whole = amounts.positive_vector(found, field, types)
        return tuple(
            amount if name in found else others
            for name, amount in zip(types.names, whole, strict=True)
        )

    return said.read(name, parse) or parse({}, f"{said.at}.{name}")


def _check_order(said: Reader, config: queues.SchedulerConfig, types: ResourceTypes) -> None:
    smallest, largest = config.minimum_allocation, config.maximum_allocation
    for name, low, high in zip(types.names, smallest, largest, strict=True):
        if low > high:
            place = f"{said.at}.minimumAllocation.{name}"
            message = (
                f"{place}: found {quantities.show(name, low)}, allowed: at most "
                f"maximumAllocation.{name}, {quantities.show(name, high)}"
            )
            said.faults.append(Fault(place, message))


def _closed(tree: tuple[queues.QueueConfig, ...]) -> tuple[queues.QueueConfig, ...]:
    """Queues that let nobody in by themselves: what is allowed is each application's to know."""
    nobody = queues.Access()
    return tuple(
        replace(queue, submit=nobody, administer=nobody) if queue.path == _ROOT else queue
        for queue in tree
    )


def _groups(value: object, place: str) -> Mapping[str, tuple[str, ...]]:
    said = reading.mapping(value, place)
    return {user: tuple(reading.texts(said[user], f"{place}.{user}")) for user in said}


def _counts(value: object, place: str) -> Mapping[str, int]:
    said = reading.mapping(value, place)
    return {user: count(said[user], f"{place}.{user}") for user in said}


def _partition(entry: Reader) -> queues.Partition:
    exclusive = entry.read("exclusive", truth)
    return queues.Partition(entry.read("name", text) or "", exclusive is not False)


def _priority(said: Reader) -> int:
    found = said.read("maximumApplicationPriority", count)
    return otherwise(found, defaults.MAXIMUM_APPLICATION_PRIORITY)


def _rule(entry: Reader) -> queues.PlacementRule:
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


def _expiry(root: Reader) -> int:
    """Hadoop has one expiry time for all queues made on demand; root's word is it."""
    said = root.inside("autoCreate")
    found = None if said is None else said.read("expirySeconds", count)
    return 300 if found is None else found


def _fair(
    said: Reader, preemption: queues.PreemptionConfig, types: ResourceTypes
) -> fair_queues.FairClusterConfig:
    return fair_cluster(said.inside("fair") or Reader({}, ""), preemption, types)


_OF_CLUSTER = frozenset({"legacy_queue_mode", "maximum_allocation", "placement_rules"})
"""Settings that root has for the whole cluster."""


def _spelling(queue: str, setting: str) -> str:
    """The field of a YarnQueue's spec in which a setting is said."""
    of_cluster = queue == "root" and setting in _OF_CLUSTER
    return f"cluster.{camel(setting)}" if of_cluster else camel(setting)
