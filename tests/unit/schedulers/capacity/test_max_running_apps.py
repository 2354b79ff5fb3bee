"""How many applications may run, and which do when one has ended or a limit has changed.

Hadoop: CSMaxRunningAppsEnforcer. Recorded: capacity-max-parallel-queue, capacity-max-parallel-user,
own-parallel-limits-over-a-refresh, own-moves-between-parallel-limits.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, percent
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.capacity.max_running_apps import user_maximum
from kubeyarn.schedulers.capacity.queue_settings import UNLIMITED
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

P, A, B = "root.p", "root.p.a", "root.p.b"


def config(**limits: object) -> SchedulerConfig:
    """root.p has root.p.a and root.p.b; *limits* are of the cluster, or of a queue by its name."""
    of_cluster = {name: limit for name, limit in limits.items() if name not in ("p", "a", "b")}
    queues = [
        QueueConfig(P, order=0, capacity=percent(100)),
        QueueConfig(A, order=1, capacity=percent(50), user_limit_factor=-1.0),
        QueueConfig(B, order=2, capacity=percent(50), user_limit_factor=-1.0),
    ]
    return SchedulerConfig(
        queues=(
            QueueConfig("root"),
            *(replace(queue, **limits.get(queue.name, {})) for queue in queues),  # type: ignore[arg-type]
        ),
        minimum_allocation=(1, 1),
        maximum_allocation=(10, 10),
        maximum_am_share=1.0,
        **of_cluster,  # type: ignore[arg-type]
    )


def at_most(count: int) -> dict[str, int]:
    return {"maximum_parallel_applications": count}


def of_each_user(count: int) -> dict[str, int]:
    return {"maximum_parallel_applications_per_user": count}


class Cluster:
    """Applications by number; *submit* is told their leaf and, behind a dash, their user."""

    def __init__(self, given: SchedulerConfig) -> None:
        self.engine = CapacityScheduler(ResourceTypes())
        self.engine.configure(given, 0)
        self.engine.add_node(Node("n", (100, 100)))

    def submit(self, *apps: str) -> Cluster:
        """Submit applications, numbered on, such as `a` or `a-jo`."""
        for app in apps:
            leaf, _, user = app.partition("-")
            number = len(self.engine.state.apps) + 1
            identity = ApplicationId(1, number)
            self.engine.submit(
                Application(identity, user or "u", f"root.p.{leaf}", am_size=(1, 1), order=number),
                0,
            )
        return self

    def finish(self, *numbers: int) -> Cluster:
        """End applications."""
        for number in numbers:
            self.engine.finish(ApplicationId(1, number), 0)
        return self

    def running(self) -> list[int]:
        """The numbers of the runnable applications."""
        return [app.app.id.number for app in self.engine.state.apps.values() if app.runnable]


@pytest.mark.parametrize(
    ("given", "apps", "running"),
    [
        pytest.param(config(), "a a a b b", [1, 2, 3, 4, 5], id="all without limits"),
        pytest.param(
            config(a=at_most(2)), "a a a b", [1, 2, 4], id="two of a leaf (max-parallel-queue)"
        ),
        pytest.param(config(p=at_most(2)), "a b a b", [1, 2], id="two of a parent's leaves"),
        pytest.param(
            config(p=at_most(3), a=at_most(1)), "a a b b b", [1, 3, 4], id="by the leaf and above"
        ),
        pytest.param(
            config(maximum_parallel_applications=2), "a b a", [1, 2], id="two of the whole cluster"
        ),
        pytest.param(
            config(maximum_parallel_applications=1, a=at_most(2)),
            "a a b",
            [1],
            id="by the cluster's limit for each queue that has none",
        ),
        pytest.param(
            config(user_maximum_parallel_applications=1),
            "a-jo b-jo a-mo",
            [1, 3],
            id="one of each user (max-parallel-user)",
        ),
        pytest.param(
            config(maximum_parallel_applications_of={"jo": 2}),
            "a-jo a-jo b-jo a-mo a-mo a-mo",
            [1, 2, 4, 5, 6],
            id="two of one user alone",
        ),
        pytest.param(
            config(
                user_maximum_parallel_applications=1, maximum_parallel_applications_of={"jo": 2}
            ),
            "a-jo a-jo a-mo a-mo",
            [1, 2, 3],
            id="by a user's own limit before that of all",
        ),
        pytest.param(
            config(a=of_each_user(1)),
            "a-jo a-jo a-mo b-jo b-jo",
            [1, 3, 4, 5],
            id="one of each user in one leaf",
        ),
        pytest.param(config(a=at_most(0)), "a b", [2], id="none of a leaf with a limit of 0"),
        pytest.param(
            config(user_maximum_parallel_applications=0), "a-jo b-mo", [], id="none of any user"
        ),
    ],
)
def test_there_run(given: SchedulerConfig, apps: str, running: list[int]) -> None:
    assert Cluster(given).submit(*apps.split()).running() == running


@pytest.mark.parametrize(
    ("given", "apps", "ended", "running"),
    [
        pytest.param(config(a=at_most(1)), "a a a", [1], [2], id="the next of the leaf"),
        pytest.param(config(a=at_most(2)), "a a a a", [1, 2], [3, 4], id="one for each that ended"),
        pytest.param(config(a=at_most(1)), "a a a", [2, 1], [3], id="not one that was killed"),
        pytest.param(
            config(p=at_most(1)), "b a b", [1], [2], id="the first submitted below the parent"
        ),
        pytest.param(
            config(user_maximum_parallel_applications=1),
            "a-jo b-jo a-jo",
            [1],
            [2],
            id="the first of the user, in whatever leaf",
        ),
        pytest.param(
            config(user_maximum_parallel_applications=1),
            "a-jo a-jo b-mo b-mo",
            [3],
            [1, 4],
            id="of the user whose application ended",
        ),
        pytest.param(
            config(a=at_most(1), user_maximum_parallel_applications=1),
            "a-jo a-mo b-mo",
            [1],
            [3],
            id="nobody whose user is at its limit",
        ),
        pytest.param(config(a=at_most(2)), "a b", [2], [1], id="nobody where nobody waits"),
        pytest.param(
            config(p=at_most(4), a=at_most(1), b=at_most(1), user_maximum_parallel_applications=9),
            "a-jo a-jo a-jo b-jo b-jo",
            [1],
            [2, 4],
            id="nobody of a leaf that is at its limit still",
        ),
        pytest.param(
            config(a=of_each_user(1)), "a-jo a-jo a-mo a-mo", [1], [2, 3], id="of a user in a leaf"
        ),
    ],
)
def test_when_applications_end_there_run(
    given: SchedulerConfig, apps: str, ended: list[int], running: list[int]
) -> None:
    assert Cluster(given).submit(*apps.split()).finish(*ended).running() == running


@pytest.mark.parametrize(
    ("before", "after", "apps", "running"),
    [
        pytest.param(
            config(a=at_most(1)), config(a=at_most(3)), "a a a a", [1, 2, 3], id="those of the rest"
        ),
        pytest.param(config(a=at_most(1)), config(), "a a a", [1, 2, 3], id="all without a limit"),
        pytest.param(
            config(a=at_most(3)),
            config(a=at_most(1)),
            "a a a a",
            [1, 2, 3],
            id="no fewer than before when it is lowered",
        ),
        pytest.param(
            config(user_maximum_parallel_applications=1),
            config(user_maximum_parallel_applications=2),
            "a-jo a-jo b-jo",
            [1, 2],
            id="more of each user",
        ),
        pytest.param(
            config(p=at_most(1)), config(p=at_most(2)), "b a b", [1, 2], id="the first submitted"
        ),
    ],
)
def test_when_limits_change_there_run(
    before: SchedulerConfig, after: SchedulerConfig, apps: str, running: list[int]
) -> None:
    cluster = Cluster(before).submit(*apps.split())
    cluster.engine.configure(after, 0)

    assert cluster.running() == running


def test_runnable_applications_are_counted_in_every_queue_above() -> None:
    cluster = Cluster(config(a=at_most(1))).submit("a", "a", "b")
    queues = cluster.engine.state.queues

    assert [queues[path].num_runnable_apps for path in (A, B, P, "root")] == [1, 1, 2, 2]
    cluster.finish(1, 3)
    assert [queues[path].num_runnable_apps for path in (A, B, P, "root")] == [1, 0, 1, 1]


def test_an_application_that_moves_is_counted_in_its_new_leaf() -> None:
    cluster = Cluster(config(a=at_most(1))).submit("a", "b")
    cluster.engine.move(ApplicationId(1, 1), B, 0)
    cluster.submit("a")

    assert cluster.running() == [1, 2, 3]


@pytest.mark.parametrize(
    ("given", "apps", "moved", "running"),
    [
        # Those that wait in a go on waiting in b, although nothing there keeps them from running.
        pytest.param(
            config(a=at_most(1), b=of_each_user(5)),
            "a-jo a-jo a-jo b-jo",
            [2, 3],
            [1, 2],
            id="one for the user's list, not all that might",
        ),
        pytest.param(
            config(a=at_most(1), user_maximum_parallel_applications=2),
            "a-jo a-jo b-jo",
            [2],
            [1, 2],
            id="one of a user that was at its limit",
        ),
        pytest.param(
            config(a=at_most(1), user_maximum_parallel_applications=3),
            "a-jo a-jo b-jo",
            [2],
            [1],
            id="none of a user that was below its limit",
        ),
        pytest.param(config(a=at_most(1)), "a-jo a-jo b-jo", [2], [1], id="none without any limit"),
    ],
)
def test_when_the_last_ends_beside_those_that_moved_there_run(
    given: SchedulerConfig, apps: str, moved: list[int], running: list[int]
) -> None:
    cluster = Cluster(given).submit(*apps.split())
    for number in moved:
        cluster.engine.move(ApplicationId(1, number), B, 0)

    assert cluster.finish(len(apps.split())).running() == running


@pytest.mark.parametrize(
    ("given", "user", "most"),
    [
        (config(), "jo", UNLIMITED),
        (config(user_maximum_parallel_applications=3), "jo", 3),
        (config(maximum_parallel_applications_of={"jo": 5}), "jo", 5),
        (config(maximum_parallel_applications_of={"jo": 5}), "mo", UNLIMITED),
        (config(maximum_parallel_applications_of={"jo": 0}), "jo", 0),
    ],
    ids=["unlimited", "that of all", "its own", "not another's", "none"],
)
def test_a_user_may_run(given: SchedulerConfig, user: str, most: int) -> None:
    assert user_maximum(user, given) == most
