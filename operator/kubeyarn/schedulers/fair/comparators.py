"""Which of a queue's children is served first: Hadoop's comparators, as sort keys.

`fair_share_key` is FairSharePolicy.FairShareComparator, `fifo_key` is FifoPolicy.FifoComparator,
`drf_key` is DominantResourceFairnessPolicy's comparator, for two resource types
(DominantResourceFairnessComparator2) and for more (…N). The child with the smallest key goes first.
Every key ends in start time and name, so no two are equal; queues have start time 0. Shares are
compared the way the comparator divides them: in double precision for memory and CPU alone, in
single precision with more resource types, because two shares that differ in the one may be equal
in the other, and then the name decides.

One comparator is no order: under drf, a queue that uses nothing and has weight 0 has the share
0/0, which is level with every number. So a may be level with b, b with c, and a before c; which
of them is first depends on the order in which Hadoop's TreeSet was filled. For parents that have
such a child, `compare_drf_queues` compares to the letter, and container_assigner sorts with it as
a TreeSet of Java's does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan, nan
from typing import TYPE_CHECKING, NamedTuple

from kubeyarn.schedulers.java_numbers import single, sort_ratio

if TYPE_CHECKING:
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.fair.objects.schedulables import DrfKey, FairShareKey, FifoKey


def fair_share_key(
    used: int, demand: int, min_share: int, weight: float, start_ms: int, name: str
) -> FairShareKey:
    """The key of a child that holds *used* memory, wants *demand* and is guaranteed *min_share*.

    First come those below their minimum, as far as they want it, and of these the one that has
    the smallest part of it; then the others by usage for their weight. A child that wants
    nothing comes last. Weight 0 follows every positive one, and the more negative comes later.
    """
    floor = min(min_share, demand)
    is_needy = used < floor
    # Hadoop divides by max(minShare, 1).
    part = (used / floor if floor > 1 else float(used)) if is_needy else 0.0
    # A weight of 0 divides to infinity, and infinities are all equal; so the weight itself and the
    # use decide among those.
    if weight > 0.0:
        return (demand == 0, not is_needy, part, -1.0, used / weight, start_ms, name)
    return (demand == 0, not is_needy, part, -weight, float(used), start_ms, name)


def fifo_key(start_ms: int, name: str) -> FifoKey:
    """The earlier first; under the Fair Scheduler all applications have the same priority."""
    return (start_ms, name)


def drf_key(
    used: Vector, min_share: Vector, weight: float, cluster: Vector, start_ms: int, name: str
) -> DrfKey:
    """The key by dominant share; a child below the minimum of its dominant resource is first."""
    # Hadoop has a comparator of its own for memory and CPU, in doubles; with more types it compares
    # in single precision, and the two may put queues in another order.
    if len(cluster) == 2:
        return _drf_key_of_two_types(used, min_share, weight, cluster, start_ms, name)
    return _drf_key_of_many_types(used, min_share, weight, cluster, start_ms, name)


def _drf_key_of_two_types(
    used: Vector, min_share: Vector, weight: float, cluster: Vector, start_ms: int, name: str
) -> DrfKey:
    if weight <= 0 or not cluster[0] or not cluster[1]:
        return _drf_key_with_zeros(used, min_share, weight, cluster, start_ms, name)
    memory = used[0] / cluster[0]
    cpu = used[1] / cluster[1]
    # Of equal shares memory counts as the dominant one.
    if cpu > memory:
        if used[1] < min_share[1]:
            parts = (used[1] / min_share[1], sort_ratio(used[0], min_share[0]))
            return (False, parts, start_ms, name)
        return (True, (cpu / weight, memory / weight), start_ms, name)
    if used[0] < min_share[0]:
        return (False, (used[0] / min_share[0], sort_ratio(used[1], min_share[1])), start_ms, name)
    return (True, (memory / weight, cpu / weight), start_ms, name)


def _drf_key_with_zeros(
    used: Vector, min_share: Vector, weight: float, cluster: Vector, start_ms: int, name: str
) -> DrfKey:
    shares = (sort_ratio(used[0], cluster[0]), sort_ratio(used[1], cluster[1]))
    dominant = 1 if shares[1] > shares[0] else 0
    other = 1 - dominant
    if used[dominant] < min_share[dominant]:
        parts = (used[dominant] / min_share[dominant], sort_ratio(used[other], min_share[other]))
        return (False, parts, start_ms, name)
    parts = (sort_ratio(shares[dominant], weight), sort_ratio(shares[other], weight))
    return (True, parts, start_ms, name)


def _drf_key_of_many_types(
    used: Vector, min_share: Vector, weight: float, cluster: Vector, start_ms: int, name: str
) -> DrfKey:
    shares = [
        single(sort_ratio(single(amount), single(total)))
        for amount, total in zip(used, cluster, strict=True)
    ]
    dominant = shares.index(max(shares))
    is_needy = used[dominant] < min_share[dominant]
    # Sorting keeps equal shares in the order of types, as Java's sort does.
    by_share = sorted(range(len(shares)), key=lambda place: -shares[place])
    if is_needy:
        parts = tuple(
            single(sort_ratio(single(used[place]), single(min_share[place]))) for place in by_share
        )
    else:
        parts = tuple(single(sort_ratio(shares[place], weight)) for place in by_share)
    return (not is_needy, parts, start_ms, name)


class DrfQueue(NamedTuple):
    """What the drf comparator looks at in a queue; queues have no start time."""

    used: Vector
    min_share: Vector
    weight: float
    name: str


def compare_drf_queues(one: DrfQueue, other: DrfQueue, cluster: Vector) -> int:
    """Negative where *one* is served first, positive where *other* is, as Hadoop compares.

    Where all weights are positive it says what `drf_key` says.
    """
    shares = [_drf_shares(queue, cluster) for queue in (one, other)]
    dominant = [_dominant(found) for found in shares]
    is_needy = [
        queue.used[place] < queue.min_share[place]
        for queue, place in zip((one, other), dominant, strict=True)
    ]
    if is_needy[0] != is_needy[1]:
        return -1 if is_needy[0] else 1
    sides = [
        _drf_ratios(queue, found, by_min_share=is_needy[0])
        for queue, found in zip((one, other), shares, strict=True)
    ]
    for left, right in zip(*sides, strict=True):
        sign = _sign(left - right)
        if sign:
            return sign
    return (one.name > other.name) - (one.name < other.name)


def _drf_ratios(queue: DrfQueue, shares: Sequence[float], *, by_min_share: bool) -> list[float]:
    """Usage by the minimum or by the weight, of the largest share first."""
    if by_min_share:
        pairs = zip(queue.used, queue.min_share, strict=True)
        ratios = [_divide(amount, minimum) for amount, minimum in pairs]
    else:
        ratios = [_divide(share, queue.weight) for share in shares]
    if len(shares) > 2:
        ratios = [single(ratio) for ratio in ratios]
    return [ratios[place] for place in _by_share(shares)]


def _drf_shares(queue: DrfQueue, cluster: Vector) -> list[float]:
    shares = [_divide(amount, total) for amount, total in zip(queue.used, cluster, strict=True)]
    return shares if len(cluster) == 2 else [single(share) for share in shares]


def _dominant(shares: Sequence[float]) -> int:
    best = 0
    for place, share in enumerate(shares):
        if share > shares[best]:
            best = place
    return best


def _by_share(shares: Sequence[float]) -> list[int]:
    """The places, largest share first; what is not a number keeps its place at the end."""
    return sorted(range(len(shares)), key=lambda place: (isnan(shares[place]), -shares[place]))


def _divide(amount: float, divisor: float) -> float:
    """Division as Java's double does it: 0/0 is not a number."""
    if divisor:
        return amount / divisor
    if amount == 0 or isnan(amount):
        return nan
    return inf if amount > 0 else -inf


def _sign(difference: float) -> int:
    return 0 if isnan(difference) else (difference > 0) - (difference < 0)
