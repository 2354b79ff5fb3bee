"""A scheduler's configuration in Hadoop's units, from one that was read of YarnQueues.

YarnQueues count bytes and thousandths of a core, Hadoop MiB and vcores. So what was converted can
be put beside what it was converted from, and tried on the same scenarios.
"""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.convert.quantities import MIB, MILLI
from kubeyarn.model.fair_queues import FairClusterConfig, FairQueueConfig, ResourceLimit
from kubeyarn.model.queues import AutoCreate, Capacity, QueueConfig, SchedulerConfig, Share, Unit
from kubeyarn.model.resources import CPU, MEMORY, ResourceTypes, Vector

_UNLIMITED = 2**62
_BASE_UNITS = {MEMORY: MIB, CPU: MILLI}


def in_hadoop_units(config: SchedulerConfig, types: ResourceTypes) -> SchedulerConfig:
    """*config* for nodes and asks of MiB and vcores, with *types* as the cluster's.

    A type that no YarnQueue names is not limited.
    """
    return replace(
        config,
        types=types,
        memory_per_mib=1,
        queues=tuple(_queue(queue, config.types, types) for queue in config.queues),
        minimum_allocation=_vector(config.minimum_allocation, config.types, types, 0),
        maximum_allocation=_vector(config.maximum_allocation, config.types, types, 2**63 - 1),
        increment_allocation=None
        if config.increment_allocation is None
        else _vector(config.increment_allocation, config.types, types, 0),
        fair=None if config.fair is None else _fair(config.fair, config.types, types),
    )


def _place(amount: float, place: int) -> int:
    return int(amount) // _BASE_UNITS.get(place, 1)


def _vector(vector: Vector, before: ResourceTypes, types: ResourceTypes, unnamed: int) -> Vector:
    amounts = dict(zip(before.names, vector, strict=True))
    found = (amounts.get(name, unnamed) for name in types.names)
    return tuple(
        amount if amount >= _UNLIMITED else _place(amount, place)
        for place, amount in enumerate(found)
    )


def _queue(queue: QueueConfig, before: ResourceTypes, types: ResourceTypes) -> QueueConfig:
    made, largest, fair = queue.auto_create, queue.maximum_allocation, queue.fair
    return replace(
        queue,
        capacity=_capacity(queue.capacity, before, types),
        maximum_capacity=_capacity(queue.maximum_capacity, before, types),
        partitions=tuple(
            replace(
                partition,
                capacity=_capacity(partition.capacity, before, types),
                maximum=_capacity(partition.maximum, before, types),
            )
            for partition in queue.partitions
        ),
        maximum_allocation=None
        if largest is None
        else {
            types.names.index(before.names[place]): _place(amount, place)
            for place, amount in largest.items()
        },
        auto_create=None if made is None else _auto_create(made, before, types),
        fair=None if fair is None else _fair_queue(fair, before, types),
    )


def _auto_create(made: AutoCreate, before: ResourceTypes, types: ResourceTypes) -> AutoCreate:
    def converted(template: QueueConfig | None) -> QueueConfig | None:
        return None if template is None else _queue(template, before, types)

    return replace(
        made,
        template=converted(made.template),
        leaf_template=converted(made.leaf_template),
        parent_template=converted(made.parent_template),
    )


def _capacity(
    capacity: Capacity | None, before: ResourceTypes, types: ResourceTypes
) -> Capacity | None:
    if capacity is None or not capacity.by_resource:
        return capacity
    shares = dict(zip(before.names, capacity.by_resource, strict=True))
    nothing = Share(Unit.ABSOLUTE, 0.0)
    return Capacity(
        by_resource=tuple(
            _share(shares.get(name, nothing), place) for place, name in enumerate(types.names)
        )
    )


def _share(share: Share, place: int) -> Share:
    absolute = share.unit is Unit.ABSOLUTE
    return Share(share.unit, float(_place(share.amount, place))) if absolute else share


def _fair_queue(
    queue: FairQueueConfig, before: ResourceTypes, types: ResourceTypes
) -> FairQueueConfig:
    largest = ResourceLimit(queue.maximum_container or ())
    return replace(
        queue,
        minimum=None if queue.minimum is None else _vector(queue.minimum, before, types, 0),
        maximum=_limit(queue.maximum, before, types),
        child_maximum=_limit(queue.child_maximum, before, types),
        maximum_container=None
        if queue.maximum_container is None
        else (_limit(largest, before, types) or largest).amounts,
    )


def _limit(
    limit: ResourceLimit | None, before: ResourceTypes, types: ResourceTypes
) -> ResourceLimit | None:
    if limit is None:
        return None
    amounts = dict(zip(before.names, limit.amounts, strict=False))
    fractions = dict(zip(before.names, limit.fractions, strict=False))
    found = (amounts.get(name) for name in types.names)
    return ResourceLimit(
        amounts=tuple(None if x is None else _place(x, place) for place, x in enumerate(found)),
        fractions=tuple(fractions.get(name) for name in types.names),
    )


def _fair(
    fair: FairClusterConfig, before: ResourceTypes, types: ResourceTypes
) -> FairClusterConfig:
    maximum = _limit(fair.defaults.maximum, before, types) or fair.defaults.maximum
    return replace(fair, defaults=replace(fair.defaults, maximum=maximum))
