"""Who is served first among siblings, as sort keys: the smallest comes first.

One key for each of Hadoop's comparators (FairShareComparator, DominantResourceFairnessComparator2
and N, FifoComparator). Every key ends in start time and name, so the order is total. Queues have
start time 0. Shares are compared the way the comparator divides them: doubles for memory and CPU
alone, 32-bit floats with more resource types.
"""

from __future__ import annotations

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.java_numbers import single, sort_ratio

FairKey = tuple[bool, bool, float, float, float, int, str]
DrfKey = tuple[bool, tuple[float, ...], int, str]
FifoKey = tuple[int, str]
Key = FairKey | DrfKey | FifoKey


def fair_key(
    usage: int, demand: int, minimum: int, weight: float, start: int, name: str
) -> FairKey:
    """The place of a schedulable that has so much memory, wants *demand* and is promised *minimum*.

    Nothing wanted comes last, below the minimum first (the least part of it before), then the
    least usage for the weight; weight 0 follows any positive one, and the more negative comes last.
    """
    floor = min(minimum, demand)
    needy = usage < floor
    part = (usage / floor if floor > 1 else float(usage)) if needy else 0.0
    if weight > 0.0:
        return (demand == 0, not needy, part, -1.0, usage / weight, start, name)
    return (demand == 0, not needy, part, -weight, float(usage), start, name)


def fifo_key(start: int, name: str) -> FifoKey:
    """Earlier first; all priorities are equal."""
    return (start, name)


def drf_key(
    usage: Vector, minimum: Vector, weight: float, cluster: Vector, start: int, name: str
) -> DrfKey:
    """The place by dominant share; below the minimum of the dominant resource comes first."""
    if len(cluster) == 2:
        return _drf_of_two(usage, minimum, weight, cluster, start, name)
    return _drf_of_many(usage, minimum, weight, cluster, start, name)


def _drf_of_two(
    usage: Vector, minimum: Vector, weight: float, cluster: Vector, start: int, name: str
) -> DrfKey:
    if weight <= 0 or not cluster[0] or not cluster[1]:
        return _drf_with_zeros(usage, minimum, weight, cluster, start, name)
    memory = usage[0] / cluster[0]
    cpu = usage[1] / cluster[1]
    if cpu > memory:
        if usage[1] < minimum[1]:
            parts = (usage[1] / minimum[1], sort_ratio(usage[0], minimum[0]))
            return (False, parts, start, name)
        return (True, (cpu / weight, memory / weight), start, name)
    if usage[0] < minimum[0]:
        return (False, (usage[0] / minimum[0], sort_ratio(usage[1], minimum[1])), start, name)
    return (True, (memory / weight, cpu / weight), start, name)


def _drf_with_zeros(
    usage: Vector, minimum: Vector, weight: float, cluster: Vector, start: int, name: str
) -> DrfKey:
    shares = (sort_ratio(usage[0], cluster[0]), sort_ratio(usage[1], cluster[1]))
    dominant = 1 if shares[1] > shares[0] else 0
    other = 1 - dominant
    if usage[dominant] < minimum[dominant]:
        parts = (usage[dominant] / minimum[dominant], sort_ratio(usage[other], minimum[other]))
        return (False, parts, start, name)
    return (
        True,
        (sort_ratio(shares[dominant], weight), sort_ratio(shares[other], weight)),
        start,
        name,
    )


def _drf_of_many(
    usage: Vector, minimum: Vector, weight: float, cluster: Vector, start: int, name: str
) -> DrfKey:
    shares = [
        single(sort_ratio(single(used), single(total)))
        for used, total in zip(usage, cluster, strict=True)
    ]
    dominant = shares.index(max(shares))
    needy = usage[dominant] < minimum[dominant]
    by_share = sorted(range(len(shares)), key=lambda place: -shares[place])
    if needy:
        parts = tuple(
            single(sort_ratio(single(usage[place]), single(minimum[place]))) for place in by_share
        )
    else:
        parts = tuple(single(sort_ratio(shares[place], weight)) for place in by_share)
    return (not needy, parts, start, name)
