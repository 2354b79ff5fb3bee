"""What `status` of a queue shows."""

from __future__ import annotations

import pytest

from unit.schedulers.fair.building import FairCluster

TREE = """
<queue name="p"><minResources>2048 mb,2 vcores</minResources>
  <maxResources>10240 mb,8 vcores</maxResources>
  <queue name="x"/><queue name="y"><maxRunningApps>0</maxRunningApps></queue></queue>
<queue name="b"><maxAMShare>0.5</maxAMShare></queue>
"""


def busy() -> FairCluster:
    """Application 1 holds 4 GiB in p.x and waits for 30 more, 2 may not run in p.y, 3 is in b."""
    cluster = FairCluster(TREE)
    cluster.run(1, "p.x", count=3)
    cluster.cycle()
    cluster.submit(2, "p.y", user="u1")
    cluster.submit(3, "b")
    cluster.ask(1, 30)
    cluster.wait(0)
    return cluster


@pytest.mark.parametrize(
    ("queue", "field", "expected"),
    [
        pytest.param("p.x", "leaf", True, id="a leaf"),
        pytest.param("p", "leaf", False, id="a parent"),
        pytest.param("p", "state", "Running", id="queues always run"),
        pytest.param("p", "minimum", (2048, 2), id="the minimum"),
        pytest.param("p", "maximum", (10240, 8), id="the maximum"),
        pytest.param("p.x", "used", (4096, 4), id="used of a leaf"),
        pytest.param("p", "used", (4096, 4), id="used of a parent"),
        pytest.param("p.x", "pending", (30720, 30), id="pending of a leaf"),
        pytest.param("p", "pending", (31744, 31), id="pending of a parent: all leaves"),
        pytest.param("b", "pending", (1024, 1), id="pending of a master"),
        pytest.param("p", "reserved", (0, 0), id="nothing reserved"),
        pytest.param("p", "containers", 4, id="containers below a parent"),
        pytest.param("b", "containers", 0, id="no containers"),
        pytest.param("p.x", "absolute_used_capacity", 0.2, id="part of the cluster's memory"),
        pytest.param("p.x", "used_capacity", 0.4, id="part of the fair share of memory"),
        pytest.param("p.y", "used_capacity", 0.0, id="no fair share"),
        pytest.param("p.x", "am_used", (1024, 1), id="AM use of a leaf"),
        pytest.param("p", "am_used", (0, 0), id="AM use of a parent is not kept"),
        pytest.param("b", "am_limit", (5120, 8), id="the AM limit of a leaf"),
        pytest.param("p", "am_limit", (10240, 8), id="the AM limit of a parent is its maximum"),
        pytest.param("p.x", "active_applications", 1, id="one with containers"),
        pytest.param("p.x", "pending_applications", 0, id="nobody without"),
        pytest.param("b", "active_applications", 0, id="nobody with containers"),
        pytest.param("b", "pending_applications", 1, id="one without"),
        pytest.param("p.y", "pending_applications", 1, id="one that may not run"),
        pytest.param("p", "active_applications", 0, id="a parent has no applications"),
        pytest.param("p.x", "steady_fair_share", (5120, 0), id="the steady share"),
        pytest.param("p.x", "instantaneous_fair_share", (10240, 0), id="the instantaneous share"),
        pytest.param("p.y", "instantaneous_fair_share", (0, 0), id="nobody runs: no share"),
    ],
)
def test_status(queue: str, field: str, expected: object) -> None:
    found = getattr(busy().status(queue), field)

    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


def test_queues_come_in_order_parents_first() -> None:
    assert busy().paths() == ["root", "root.p", "root.p.x", "root.p.y", "root.b"]


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        pytest.param("p.x", [("u1", (4096, 4), 1, 0)], id="one who runs"),
        pytest.param("p.y", [("u1", (0, 0), 0, 1)], id="one who may not run"),
        pytest.param("b", [("u3", (0, 0), 0, 1)], id="one without containers"),
        pytest.param("p", [], id="a parent has no users"),
    ],
)
def test_users_of_a_queue(queue: str, expected: list[tuple[object, ...]]) -> None:
    found = [
        (user.name, user.used, user.active_applications, user.pending_applications)
        for user in busy().status(queue).users
    ]

    assert found == expected


def test_a_users_limit_is_the_queues_maximum() -> None:
    status = busy().status("p.x")

    assert [user.limit for user in status.users] == [status.maximum]
