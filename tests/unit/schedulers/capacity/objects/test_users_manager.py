"""Who counts as an active user of a leaf, and what all users are to it."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.schedulers.capacity.objects.users_manager import UsersManager
from unit.schedulers.small import SmallCluster, app_id


class Users:
    """Applications of root.a on two nodes; each has an AM of 1 GiB and one CPU."""

    def __init__(self, **settings: str) -> None:
        named = {"root.a." + name.replace("_", "-"): value for name, value in settings.items()}
        self.cluster = SmallCluster(named, nodes=2)

    @property
    def manager(self) -> UsersManager:
        found = self.cluster.engine.state.queues["root.a"]
        assert found.leaf
        return found.users

    def app(self, number: int, user: str, wants: int = 0) -> None:
        """An application whose AM runs, and that asks for so much."""
        self.cluster.submit(number, user=user)
        self.cluster.cycle()
        if wants:
            self.cluster.ask(number, wants)

    def limit(self, user: str) -> int:
        return self.manager.limit(user, "", whole=False)[0] // 1024


@pytest.mark.parametrize(
    ("apps", "active"),
    [
        pytest.param([], set(), id="nobody"),
        pytest.param([("u", 0)], set(), id="who asks for nothing is not active"),
        pytest.param([("u", 1)], {"u"}, id="who asks for something is"),
        pytest.param([("u", 1), ("u", 0)], {"u"}, id="by one application of two"),
        pytest.param([("u", 1), ("v", 1)], {"u", "v"}, id="two users"),
        pytest.param([("u", 1), ("v", 0)], {"u"}, id="one of two"),
    ],
)
def test_a_user_is_active_while_one_of_its_applications_asks(
    apps: list[tuple[str, int]], active: set[str]
) -> None:
    users = Users()
    for number, (user, _) in enumerate(apps, start=1):
        users.app(number, user)
    for number, (_, wants) in enumerate(apps, start=1):
        users.cluster.ask(number, wants)

    assert users.manager.active == active
    assert set(users.manager.by_name) == {user for user, _ in apps}


def test_a_user_ceases_to_be_active_with_the_last_application_that_asks() -> None:
    users = Users()
    users.app(1, "u")
    users.app(2, "u", wants=1)
    users.cluster.ask(1, 1)

    users.cluster.ask(1, 0)
    assert users.manager.active == {"u"}

    users.cluster.ask(2, 0)
    assert users.manager.active == set()


def test_what_was_granted_is_not_asked_for_any_more() -> None:
    users = Users()
    users.app(1, "u", wants=1)

    assert len(users.cluster.cycle()) == 1

    assert users.manager.active == set()


def test_a_user_without_applications_is_forgotten() -> None:
    users = Users()
    users.app(1, "u")
    users.app(2, "v")
    [gone, _] = users.manager.by_name.values()

    users.cluster.engine.finish(app_id(1), 0)

    assert set(users.manager.by_name) == {"v"}
    assert gone.manager is None


@pytest.mark.parametrize(
    ("settings", "wanting", "limits"),
    [
        pytest.param({}, ["u"], {"u": 8}, id="one may have what the queue is guaranteed"),
        pytest.param(
            {"minimum_user_limit_percent": "50"},
            ["u", "v"],
            {"u": 4, "v": 4},
            id="two share what the queue is guaranteed",
        ),
        pytest.param(
            {"minimum_user_limit_percent": "25"},
            ["u", "v", "w", "x"],
            {"u": 2, "v": 2, "w": 2, "x": 2},
            id="four share it",
        ),
        pytest.param(
            {"minimum_user_limit_percent": "50"},
            ["u", "v", "w"],
            {"u": 4, "v": 4, "w": 4},
            id="of three each has the percentage, and one waits",
        ),
        pytest.param(
            {"minimum_user_limit_percent": "25", "user_settings.u.weight": "2"},
            ["u", "v"],
            {"u": 4, "v": 2},
            id="a weight of 2 is twice as much",
        ),
        pytest.param(
            {"minimum_user_limit_percent": "25", "user_settings.u.weight": "0.5"},
            ["u", "v"],
            {"u": 1, "v": 2},
            id="a weight of a half is half as much",
        ),
        pytest.param(
            {"user_limit_factor": "0.25"}, ["u"], {"u": 2}, id="a factor caps it, even for one"
        ),
    ],
)
def test_the_more_users_want_something_the_less_each_may_hold(
    settings: dict[str, str], wanting: list[str], limits: dict[str, int]
) -> None:
    users = Users(**settings)
    for number, user in enumerate(wanting, start=1):
        users.app(number, user)
    for number in range(1, len(wanting) + 1):
        users.cluster.ask(number, 100)

    assert {user: users.limit(user) for user in wanting} == limits


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([("u", 1, 0)], [("v", 2, 100)], id="another user asks"),
        pytest.param([("u", 1, 100), ("v", 2, 100)], [("v", 2, 0)], id="another asks no more"),
        pytest.param([("u", 1, 100), ("v", 2, 0)], [("v", 2, 9)], id="another asks again"),
    ],
)
def test_a_limit_is_computed_anew_when_who_is_active_changes(
    before: list[tuple[str, int, int]], after: list[tuple[str, int, int]]
) -> None:
    users = Users(minimum_user_limit_percent="25")
    for user, number, wants in before:
        users.app(number, user, wants)
    users.limit("u")
    version = users.manager.version

    for user, number, wants in after:
        if user not in users.manager.by_name:
            users.app(number, user)
        users.cluster.ask(number, wants)

    assert users.manager.version > version


def test_users_whose_applications_all_wait_count_among_those_that_share_am_room() -> None:
    users = Users(maximum_am_resource_percent="0.125", minimum_user_limit_percent="25")
    users.app(1, "u")
    users.app(2, "v")
    users.app(3, "w")
    users.cluster.ask(1, 1)

    users.limit("u")

    waiting = [user.name for user in users.manager.by_name.values() if user.pending_apps]
    assert waiting == ["w"]
    assert users.manager.active_count() == 2


@pytest.mark.parametrize(
    ("weights", "weight"),
    [
        pytest.param({}, 1.0, id="1 unless said"),
        pytest.param({"user_settings.u.weight": "1.5"}, 1.5, id="as it was configured"),
        pytest.param({"user_settings.v.weight": "1.5"}, 1.0, id="another's does not count"),
    ],
)
def test_a_user_has_the_weight_that_the_queue_configures(
    weights: dict[str, str], weight: float
) -> None:
    users = Users(minimum_user_limit_percent="50", **weights)

    users.app(1, "u")

    assert users.manager.get("u").weight == weight


def test_a_new_weight_counts_for_who_is_there_already() -> None:
    users = Users(minimum_user_limit_percent="25")
    users.app(1, "u")
    users.app(2, "v")
    users.cluster.ask(1, 100)
    users.cluster.ask(2, 100)
    assert (users.limit("u"), users.limit("v")) == (2, 2)

    users.cluster.configure(
        {
            "root.a.minimum-user-limit-percent": "25",
            "root.a.user-settings.u.weight": "2",
        }
    )

    assert (users.limit("u"), users.limit("v")) == (4, 2)


def test_users_of_one_queue_are_nothing_to_another() -> None:
    users = Users()
    users.app(1, "u", wants=1)
    users.cluster.submit(2, "b", user="u")
    users.cluster.cycle()
    there = users.cluster.engine.state.queues["root.b"]
    assert there.leaf

    assert users.manager.get("u") is not there.users.get("u")
    assert there.users.active == set()
    assert there.users.get("u").use("") == (1024, 1)
    assert AskKey(1) not in users.cluster.engine.state.apps[app_id(2)].asks
