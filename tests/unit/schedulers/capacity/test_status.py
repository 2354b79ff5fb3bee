"""What queues and their users look like from outside, and what a queue may hold at most."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.model.queues import Partition
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.api import NO_MAXIMUM
from unit.schedulers.small import SmallCluster

TREE = {
    "root.queues": "p,c",
    "root.p.capacity": "50",
    "root.c.capacity": "50",
    "root.p.maximum-capacity": "75",
    "root.p.queues": "x,y",
    "root.p.x.capacity": "50",
    "root.p.y.capacity": "50",
    "root.p.x.user-limit-factor": "4",
    "root.c.user-limit-factor": "2",
}
MEMORY_ONLY = "org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator"


def busy() -> SmallCluster:
    """Two nodes of 8; u holds 3 in root.p.x and wants 2 of 4, v holds its AM in root.c."""
    cluster = SmallCluster({**TREE, "root.p.x.maximum-am-resource-percent": "0.5"}, nodes=2)
    cluster.submit(1, "x", user="u")
    cluster.submit(2, "c", user="v")
    cluster.cycle()
    cluster.ask(1, 2)
    cluster.cycle()
    cluster.node("n0", schedulable=False)
    cluster.node("n1", schedulable=False)
    cluster.cycle()
    cluster.node("n0")
    cluster.node("n1")
    cluster.ask(1, 2, (4096, 4), priority=2)
    return cluster


@pytest.mark.parametrize(
    ("path", "field", "expected"),
    [
        pytest.param("root", "minimum", (16384, 16), id="root is guaranteed all there is"),
        pytest.param("root", "used", (4096, 4), id="root holds what all hold"),
        pytest.param("root", "containers", 4, id="root counts all containers"),
        pytest.param("root", "active_applications", 2, id="and all applications"),
        pytest.param("root", "leaf", False, id="root is no leaf"),
        pytest.param("root.p", "minimum", (8192, 8), id="half of it"),
        pytest.param("root.p", "maximum", (12288, 12), id="at most three quarters"),
        pytest.param("root.p", "used", (3072, 3), id="what is held below"),
        pytest.param("root.p", "pending", (8192, 8), id="what is wanted below"),
        pytest.param("root.p", "am_used", (0, 0), id="a parent has no AMs"),
        pytest.param("root.p", "users", (), id="nor users"),
        pytest.param("root.p.x", "minimum", (4096, 4), id="half of a half"),
        pytest.param("root.p.x", "leaf", True, id="a leaf"),
        pytest.param("root.p.x", "state", "Running", id="it runs"),
        pytest.param("root.p.x", "am_used", (1024, 1), id="one AM"),
        pytest.param("root.p.x", "used_capacity", 0.75, id="three of a guarantee of four"),
        pytest.param("root.p.x", "absolute_used_capacity", 0.1875, id="three of sixteen"),
        pytest.param("root.p.y", "used", (0, 0), id="an empty leaf"),
        pytest.param("root.p.y", "used_capacity", 0.0, id="uses nothing of its guarantee"),
        pytest.param("root.c", "active_applications", 1, id="one application"),
        pytest.param("root.c", "pending_applications", 0, id="none that waits"),
    ],
)
def test_a_queue_shows(path: str, field: str, expected: object) -> None:
    assert getattr(busy().status(path), field) == expected


def test_queues_come_in_configured_order_parents_first() -> None:
    paths = [status.path for status in busy().engine.queue_status()]

    assert paths == ["root", "root.p", "root.p.x", "root.p.y", "root.c"]


def test_users_come_by_name_with_what_they_hold_and_run() -> None:
    cluster = SmallCluster(nodes=2)
    for number, user in ((1, "w"), (2, "u"), (3, "u")):
        cluster.submit(number, user=user)
    cluster.cycle()
    cluster.ask(2, 3)
    cluster.cycle()

    found = [
        (user.name, user.used, user.active_applications, user.pending_applications)
        for user in cluster.status("root.a").users
    ]

    assert found == [("u", (5120, 5), 2, 0), ("w", (1024, 1), 1, 0)]


def test_applications_that_wait_for_am_room_are_pending() -> None:
    cluster = SmallCluster({"maximum-am-resource-percent": "0.1"}, nodes=2)
    for number in (1, 2, 3):
        cluster.submit(number)
    cluster.cycle()

    # A tenth of the 16 GiB that the queue may use, rounded up, is 2 GiB: room for two AMs.
    status = cluster.status("root.a")

    assert (status.active_applications, status.pending_applications) == (2, 1)
    assert status.users[0].pending_applications == 1


@pytest.mark.parametrize(
    ("queue", "partition", "exclusive", "settings", "most"),
    [
        pytest.param("root.p", "", True, {}, (6144, 6), id="its maximum"),
        pytest.param("root.p.y", "", True, {}, (6144, 6), id="its parent's"),
        pytest.param("root", "", True, {}, (8192, 8), id="root: all there is"),
        pytest.param("root.none", "", True, {}, None, id="no such queue"),
        pytest.param("root.p", "gold", True, {}, (0, 0), id="nothing without access"),
        pytest.param("root.p", "gold", False, {}, (8192, 8), id="a shared partition: all of it"),
        pytest.param(
            "root.p",
            "",
            False,
            {},
            (6144, 6),
            id="that another partition is shared does not matter",
        ),
        pytest.param(
            "root.p",
            "",
            True,
            {"resource-calculator": MEMORY_ONLY},
            (6144, NO_MAXIMUM),
            id="where memory alone counts the rest has no maximum",
        ),
    ],
)
def test_what_a_queue_may_hold_at_most(
    queue: str,
    partition: str,
    exclusive: bool,
    settings: dict[str, str],
    most: Vector | None,
) -> None:
    cluster = SmallCluster(
        {**TREE, **settings}, partitions=(Partition("gold", exclusive=exclusive),)
    )
    cluster.node("gold0", partition="gold")

    assert cluster.engine.effective_maximum(queue, partition) == most


@pytest.mark.parametrize(
    ("held", "over"),
    [
        pytest.param((8192, 8), False, id="its guarantee times the factor of 2 allow it"),
        pytest.param((9216, 8), True, id="more memory than that"),
        pytest.param((8192, 9), True, id="more CPU"),
        pytest.param((0, 0), False, id="nothing"),
    ],
)
def test_a_user_over_its_cap_holds_more_than_it_ever_may(
    held: Vector,
    over: bool,
) -> None:
    cluster = SmallCluster()
    app = cluster.submit(1)
    cluster.cycle()

    assert cluster.engine.user_over_cap(app, held, "") is over


def test_what_waits_is_told_and_what_does_not_is_not() -> None:
    cluster = busy()

    assert cluster.why(1, 1) is None
    verdict = cluster.why(1, 2)
    assert verdict is not None
    assert cluster.engine.why(cluster.submit(3, "c"), AskKey(9), 0) is None
