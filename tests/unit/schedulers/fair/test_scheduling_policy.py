"""How policies compare resources, and which may stand below which."""

from __future__ import annotations

import pytest

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.scheduling_policy import (
    is_child_policy_allowed,
    is_greater,
    is_usage_below_share,
    shared_types,
)

FAIR, FIFO, DRF = FairPolicy.FAIR, FairPolicy.FIFO, FairPolicy.DRF
CLUSTER = (20480, 20)


@pytest.mark.parametrize(
    ("policy", "used", "share", "expected"),
    [
        pytest.param(FAIR, (1024, 1), (2048, 0), True, id="fair: less memory"),
        pytest.param(FAIR, (2048, 1), (2048, 9), False, id="fair: equal memory"),
        pytest.param(FAIR, (3072, 1), (2048, 9), False, id="fair: more memory"),
        pytest.param(FAIR, (1024, 20), (2048, 0), True, id="fair: vcores do not count"),
        pytest.param(FIFO, (1024, 20), (2048, 0), True, id="fifo: less memory"),
        pytest.param(FIFO, (2048, 0), (2048, 9), False, id="fifo: equal memory"),
        pytest.param(DRF, (1024, 1), (2048, 2), True, id="drf: less of both"),
        pytest.param(DRF, (2048, 2), (2048, 2), False, id="drf: equal"),
        pytest.param(DRF, (1024, 4), (3072, 3), False, id="drf: more of the dominant one"),
        pytest.param(DRF, (4096, 1), (2048, 5), True, id="drf: 20 % of memory, 25 % of vcores"),
        pytest.param(DRF, (4096, 1), (1024, 4), False, id="drf: equal dominant shares"),
        pytest.param(DRF, (0, 0), (0, 1), True, id="drf: nothing against something"),
        pytest.param(DRF, (0, 1), (0, 0), False, id="drf: something against nothing"),
    ],
)
def test_usage_is_below_a_share_by_the_largest_share_alone(
    policy: FairPolicy, used: Vector, share: Vector, *, expected: bool
) -> None:
    assert is_usage_below_share(policy, CLUSTER, used, share) is expected


@pytest.mark.parametrize(
    ("policy", "a", "b", "expected"),
    [
        pytest.param(FAIR, (2048, 0), (1024, 9), True, id="fair: more memory"),
        pytest.param(FAIR, (1024, 9), (1024, 0), False, id="fair: equal memory"),
        pytest.param(FIFO, (2048, 0), (1024, 9), True, id="fifo: more memory"),
        pytest.param(FIFO, (512, 9), (1024, 0), False, id="fifo: less memory"),
        pytest.param(DRF, (2048, 2), (1024, 1), True, id="drf: more of both"),
        pytest.param(DRF, (1024, 1), (1024, 1), False, id="drf: equal"),
        pytest.param(DRF, (1024, 4), (3072, 1), True, id="drf: 20 % of vcores, 15 % of memory"),
        pytest.param(DRF, (3072, 1), (1024, 4), False, id="drf: the other way round"),
        pytest.param(DRF, (4096, 2), (4096, 1), True, id="drf: the next share decides"),
        pytest.param(DRF, (4096, 1), (1024, 4), False, id="drf: 20 and 5 % on both sides"),
        pytest.param(DRF, (2048, 4), (4096, 1), True, id="drf: equal largest, more of the other"),
        pytest.param(DRF, (0, 0), (0, 0), False, id="drf: nothing on both sides"),
    ],
)
def test_one_is_greater_by_the_largest_share_and_then_the_next(
    policy: FairPolicy, a: Vector, b: Vector, *, expected: bool
) -> None:
    assert is_greater(policy, CLUSTER, a, b) is expected


def test_what_the_cluster_has_nothing_of_counts_for_nothing() -> None:
    without_cpu = (20480, 0)

    assert not is_usage_below_share(DRF, without_cpu, (1024, 0), (1024, 9))
    assert is_greater(DRF, without_cpu, (2048, 0), (1024, 9))


def test_in_an_empty_cluster_amounts_are_compared() -> None:
    assert is_usage_below_share(DRF, (0, 0), (1, 1), (2, 1))
    assert is_greater(DRF, (0, 0), (2, 1), (1, 1))


@pytest.mark.parametrize(
    ("parent", "child", "expected"),
    [
        pytest.param(FAIR, FAIR, True, id="fair below fair"),
        pytest.param(FAIR, FIFO, True, id="fifo below fair"),
        pytest.param(FAIR, DRF, False, id="drf below fair"),
        pytest.param(DRF, FAIR, True, id="fair below drf"),
        pytest.param(DRF, FIFO, True, id="fifo below drf"),
        pytest.param(DRF, DRF, True, id="drf below drf"),
        pytest.param(FIFO, FAIR, False, id="fair below fifo"),
        pytest.param(FIFO, FIFO, False, id="fifo below fifo"),
        pytest.param(FIFO, DRF, False, id="drf below fifo"),
    ],
)
def test_which_policies_may_stand_below_which(
    parent: FairPolicy, child: FairPolicy, *, expected: bool
) -> None:
    assert is_child_policy_allowed(parent, child) is expected


@pytest.mark.parametrize(
    ("policy", "count", "expected"),
    [(FAIR, 2, [0]), (FIFO, 3, [0]), (DRF, 2, [0, 1]), (DRF, 4, [0, 1, 2, 3])],
)
def test_fair_and_fifo_share_memory_alone(
    policy: FairPolicy, count: int, expected: list[int]
) -> None:
    assert list(shared_types(policy, count)) == expected
