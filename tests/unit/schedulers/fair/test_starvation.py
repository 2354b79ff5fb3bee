"""Who is starved, and of what."""

from __future__ import annotations

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue
from kubeyarn.schedulers.fair.preemption import (
    StarvedApps,
    containers_worth,
    fair_share_claim,
    min_share_starvation,
    should_attempt_preemption,
    starvation_of,
)
from kubeyarn.schedulers.fair.scheduling_policy import is_starved, subtract_non_negative
from unit.schedulers.fair.building import FairCluster, app_id

CLUSTER = (20480, 20)


@pytest.mark.parametrize(
    ("wanted", "held", "expected"),
    [
        pytest.param((4096, 4), (1024, 1), (3072, 3), id="less of both"),
        pytest.param((4096, 4), (4096, 4), (0, 0), id="as much"),
        pytest.param((4096, 4), (8192, 1), (0, 3), id="more memory"),
        pytest.param((4096, 4), (1024, 8), (3072, 0), id="more vcores"),
        pytest.param((0, 0), (1024, 1), (0, 0), id="nothing wanted"),
        pytest.param((4096, 4, 2), (1024, 1, 1), (3072, 3, 1), id="less of a third type"),
        pytest.param((4096, 4, 2), (4096, 4, 2), (0, 0, 0), id="as much of a third type"),
        pytest.param(
            (4096, 4, 0), (4096, 4, 2), (0, 0, -2), id="more of a third type goes below 0"
        ),
        pytest.param((0, 0, 0, 1), (9, 9, 3, 0), (0, 0, -3, 1), id="a third and a fourth type"),
    ],
)
def test_what_is_missing_is_never_below_nothing_of_memory_and_vcores(
    wanted: Vector, held: Vector, expected: Vector
) -> None:
    assert subtract_non_negative(wanted, held) == expected


@pytest.mark.parametrize(
    ("fair_share", "threshold", "demand", "expected"),
    [
        pytest.param((8192, 8), 1.0, (20480, 20), (8192, 8), id="the whole share"),
        pytest.param((8192, 8), 0.5, (20480, 20), (4096, 4), id="half, the default"),
        pytest.param((8192, 8), 0.5, (1024, 20), (1024, 4), id="no more memory than wanted"),
        pytest.param((8192, 8), 0.5, (20480, 1), (4096, 1), id="no more vcores than wanted"),
        pytest.param((8192, 8), 0.0, (20480, 20), (0, 0), id="nothing by force"),
        pytest.param((8191, 7), 0.5, (20480, 20), (4095, 3), id="cut to integers"),
        pytest.param((10240, 10), 0.1, (20480, 20), (1024, 1), id="a float's tenth is more"),
        pytest.param(
            (10240, 10), 0.7, (20480, 20), (7167, 6), id="a float's seven tenths are less"
        ),
        pytest.param((8192, 0), 1.0, (20480, 20), (8192, 0), id="fair: no share of vcores"),
        pytest.param((0, 0), 1.0, (20480, 20), (0, 0), id="no share"),
        pytest.param((8192, 8), 1.0, (0, 0), (0, 0), id="nothing wanted"),
    ],
)
def test_an_application_may_get_part_of_its_share_by_force(
    fair_share: Vector, threshold: float, demand: Vector, expected: Vector
) -> None:
    assert fair_share_claim(fair_share, threshold, demand) == expected


@pytest.mark.parametrize(
    ("min_share", "demand", "used", "expected"),
    [
        pytest.param((6144, 6), (20480, 20), (0, 0), (6144, 6), id="fair-preempt-min-share"),
        pytest.param((6144, 6), (20480, 20), (1024, 1), (5120, 5), id="part of it held"),
        pytest.param((6144, 6), (20480, 20), (6144, 6), (0, 0), id="all of it held"),
        pytest.param((6144, 6), (20480, 20), (9216, 9), (0, 0), id="more held"),
        pytest.param((6144, 6), (2048, 2), (1024, 1), (1024, 1), id="only what is wanted"),
        pytest.param((6144, 6), (2048, 2), (2048, 2), (0, 0), id="all that is wanted held"),
        pytest.param((6144, 6), (20480, 20), (9216, 1), (0, 5), id="vcores are missing"),
        pytest.param((6144, 6), (20480, 20), (1024, 9), (5120, 0), id="memory is missing"),
        pytest.param((6144, 6), (8192, 4), (2048, 2), (4096, 2), id="each type by itself"),
        pytest.param((0, 0), (20480, 20), (0, 0), (0, 0), id="no minimum"),
        pytest.param((6144, 0), (20480, 20), (0, 0), (6144, 0), id="a minimum of memory alone"),
    ],
)
def test_a_queue_is_starved_of_its_minimum_as_far_as_it_wants_it(
    min_share: Vector, demand: Vector, used: Vector, expected: Vector
) -> None:
    assert min_share_starvation(min_share, demand, used) == expected


