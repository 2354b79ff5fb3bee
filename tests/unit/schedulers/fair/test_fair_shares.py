"""Fair shares: the numbers of Hadoop's TestComputeFairShares and of recorded scenarios.

A row that is named after a scenario has the weights, bounds and shares that it recorded.
"""

from __future__ import annotations

import pytest

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.fair_shares import Schedulable as One
from kubeyarn.schedulers.fair.fair_shares import compute_shares, fixed_share, size_based_weight
from unit.schedulers.fair.building import FairCluster, app_id

UNBOUNDED = One().max_share


@pytest.mark.parametrize(
    ("siblings", "total", "expected"),
    [
        pytest.param([One()] * 4, 40, [10, 10, 10, 10], id="equal siblings share equally"),
        pytest.param(
            [
                One(max_share=100),
                One(max_share=50),
                One(max_share=11),
                One(max_share=3),
            ],
            40,
            [13, 13, 11, 3],
            id="what a maximum leaves over goes to the others",
        ),
        pytest.param(
            [
                One(min_share=20),
                One(min_share=18),
                One(),
                One(min_share=2),
            ],
            40,
            [20, 18, 0, 2],
            id="minima come before equal parts",
        ),
        pytest.param(
            [One(2.0), One(1.0), One(1.0), One(0.5)],
            45,
            [20, 10, 10, 5],
            id="weights are respected",
        ),
        pytest.param(
            [
                One(2.0, max_share=10),
                One(1.0, max_share=11),
                One(max_share=30),
                One(0.5, 0, 20),
            ],
            45,
            [10, 11, 16, 8],
            id="weights and maxima together",
        ),
        pytest.param(
            [One(2.0, 20), One(1.0), One(1.0, 5), One(0.5, 15)],
            45,
            [20, 5, 5, 15],
            id="weights and minima together",
        ),
        pytest.param([One(max_share=3)] * 2, 40, [3, 3], id="maxima below the total"),
        pytest.param([One()] * 3, 0, [0, 0, 0], id="nothing to share"),
        pytest.param([], 10, [], id="nobody to share it"),
    ],
)
def test_shares_are_hadoops(siblings: list[One], total: int, expected: list[int]) -> None:
    assert compute_shares(siblings, total) == expected


def test_a_large_cluster_is_shared_exactly_where_it_can_be() -> None:
    total = 10_000_000 * 4

    assert compute_shares([One()] * 4, total) == [10_000_000] * 4


def test_a_queue_without_runnable_applications_gets_nothing() -> None:
    assert compute_shares([One(), One(active=False)], 10) == [10, 0]


def test_a_queue_whose_maximum_is_zero_gets_nothing() -> None:
    assert compute_shares([One(min_share=5, max_share=0), One()], 10) == [0, 10]


def test_a_queue_of_weight_zero_gets_its_minimum_and_no_more() -> None:
    assert compute_shares([One(0.0, 3), One(0.0), One(1.0)], 10) == [
        3,
        0,
        7,
    ]


def test_minima_are_given_even_when_there_is_less() -> None:
    assert compute_shares([One(min_share=8), One(min_share=7)], 10) == [8, 7]


def test_a_minimum_above_the_maximum_is_cut_at_the_maximum() -> None:
    assert compute_shares([One(min_share=9, max_share=4), One()], 10)[0] == 4


