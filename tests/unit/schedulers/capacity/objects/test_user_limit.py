"""How much a user may hold of a leaf queue, by Hadoop's formula.

    current = the queue's guarantee, or what its users use and a step, if that is more
    limit   = max(what active users use and a step / their weights, current * percent / 100)
    limit   = min(limit, guarantee * factor), rounded up to a step

The numbers named by a scenario are those of `tests/conformance/capacity/scenarios`, in which Hadoop
answered `userLimitMemory`. A step is the minimum allocation.
"""

from __future__ import annotations

import pytest

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.calculator import DefaultCalculator, DominantCalculator
from kubeyarn.schedulers.capacity.objects.users_manager import (
    NO_FACTOR,
    UserLimitTerms,
    user_cap,
    user_limit,
)

MEMORY, DOMINANT = DefaultCalculator(), DominantCalculator()
STEP = (1024, 1)


def terms(
    whole: int,
    minimum: int,
    used: int | None,
    *,
    weights: float = 1.0,
    percent: float = 100.0,
    factor: float = 1.0,
    maximum: int | None = None,
    all_used: int | None = None,
    whole_partition: bool = False,
) -> UserLimitTerms:
    """Terms in GiB, a core with each; *all_used* is what active and other users hold together."""
    held = all_used if all_used is not None else used or 0
    return UserLimitTerms(
        partition=gib(whole),
        minimum=gib(minimum),
        maximum=gib(whole if maximum is None else maximum),
        minimum_allocation=STEP,
        usage_ratio=held / whole,
        used=None if used is None else gib(used),
        weights=weights,
        minimum_user_limit_percent=percent,
        user_limit_factor=factor,
        whole_partition=whole_partition,
    )


def gib(amount: int) -> Vector:
    return (amount * 1024, amount)


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        pytest.param(
            terms(20, 20, 20, percent=50),
            20,
            id="one active user may hold the whole queue (user-limit-percent-two)",
        ),
        pytest.param(
            terms(20, 20, 19, weights=2, percent=50),
            10,
            id="two users share a queue that is not full (user-limit-percent-two)",
        ),
        pytest.param(
            terms(20, 20, 20, weights=2, percent=50),
            11,
            id="a full queue lets each user have a step more (user-limit-percent-two)",
        ),
        pytest.param(
            terms(20, 20, 20, weights=3, percent=50),
            11,
            id="the percentage keeps a third user from lowering the limit (user-limit-percent-two)",
        ),
        pytest.param(
            terms(40, 40, 39, weights=4, percent=25),
            10,
            id="four users at 25 percent have a quarter each (user-limit-percent-25-four)",
        ),
        pytest.param(
            terms(40, 40, 40, weights=4, percent=25),
            11,
            id="four users of a full queue have a quarter and a step (user-limit-percent-25-four)",
        ),
        pytest.param(
            terms(60, 60, 59, weights=6, percent=20),
            12,
            id="six users at 20 percent have a fifth each (user-limit-percent-20-six)",
        ),
        pytest.param(
            terms(60, 60, 60, weights=6, percent=20),
            13,
            id="six users of a full queue have a fifth and a step (user-limit-percent-20-six)",
        ),
        pytest.param(
            terms(30, 30, 23, weights=3, percent=25),
            8,
            id="weights of 2 and 1 count as three users (user-weights)",
        ),
        pytest.param(
            terms(30, 30, 30, weights=3, percent=25),
            11,
            id="with weights a full queue is divided by their sum (user-weights)",
        ),
        pytest.param(
            terms(20, 10, 11, all_used=12),
            10,
            id="a factor of 1 stops a user at the guarantee (user-limit-factor-one)",
        ),
        pytest.param(
            terms(20, 20, 9, factor=0.4),
            8,
            id="a factor of 0.4 stops a user below the guarantee (user-limit-factor-fraction)",
        ),
        pytest.param(
            terms(20, 20, 19, weights=3, factor=0.4),
            8,
            id="more users do not lower a limit that the factor sets (user-limit-factor-fraction)",
        ),
        pytest.param(
            terms(40, 6, 6, factor=5),
            7,
            id="a queue at its guarantee lets its user have a step more (hierarchy-three-levels)",
        ),
        pytest.param(
            terms(40, 16, 16, factor=5),
            17,
            id="so does one with a larger guarantee (hierarchy-three-levels)",
        ),
        pytest.param(
            terms(20, 6, 0, maximum=12, factor=9),
            6,
            id="an unused queue of a partition offers its guarantee (label-exclusive-capacity)",
        ),
        pytest.param(
            terms(32, 16, 2, all_used=6, maximum=16),
            16,
            id="users that are not active count for the queue's use alone (unit-am-limit-large)",
        ),
        pytest.param(
            terms(20, 5, 17, factor=NO_FACTOR),
            18,
            id="without a factor the limit is as elastic as the queue (auto-v2-leaf)",
        ),
        pytest.param(
            terms(20, 5, 20, factor=NO_FACTOR),
            20,
            id="without a factor the queue's maximum is the limit's (auto-v2-leaf)",
        ),
        pytest.param(
            terms(20, 5, 3, factor=NO_FACTOR),
            5,
            id="without a factor an idle queue still offers its guarantee (auto-v2-leaf)",
        ),
        pytest.param(
            terms(20, 0, 0),
            1,
            # The guarantee counts as a step at least: max(0, 1) = 1.
            id="a queue without a guarantee offers one step",
        ),
        pytest.param(
            terms(20, 10, None, weights=4, percent=25),
            3,
            # 10 / 4 = 2.5 and 10 * 25 % = 2.5, rounded up to a step: 3.
            id="in intra-queue preemption all users count, by what the queue has",
        ),
        pytest.param(
            terms(20, 10, 30, all_used=20, factor=9, maximum=20, whole_partition=True),
            20,
            id="who borrows in a shared partition is limited by the partition alone",
        ),
    ],
)
def test_a_user_may_hold(given: UserLimitTerms, limit: int) -> None:
    assert user_limit(MEMORY, given)[0] == limit * 1024


