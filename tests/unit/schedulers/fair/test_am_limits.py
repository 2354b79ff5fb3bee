"""How much of a queue ApplicationMasters may take."""

from __future__ import annotations

import pytest

from kubeyarn.model.fair_queues import UNBOUNDED
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.am_limits import is_unlimited, max_am_resource
from unit.schedulers.fair.building import FairCluster, app_id, why

NO_MAX = (UNBOUNDED, UNBOUNDED)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param(-1.0, True, id="-1"),
        pytest.param(-1.00001, True, id="-1 but for rounding"),
        pytest.param(-0.99995, True, id="-1 from a float"),
        pytest.param(-0.9, False, id="-0.9"),
        pytest.param(0.0, False, id="0"),
        pytest.param(0.5, False, id="the default"),
        pytest.param(1.0, False, id="1"),
        pytest.param(-2.0, False, id="-2"),
    ],
)
def test_minus_one_is_no_limit(share: float, *, expected: bool) -> None:
    assert is_unlimited(share) is expected


@pytest.mark.parametrize(
    ("share", "fair_share", "available", "max_share", "expected"),
    [
        pytest.param(0.5, (20480, 20), (0, 0), NO_MAX, (10240, 10), id="half of the fair share"),
        pytest.param(1.0, (20480, 20), (0, 0), NO_MAX, (20480, 20), id="all of it"),
        pytest.param(0.0, (20480, 20), (9, 9), NO_MAX, (0, 0), id="none of it"),
        pytest.param(0.5, (1025, 3), (0, 0), NO_MAX, (513, 2), id="rounded up"),
        pytest.param(0.25, (10240, 10), (0, 0), NO_MAX, (2560, 3), id="a quarter, rounded up"),
        # 0.1 is 0.10000000149011612 in single precision, so the product is above 1024.
        pytest.param(0.1, (10240, 10), (0, 0), NO_MAX, (1025, 2), id="a float's tenth is more"),
        pytest.param(0.3, (10240, 10), (0, 0), NO_MAX, (3073, 4), id="three tenths, too"),
        pytest.param(
            0.5,
            (20480, 0),
            (4096, 6),
            NO_MAX,
            (10240, 3),
            id="no share of vcores: what is available",
        ),
        pytest.param(
            0.5, (0, 0), (4096, 6), NO_MAX, (2048, 3), id="no share at all: what is available"
        ),
        pytest.param(
            0.5, (0, 0), (4096, 6), (1024, 2), (512, 1), id="no share: up to the queue's maximum"
        ),
        pytest.param(
            0.5,
            (8192, 0),
            (4096, 6),
            (1024, 4),
            (4096, 2),
            id="the maximum counts where it stands in",
        ),
        pytest.param(0.5, (0, 0), (0, 0), NO_MAX, (0, 0), id="no share and a full cluster"),
    ],
)
def test_the_limit_is_a_part_of_the_fair_share(
    share: float, fair_share: Vector, available: Vector, max_share: Vector, expected: Vector
) -> None:
    assert max_am_resource(share, fair_share, available, max_share) == expected


@pytest.mark.parametrize(
    ("share", "masters"),
    [
        pytest.param("0.05", 1, id="a twentieth"),
        pytest.param("0.1", 2, id="a tenth"),
        pytest.param("0.25", 4, id="a quarter: 4 of the 16 vcores that are left"),
        pytest.param("0.5", 7, id="half: 7 of the 13 vcores that are left"),
        pytest.param("1.0", 10, id="the whole: 10 of the 10 vcores that are left"),
        pytest.param("-1.0", 20, id="no limit"),
    ],
)
def test_so_many_masters_of_one_gib_and_vcore_start_in_a_cluster_of_20(
    share: str, masters: int
) -> None:
    """Under `fair` a leaf has no share of vcores, so a part of what is available counts."""
    cluster = FairCluster(f'<queue name="a"><maxAMShare>{share}</maxAMShare></queue>')
    for number in range(1, 31):
        cluster.submit(number)
    cluster.cycle()

    assert cluster.status("a").containers == masters
    assert cluster.status("a").am_used == (1024 * masters, masters)


def test_what_one_offer_grants_lowers_the_limit_only_after_it() -> None:
    """With `assignmultiple` the second master of an offer sees what was available before it."""
    cluster = FairCluster(
        '<queue name="a"><maxAMShare>0.1</maxAMShare></queue>', nodes=1, assignmultiple="true"
    )
    state = cluster.scheduler.state
    cluster.submit(1)
    cluster.submit(2)
    cluster.scheduler.update(0)
    before = state.available

    cluster.scheduler.node_update("n0", 0)

    assert before == (10240, 10)
    assert state.available == (10240 - state.allocated[0], 10 - state.allocated[1])


def test_an_unmanaged_application_waits_for_no_share() -> None:
    cluster = FairCluster('<queue name="a"><maxAMShare>0</maxAMShare></queue>')
    cluster.submit(1, am=None)
    cluster.ask(1, 3)
    cluster.cycle()

    assert cluster.count(1) == 3


def test_a_master_that_left_gives_its_share_back() -> None:
    cluster = FairCluster('<queue name="a"><maxAMShare>0.1</maxAMShare></queue>', nodes=1)
    cluster.submit(1)
    cluster.submit(2)
    cluster.cycle()
    before = [cluster.count(1), cluster.count(2)]

    cluster.scheduler.finish(app_id(1), 0)
    cluster.cycle()

    assert before == [1, 0]
    assert cluster.count(2) == 1
    assert cluster.status("a").am_used == (1024, 1)


def test_a_master_that_moved_is_counted_in_no_queue() -> None:
    """As in Hadoop, where the new queue subtracts it all the same when it ends."""
    cluster = FairCluster('<queue name="a"/><queue name="b"/>')
    cluster.submit(1, "a")
    cluster.cycle()

    cluster.scheduler.move(app_id(1), "b", 0)
    moved = (cluster.status("a").am_used, cluster.status("b").am_used)
    cluster.scheduler.finish(app_id(1), 0)

    assert moved == ((0, 0), (0, 0))
    assert cluster.status("b").am_used == (-1024, -1)


def test_masters_get_no_more_than_their_share_of_the_queue() -> None:
    cluster = FairCluster('<queue name="a"><maxAMShare>0.2</maxAMShare></queue>')
    for number in range(1, 8):
        cluster.submit(number)

    cluster.cycle()

    # 0.2 is a little more as a 32-bit float, so 4096 is rounded up to 4097: still four masters.
    assert cluster.status("a").am_used == (4096, 4)
    assert cluster.status("a").am_limit == (4097, 4)
    assert why(cluster, 5) is Reason.AM_LIMIT


def test_minus_one_switches_the_check_of_masters_off() -> None:
    cluster = FairCluster('<queue name="a"><maxAMShare>-1.0</maxAMShare></queue>')
    for number in range(1, 31):
        cluster.submit(number)

    cluster.cycle()

    assert cluster.status("a").am_used == (20480, 20)