@pytest.mark.parametrize(
    ("used", "cluster", "threshold", "expected"),
    [
        pytest.param((16384, 0), CLUSTER, 0.8, False, id="four fifths are not more than 0.8"),
        pytest.param((16385, 0), CLUSTER, 0.8, True, id="a MiB more is"),
        pytest.param((0, 17), CLUSTER, 0.8, True, id="vcores count, too"),
        pytest.param((0, 16), CLUSTER, 0.8, False, id="four fifths of the vcores"),
        pytest.param((17408, 2), CLUSTER, 0.8, True, id="the larger share counts: memory"),
        pytest.param((1024, 18), CLUSTER, 0.8, True, id="the larger share counts: vcores"),
        pytest.param((20480, 20), CLUSTER, 1.0, False, id="never above all"),
        pytest.param((1, 0), CLUSTER, 0.0, True, id="0: anything is enough"),
        pytest.param((0, 0), CLUSTER, 0.0, False, id="0: but nothing is not"),
        pytest.param((20480, 0), (20480, 0), 0.5, False, id="a cluster without vcores"),
        pytest.param((0, 20), (0, 20), 0.5, False, id="a cluster without memory"),
        pytest.param((0, 0), (0, 0), 0.5, False, id="an empty cluster"),
    ],
)
def test_containers_are_preempted_in_a_busy_cluster_alone(
    used: Vector, cluster: Vector, threshold: float, *, expected: bool
) -> None:
    assert should_attempt_preemption(used, cluster, threshold) is expected


@pytest.mark.parametrize(
    ("starvation", "size", "expected"),
    [
        pytest.param(4096, 1024, 4, id="four"),
        pytest.param(4095, 1024, 3, id="rounded down"),
        pytest.param(1023, 1024, 0, id="not one"),
        pytest.param(1024, 1024, 1, id="one"),
        pytest.param(0, 1024, 0, id="nothing missing"),
        pytest.param(0, 0, 0, id="nothing missing and nothing asked"),
        pytest.param(1, 0, 2**31 - 1, id="an ask for no memory: as many as are asked for"),
        pytest.param(10240, 3072, 3, id="three and a third"),
        pytest.param(10240, 5120, 2, id="two"),
        pytest.param(-1024, 1024, -1, id="less than nothing missing"),
        # Neither number is a float of 32 bits; their quotient is 1 in single precision.
        pytest.param(16777217, 16777219, 0, id="nearly one"),
    ],
)
def test_starvation_of_memory_is_worth_so_many_containers(
    starvation: int, size: int, expected: int
) -> None:
    assert containers_worth(starvation, size) == expected


def attempt(
    number: int, fair: Vector = (0, 0), minimum: Vector = (0, 0), used: Vector = (0, 0)
) -> FSAppAttempt:
    leaf = FSLeafQueue("root.a", None, (0, 0))
    found = FSAppAttempt(Application(app_id(number), "u", "a"), 1, leaf, (0, 0), number)
    found.fair_share_starvation, found.min_share_starvation, found.used = fair, minimum, used
    return found


@pytest.mark.parametrize(
    ("fair", "minimum", "expected"),
    [
        pytest.param((0, 0), (0, 0), (0, 0), id="not starved"),
        pytest.param((1024, 1), (0, 0), (1024, 1), id="of its fair share"),
        pytest.param((0, 0), (2048, 2), (2048, 2), id="of its queue's minimum"),
        pytest.param((1024, 1), (2048, 2), (3072, 3), id="of both"),
    ],
)
def test_starvation_is_that_of_the_share_and_of_the_minimum(
    fair: Vector, minimum: Vector, expected: Vector
) -> None:
    found = attempt(1, fair, minimum)

    assert starvation_of(found) == expected
    assert found.has_starvation == any(expected)


@pytest.mark.parametrize(
    ("policy", "used", "fair_share", "minimum", "expected"),
    [
        pytest.param(FairPolicy.FAIR, (1024, 9), (2048, 0), (0, 0), True, id="fair: less memory"),
        pytest.param(FairPolicy.FAIR, (2048, 0), (2048, 9), (0, 0), False, id="fair: as much"),
        pytest.param(FairPolicy.FAIR, (2048, 0), (2048, 9), (1, 0), True, id="fair: the minimum"),
        pytest.param(FairPolicy.FIFO, (1024, 9), (2048, 0), (0, 0), True, id="fifo: less memory"),
        pytest.param(FairPolicy.DRF, (1024, 2), (2048, 1), (0, 0), False, id="drf: equal largest"),
        pytest.param(FairPolicy.DRF, (1024, 1), (2048, 1), (0, 0), True, id="drf: less"),
        pytest.param(FairPolicy.DRF, (1024, 3), (2048, 2), (0, 0), False, id="drf: more"),
        pytest.param(FairPolicy.DRF, (1024, 3), (2048, 2), (0, 1), True, id="drf: the minimum"),
    ],
)
def test_without_timeouts_who_is_below_its_share_is_starved(
    policy: FairPolicy, used: Vector, fair_share: Vector, minimum: Vector, *, expected: bool
) -> None:
    found = attempt(1, minimum=minimum, used=used)
    found.fair_share = fair_share

    assert is_starved(found, policy, CLUSTER) is expected


