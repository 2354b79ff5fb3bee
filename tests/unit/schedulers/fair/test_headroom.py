"""What an application may still get."""

from __future__ import annotations

import pytest

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.headroom import headroom
from unit.schedulers.fair.building import A, FairCluster, app_id

FAIR, FIFO, DRF = FairPolicy.FAIR, FairPolicy.FIFO, FairPolicy.DRF


@pytest.mark.parametrize(
    ("policy", "fair_share", "used", "available", "expected"),
    [
        pytest.param(
            FAIR, (8192, 8), (2048, 2), (9999, 9), (6144, 9), id="fair: the rest of memory"
        ),
        pytest.param(FAIR, (8192, 8), (2048, 9), (9999, 9), (6144, 9), id="fair: any vcores"),
        pytest.param(
            FAIR, (8192, 8), (2048, 2), (1024, 1), (1024, 1), id="fair: what is available"
        ),
        pytest.param(FAIR, (8192, 8), (9216, 2), (1024, 1), (0, 1), id="fair: over the share"),
        pytest.param(FAIR, (8192, 8), (8192, 2), (1024, 1), (0, 1), id="fair: at the share"),
        pytest.param(FIFO, (8192, 8), (2048, 2), (9999, 9), (6144, 9), id="fifo: as fair"),
        pytest.param(FIFO, (8192, 8), (9216, 2), (9999, 9), (0, 9), id="fifo: over the share"),
        pytest.param(DRF, (8192, 8), (2048, 2), (9999, 9), (6144, 6), id="drf: the rest of both"),
        pytest.param(DRF, (8192, 8), (2048, 9), (9999, 9), (6144, 0), id="drf: over the vcores"),
        pytest.param(DRF, (8192, 8), (9216, 2), (9999, 9), (0, 6), id="drf: over the memory"),
        pytest.param(DRF, (8192, 8), (0, 0), (512, 4), (512, 4), id="drf: what is available"),
        pytest.param(FAIR, (8192, 8, 4), (0, 0, 0), (512, 4, 4), (512, 4, 0), id="fair: no gpu"),
        pytest.param(DRF, (8192, 8, 4), (0, 0, 0), (512, 4, 4), (512, 4, 0), id="drf: no gpu"),
        pytest.param(DRF, (0, 0), (0, 0), (512, 4), (0, 0), id="drf: no share"),
    ],
)
def test_headroom_is_the_rest_of_the_share_within_what_is_available(
    policy: FairPolicy, fair_share: Vector, used: Vector, available: Vector, expected: Vector
) -> None:
    assert headroom(policy, fair_share, used, available) == expected


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        pytest.param('<queue name="a"/>', (16384, 16), id="the cluster's rest"),
        pytest.param(
            '<queue name="a"><maxResources>6144 mb,20 vcores</maxResources></queue>',
            (2048, 16),
            id="the maximum's rest of memory",
        ),
        pytest.param(
            '<queue name="a"><maxResources>20480 mb,5 vcores</maxResources></queue>',
            (16384, 1),
            id="the maximum's rest of vcores",
        ),
        pytest.param(
            '<queue name="a"><schedulingPolicy>fifo</schedulingPolicy></queue>',
            (16384, 16),
            id="fifo",
        ),
    ],
)
def test_headroom_of_an_application_that_holds_four_of_twenty(queue: str, expected: Vector) -> None:
    cluster = FairCluster(queue)
    cluster.run(1, count=3)
    cluster.cycle()

    assert cluster.scheduler.headroom(app_id(1)) == expected


def test_headroom_shrinks_when_another_queue_gets_its_share() -> None:
    cluster = FairCluster('<queue name="a"/><queue name="b"/>')
    cluster.run(1, "a", count=3)
    cluster.cycle()
    alone = cluster.scheduler.headroom(app_id(1))
    cluster.submit(2, "b")
    cluster.wait(0)

    assert alone == (16384, 16)
    assert cluster.scheduler.headroom(app_id(1)) == (6144, 16)


def test_the_maximum_of_a_parent_is_not_looked_at() -> None:
    """As in Hadoop, whose FSAppAttempt asks its leaf alone."""
    cluster = FairCluster(
        '<queue name="p"><maxResources>5120 mb,20 vcores</maxResources><queue name="a"/></queue>'
    )
    cluster.run(1, "p.a", count=3)
    cluster.cycle()
    leaf = cluster.status("p.a")

    found = cluster.scheduler.headroom(app_id(1))

    assert leaf.instantaneous_fair_share is not None
    assert found[0] == leaf.instantaneous_fair_share[0] - 4096


def test_headroom_is_the_rest_of_the_fair_share() -> None:
    cluster = FairCluster(A + '<queue name="b"/>')
    cluster.submit(1, "a")
    cluster.submit(2, "b")
    cluster.cycle()
    cluster.ask(1, 4)
    cluster.cycle()

    assert cluster.scheduler.headroom(app_id(1)) == (10240 - 5 * 1024, 14)
