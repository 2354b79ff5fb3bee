"""How many applications of a queue and of a user may run."""

from __future__ import annotations

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.fair_queues import UNLIMITED_APPLICATIONS, FairClusterConfig
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.fair.max_running_apps import by_start_time, user_max_running_apps
from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue
from unit.schedulers.fair.building import A, FairCluster, app_id, why

LEAF = FSLeafQueue("root.a", None, (0, 0))


def attempt(start_ms: int) -> FSAppAttempt:
    return FSAppAttempt(Application(app_id(start_ms), "u", "a"), 1, LEAF, (0, 0), start_ms)


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        pytest.param([], [], id="no list"),
        pytest.param([[]], [], id="an empty list"),
        pytest.param([[1, 2, 3]], [1, 2, 3], id="one list stays as it is"),
        pytest.param([[3, 1, 2]], [3, 1, 2], id="one list is not sorted"),
        pytest.param([[1, 4], [2, 3]], [1, 2, 3, 4], id="two lists are merged"),
        pytest.param([[2, 3], [1, 4]], [1, 2, 3, 4], id="the second list begins"),
        pytest.param([[1, 9], [2], [3, 4]], [1, 2, 3, 4, 9], id="three lists"),
        pytest.param([[5, 1], [2, 3]], [2, 3, 5, 1], id="the next one of a list hides the rest"),
        pytest.param([[], [2], []], [2], id="empty lists are passed over"),
        pytest.param([[1, 5], [1, 5]], [1, 1, 5, 5], id="level lists by turns"),
        pytest.param([[7], [6], [5], [4]], [4, 5, 6, 7], id="many lists of one"),
        pytest.param([[1, 2], [1, 2], [1, 2]], [1, 1, 1, 2, 2, 2], id="three level lists"),
    ],
)
def test_candidates_come_from_all_lists_by_start_time(
    lists: list[list[int]], expected: list[int]
) -> None:
    found = by_start_time([[attempt(start) for start in one] for one in lists])

    assert [one.start_ms for one in found] == expected


CONFIG = FairClusterConfig(user_maximum_default=3, user_maximum=(("alice", 1), ("bob", 0)))


@pytest.mark.parametrize(
    ("config", "user", "expected"),
    [
        pytest.param(CONFIG, "alice", 1, id="a user with a limit"),
        pytest.param(CONFIG, "bob", 0, id="a user who may run nothing"),
        pytest.param(CONFIG, "carol", 3, id="another user"),
        pytest.param(CONFIG, "Alice", 3, id="names are told apart by case"),
        pytest.param(FairClusterConfig(), "alice", UNLIMITED_APPLICATIONS, id="no limit"),
        pytest.param(
            FairClusterConfig(user_maximum=(("alice", 2),)),
            "bob",
            UNLIMITED_APPLICATIONS,
            id="others",
        ),
    ],
)
def test_the_limit_of_a_user(config: FairClusterConfig, user: str, expected: int) -> None:
    assert user_max_running_apps(config, user) == expected


def leaf(name: str, most: int | None = None) -> str:
    limit = "" if most is None else f"<maxRunningApps>{most}</maxRunningApps>"
    return f'<queue name="{name}">{limit}</queue>'


def parent(name: str, most: int, *leaves: str) -> str:
    inside = "".join(leaves)
    return f'<queue name="{name}"><maxRunningApps>{most}</maxRunningApps>{inside}</queue>'


USER = "<userMaxAppsDefault>1</userMaxAppsDefault>"


@pytest.mark.parametrize(
    ("queues", "submitted", "runnable"),
    [
        pytest.param(leaf("a"), ["a/u", "a/u", "a/u"], [1, 2, 3], id="no limit"),
        pytest.param(leaf("a", 2), ["a/u", "a/u", "a/u"], [1, 2], id="a leaf's limit"),
        pytest.param(leaf("a", 0), ["a/u", "a/u"], [], id="a leaf that runs nothing"),
        pytest.param(leaf("a", 1) + leaf("b", 1), ["a/u", "b/u", "a/u"], [1, 2], id="two leaves"),
        pytest.param(
            parent("p", 1, leaf("x"), leaf("y")), ["p.x/u", "p.y/u"], [1], id="a parent's limit"
        ),
        pytest.param(
            parent("p", 2, leaf("x", 1), leaf("y")),
            ["p.x/u", "p.x/u", "p.y/u", "p.y/u"],
            [1, 3],
            id="a parent's and a leaf's",
        ),
        pytest.param(leaf("a") + USER, ["a/u", "a/u", "a/v"], [1, 3], id="a user's limit"),
        pytest.param(
            leaf("a") + leaf("b") + USER, ["a/u", "b/u", "b/v"], [1, 3], id="a user in two queues"
        ),
        pytest.param(
            leaf("a", 1) + USER, ["a/u", "a/u", "a/v"], [1], id="the leaf's before the user's"
        ),
        pytest.param(
            leaf("a") + USER + '<user name="u"><maxRunningApps>2</maxRunningApps></user>',
            ["a/u", "a/u", "a/u", "a/v", "a/v"],
            [1, 2, 4],
            id="a user with a limit of its own",
        ),
    ],
)
def test_who_runs(queues: str, submitted: list[str], runnable: list[int]) -> None:
    cluster = FairCluster(queues)
    for number, where in enumerate(submitted, start=1):
        queue, _, user = where.partition("/")
        cluster.submit(number, queue, user=user)

    found = [
        a.id.application.number for a in cluster.scheduler.state.attempts.values() if a.is_runnable
    ]

    assert found == runnable
    assert cluster.scheduler.state.root.num_runnable_apps == len(runnable)