@pytest.mark.parametrize(
    ("siblings", "total", "expected"),
    [
        pytest.param(
            [One(1.0, 12288), One(3.0)], 20480, [12288, 8192], id="fair-min-share-over-weight"
        ),
        pytest.param([One(1.0, 8192), One(4.0)], 20480, [8192, 12288], id="fair-min-share-first"),
        pytest.param([One(max_share=6144), One()], 20480, [6144, 14336], id="fair-max-share"),
        pytest.param(
            [One(max_share=8192), One(max_share=15360)],
            20480,
            [8192, 12288],
            id="fair-max-share-percent",
        ),
        pytest.param(
            [One(), One(max_share=4096)], 15360, [11264, 4096], id="fair-max-share-parent below"
        ),
        pytest.param(
            [One(max_share=15360), One()], 30720, [15360, 15360], id="fair-max-share-parent"
        ),
        pytest.param(
            [One(5.0), One(), One()], 30720, [21944, 4388, 4388], id="fair-parent-without-apps"
        ),
        pytest.param([One(), One(5.0)], 6144, [1024, 5120], id="fair-preempt-am-avoided"),
        pytest.param([One(), One(3.0)], 20480, [5120, 15360], id="fair-preempt-weights"),
        pytest.param(
            [One(4.0), One(), One()], 20480, [13654, 3413, 3413], id="fair-refresh-weights"
        ),
        pytest.param(
            [One(), One(2.0), One(3.0)], 24576, [4096, 8192, 12288], id="fair-weights-idle-queue"
        ),
        pytest.param(
            [One(1.0), One(1.0), One(0.5), One(1.0)],
            122880,
            [35109, 35109, 17554, 35109],
            id="fair-hog-10",
        ),
        pytest.param(
            [One(2.0), One(0.5), One(1.0), One(3.0), One(3.0)],
            57344,
            [12072, 3018, 6036, 18109, 18109],
            id="fair-hog-4",
        ),
        pytest.param(
            [
                One(2.0, max_share=10240),
                One(max_share=30720),
                One(max_share=11264),
                One(0.5, 0, 20480),
            ],
            46080,
            [10240, 16384, 11264, 8192],
            id="fair-unit-shares-weighted-max",
        ),
        pytest.param(
            [One(2.0, 20480), One(1.0, 5120), One(), One(0.5, 15360)],
            46080,
            [20480, 5120, 5120, 15360],
            id="fair-unit-shares-weighted-min",
        ),
        pytest.param(
            [One(1.0), One(0.5), One(3.0, 4)], 96, [21, 10, 65], id="fair-random-130, vcores"
        ),
    ],
)
def test_steady_shares_are_those_hadoop_recorded(
    siblings: list[One], total: int, expected: list[int]
) -> None:
    assert compute_shares(siblings, total) == expected


IDLE = {"active": False}


@pytest.mark.parametrize(
    ("siblings", "total", "expected"),
    [
        pytest.param([One(), One(**IDLE)], 20480, [20480, 0], id="fair-am-share-default"),
        pytest.param(
            [One(max_share=6144), One(**IDLE)], 20480, [6144, 0], id="fair-max-share, b is idle"
        ),
        pytest.param(
            [One(**IDLE), One(max_share=5120)], 20480, [0, 5120], id="fair-move-app, a has moved"
        ),
        pytest.param(
            [One(5.0, **IDLE), One(), One()],
            30720,
            [0, 15360, 15360],
            id="fair-parent-without-apps, a is idle",
        ),
        pytest.param(
            [One(4.0), One(), One(**IDLE)], 20480, [16384, 4096, 0], id="fair-refresh-weights"
        ),
        pytest.param(
            [One(max_share=20480), One(max_share=20480), One(**IDLE)],
            40960,
            [20480, 20480, 0],
            id="fair-preempt-utilization",
        ),
        pytest.param(
            [One(max_share=102400), One(max_share=11264), One(**IDLE), One(**IDLE)],
            40960,
            [29696, 11264, 0, 0],
            id="fair-unit-shares-low-max, two run",
        ),
        pytest.param(
            [One(1.0, 20480), One(), One(1.0, 18432, **IDLE), One(1.0, 2048, **IDLE)],
            40960,
            [20480, 20480, 0, 0],
            id="fair-unit-shares-min, an idle queue has no minimum",
        ),
        pytest.param(
            [One(), One(2.0), One(3.0, **IDLE)],
            24576,
            [8192, 16384, 0],
            id="fair-weights-idle-queue, c is idle",
        ),
        pytest.param(
            [One(2.0), One(0.5, **IDLE), One(1.0), One(3.0), One(3.0, **IDLE)],
            57344,
            [19115, 0, 9557, 28672, 0],
            id="fair-hog-4, three run",
        ),
        pytest.param(
            [One(0.5), One(**IDLE), One(3.0, **IDLE), One(1.0)],
            368640,
            [122880, 0, 0, 245760],
            id="fair-hog-5, two run",
        ),
        pytest.param([One(**IDLE)] * 3, 40960, [0, 0, 0], id="nobody runs"),
    ],
)
def test_instantaneous_shares_are_those_hadoop_recorded(
    siblings: list[One], total: int, expected: list[int]
) -> None:
    assert compute_shares(siblings, total) == expected


