"""How many applications a leaf takes, and in which order it keeps them."""

from __future__ import annotations

import pytest

from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from unit.schedulers.small import SmallCluster, app_id

QUEUE = "root.a."


def leaf(settings: dict[str, str] | None = None, **more: object) -> LeafQueue:
    """root.a, which has half of one node."""
    cluster = SmallCluster(settings, **more)  # type: ignore[arg-type]
    cluster.engine.state.bring_up_to_date()
    found = cluster.engine.state.queues["root.a"]
    assert found.leaf
    return found


@pytest.mark.parametrize(
    ("settings", "queue", "user"),
    [
        pytest.param({}, 5000, 5000, id="the queue's part of the cluster's 10,000"),
        pytest.param({"maximum-applications": "101"}, 50, 50, id="rounded down"),
        pytest.param({QUEUE + "maximum-applications": "7"}, 7, 7, id="the queue's own number"),
        pytest.param(
            {QUEUE + "maximum-applications": "0"}, 0, 0, id="the queue's own number, which is 0"
        ),
        pytest.param({"global-queue-max-application": "30"}, 30, 30, id="a number for every queue"),
        pytest.param(
            {"global-queue-max-application": "30", "maximum-applications": "20"},
            20,
            20,
            id="for every queue, but no more than in the cluster",
        ),
        pytest.param(
            {"global-queue-max-application": "30", QUEUE + "maximum-applications": "70"},
            70,
            70,
            id="the queue's own number wins over that of every queue",
        ),
        pytest.param(
            {QUEUE + "maximum-applications": "40", QUEUE + "minimum-user-limit-percent": "25"},
            40,
            20,
            id="a user has the percentage, times the factor of 2",
        ),
        pytest.param(
            {QUEUE + "maximum-applications": "40", QUEUE + "user-limit-factor": "0.5"},
            40,
            20,
            id="half a factor",
        ),
        pytest.param(
            {QUEUE + "maximum-applications": "40", QUEUE + "user-limit-factor": "3"},
            40,
            40,
            id="no user has more than the queue",
        ),
        pytest.param(
            {
                QUEUE + "maximum-applications": "40",
                QUEUE + "user-limit-factor": "-1",
                QUEUE + "minimum-user-limit-percent": "25",
            },
            40,
            40,
            id="without a factor a user has the queue's number, whatever the percentage",
        ),
        pytest.param(
            {
                QUEUE + "maximum-applications": "7",
                QUEUE + "minimum-user-limit-percent": "50",
                QUEUE + "user-limit-factor": "1",
            },
            7,
            3,
            id="a user's part is rounded down",
        ),
    ],
)
def test_a_leaf_takes_so_many_applications(settings: dict[str, str], queue: int, user: int) -> None:
    found = leaf(settings)

    assert (found.maximum_applications, found.maximum_per_user) == (queue, user)


@pytest.mark.parametrize(
    ("policy", "priorities", "order"),
    [
        pytest.param("fifo", [0, 0, 0], [1, 2, 3], id="fifo: as they were submitted"),
        pytest.param("fifo", [0, 5, 0], [2, 1, 3], id="fifo: the more important first"),
        pytest.param("fifo", [5, 5, 0], [1, 2, 3], id="fifo: equals as they were submitted"),
        pytest.param("fair", [0, 0, 0], [1, 2, 3], id="fair: equals as they were submitted"),
        pytest.param("fair", [0, 5, 0], [1, 2, 3], id="fair: priorities do not count"),
    ],
)
def test_applications_are_kept_in_serving_order(
    policy: str, priorities: list[int], order: list[int]
) -> None:
    cluster = SmallCluster(
        {QUEUE + "ordering-policy": policy},
        nodes=4,
        others={"yarn.cluster.max-application-priority": "10"},
    )
    for number, priority in enumerate(priorities, start=1):
        cluster.submit(number, priority=priority)
    cluster.cycle()

    found = cluster.engine.state.queues["root.a"]
    assert found.leaf
    found.reorder_changed()
    assert [app.app.id.number for app in found.active] == order