@pytest.mark.parametrize(
    ("used", "usage_ratio", "limit"),
    [
        pytest.param((3072, 3), 0.25, (16384, 6), id="below the guarantee the limit is it"),
        pytest.param((5120, 9), 0.75, (25600, 10), id="the dominant type makes it grow"),
        pytest.param((6144, 11), 0.9166666865348816, (31744, 12), id="both types grow alike"),
    ],
)
def test_the_limit_grows_by_the_dominant_share(
    used: Vector, usage_ratio: float, limit: Vector
) -> None:
    # capacity-drf-dominant-calculator: 12 cores are scarce, 3/12 = 0.25 of them is the usage ratio.
    given = UserLimitTerms(
        partition=(32768, 12),
        minimum=(16384, 6),
        maximum=(32768, 12),
        minimum_allocation=STEP,
        usage_ratio=usage_ratio,
        used=used,
        weights=1.0,
        minimum_user_limit_percent=100.0,
        user_limit_factor=2.0,
    )

    assert user_limit(DOMINANT, given) == limit


def test_an_extended_resource_makes_the_limit_grow() -> None:
    # capacity-gpu-user-limit: all 8 GPUs are used, and half of everything and a step is offered;
    # the step of a GPU is 0, so it is not rounded and does not grow.
    given = UserLimitTerms(
        partition=(40960, 40, 8),
        minimum=(40960, 40, 8),
        maximum=(40960, 40, 8),
        minimum_allocation=(1024, 1, 0),
        usage_ratio=1.0,
        used=(10240, 10, 8),
        weights=2.0,
        minimum_user_limit_percent=50.0,
        user_limit_factor=1.0,
    )

    assert user_limit(DOMINANT, given) == (21504, 21, 4)


@pytest.mark.parametrize(
    ("given", "cap"),
    [
        pytest.param(terms(20, 10, 0), 10, id="the guarantee times a factor of 1"),
        pytest.param(terms(20, 10, 0, factor=1.5), 15, id="the guarantee times a factor of 1.5"),
        pytest.param(terms(20, 10, 0, factor=9), 90, id="whatever the cluster has"),
        pytest.param(terms(20, 10, 0, maximum=12, factor=NO_FACTOR), 12, id="the queue's maximum"),
        pytest.param(terms(20, 0, 0, maximum=12), 12, id="the maximum where nothing is guaranteed"),
        pytest.param(terms(20, 10, 0, whole_partition=True), 20, id="the partition, borrowing"),
    ],
)
def test_however_few_users_there_are_one_may_hold_at_most(given: UserLimitTerms, cap: int) -> None:
    assert user_cap(MEMORY, given)[0] == cap * 1024
