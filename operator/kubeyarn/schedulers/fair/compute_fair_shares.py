"""Fair shares of one resource among siblings (Hadoop: ComputeFairShares).

A share is `weight * R`, not below the minimum and not above the maximum, cut to an integer; R is
found by doubling and then 25 halvings, so shares may leave a few units over. Minima are always
given, so together they may be more than there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kubeyarn.model.fair_queues import UNBOUNDED

_HALVINGS = 25


class Claim(NamedTuple):
    """What one sibling claims of one resource.

    *active* False is a queue without runnable applications: nothing, in instantaneous shares.
    """

    weight: float = 1.0
    minimum: int = 0
    maximum: int = UNBOUNDED
    active: bool = True


def fair_shares(claims: Sequence[Claim], total: int) -> list[int]:
    """Each claim's share of *total*, in the order of *claims*.

    Equal claims are computed once, so the cost grows with the number of different claims.
    """
    counts: dict[Claim, int] = {}
    for claim in claims:
        counts[claim] = counts.get(claim, 0) + 1
    shares = share_classes(counts, total)
    return [shares[claim] for claim in claims]


def share_classes(counts: dict[Claim, int], total: int) -> dict[Claim, int]:
    """The share of each class of equal claims, of which there are so many."""
    shares: dict[Claim, int] = {}
    open_classes: list[tuple[Claim, int]] = []
    taken = 0
    for claim, count in counts.items():
        fixed = _fixed(claim)
        if fixed is None:
            open_classes.append((claim, count))
        else:
            shares[claim] = fixed
            taken += fixed * count
    if open_classes:
        ratio = _ratio(open_classes, max(total - taken, 0))
        shares.update((claim, _share(claim, ratio)) for claim, _ in open_classes)
    return shares


def _fixed(claim: Claim) -> int | None:
    """A share that no ratio changes; None where the ratio decides."""
    if claim.maximum <= 0 or not claim.active:
        return 0
    if claim.weight <= 0:
        return max(claim.minimum, 0)
    return None


def _ratio(classes: list[tuple[Claim, int]], total: int) -> float:
    """The weight-to-resource ratio that uses *total*, or all maxima where those are less."""
    most = sum(claim.maximum * count for claim, count in classes)
    wanted = min(total, most)
    right = 1.0
    while _used(classes, right) < wanted:
        right *= 2.0
    left = 0.0
    for _ in range(_HALVINGS):
        middle = (left + right) / 2.0
        used = _used(classes, middle)
        if used == wanted:
            return middle
        if used < wanted:
            left = middle
        else:
            right = middle
    return right


def _used(classes: list[tuple[Claim, int]], ratio: float) -> int:
    used = 0
    for (weight, minimum, maximum, _), count in classes:
        share = weight * ratio
        if share < minimum:
            share = minimum
        if share > maximum:
            share = maximum
        used += int(share) * count
    return used


def _share(claim: Claim, ratio: float) -> int:
    return int(min(max(claim.weight * ratio, claim.minimum), claim.maximum))
