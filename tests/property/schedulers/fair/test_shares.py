"""Fair shares hold what fairness means, whoever shares."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kubeyarn.schedulers.fair.fair_shares import Schedulable, compute_shares

WEIGHTS = st.sampled_from([0.5, 1.0, 2.0, 3.0, 4.0])
AMOUNTS = st.integers(0, 100_000)


@st.composite
def schedulables(draw: st.DrawFn) -> Schedulable:
    minimum = draw(st.one_of(st.just(0), AMOUNTS))
    maximum = draw(st.one_of(st.just(Schedulable().max_share), st.integers(minimum, 200_000)))
    return Schedulable(draw(WEIGHTS), minimum, maximum, draw(st.sampled_from([True, True, False])))


SIBLINGS = st.lists(schedulables(), min_size=1, max_size=12)
TOTALS = st.integers(0, 1_000_000)


def filled(siblings: list[Schedulable], total: int) -> list[Fraction]:
    """Max-min fair shares by filling up, exactly: the brute-force reference.

    The level rises from one bend to the next, where somebody's minimum is passed or maximum is
    reached, until all is given out.
    """
    active = [sibling for sibling in siblings if sibling.active and sibling.max_share > 0]
    bends = sorted(
        {
            Fraction(bound) / Fraction(c.weight)
            for c in active
            for bound in (c.min_share, c.max_share)
        }
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
        _share(sibling, level) if sibling.active and sibling.max_share > 0 else Fraction(0)
        for sibling in siblings
    ]


def _is_rising(sibling: Schedulable, level: Fraction) -> bool:
    wish = Fraction(sibling.weight) * level
    return sibling.min_share <= wish < sibling.max_share


def _share(sibling: Schedulable, level: Fraction) -> Fraction:
    return min(
        max(Fraction(sibling.weight) * level, Fraction(sibling.min_share)),
        Fraction(sibling.max_share),
    )


def _given(active: list[Schedulable], level: Fraction) -> Fraction:
    return sum((_share(sibling, level) for sibling in active), Fraction(0))


@given(SIBLINGS, TOTALS)
def test_shares_are_max_min_fair(siblings: list[Schedulable], total: int) -> None:
    found = compute_shares(siblings, total)

    for share, exact in zip(found, filled(siblings, total), strict=True):
        # 25 halvings leave R about 2^-25 of its bound off; shares are cut to integers.
        assert abs(share - exact) <= 2 + len(siblings)


@given(st.lists(WEIGHTS, min_size=1, max_size=20), TOTALS)
def test_shares_sum_to_the_whole(weights: list[float], total: int) -> None:
    shares = compute_shares([Schedulable(weight) for weight in weights], total)

    assert abs(sum(shares) - total) <= len(weights)


@given(SIBLINGS, TOTALS)
def test_a_share_is_never_above_its_maximum_nor_below_its_minimum(
    siblings: list[Schedulable], total: int
) -> None:
    for sibling, share in zip(siblings, compute_shares(siblings, total), strict=True):
        if sibling.active:
            assert min(sibling.min_share, sibling.max_share) <= share <= sibling.max_share
        else:
            assert share == 0


@given(WEIGHTS, WEIGHTS, st.integers(1000, 1_000_000))
def test_shares_are_as_weights_within_rounding(one: float, other: float, total: int) -> None:
    first, second = compute_shares([Schedulable(one), Schedulable(other)], total)

    assert abs(first * other - second * one) <= one + other


@given(SIBLINGS, TOTALS, st.randoms(use_true_random=False))
def test_the_order_of_siblings_does_not_matter(
    siblings: list[Schedulable], total: int, chance: object
) -> None:
    order = list(range(len(siblings)))
    chance.shuffle(order)  # type: ignore[attr-defined]

    shuffled = compute_shares([siblings[i] for i in order], total)

    assert [shuffled[order.index(i)] for i in range(len(order))] == compute_shares(siblings, total)


@given(SIBLINGS, TOTALS, st.integers(0, 1000))
def test_more_to_share_gives_nobody_less(
    siblings: list[Schedulable], total: int, more: int
) -> None:
    before = compute_shares(siblings, total)
    after = compute_shares(siblings, total + more)

    assert all(a >= b - 2 for a, b in zip(after, before, strict=True))