@pytest.mark.parametrize(
    ("sibling", "expected"),
    [
        pytest.param(One(), None, id="the ratio decides"),
        pytest.param(One(4.0, 10, 20), None, id="bounds do not fix it"),
        pytest.param(One(max_share=0), 0, id="a maximum of nothing"),
        pytest.param(One(max_share=-1), 0, id="a maximum below nothing"),
        pytest.param(One(1.0, 5, 0), 0, id="the maximum wins over the minimum"),
        pytest.param(One(active=False), 0, id="idle"),
        pytest.param(One(1.0, 5, active=False), 0, id="idle with a minimum"),
        pytest.param(One(0.0), 0, id="no weight"),
        pytest.param(One(0.0, 7), 7, id="no weight but a minimum"),
        pytest.param(One(-2.0, 7), 7, id="a negative weight and a minimum"),
        pytest.param(One(0.0, -7), 0, id="no weight and a minimum below nothing"),
        pytest.param(One(0.0, 7, active=False), 0, id="idle without weight"),
    ],
)
def test_a_share_is_fixed_where_no_ratio_can_change_it(sibling: One, expected: int | None) -> None:
    assert fixed_share(sibling) == expected


@pytest.mark.parametrize(
    ("memory", "per_mib", "expected"),
    [
        pytest.param(0, 1, 0.0, id="nothing wanted weighs nothing"),
        pytest.param(1, 1, 1.0, id="1 MiB weighs 1"),
        pytest.param(3, 1, 2.0, id="3 MiB weigh 2"),
        pytest.param(1023, 1, 10.0, id="1023 MiB weigh 10"),
        pytest.param(1024, 1, 10.001408, id="1 GiB, in single precision"),
        pytest.param(2048, 1, 11.000704, id="2 GiB"),
        pytest.param(10240, 1, 13.322069, id="10 GiB"),
        pytest.param(102400, 1, 16.643871, id="100 GiB"),
        pytest.param(1 << 20, 1 << 20, 1.0, id="1 MiB in bytes"),
        pytest.param(3 << 20, 1 << 20, 2.0, id="3 MiB in bytes"),
        pytest.param((1 << 20) - 1, 1 << 20, 0.0, id="less than a MiB counts as none"),
        pytest.param(1023 << 20, 1 << 20, 10.0, id="1023 MiB in bytes"),
    ],
)
def test_a_weight_by_size_grows_with_the_logarithm_of_what_is_wanted(
    memory: int, per_mib: int, expected: float
) -> None:
    assert size_based_weight(memory, per_mib) == pytest.approx(expected, rel=1e-7)


def queue_shares(
    queues: str, *running: str, policy: str = "fair"
) -> dict[str, tuple[Vector, Vector]]:
    """Steady and instantaneous share of each queue while an application runs in *running*."""
    default = f"<defaultQueueSchedulingPolicy>{policy}</defaultQueueSchedulingPolicy>"
    cluster = FairCluster(queues + default, nodes=3)
    for number, queue in enumerate(running, start=1):
        cluster.submit(number, queue)
    cluster.wait(0)
    return {
        status.path: (status.steady_fair_share or (0, 0), status.instantaneous_fair_share or (0, 0))
        for status in cluster.scheduler.queue_status()
    }