@pytest.mark.parametrize(
    ("queues", "submitted", "ends", "runnable"),
    [
        pytest.param(leaf("a", 1), ["a/u", "a/v", "a/w"], 1, [2], id="the next of the leaf"),
        pytest.param(leaf("a", 1), ["a/u", "a/v", "a/w"], 2, [1], id="one that did not run"),
        pytest.param(leaf("a") + USER, ["a/u", "a/u", "a/u"], 1, [2], id="the next of the user"),
        pytest.param(
            parent("p", 1, leaf("x"), leaf("y")),
            ["p.x/u", "p.y/v", "p.x/w"],
            1,
            [2],
            id="the next below the parent, the earlier first",
        ),
        pytest.param(
            parent("p", 1, leaf("x"), leaf("y", 0)),
            ["p.x/u", "p.y/v", "p.x/w"],
            1,
            [3],
            id="one whose own leaf is full is passed over",
        ),
        pytest.param(
            leaf("a", 2) + USER,
            ["a/u", "a/v", "a/v", "a/u"],
            1,
            [2, 4],
            id="one whose user is full, too",
        ),
        pytest.param(
            leaf("a", 1) + leaf("b", 1),
            ["a/u", "b/u", "b/v", "a/w"],
            1,
            [2, 4],
            id="not another leaf's",
        ),
    ],
)
def test_who_runs_when_one_ends(
    queues: str, submitted: list[str], ends: int, runnable: list[int]
) -> None:
    cluster = FairCluster(queues)
    for number, where in enumerate(submitted, start=1):
        queue, _, user = where.partition("/")
        cluster.submit(number, queue, user=user)

    cluster.scheduler.finish(app_id(ends), 0)

    found = [
        a.id.application.number for a in cluster.scheduler.state.attempts.values() if a.is_runnable
    ]
    assert found == runnable


def test_a_lowered_limit_stops_nobody_and_lets_nobody_in() -> None:
    cluster = FairCluster(leaf("a", 3))
    for number in range(1, 5):
        cluster.submit(number)

    cluster.reload(leaf("a", 1))
    lowered = cluster.scheduler.queries.runnable_apps("root.a")
    cluster.scheduler.finish(app_id(1), 0)

    assert lowered == 3
    assert cluster.scheduler.queries.runnable_apps("root.a") == 2


def test_a_raised_limit_lets_all_in_that_fit() -> None:
    cluster = FairCluster(leaf("a", 1))
    for number in range(1, 6):
        cluster.submit(number)

    cluster.reload(leaf("a", 4))

    assert cluster.scheduler.queries.runnable_apps("root.a") == 4


def test_only_as_many_applications_of_a_queue_run_as_it_may() -> None:
    cluster = FairCluster('<queue name="a"><maxRunningApps>2</maxRunningApps></queue>')
    for number in (1, 2, 3):
        cluster.submit(number)

    cluster.cycle()

    assert [cluster.count(n) for n in (1, 2, 3)] == [1, 1, 0]
    verdict = cluster.scheduler.why(app_id(3), None, 0)
    assert verdict is not None
    assert verdict.reason is Reason.PARALLEL_LIMIT
    assert verdict.place == 1
    assert "may run 2" in verdict.message


def test_the_next_in_line_runs_when_a_place_is_free() -> None:
    cluster = FairCluster('<queue name="a"><maxRunningApps>1</maxRunningApps></queue>')
    for number in (1, 2, 3):
        cluster.submit(number)
    cluster.cycle()

    cluster.scheduler.finish(app_id(1), 0)
    cluster.cycle()

    assert [cluster.count(n) for n in (2, 3)] == [1, 0]


def test_a_users_limit_counts_over_all_queues() -> None:
    cluster = FairCluster(A + '<queue name="b"/><userMaxAppsDefault>1</userMaxAppsDefault>')
    cluster.submit(1, "a", user="alice")
    cluster.submit(2, "b", user="alice")

    cluster.cycle()

    assert cluster.count(2) == 0
    assert why(cluster, 2) is Reason.PARALLEL_LIMIT


def test_a_parents_limit_of_applications_holds_for_its_leaves_together() -> None:
    cluster = FairCluster(
        """<queue name="p"><maxRunningApps>1</maxRunningApps>
             <queue name="x"/><queue name="y"/></queue>"""
    )
    cluster.submit(1, "p.x")
    cluster.submit(2, "p.y")
    cluster.cycle()
    cluster.scheduler.finish(app_id(1), 0)

    cluster.cycle()

    assert cluster.count(2) == 1


def test_a_raised_limit_lets_waiting_applications_run() -> None:
    cluster = FairCluster('<queue name="a"><maxRunningApps>1</maxRunningApps></queue>')
    cluster.submit(1)
    cluster.submit(2)
    cluster.cycle()

    cluster.reload('<queue name="a"><maxRunningApps>2</maxRunningApps></queue>')
    cluster.cycle()

    assert cluster.count(2) == 1
