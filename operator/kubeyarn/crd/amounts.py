"""Maps of resource names to quantities as vectors, capacities and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from kubeyarn.crd import field_reader, quantities, shares
from kubeyarn.model import queues
from kubeyarn.model.errors import SpecError
from kubeyarn.model.fair_queues import ResourceLimit
from kubeyarn.model.resources import ResourceTypes, Vector

STANDARD = ("memory", "cpu")


def resource_types(named: Mapping[str, object] | set[str]) -> ResourceTypes:
    """The types of a cluster that knows the resources *named*: memory, cpu, then by name."""
    return ResourceTypes((*STANDARD, *sorted(set(named) - set(STANDARD))), quantities.show)


def vector(values: Mapping[str, Any], field: str, types: ResourceTypes) -> Vector:
    """A map of quantities as a vector in the order of *types*; what is not named is 0.

    Raises:
        SpecError: no quantity, or a resource that the cluster does not know.
    """
    try:
        return _vector(tuple(values.items()), field, types)
    # A list or an object as a value has no hash for the cache, and is no quantity either.
    except TypeError:
        raise SpecError(f"{field}: found {dict(values)!r}, expected quantities") from None


# The cluster's types are part of the key, so that a new resource type makes new vectors.
@lru_cache(maxsize=4096)
def _vector(items: tuple[tuple[str, object], ...], field: str, types: ResourceTypes) -> Vector:
    amounts = dict.fromkeys(types.names, 0)
    for name, value in items:
        amounts[name] = quantities.amount(known(name, field, types), value, f"{field}.{name}")
    return tuple(amounts.values())


def known(name: str, field: str, types: ResourceTypes) -> str:
    """*name*, if it is a resource of the cluster.

    Raises:
        SpecError: it is not.
    """
    if name not in types.names:
        raise SpecError(
            f"{field}.{name}: found a resource that root's cluster.maximumAllocation and no queue "
            f"names, allowed: {', '.join(types.names)}"
        )
    return name


def positive_vector(values: Mapping[str, Any], field: str, types: ResourceTypes) -> Vector:
    """A vector whose named resources are all above 0.

    Raises:
        SpecError: see `vector`, and 0.
    """
    result = vector(values, field, types)
    for name in values:
        if result[types.names.index(name)] == 0:
            raise SpecError(f"{field}.{name}: found {values[name]!r}, allowed: above 0")
    return result


def places(types: ResourceTypes) -> Callable[[object, str], Mapping[int, int]]:
    """The parser of a map of resources by their places in *types*."""

    def parse(value: object, field: str) -> Mapping[int, int]:
        amounts = field_reader.mapping(value, field)
        whole = positive_vector(amounts, field, types)
        return {types.names.index(name): whole[types.names.index(name)] for name in amounts}

    return parse


def share_or_amount(resource: str, value: object, field: str) -> queues.Share:
    """A percentage, a weight, or an amount of *resource* in base units.

    Raises:
        SpecError: none of them.
    """
    if isinstance(value, str) and value.endswith(("%", "w")):
        return shares.share(value, field)
    return queues.Share(queues.Unit.ABSOLUTE, float(quantities.amount(resource, value, field)))


def capacity(value: object, field: str) -> queues.Capacity:
    """One share for all resources."""
    return queues.Capacity(uniform=shares.share(value, field))


def maximum(value: object, field: str) -> queues.Capacity:
    """One percentage for all resources."""
    shares.percentage(value, field)
    return capacity(value, field)


def capacity_by_resource(types: ResourceTypes) -> Callable[[object, str], queues.Capacity]:
    """The parser of a share for each resource; what is not named gets nothing."""

    def parse(value: object, field: str) -> queues.Capacity:
        by_resource = field_reader.mapping(value, field)
        for name in by_resource:
            known(name, field, types)
        return queues.Capacity(
            by_resource=tuple(
                share_or_amount(name, by_resource.get(name, 0), f"{field}.{name}")
                for name in types.names
            )
        )

    return parse


def maximum_by_resource(types: ResourceTypes) -> Callable[[object, str], queues.Capacity]:
    """The parser of a maximum for each resource; what is not named is not limited."""

    def parse(value: object, field: str) -> queues.Capacity:
        by_resource = field_reader.mapping(value, field)
        # Hadoop reads an absolute maximum of 0 as: the parent's.
        in_percent = all(str(entry).endswith("%") for entry in by_resource.values())
        unnamed = dict.fromkeys(types.names, "100%" if in_percent else 0)
        amounts = capacity_by_resource(types)({**unnamed, **by_resource}, field)
        if any(share.unit is queues.Unit.WEIGHT for share in amounts.by_resource):
            raise SpecError(f"{field}: found a weight, allowed: quantities and percentages")
        return amounts

    return parse


def limit(types: ResourceTypes) -> Callable[[object, str], ResourceLimit]:
    """The parser of the Fair scheduler's maximum: amounts or percentages, unnamed unbounded."""

    def parse(value: object, field: str) -> ResourceLimit:
        by_resource = field_reader.mapping(value, field)
        amounts = {
            name: share_or_amount(known(name, field, types), entry, f"{field}.{name}")
            for name, entry in by_resource.items()
        }
        return ResourceLimit(
            amounts=tuple(_amount(amounts.get(name)) for name in types.names),
            fractions=tuple(_fraction(amounts.get(name)) for name in types.names),
        )

    return parse


def _amount(share: queues.Share | None) -> int | None:
    absolute = share is not None and share.unit is queues.Unit.ABSOLUTE
    return int(share.amount) if share is not None and absolute else None


def _fraction(share: queues.Share | None) -> float | None:
    percent = share is not None and share.unit is queues.Unit.PERCENT
    return share.amount / 100 if share is not None and percent else None
