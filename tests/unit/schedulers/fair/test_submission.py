"""Whether an application or an ask is taken."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.errors import AccessDenied, Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers.fair.submission import check_queue_has, check_size
from unit.schedulers.fair.building import A, FairCluster, app_id

TYPES = ResourceTypes(("memory", "cpu", "gpu"))


def reason_of(call: object, *args: object) -> Reason | None:
    try:
        call(*args)  # type: ignore[operator]
    except Rejected as rejected:
        return rejected.reason
    return None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param((1024, 1, 0), None, id="small"),
        pytest.param((8192, 4, 2), None, id="the maximum"),
        pytest.param((8193, 4, 2), Reason.MAXIMUM_ALLOCATION, id="a MiB more"),
        pytest.param((8192, 5, 2), Reason.MAXIMUM_ALLOCATION, id="a vcore more"),
        pytest.param((8192, 4, 3), Reason.MAXIMUM_ALLOCATION, id="a gpu more"),
        pytest.param((-1, 1, 0), Reason.INVALID_REQUEST, id="negative memory"),
        pytest.param((1024, -1, 0), Reason.INVALID_REQUEST, id="negative vcores"),
        pytest.param((1024, 1, -1), Reason.INVALID_REQUEST, id="negative gpus"),
        pytest.param((0, 0, 0), None, id="nothing"),
        pytest.param((9999, -1, 0), Reason.MAXIMUM_ALLOCATION, id="the first fault is told"),
    ],
)
def test_a_size_beyond_the_maximum_is_refused(size: Vector, expected: Reason | None) -> None:
    assert reason_of(check_size, size, (8192, 4, 2), TYPES, "it") is expected


@pytest.mark.parametrize(
    ("size", "maximum", "expected"),
    [
        pytest.param((1024, 1, 0), (8192, 4, 0), None, id="no gpus wanted, none there"),
        pytest.param(
            (1024, 1, 1), (8192, 4, 0), Reason.QUEUE_MAXIMUM, id="a gpu wanted, none there"
        ),
        pytest.param((1024, 1, 1), (8192, 4, 1), None, id="one wanted, one there"),
        pytest.param((1024, 1, 2), (8192, 4, 1), None, id="more wanted than there: it waits"),
        pytest.param((1024, 1, 0), (0, 4, 1), Reason.QUEUE_MAXIMUM, id="no memory there"),
        pytest.param((1024, 1, 0), (8192, 0, 1), Reason.QUEUE_MAXIMUM, id="no vcores there"),
        pytest.param((0, 0, 0), (0, 0, 0), None, id="nothing wanted"),
    ],
)
def test_a_size_of_what_the_queue_has_none_of_is_refused(
    size: Vector, maximum: Vector, expected: Reason | None
) -> None:
    assert reason_of(check_queue_has, size, maximum, TYPES, "root.a") is expected


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        pytest.param(Ask(AskKey(1), 3, (1024, 1)), None, id="sound"),
        pytest.param(Ask(AskKey(1), 0, (1024, 1)), None, id="a cancel"),
        pytest.param(Ask(AskKey(1), -1, (1024, 1)), Reason.INVALID_REQUEST, id="a negative count"),
        pytest.param(
            Ask(AskKey(1), 1, (1024, 1), "gpu"), Reason.PARTITION_ACCESS, id="a partition"
        ),
        pytest.param(
            Ask(AskKey(1), 1, (10241, 1)), Reason.MAXIMUM_ALLOCATION, id="larger than any node"
        ),
        pytest.param(Ask(AskKey(1), 1, (-1, 1)), Reason.INVALID_REQUEST, id="a negative size"),
    ],
)
def test_what_can_never_be_served_is_refused(ask: Ask, expected: Reason | None) -> None:
    cluster = FairCluster('<queue name="a"/>')
    cluster.submit(1)

    found = reason_of(cluster.scheduler.update_asks, app_id(1), [ask], 0)

    assert found is expected


def test_one_ask_that_is_refused_leaves_the_others_unapplied() -> None:
    cluster = FairCluster('<queue name="a"/>')
    cluster.submit(1)
    cluster.cycle()
    asks = [Ask(AskKey(1), 3, (1024, 1)), Ask(AskKey(2), -1, (1024, 1))]

    with pytest.raises(Rejected):
        cluster.scheduler.update_asks(app_id(1), asks, 0)

    assert cluster.scheduler.queries.outstanding(app_id(1)) == []


ACCESS = """
<queue name="root"><aclSubmitApps> </aclSubmitApps><aclAdministerApps> </aclAdministerApps>
  <queue name="a"><aclSubmitApps>alice devs</aclSubmitApps></queue>
  <queue name="p"><aclAdministerApps>bob</aclAdministerApps><queue name="x"/></queue>