@pytest.mark.parametrize(
    ("counts", "order"),
    [
        pytest.param((1, 2, 3), [1, 2, 3], id="who holds less is first"),
        pytest.param((3, 2, 1), [3, 2, 1], id="whenever it was submitted"),
        pytest.param((2, 2, 1), [3, 1, 2], id="equals by submission"),
        pytest.param((0, 0, 0), [1, 2, 3], id="nobody holds anything but its AM"),
    ],
)
def test_under_fair_ordering_who_holds_least_memory_is_first(
    counts: tuple[int, ...], order: list[int]
) -> None:
    cluster = SmallCluster({QUEUE + "ordering-policy": "fair"}, nodes=4)
    for number, count in enumerate(counts, start=1):
        cluster.submit(number)
        cluster.ask(number, count)
    cluster.cycle()
    found = cluster.engine.state.queues["root.a"]
    assert found.leaf

    found.reorder_changed()

    assert [app.app.id.number for app in found.active] == order


def test_only_applications_that_ask_are_gone_through() -> None:
    cluster = SmallCluster()
    for number in (1, 2, 3):
        cluster.submit(number)
    cluster.cycle()
    found = cluster.engine.state.queues["root.a"]
    assert found.leaf
    assert len(found.active) == 3
    assert list(found.with_pending_requests) == []

    cluster.ask(2, 1)

    assert [app.app.id for app in found.with_pending_requests] == [app_id(2)]
    cluster.ask(2, 0)
    assert list(found.with_pending_requests) == []


@pytest.mark.parametrize(
    ("maximum", "step", "limit"),
    [
        pytest.param("100", 1024, 8192, id="all of the node"),
        pytest.param("60", 1024, 4096, id="rounded down to whole minimum allocations"),
        pytest.param("60", 512, 4608, id="to smaller ones"),
    ],
)
def test_a_leaf_might_use_its_maximum_in_whole_minimum_allocations(
    maximum: str, step: int, limit: int
) -> None:
    found = leaf(
        {QUEUE + "maximum-capacity": maximum},
        others={"yarn.scheduler.minimum-allocation-mb": str(step)},
    )

    found.set_current_limit((10**6, 10**6))
    assert found.current_limit[0] == limit
    found.set_current_limit((2048, 2))
    assert found.current_limit == (2048, 2)


@pytest.mark.parametrize(
    ("corrections", "queue", "taken"),
    [
        pytest.param("false", {"capacity": "0"}, 0, id="none of 0 %, as in Hadoop"),
        pytest.param("true", {"capacity": "0"}, 8, id="of 0 % as many as it may borrow"),
        pytest.param(
            "true", {"capacity": "0", "maximum-capacity": "25"}, 2, id="that is a part of the whole"
        ),
        pytest.param("true", {"capacity": "0", "maximum-applications": "3"}, 3, id="what it says"),
        pytest.param("true", {"capacity": "50"}, 4, id="its share where it has one"),
        pytest.param("false", {"capacity": "50"}, 4, id="its share where it has one, as in Hadoop"),
    ],
)
def test_a_queue_takes_applications(corrections: str, queue: dict[str, str], taken: int) -> None:
    settings = {f"root.a.{name}": value for name, value in queue.items()}
    settings["root.b.capacity"] = str(100 - int(queue["capacity"]))
    cluster = SmallCluster(
        {"maximum-applications": "8", "root.a.user-limit-factor": "-1", **settings},
        others={"kubeyarn.corrections": corrections},
    )
    for number in range(taken):
        cluster.submit(number)
    with pytest.raises(Rejected) as refused:
        cluster.submit(taken)

    assert refused.value.reason is Reason.APPLICATION_LIMIT


def test_an_application_of_a_queue_without_a_share_runs_where_room_is_idle() -> None:
    settings = {"root.a.capacity": "0", "root.b.capacity": "100"}
    cluster = SmallCluster(settings, others={"kubeyarn.corrections": "true"})
    cluster.submit(1)
    cluster.ask(1, 3)

    assert len(cluster.cycle()) == 4