TREE = """
<queue name="a"><weight>2</weight>
  <queue name="x"/><queue name="y"><weight>2</weight></queue></queue>
<queue name="b"/>
"""


@pytest.mark.parametrize(
    ("running", "queue", "steady", "instantaneous"),
    [
        pytest.param((), "root", 30720, 30720, id="root has the cluster"),
        pytest.param((), "root.a", 20480, 0, id="a without applications"),
        pytest.param(("a.x",), "root.a", 20480, 30720, id="a alone has all"),
        pytest.param(("a.x",), "root.a.x", 6827, 30720, id="x alone has all of a"),
        pytest.param(("a.x",), "root.a.y", 13654, 0, id="y beside it has nothing"),
        pytest.param(("a.x",), "root.b", 10240, 0, id="b beside it has nothing"),
        pytest.param(("a.x", "b"), "root.a", 20480, 20480, id="a beside b"),
        pytest.param(("a.x", "b"), "root.a.x", 6827, 20480, id="x beside b"),
        pytest.param(("a.x", "b"), "root.b", 10240, 10240, id="b beside x"),
        pytest.param(("a.x", "a.y", "b"), "root.a.x", 6827, 6827, id="x beside y and b"),
        pytest.param(("a.x", "a.y", "b"), "root.a.y", 13654, 13654, id="y beside x and b"),
        pytest.param(("b",), "root.b", 10240, 30720, id="b alone"),
    ],
)
def test_shares_go_down_the_tree(
    running: tuple[str, ...], queue: str, steady: int, instantaneous: int
) -> None:
    found = queue_shares(TREE, *running)[queue]

    assert (found[0][0], found[1][0]) == (steady, instantaneous)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param("fair", ((15360, 0), (15360, 0)), id="fair shares memory alone"),
        pytest.param("drf", ((15360, 15), (15360, 15)), id="drf shares every type"),
    ],
)
def test_the_policy_says_which_types_are_shared(
    policy: str, expected: tuple[Vector, Vector]
) -> None:
    shares = queue_shares('<queue name="a"/><queue name="b"/>', "a", "b", policy=policy)

    assert shares["root.a"] == expected


def test_under_fifo_the_first_application_has_the_whole_share() -> None:
    cluster = FairCluster('<queue name="a"><schedulingPolicy>fifo</schedulingPolicy></queue>')
    cluster.submit(2)
    cluster.submit(1)
    cluster.wait(0)

    attempts = cluster.scheduler.state.attempts

    assert attempts[app_id(1)].fair_share == (20480, 0)
    assert attempts[app_id(2)].fair_share == (0, 0)


@pytest.mark.parametrize("count", range(1, 13))
def test_applications_of_a_leaf_have_equal_shares(count: int) -> None:
    cluster = FairCluster('<queue name="a"/>')
    for number in range(count):
        cluster.submit(number + 1)
    cluster.wait(0)

    shares = {attempt.fair_share[0] for attempt in cluster.scheduler.state.attempts.values()}

    assert shares == {compute_shares([One()] * count, 20480)[0]}
    assert abs(20480 / count - next(iter(shares))) <= 1


def test_demand_is_what_is_held_and_wanted_up_to_the_maximum() -> None:
    cluster = FairCluster(
        '<queue name="p"><maxResources>8192 mb,8 vcores</maxResources>'
        '<queue name="x"/><queue name="y"/></queue>'
    )
    cluster.run(1, "p.x", count=3)
    cluster.run(2, "p.y", count=30)
    cluster.wait(0)

    demand = cluster.scheduler.queries.demand

    assert demand("root.p.x") == (4096, 4)
    assert demand("root.p.y") == (31744, 31)
    assert demand("root.p") == (8192, 8)
    assert demand("root") == (8192, 8)