</queue>
"""


@pytest.mark.parametrize(
    ("user", "groups", "queue", "allowed"),
    [
        pytest.param("alice", (), "a", True, id="by name"),
        pytest.param("carol", ("devs",), "a", True, id="by group"),
        pytest.param("devs", (), "a", True, id="a user without groups is in one of that name"),
        pytest.param("carol", ("ops",), "a", False, id="another group"),
        pytest.param("alice", (), "p.x", False, id="another queue"),
        pytest.param("bob", (), "p.x", True, id="who administers the parent may submit"),
        pytest.param("bob", (), "a", False, id="who administers another may not"),
        pytest.param("carol", (), "p.x", False, id="nobody says so"),
    ],
)
def test_who_may_submit_where(
    user: str, groups: tuple[str, ...], queue: str, *, allowed: bool
) -> None:
    cluster = FairCluster(ACCESS)
    cluster.settings["yarn.acl.enable"] = "true"
    cluster.reload(ACCESS)
    cluster.scheduler.state.check_access = True

    try:
        cluster.submit(1, queue, user=user, groups=groups)
    except AccessDenied:
        assert not allowed
    else:
        assert allowed


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        pytest.param((9000, 1), Reason.MAXIMUM_ALLOCATION, id="above the maximum"),
        pytest.param((1024, 5), Reason.MAXIMUM_ALLOCATION, id="too many cores"),
        pytest.param((-1, 1), Reason.INVALID_REQUEST, id="negative"),
    ],
)
def test_a_size_beyond_the_maximum_allocation_is_refused(
    size: tuple[int, int], reason: Reason
) -> None:
    cluster = FairCluster(A)
    cluster.submit(1)

    with pytest.raises(Rejected) as refused:
        cluster.ask(1, 1, size)

    assert refused.value.reason is reason
    assert cluster.status("a").pending == (1024, 1)


def test_a_queues_own_maximum_container_is_inherited_by_its_leaves() -> None:
    cluster = FairCluster(
        """<queue name="p"><maxContainerAllocation>2048 mb,2 vcores</maxContainerAllocation>
             <queue name="x"/></queue>"""
    )
    cluster.submit(1, "p.x")

    with pytest.raises(Rejected):
        cluster.ask(1, 1, (4096, 1))


def test_an_application_is_refused_where_the_queue_has_none_of_a_resource() -> None:
    cluster = FairCluster('<queue name="a"><maxResources>4096 mb,0 vcores</maxResources></queue>')

    with pytest.raises(Rejected) as refused:
        cluster.submit(1)

    assert refused.value.reason is Reason.QUEUE_MAXIMUM


def test_an_am_larger_than_the_maximum_is_refused() -> None:
    with pytest.raises(Rejected):
        FairCluster(A).submit(1, am=(9000, 1))


def test_who_may_not_submit_is_refused() -> None:
    cluster = FairCluster(
        """<queue name="root"><aclSubmitApps> </aclSubmitApps>
             <aclAdministerApps>boss</aclAdministerApps>
             <queue name="a"><aclSubmitApps>alice devs</aclSubmitApps></queue></queue>"""
    )
    cluster.submit(1, user="alice")
    cluster.submit(2, user="carl", groups=("devs",))
    cluster.submit(3, user="boss")

    with pytest.raises(Rejected) as refused:
        cluster.submit(4, user="bob")

    assert refused.value.reason is Reason.ACCESS_DENIED


@pytest.mark.parametrize("queue", ["p", "a.below"])
def test_what_is_no_leaf_takes_no_application(queue: str) -> None:
    cluster = FairCluster(A + '<queue name="p"><queue name="x"/></queue>')

    with pytest.raises(Rejected) as refused:
        cluster.submit(1, queue)

    assert refused.value.reason is Reason.QUEUE_NOT_LEAF


def test_a_partition_cannot_be_asked_for() -> None:
    from kubeyarn.model.asks import Ask

    cluster = FairCluster(A)
    cluster.submit(1)

    with pytest.raises(Rejected) as refused:
        cluster.scheduler.update_asks(app_id(1), [Ask(AskKey(1), 1, (1024, 1), "gpu")], 0)

    assert refused.value.reason is Reason.PARTITION_ACCESS
