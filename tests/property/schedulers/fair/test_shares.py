"""Fair shares hold what fairness means, whatever the claims."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kubeyarn.schedulers.fair.compute_fair_shares import Claim, fair_shares

WEIGHTS = st.sampled_from([0.5, 1.0, 2.0, 3.0, 4.0])
AMOUNTS = st.integers(0, 100_000)


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    minimum = draw(st.one_of(st.just(0), AMOUNTS))
    maximum = draw(st.one_of(st.just(Claim().maximum), st.integers(minimum, 200_000)))
    return Claim(draw(WEIGHTS), minimum, maximum, draw(st.sampled_from([True, True, False])))


CLAIMS = st.lists(claims(), min_size=1, max_size=12)
TOTALS = st.integers(0, 1_000_000)


def filled(given_claims: list[Claim], total: int) -> list[Fraction]:
    """Max-min fair shares by filling up, exactly: the brute-force reference.

    The level rises from one bend to the next, where somebody's minimum is passed or maximum is
    reached, until all is given out.
    """
    active = [claim for claim in given_claims if claim.active and claim.maximum > 0]
    bends = sorted(
        {Fraction(bound) / Fraction(c.weight) for c in active for bound in (c.minimum, c.maximum)}
    )
    level = Fraction(0)
    for bend in bends:
        if _given(active, bend) >= total:
            break
        level = bend
    slope = sum((Fraction(c.weight) for c in active if _is_rising(c, level)), Fraction(0))
    missing = total - _given(active, level)
    if slope and missing > 0:
        level += missing / slope
    return [
        _share(claim, level) if claim.active and claim.maximum > 0 else Fraction(0)
        for claim in given_claims
    ]


def _is_rising(claim: Claim, level: Fraction) -> bool:
    wish = Fraction(claim.weight) * level
    return claim.minimum <= wish < claim.maximum


def _share(claim: Claim, level: Fraction) -> Fraction:
    return min(
        max(Fraction(claim.weight) * level, Fraction(claim.minimum)), Fraction(claim.maximum)
    )


def _given(active: list[Claim], level: Fraction) -> Fraction:
    return sum((_share(claim, level) for claim in active), Fraction(0))


@given(CLAIMS, TOTALS)
def test_shares_are_max_min_fair(given_claims: list[Claim], total: int) -> None:
    found = fair_shares(given_claims, total)

    for share, exact in zip(found, filled(given_claims, total), strict=True):
        # 25 halvings leave R about 2^-25 of its bound off; shares are cut to integers.
        assert abs(share - exact) <= 2 + len(given_claims)


@given(st.lists(WEIGHTS, min_size=1, max_size=20), TOTALS)
def test_shares_sum_to_the_whole(weights: list[float], total: int) -> None:
    shares = fair_shares([Claim(weight) for weight in weights], total)

    assert abs(sum(shares) - total) <= len(weights)


@given(CLAIMS, TOTALS)
def test_a_share_is_never_above_its_maximum_nor_below_its_minimum(
    given_claims: list[Claim], total: int
) -> None:
    for claim, share in zip(given_claims, fair_shares(given_claims, total), strict=True):
        if claim.active:
            assert min(claim.minimum, claim.maximum) <= share <= claim.maximum
        else:
            assert share == 0


@given(WEIGHTS, WEIGHTS, st.integers(1000, 1_000_000))
def test_shares_are_as_weights_within_rounding(one: float, other: float, total: int) -> None:
    first, second = fair_shares([Claim(one), Claim(other)], total)

    assert abs(first * other - second * one) <= one + other


@given(CLAIMS, TOTALS, st.randoms(use_true_random=False))
def test_the_order_of_claims_does_not_matter(
    given_claims: list[Claim], total: int, chance: object
) -> None:
    order = list(range(len(given_claims)))
    chance.shuffle(order)  # type: ignore[attr-defined]

    shuffled = fair_shares([given_claims[i] for i in order], total)

    assert [shuffled[order.index(i)] for i in range(len(order))] == fair_shares(given_claims, total)


@given(CLAIMS, TOTALS, st.integers(0, 1000))
def test_more_to_share_gives_nobody_less(given_claims: list[Claim], total: int, more: int) -> None:
    before = fair_shares(given_claims, total)
    after = fair_shares(given_claims, total + more)

    assert all(a >= b - 2 for a, b in zip(after, before, strict=True))