@pytest.mark.parametrize(
    ("starvations", "expected"),
    [
        pytest.param([(3072, 3), (1024, 1), (2048, 2)], [1, 2, 0], id="the least starved first"),
        pytest.param([(1024, 1)] * 3, [2, 1, 0], id="equal ones as Java's heap turns them"),
        pytest.param([(1024, 3), (3072, 1)], [0, 1], id="of two that do not fit in each other"),
        pytest.param([(1024, 1)], [0], id="one"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_starved_applications_come_in_the_order_of_a_heap(
    starvations: list[Vector], expected: list[int]
) -> None:
    apps = StarvedApps()
    for number, starvation in enumerate(starvations):
        apps.add(attempt(number, starvation))

    order = [apps.take().application.id.number for _ in range(len(apps))]

    assert order == expected


def test_a_starved_application_is_in_it_once() -> None:
    apps = StarvedApps()
    one = attempt(1, (1024, 1))

    apps.add(one)
    apps.add(one)

    assert len(apps) == 1


def test_the_order_stays_though_starvation_changes() -> None:
    apps = StarvedApps()
    one, other = attempt(1, (1024, 1)), attempt(2, (2048, 2))
    apps.add(one)
    apps.add(other)

    one.fair_share_starvation = (4096, 4)

    assert apps.take() is one


AB = '<queue name="a"/><queue name="b">{}</queue>'
PREEMPTION = {"preemption": "true", "preemption.cluster-utilization-threshold": "0.5"}


def starving(settings: str) -> FairCluster:
    """Application 1 holds all 20 GiB from queue a; application 2 waits in b for its master."""
    cluster = FairCluster(AB.format(settings), **PREEMPTION)
    cluster.run(1, "a", count=30)
    cluster.cycle()
    cluster.submit(2, "b")
    cluster.wait(0)
    return cluster


@pytest.mark.parametrize(
    ("settings", "seconds", "fair", "minimum"),
    [
        pytest.param("", 3600, (0, 0), (0, 0), id="no timeout: never"),
        pytest.param(
            "<fairSharePreemptionTimeout>10</fairSharePreemptionTimeout>",
            9,
            (0, 0),
            (0, 0),
            id="too early",
        ),
        pytest.param(
            "<fairSharePreemptionTimeout>10</fairSharePreemptionTimeout>",
            11,
            (1024, 0),
            (0, 0),
            id="the timeout of the fair share",
        ),
        pytest.param(
            "<fairSharePreemptionTimeout>10</fairSharePreemptionTimeout>"
            "<fairSharePreemptionThreshold>0.05</fairSharePreemptionThreshold>",
            11,
            (512, 0),
            (0, 0),
            id="the threshold",
        ),
        pytest.param(
            "<minResources>4096 mb,4 vcores</minResources>"
            "<minSharePreemptionTimeout>5</minSharePreemptionTimeout>",
            4,
            (0, 0),
            (0, 0),
            id="too early for the minimum",
        ),
        pytest.param(
            "<minResources>4096 mb,4 vcores</minResources>"
            "<minSharePreemptionTimeout>5</minSharePreemptionTimeout>",
            5,
            (0, 0),
            (1024, 1),
            id="the timeout of the minimum share",
        ),
    ],
)
def test_starvation_begins_after_its_timeout(
    settings: str, seconds: int, fair: Vector, minimum: Vector
) -> None:
    cluster = starving(settings)

    cluster.wait(seconds)

    found = cluster.scheduler.state.attempts[app_id(2)]
    assert (found.fair_share_starvation, found.min_share_starvation) == (fair, minimum)


def test_who_was_helped_is_looked_at_again_later() -> None:
    cluster = starving("<fairSharePreemptionTimeout>10</fairSharePreemptionTimeout>")
    cluster.wait(11)

    first = cluster.scheduler.preempt(cluster.now_ms)
    found = cluster.scheduler.state.attempts[app_id(2)]

    assert len(first) == 1
    assert found.next_starvation_check_ms == cluster.now_ms + 15_000 + 4_000 + 10_000
