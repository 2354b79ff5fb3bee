"""How much ApplicationMasters may hold, and which applications that lets start.

Numbers named by a scenario are of `tests/conformance/capacity/scenarios`.
"""

from __future__ import annotations

import pytest

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.calculator import DefaultCalculator, DominantCalculator
from kubeyarn.schedulers.capacity.am_limits import queue_am_limit, user_am_fraction, user_am_limit
from kubeyarn.schedulers.java_numbers import single
from unit.schedulers.small import SmallCluster, app_id

MEMORY, DOMINANT = DefaultCalculator(), DominantCalculator()
STEP = (1024, 1)


@pytest.mark.parametrize(
    ("minimum", "current_limit", "share", "limit"),
    [
        pytest.param(
            10240, 20480, 0.1, 2048, id="a tenth of what the queue may grow to (am-limit-default)"
        ),
        pytest.param(20480, 20480, 0.2, 4096, id="a fifth of the whole cluster (am-limit-queue)"),
        pytest.param(40960, 40960, 0.25, 10240, id="a quarter of it (am-limit-user)"),
        pytest.param(
            16384,
            16384,
            0.4,
            7168,
            # 16384 * 0.4 = 6553.6, rounded up to a step.
            id="rounded up to a step (unit-am-limit-large)",
        ),
        pytest.param(
            16384,
            16384,
            0.8,
            13312,
            # 13107.2, rounded up to a step.
            id="rounded up however little is missing (unit-am-limit-large)",
        ),
        pytest.param(16384, 26624, 0.1, 3072, id="what may be used now (unit-am-limit-large)"),
        pytest.param(
            6144, 0, 1.0, 6144, id="the guarantee of other partitions (label-exclusive-capacity)"
        ),
        pytest.param(
            14335,
            0,
            1.0,
            14336,
            id="an odd guarantee is rounded up, too (label-exclusive-capacity)",
        ),
        pytest.param(
            0, 20480, 1.0, 20480, id="what is idle, of no guarantee (unit-zero-capacity-...)"
        ),
        pytest.param(0, 0, 0.1, 0, id="nothing of an empty cluster"),
        pytest.param(10240, 20480, 0.0, 0, id="nothing where the share is 0"),
        pytest.param(10240, 5120, 0.5, 5120, id="never less than of the guarantee"),
    ],
)
def test_a_queues_masters_may_hold(
    minimum: int, current_limit: int, share: float, limit: int
) -> None:
    found = queue_am_limit(MEMORY, (minimum, 1), (current_limit, 1), single(share), STEP)

    assert found[0] == limit


@pytest.mark.parametrize(
    ("minimum", "current_limit", "limit"),
    [
        pytest.param((16384, 6), (32768, 12), (16384, 6), id="half of both types"),
        pytest.param(
            (16384, 7), (32768, 6), (8192, 4), id="of the guarantee, if one type is below"
        ),
    ],
)
def test_with_several_types_that_count_all_have_to_fit(
    minimum: Vector, current_limit: Vector, limit: Vector
) -> None:
    assert queue_am_limit(DOMINANT, minimum, current_limit, 0.5, STEP) == limit


@pytest.mark.parametrize(
    ("percent", "active_users", "weight", "fraction"),
    [
        pytest.param(50, 0, 1, 1.0, id="all while nobody is active"),
        pytest.param(50, 1, 1, 1.0, id="all for the only user"),
        pytest.param(50, 2, 1, 0.5, id="half for each of two"),
        pytest.param(50, 3, 1, 0.5, id="the percentage at least, of three"),
        pytest.param(25, 3, 1, 1 / 3, id="a third for each of three"),
        pytest.param(25, 4, 1, 0.25, id="a quarter for each of four"),
        pytest.param(25, 9, 1, 0.25, id="the percentage at least, of nine"),
        pytest.param(100, 9, 1, 1.0, id="all at 100 percent, however many there are"),
        pytest.param(25, 4, 2, 0.5, id="twice as much with a weight of 2"),
        pytest.param(25, 4, 0.5, 0.125, id="half as much with a weight of 0.5"),
        pytest.param(50, 2, 3, 1.0, id="never more than all"),
        pytest.param(25, 2, 0, 0.0, id="nothing with a weight of 0"),
    ],
)
def test_of_a_queues_share_a_users_masters_may_hold(
    percent: float, active_users: int, weight: float, fraction: float
) -> None:
    assert user_am_fraction(percent, active_users, weight) == single(fraction)


@pytest.mark.parametrize(
    ("minimum", "share", "fraction", "factor", "limit"),
    [
        pytest.param(20480, 0.5, 1.0, 1.0, 10240, id="a user alone (user-limit-percent-two)"),
        pytest.param(20480, 0.5, 0.5, 1.0, 5120, id="one of two (user-limit-percent-two)"),
        pytest.param(
            40960,
            0.5,
            single(1 / 3),
            1.0,
            7168,
            # 40960 * 0.5 / 3 = 6826.7, rounded up to a step.
            id="one of three, rounded up (user-limit-percent-25-four)",
        ),
        pytest.param(10240, 0.5, 1.0, 1.0, 5120, id="of the guarantee alone (factor-one)"),
        pytest.param(10240, 0.1, 1.0, 2.0, 2048, id="times the factor (am-limit-default)"),
        pytest.param(10240, 0.1, 1.0, 1.0, 1024, id="a tenth (am-limit-first-always)"),
        pytest.param(6144, 0.5, 1.0, 5.0, 15360, id="beyond the guarantee (three-levels)"),
        pytest.param(10240, 1.0, 1.0, -1.0, 10240, id="the share without a factor (auto-v2-leaf)"),
        pytest.param(5120, 1.0, 0.25, -1.0, 5120, id="whatever the fraction, without a factor"),
        pytest.param(0, 1.0, 1.0, 9.0, 0, id="nothing of no guarantee"),
    ],
)
def test_a_users_masters_may_hold(
    minimum: int, share: float, fraction: float, factor: float, limit: int
) -> None:
    found = user_am_limit(MEMORY, (minimum, 1), single(share), fraction, factor, STEP)

    assert found[0] == limit


