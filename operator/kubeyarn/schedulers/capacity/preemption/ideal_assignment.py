"""How much each queue should hold when everything is fair.

Hadoop: AbstractPreemptableResourceCalculator and PreemptableResourceCalculator. Top down, what
a parent should hold is given to its children, the most underserved first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, component_min, subtract
from kubeyarn.schedulers.calculator import Calculator, multiply
from kubeyarn.schedulers.capacity.queue_order import compare_shares
from kubeyarn.schedulers.java_numbers import ceil_to_long, quotient, single, to_long

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubeyarn.schedulers.capacity.preemption.claims import Claim

_MOST = float(2**31 - 1)


@dataclass(slots=True)
class IdealTerms:
    """The rules of one computation; *underserved* is told of queues that want more, in order."""

    calc: Calculator
    allowed: Vector
    maximum_ignored: float
    natural_termination: float
    reserved: bool
    balance: bool
    underserved: Callable[[str, str], None]


def compute_ideal(root: Claim, terms: IdealTerms) -> None:
    """Set what every queue below *root* should hold, and what is to be taken back."""
    root.find_extras(terms.calc)
    root.ideal = root.guaranteed
    _below(root, terms)


def _below(claim: Claim, terms: IdealTerms) -> None:
    if not claim.children:
        return
    _distribute(claim.children, claim.ideal, terms)
    for child in claim.children:
        _below(child, terms)


def _distribute(claims: list[Claim], whole: Vector, terms: IdealTerms) -> None:
    calc = terms.calc
    zero = (0,) * len(whole)
    guaranteed = [c for c in claims if calc.compare(whole, c.guaranteed, zero) > 0]
    others = [c for c in claims if calc.compare(whole, c.guaranteed, zero) <= 0]
    left = _fixpoint(guaranteed, whole, whole, terms, by_guarantee=True)
    if others and calc.compare(whole, left, zero) > 0:
        _fixpoint(others, whole, left, terms, by_guarantee=False)
    needed = zero
    for claim in claims:
        if calc.compare(whole, claim.used, claim.ideal) > 0:
            needed = add(needed, subtract(claim.used, claim.ideal))
    factor = 1.0
    if calc.compare(whole, needed, terms.allowed) > 0:
        factor = calc.divide(whole, terms.allowed, needed)
    for claim in claims:
        claim.scale_down(calc, whole, factor)


def _fixpoint(
    claims: list[Claim], whole: Vector, left: Vector, terms: IdealTerms, *, by_guarantee: bool
) -> Vector:
    """Give *left* to those who want it, most underserved first.

    Returns what is left for queues without a guarantee: less the initial shares and the first
    offer only, for Hadoop's callers never see what later offers take.
    """
    calc = terms.calc
    zero = (0,) * len(whole)
    wanting: list[Claim] = []
    for claim in claims:
        if calc.compare(whole, claim.used, claim.guaranteed) > 0:
            claim.ideal = add(component_min(claim.guaranteed, claim.used), claim.untouchable)
        else:
            claim.ideal = claim.used
        left = subtract(left, claim.ideal)
        if calc.compare(whole, claim.ideal, add(claim.used, claim.pending)) < 0:
            wanting.append(claim)
    seen: Vector | None = None
    while wanting and calc.compare(whole, left, zero) > 0:
        _normalize(wanting, len(whole), by_guarantee=by_guarantee)
        underserved = _take_underserved(wanting, whole, terms)
        at_start = left
        for claim in underserved:
            if not calc.any_above_zero(left):
                break
            room = component_min(_part(calc, at_start, claim.normal), left)
            took = claim.offer(calc, whole, room, reserved=terms.reserved, balance=terms.balance)
            if calc.compare(whole, took, zero) > 0:
                wanting.append(claim)
            if seen is None:
                seen = subtract(left, took)
            left = tuple(max(0, x) for x in subtract(left, took))
    for claim in _by_need(wanting, whole, calc):
        terms.underserved(claim.path, claim.partition)
    return left if seen is None else seen


def _part(calc: Calculator, whole: Vector, by: tuple[float, ...]) -> Vector:
    """A part of *whole* for each type, rounded up to units."""
    if calc.memory_only:
        return (to_long(whole[0] * by[0] + 0.5), 1 if whole[0] * by[0] >= 0.5 else 0) + (0,) * (
            len(whole) - 2
        )
    return tuple(ceil_to_long(x * f) for x, f in zip(whole, by, strict=True))


def _normalize(claims: list[Claim], types: int, *, by_guarantee: bool) -> None:
    """Each claim's part of what is given out, for each type, by guarantees."""
    if not by_guarantee:
        for claim in claims:
            claim.normal = (single(1.0 / len(claims)),) * types
        return
    columns = [_normal(claims, place) for place in range(types)]
    for claim, normal in zip(claims, zip(*columns, strict=True), strict=True):
        claim.normal = normal


