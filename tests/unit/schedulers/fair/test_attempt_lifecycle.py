"""Attempts come into leaves and go, with all that they hold (Hadoop: FairScheduler)."""

from __future__ import annotations

import pytest

from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from unit.schedulers.fair.building import FairCluster, app_id

TWO = '<queue name="a"/><queue name="b"/>'
ONE_AT_A_TIME = '<queue name="a"><maxRunningApps>1</maxRunningApps></queue><queue name="b"/>'


def limited(of_b: str) -> FairCluster:
    """An application of a with its AM and two containers; b has the settings *of_b*."""
    cluster = FairCluster(f'<queue name="a"/><queue name="b">{of_b}</queue>')
    cluster.run(1, count=2)
    cluster.cycle()
    return cluster


def test_an_attempt_that_comes_asks_for_its_master_alone() -> None:
    cluster = FairCluster(TWO)
    cluster.submit(1)
    cluster.cycle()

    assert [container.am for container in cluster.held(1)] == [True]


def test_an_attempt_that_goes_gives_back_what_it_holds_and_reserved() -> None:
    cluster = FairCluster(TWO, nodes=1)
    cluster.run(1, count=5, size=(2048, 1))
    cluster.cycle()
    cluster.scheduler.finish(app_id(1), 0)
    cluster.cycle()

    assert cluster.held(1) == []
    status = cluster.status("a")
    assert (status.used, status.pending, status.reserved) == ((0, 0),) * 3
    assert (status.active_applications, status.pending_applications) == (0, 0)


def test_when_a_running_one_goes_the_next_runs() -> None:
    cluster = FairCluster(ONE_AT_A_TIME)
    cluster.submit(1)
    cluster.submit(2)
    cluster.cycle()
    assert [cluster.count(number) for number in (1, 2)] == [1, 0]
    cluster.scheduler.finish(app_id(1), 0)
    cluster.cycle()

    assert cluster.count(2) == 1


def test_when_a_waiting_one_goes_nobody_else_runs() -> None:
    cluster = FairCluster(ONE_AT_A_TIME)
    for number in (1, 2, 3):
        cluster.submit(number)
    cluster.scheduler.finish(app_id(2), 0)
    cluster.cycle()

    assert [cluster.count(number) for number in (1, 3)] == [1, 0]


def test_a_move_takes_all_that_is_held_along() -> None:
    cluster = limited("")
    cluster.scheduler.move(app_id(1), "root.b", 0)

    assert cluster.status("a").used == (0, 0)
    assert cluster.status("b").used == (3072, 3)
    assert cluster.count(1) == 3


def test_the_new_leaf_never_counts_the_master_of_who_moved() -> None:
    cluster = limited("")
    cluster.scheduler.move(app_id(1), "root.b", 0)

    assert cluster.status("a").am_used == (0, 0)
    assert cluster.status("b").am_used == (0, 0)


@pytest.mark.parametrize(
    ("of_b", "reason", "told"),
    [
        pytest.param(
            "<maxRunningApps>0</maxRunningApps>",
            Reason.PARALLEL_LIMIT,
            "queue root.b runs 0 applications, as many as it may (0)",
            id="by the number of its applications",
        ),
        pytest.param(
            "<maxResources>2048 mb, 2 vcores</maxResources>",
            Reason.QUEUE_MAXIMUM,
            "queue root.b holds",
            id="by its maximum",
        ),
    ],
)
def test_a_move_is_refused(of_b: str, reason: Reason, told: str) -> None:
    cluster = limited(of_b)
    with pytest.raises(Rejected) as refused:
        cluster.scheduler.move(app_id(1), "root.b", 0)

    assert refused.value.reason is reason
    assert told in str(refused.value)
    assert cluster.status("a").used == (3072, 3)


def test_who_does_not_run_may_move_into_any_leaf() -> None:
    cluster = FairCluster(
        '<queue name="a"><maxRunningApps>1</maxRunningApps></queue>'
        '<queue name="b"><maxResources>1 mb, 1 vcores</maxResources></queue>'
    )
    cluster.submit(1)
    cluster.submit(2)
    cluster.scheduler.move(app_id(2), "root.b", 0)

    assert cluster.status("b").active_applications + cluster.status("b").pending_applications == 1


def test_a_move_lets_the_next_of_the_old_leaf_run() -> None:
    cluster = FairCluster(ONE_AT_A_TIME)
    cluster.submit(1)
    cluster.submit(2)
    cluster.cycle()
    cluster.scheduler.move(app_id(1), "root.b", 0)
    cluster.cycle()

    assert cluster.count(2) == 1