# -- which applications start --------------------------------------------------------------------


def active(cluster: SmallCluster) -> list[int]:
    """The numbers of the applications whose AM may start."""
    apps = cluster.engine.state.queues["root.a"].active  # type: ignore[attr-defined]
    return sorted(app.app.id.number for app in apps)


@pytest.mark.parametrize(
    ("settings", "masters", "started"),
    [
        pytest.param(
            {"maximum-am-resource-percent": "0.25"},
            [1024] * 4,
            # A quarter of 8192 MiB: two AMs of 1024.
            [1, 2],
            id="as many as the queue's limit allows",
        ),
        pytest.param(
            {"maximum-am-resource-percent": "0.25"},
            [4096, 1024],
            [1],
            id="the first, however big it is; then nobody",
        ),
        pytest.param(
            {"maximum-am-resource-percent": "0.25"},
            [1024, 2048, 1024],
            [1, 3],
            id="one that fits, behind one that does not",
        ),
        pytest.param(
            {"maximum-am-resource-percent": "0"},
            [1024, 1024],
            [1],
            id="one at a time where the share is 0",
        ),
        pytest.param(
            {"maximum-am-resource-percent": "0.25", "root.a.maximum-am-resource-percent": "0.5"},
            [1024] * 6,
            [1, 2, 3, 4],
            id="by the queue's own share rather than the cluster's",
        ),
        pytest.param(
            {"maximum-am-resource-percent": "1.0"},
            [1024] * 8,
            list(range(1, 9)),
            id="all while AMs may hold everything",
        ),
    ],
)
def test_of_one_user_there_start(
    settings: dict[str, str], masters: list[int], started: list[int]
) -> None:
    cluster = SmallCluster({"root.a.user-limit-factor": "2", **settings})
    for number, memory in enumerate(masters, start=1):
        cluster.submit(number, am=(memory, 1))

    assert active(cluster) == started


def test_when_an_application_ends_the_next_one_starts() -> None:
    cluster = SmallCluster({"maximum-am-resource-percent": "0.25"})
    for number in range(1, 5):
        cluster.submit(number)
    cluster.engine.finish(app_id(1), 0)

    assert active(cluster) == [2, 3]


def test_an_active_application_stays_active_when_the_cluster_shrinks() -> None:
    cluster = SmallCluster({"maximum-am-resource-percent": "0.25"}, nodes=2)
    for number in range(1, 5):
        cluster.submit(number)
    before = active(cluster)
    cluster.engine.remove_node("n1")
    cluster.engine.queue_status()

    assert (before, active(cluster)) == ([1, 2, 3, 4], [1, 2, 3, 4])


def test_a_node_that_joins_lets_more_applications_start() -> None:
    cluster = SmallCluster({"maximum-am-resource-percent": "0.25"})
    for number in range(1, 5):
        cluster.submit(number)
    before = active(cluster)
    cluster.node("n1")
    cluster.engine.queue_status()

    assert (before, active(cluster)) == ([1, 2], [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("filled", "started"),
    [
        pytest.param(0, [2, 3], id="while its room could still be borrowed"),
        pytest.param(14, [2], id="after the sibling filled up"),
    ],
)
def test_an_ended_applications_share_is_handed_on_within_what_the_queue_may_use_now(
    filled: int, started: list[int]
) -> None:
    cluster = SmallCluster({"root.a.maximum-am-resource-percent": "0.125"}, nodes=2)
    for number in (1, 2):
        cluster.submit(number)
    cluster.cycle()
    cluster.submit(3)
    assert active(cluster) == [1, 2]
    cluster.submit(9, "b")
    cluster.ask(9, filled)
    cluster.cycle()

    cluster.engine.finish(app_id(1), 0)

    assert [number for number in active(cluster) if number != 9] == started


def test_users_may_not_hold_more_for_masters_than_their_part() -> None:
    # capacity-am-limit-user, at a fifth of its size: alice is alone active and may have all of the
    # queue's share; bob comes and half of it is his.
    settings = {
        "root.a.maximum-am-resource-percent": "0.5",
        "root.a.minimum-user-limit-percent": "50",
        "root.a.user-limit-factor": "1",
    }
    cluster = SmallCluster(settings)
    for number, user in ((1, "alice"), (2, "bob"), (3, "alice"), (4, "alice"), (5, "bob")):
        cluster.submit(number, user=user)
        cluster.ask(number, 1)

    # The guarantee is 4096 MiB; half of it for AMs, and half of that for each user.
    assert active(cluster)[:2] == [1, 2]
    verdict = cluster.why(4, None)
    assert verdict is not None
    assert verdict.reason == "UserAMLimit"