def _normal(claims: list[Claim], place: int) -> list[float]:
    """Parts of one type: by absolute capacity if a queue's guarantee of it was rounded to none."""
    total = sum(claim.guaranteed[place] for claim in claims)
    absolute = 0.0
    for claim in claims:
        absolute = single(absolute + claim.absolute)
    if total and any(not claim.guaranteed[place] and claim.absolute for claim in claims):
        return [quotient(claim.absolute, absolute) for claim in claims]
    if not total or not absolute:
        return [single(1.0 / len(claims))] * len(claims)
    return [quotient(claim.guaranteed[place], total) for claim in claims]


def _share(claim: Claim, whole: Vector, calc: Calculator) -> float:
    zero = (0,) * len(whole)
    if calc.compare(whole, claim.guaranteed, zero) > 0:
        return calc.divide(whole, claim.ideal, claim.guaranteed)
    return _MOST


def _by_need(claims: list[Claim], whole: Vector, calc: Calculator) -> list[Claim]:
    shares = {id(claim): _share(claim, whole, calc) for claim in claims}

    def compare(a: Claim, b: Claim) -> int:
        return compare_shares(shares[id(a)], shares[id(b)], a.priority, b.priority)

    return sorted(claims, key=cmp_to_key(compare))


def _take_underserved(wanting: list[Claim], whole: Vector, terms: IdealTerms) -> list[Claim]:
    """Take out of *wanting* those who are equally and most underserved."""
    ordered = _by_need(wanting, whole, terms.calc)
    taken: list[Claim] = []
    for place, claim in enumerate(ordered):
        taken.append(claim)
        terms.underserved(claim.path, claim.partition)
        if place + 1 == len(ordered):
            break
        after = ordered[place + 1]
        share, next_share = _share(claim, whole, terms.calc), _share(after, whole, terms.calc)
        if compare_shares(share, next_share, claim.priority, after.priority) < 0:
            terms.underserved(after.path, after.partition)
            break
    chosen = {id(claim) for claim in taken}
    wanting[:] = [claim for claim in wanting if id(claim) not in chosen]
    return taken


def decide_amounts(leaves: list[Claim], cluster: Vector, terms: IdealTerms) -> None:
    """Set what this pass takes of every leaf: nothing within the tolerance, else a part.

    The part leaves time for containers to end by themselves.
    """
    calc = terms.calc
    for claim in leaves:
        if claim.protected:
            continue
        zero = (0,) * len(claim.used)
        tolerated = multiply(claim.guaranteed, 1.0 + terms.maximum_ignored)
        if calc.compare(cluster, claim.used, tolerated) <= 0:
            claim.taken = zero
            continue
        taken = claim.to_take
        if not terms.reserved and calc.compare(cluster, taken, zero) > 0:
            ones = (1, 1) + (0,) * (len(taken) - 2)
            taken = calc.times_up(taken, terms.natural_termination, ones)
        claim.taken = taken
