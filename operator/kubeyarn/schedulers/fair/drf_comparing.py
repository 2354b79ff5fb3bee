"""Hadoop's DRF comparators to the letter, for siblings one of which has no weight.

A share of nothing divided by a weight of nothing is no number, and what is no number is level with
everything: the comparator then contradicts itself and cannot be a sort key
(DominantResourceFairnessComparator2 and N). Where all weights are positive, ordering.drf_key does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan, nan
from typing import NamedTuple

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.java_numbers import single


class Sibling(NamedTuple):
    """What the comparator looks at; queues have no start time."""

    usage: Vector
    minimum: Vector
    weight: float
    name: str


def compare_siblings(one: Sibling, other: Sibling, cluster: Vector) -> int:
    """Negative where *one* is served first, positive where *other* is."""
    shares = [_shares(sibling, cluster) for sibling in (one, other)]
    dominant = [_dominant(found) for found in shares]
    needy = [
        sibling.usage[place] < sibling.minimum[place]
        for sibling, place in zip((one, other), dominant, strict=True)
    ]
    if needy[0] != needy[1]:
        return -1 if needy[0] else 1
    sides = [
        _ratios(sibling, found, needy=needy[0])
        for sibling, found in zip((one, other), shares, strict=True)
    ]
    for left, right in zip(*sides, strict=True):
        sign = _sign(left - right)
        if sign:
            return sign
    return (one.name > other.name) - (one.name < other.name)


def _ratios(sibling: Sibling, shares: Sequence[float], *, needy: bool) -> list[float]:
    """Use by the minimum or by the weight, of the largest share first."""
    if needy:
        pairs = zip(sibling.usage, sibling.minimum, strict=True)
        ratios = [_divide(used, least) for used, least in pairs]
    else:
        ratios = [_divide(share, sibling.weight) for share in shares]
    if len(shares) > 2:
        ratios = [single(ratio) for ratio in ratios]
    return [ratios[place] for place in _by_share(shares)]


def _shares(sibling: Sibling, cluster: Vector) -> list[float]:
    shares = [_divide(used, total) for used, total in zip(sibling.usage, cluster, strict=True)]
    return shares if len(cluster) == 2 else [single(share) for share in shares]


def _dominant(shares: Sequence[float]) -> int:
    best = 0
    for place, share in enumerate(shares):
        if share > shares[best]:
            best = place
    return best


def _by_share(shares: Sequence[float]) -> list[int]:
    """The places, largest share first; what is no number keeps its place at the end."""
    return sorted(range(len(shares)), key=lambda place: (isnan(shares[place]), -shares[place]))


def _divide(amount: float, divisor: float) -> float:
    """Division as Java's double does it."""
    if divisor:
        return amount / divisor
    if amount == 0 or isnan(amount):
        return nan
    return inf if amount > 0 else -inf


def _sign(difference: float) -> int:
    return 0 if isnan(difference) else (difference > 0) - (difference < 0)
