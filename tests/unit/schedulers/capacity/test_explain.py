"""What is said to stop an ask or an ApplicationMaster, with the numbers and its place in line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubeyarn.model.asks import Locality
from kubeyarn.model.queues import Partition
from kubeyarn.model.reasons import Reason
from unit.schedulers.small import SmallCluster

TIGHT_MASTERS = {"maximum-am-resource-percent": "0.25"}
PARTITIONED = {
    "root.accessible-node-labels.x.capacity": "100",
    "root.a.accessible-node-labels": "x",
    "root.a.accessible-node-labels.x.capacity": "100",
}


def am_limit() -> SmallCluster:
    cluster = SmallCluster(TIGHT_MASTERS)
    for number in range(1, 4):
        cluster.submit(number)
    return cluster


def user_am_limit() -> SmallCluster:
    cluster = SmallCluster(
        {
            "root.a.maximum-am-resource-percent": "0.5",
            "root.a.minimum-user-limit-percent": "50",
            "root.a.user-limit-factor": "1",
        }
    )
    for number, user in ((1, "alice"), (2, "bob"), (3, "alice")):
        cluster.submit(number, user=user)
        cluster.ask(number, 1)
    return cluster


def parallel_limit_of_a_queue() -> SmallCluster:
    cluster = SmallCluster({"root.a.max-parallel-apps": "1"})
    cluster.submit(1)
    cluster.submit(2)
    cluster.submit(3)
    return cluster


def parallel_limit_of_a_user() -> SmallCluster:
    cluster = SmallCluster({"user.max-parallel-apps": "1"})
    cluster.submit(1)
    cluster.submit(2)
    cluster.submit(3, user="other")
    return cluster


@pytest.mark.parametrize(
    ("made", "number", "reason", "message", "place"),
    [
        pytest.param(
            am_limit,
            3,
            Reason.AM_LIMIT,
            "root.a: ApplicationMasters hold memory 2048, cpu 2 of memory 2048, cpu 2; "
            "one of memory 1024, cpu 1 waits, place 1 of 1",
            1,
            id="the queue's AM limit",
        ),
        pytest.param(
            user_am_limit,
            3,
            Reason.USER_AM_LIMIT,
            "root.a: user alice's ApplicationMasters hold memory 1024, cpu 1 of memory 1024, "
            "cpu 1; one of memory 1024, cpu 1 waits, place 1 of 1",
            1,
            id="the user's AM limit",
        ),
        pytest.param(
            parallel_limit_of_a_queue,
            3,
            Reason.PARALLEL_LIMIT,
            "root.a: 1 of 1 applications run; place 2",
            2,
            id="the queue's limit of running applications",
        ),
        pytest.param(
            parallel_limit_of_a_user,
            2,
            Reason.PARALLEL_LIMIT,
            "user u: as many applications run as may (1); place 1",
            1,
            id="the user's limit of running applications",
        ),
    ],
)
def test_what_stops_a_master_is(
    made: Callable[[], SmallCluster], number: int, reason: Reason, message: str, place: int
) -> None:
    verdict = made().why(number, None)

    assert verdict is not None
    assert (verdict.reason, verdict.message, verdict.place) == (reason, message, place)


def one_app(
    settings: dict[str, str] | None = None,
    *,
    nodes: int = 1,
    partitions: tuple[Partition, ...] = (),
) -> SmallCluster:
    """One application in root.a, whose AM of 1 GiB and 1 core runs."""
    cluster = SmallCluster(settings, nodes=nodes, partitions=partitions)
    cluster.submit(1)
    cluster.cycle()
    return cluster


def asking(
    cluster: SmallCluster,
    count: int = 1,
    size: tuple[int, int] = (1024, 1),
    **more: object,
) -> SmallCluster:
    """The application asks, and gets what it can."""
    cluster.ask(1, count, size, **more)  # type: ignore[arg-type]
    cluster.cycle()
    return cluster


def excluding(*names: str) -> Locality:
    return Locality(excluded=frozenset(names))


def strictly_on(name: str, count: int = 1) -> Locality:
    return Locality(nodes=((name, count),), relax=False)


WAITS = "1 of memory 1024, cpu 1 wait, place 1 of 1"


@pytest.mark.parametrize(
    ("made", "reason", "message"),
    [
        pytest.param(
            lambda: asking(one_app(PARTITIONED, partitions=(Partition("x"),)), partition="x"),
            Reason.NO_NODE_FITS,
            f"no node of partition x can hold memory 1024, cpu 1: it has no nodes; {WAITS}",
            id="a partition without nodes",
        ),
        pytest.param(
            lambda: asking(one_app({"root.a.maximum-capacity": "50"}), 4),
            Reason.QUEUE_MAXIMUM,
            f"root.a holds memory 4096, cpu 4 of at most memory 4096, cpu 4; {WAITS}",
            id="the queue's maximum",
        ),
        pytest.param(
            lambda: asking(one_app({"root.a.user-limit-factor": "0.5"}), 4),
            Reason.USER_LIMIT,
            "root.a: user u holds memory 3072, cpu 3 of memory 2048, cpu 2; "
            "2 of memory 1024, cpu 1 wait, place 1 of 1",
            id="the user's limit, which the last grant passed",
        ),
        pytest.param(
            lambda: asking(one_app(), 1, (1024, 1), locality=excluding("n0")),
            Reason.NODES_EXCLUDED,
            f"all nodes with room are excluded: n0; {WAITS}",
            id="excluded nodes",
        ),
        pytest.param(
            lambda: asking(one_app(nodes=2), 1, (1024, 1), locality=strictly_on("gone")),
            Reason.NO_NODE_FITS,
            "no node of the default partition can hold memory 1024, cpu 1: it has no nodes; "
            + WAITS,
            id="a node that is not there",
        ),
        pytest.param(
            lambda: asking(one_app(), 8),
            Reason.QUEUE_MAXIMUM,
            f"root.a holds memory 8192, cpu 8 of at most memory 8192, cpu 8; {WAITS}",
            id="the size of the cluster, which is the queue's maximum",
        ),
    ],
)
def test_what_stops_an_ask_is(
    made: Callable[[], SmallCluster], reason: Reason, message: str
) -> None:
    verdict = made().why(1)

    assert verdict is not None
    assert (verdict.reason, verdict.message) == (reason, message)


def test_nothing_stops_what_was_granted() -> None:
    assert asking(one_app(), 2).why(1) is None


def test_nothing_stops_an_application_that_is_not_known() -> None:
    assert one_app().why(9) is None


def test_a_large_ask_fills_up_a_reservation() -> None:
    cluster = asking(one_app(nodes=2), 4, locality=strictly_on("n0", 4))
    asking(cluster, 5, priority=3, locality=strictly_on("n1", 5))
    cluster.ask(1, 1, (4096, 4), priority=4)
    cluster.cycle()
    verdict = cluster.why(1, 4)

    assert verdict is not None
    assert verdict.reason is Reason.RESERVED
    assert verdict.message.startswith("room is reserved and filling up on n")


def test_the_place_in_line_is_among_the_leafs_active_applications() -> None:
    cluster = SmallCluster()
    for number in range(1, 4):
        cluster.submit(number)
    cluster.cycle()
    cluster.ask(1, 9)
    cluster.ask(3, 9)
    cluster.cycle()
    verdict = cluster.why(3)

    assert verdict is not None
    assert (verdict.place, verdict.message.rpartition("; ")[2]) == (
        3,
        "9 of memory 1024, cpu 1 wait, place 3 of 3",
    )
