"""How much more an application may get, which its AM is told."""

from __future__ import annotations

import pytest

from kubeyarn.model.queues import Partition
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.calculator import Calculator, DefaultCalculator, DominantCalculator
from kubeyarn.schedulers.capacity.headroom import headroom
from unit.schedulers.small import SmallCluster, app_id

MEMORY, DOMINANT = DefaultCalculator(), DominantCalculator()
PARTITION = (16384, 16)


@pytest.mark.parametrize(
    ("calc", "user", "queue", "free", "expected"),
    [
        pytest.param(DOMINANT, (4096, 4), (8192, 8), (9216, 9), (4096, 4), id="what the user may"),
        pytest.param(DOMINANT, (8192, 8), (4096, 4), (9216, 9), (4096, 4), id="what the queue may"),
        pytest.param(DOMINANT, (8192, 8), (8192, 8), (2048, 2), (2048, 2), id="what is free"),
        pytest.param(
            DOMINANT, (8192, 2), (4096, 8), (9216, 9), (4096, 2), id="the lesser of each type"
        ),
        pytest.param(DOMINANT, (-1024, 4), (8192, 8), (9216, 9), (0, 4), id="0, not less than it"),
        pytest.param(DOMINANT, (8192, 8), (-1, -1), (9216, 9), (0, 0), id="nothing over the limit"),
        pytest.param(
            DOMINANT, (4000, 4), (8192, 8), (9216, 9), (3072, 4), id="rounded down to a step"
        ),
        pytest.param(
            DOMINANT, (4096, 4), (8192, 8), (2000, 9), (4096, 4), id="what is free as a whole"
        ),
        pytest.param(
            DOMINANT, (4096, 4), (8192, 8), (2000, 3), (2000, 3), id="what is free is not rounded"
        ),
        pytest.param(MEMORY, (4096, 1), (8192, 1), (9216, 1), (4096, 1), id="by memory alone"),
        pytest.param(MEMORY, (8192, 1), (8192, 1), (2048, 0), (2048, 0), id="free memory alone"),
        pytest.param(DOMINANT, (0, 0), (0, 0), (0, 0), (0, 0), id="nothing of nothing"),
    ],
)
def test_headroom_is(
    calc: Calculator, user: Vector, queue: Vector, free: Vector, expected: Vector
) -> None:
    found = headroom(
        calc,
        PARTITION,
        user_headroom=user,
        queue_headroom=queue,
        free=free,
        minimum_allocation=(1024, 1),
    )

    assert found == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # 16384 MiB and 16 cores; a has half, one AM and three containers of 1 GiB and 1 core run.
        pytest.param({"root.a.user-limit-factor": "1"}, (4096, 4), id="up to the user's limit"),
        pytest.param({"root.a.maximum-capacity": "50"}, (4096, 4), id="up to the queue's maximum"),
        # A queue at 4 of 8 GiB: its user may hold the guarantee.
        pytest.param({}, (4096, 4), id="up to the guarantee while the queue is below it"),
    ],
)
def test_an_application_may_still_get(settings: dict[str, str], expected: Vector) -> None:
    cluster = SmallCluster(settings, nodes=2)
    cluster.submit(1)
    cluster.ask(1, 3)
    cluster.cycle()

    assert cluster.engine.headroom(app_id(1)) == expected


def test_what_others_hold_is_not_free() -> None:
    cluster = SmallCluster({"root.a.user-limit-factor": "1"})
    cluster.submit(1)
    cluster.submit(2, "b")
    cluster.ask(2, 6)
    cluster.cycle()

    # a may have 3072 MiB more, but b holds 7168 of 8192 and a 1024: nothing is free.
    assert cluster.engine.headroom(app_id(1)) == (0, 0)


def test_two_users_of_a_queue_share_the_headroom() -> None:
    cluster = SmallCluster({"root.a.minimum-user-limit-percent": "50"}, nodes=2)
    cluster.submit(1, user="alice")
    cluster.submit(2, user="bob")
    cluster.ask(1, 9)
    cluster.ask(2, 9)

    # Both hold an AM and are active: half of a's 8192 MiB each, less the AM.
    assert cluster.engine.headroom(app_id(1)) == (4096, 4)
    cluster.cycle()
    assert cluster.engine.headroom(app_id(1))[0] <= 1024


def test_an_application_in_a_partition_is_told_of_that_partition() -> None:
    settings = {
        "root.accessible-node-labels.x.capacity": "100",
        "root.a.accessible-node-labels": "x",
        "root.a.accessible-node-labels.x.capacity": "100",
    }
    cluster = SmallCluster(settings, partitions=(Partition("x"),))
    cluster.node("x0", (4096, 4), partition="x")
    cluster.submit(1)
    cluster.submit(2, am=(1024, 1), partition="x")
    cluster.cycle()

    assert cluster.engine.headroom(app_id(2)) == (3072, 3)


def test_an_application_that_is_not_known_may_get_nothing() -> None:
    assert SmallCluster().engine.headroom(app_id(9)) == (0, 0)
