"""Applications that come, ask for their AMs again, and are told again after a restart."""

from __future__ import annotations

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import AM_KEY
from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from unit.schedulers.small import SmallCluster, app_id

NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("settings", "taken"),
    [
        pytest.param(
            {"maximum-applications": "2"}, 1, id="of the queue, by its part of the cluster's"
        ),
        pytest.param({"root.a.maximum-applications": "3"}, 3, id="of the queue"),
        pytest.param(
            {"maximum-applications": "2", "root.a.maximum-applications": "3"},
            2,
            id="of the cluster, though the queue would take more",
        ),
    ],
)
def test_no_more_applications_are_taken_than_allowed(settings: dict[str, str], taken: int) -> None:
    cluster = SmallCluster({"root.a.user-limit-factor": "9", **settings})
    for number in range(1, taken + 1):
        cluster.submit(number)

    with pytest.raises(Rejected) as refused:
        cluster.submit(taken + 1)

    assert refused.value.reason is Reason.APPLICATION_LIMIT
    assert cluster.engine.state.root_in_force().applications == taken


def test_one_that_ended_makes_room_for_another() -> None:
    cluster = SmallCluster({"maximum-applications": "1", "root.a.maximum-applications": "9"})
    cluster.submit(1)
    cluster.engine.finish(app_id(1), 0)

    cluster.submit(2)

    assert [app.app.id for app in cluster.engine.state.apps.values()] == [app_id(2)]


def test_an_application_that_is_told_twice_stays_where_it_is() -> None:
    cluster = SmallCluster()
    app = Application(app_id(1), "u", "a", am_size=(1024, 1))
    assert cluster.engine.submit(app, 0) == "root.a"

    assert cluster.engine.submit(Application(app_id(1), "u", "b", am_size=(1024, 1)), 5) == "root.a"

    assert cluster.engine.state.queues["root.a"].applications == 1
    assert cluster.engine.state.queues["root.b"].applications == 0


@pytest.mark.parametrize(
    ("placed", "settings", "leaf"),
    [
        pytest.param("root.b", {}, "root.b", id="where it was, whatever it asks for"),
        pytest.param("root.b", {"root.b.state": "STOPPED"}, "root.b", id="in a stopped queue"),
        pytest.param("root.b", {"maximum-applications": "0"}, "root.b", id="beyond the limits"),
        pytest.param("root.gone", {}, "root.a", id="anew, where its queue is gone"),
        pytest.param("root", {}, "root.a", id="anew, where its queue is a parent now"),
    ],
)
def test_what_an_earlier_process_took_is_taken_back(
    placed: str, settings: dict[str, str], leaf: str
) -> None:
    cluster = SmallCluster(settings)
    app = Application(app_id(1), "u", "a", am_size=(1024, 1), placed=placed)

    assert cluster.engine.submit(app, 0) == leaf

    assert cluster.engine.state.queues[leaf].applications == 1


def test_an_am_is_asked_for_again_when_its_grant_was_taken_back() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    [am] = cluster.cycle()
    cluster.engine.release(am.id, 0)
    assert cluster.cycle() == []

    cluster.engine.ask_for_master(app_id(1), 0)
    cluster.engine.ask_for_master(app_id(1), 0)

    [again] = cluster.cycle()
    assert again.am
    assert again.id.number == 2


def test_an_am_that_came_and_went_is_not_asked_for() -> None:
    cluster = SmallCluster()
    cluster.submit(1)

    cluster.engine.master_gone(app_id(1))
    assert cluster.cycle() == []
    assert AM_KEY not in cluster.engine.state.apps[app_id(1)].asks

    cluster.engine.master_gone(app_id(1))
    cluster.ask(1, 1)
    assert [one.am for one in cluster.cycle()] == [False]


@pytest.mark.parametrize(
    ("excluded", "nodes"),
    [
        pytest.param([{"n0"}], ["n1"], id="a node"),
        pytest.param([{"n0", "n1"}], [], id="all nodes"),
        pytest.param([{"n0", "n1"}, {"n1"}], ["n0"], id="the last word counts"),
        pytest.param([{"/default-rack"}], [], id="a rack"),
    ],
)
def test_an_am_keeps_off_where_it_must_not_be(excluded: list[set[str]], nodes: list[str]) -> None:
    cluster = SmallCluster(nodes=2)
    cluster.submit(1)

    for places in excluded:
        cluster.engine.locate_master(app_id(1), frozenset(places), None)

    assert [one.node for one in cluster.cycle()] == nodes


def test_where_an_am_must_not_be_its_containers_may() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.cycle()

    cluster.engine.locate_master(app_id(1), frozenset({"n0"}), None)
    cluster.ask(1, 1)

    assert [one.node for one in cluster.cycle()] == ["n0"]


@pytest.mark.parametrize(
    ("number", "held"),
    [
        pytest.param(1, 3, id="the attempt that runs goes on"),
        pytest.param(2, 0, id="another takes its place, and holds nothing"),
    ],
)
def test_an_attempt_replaces_the_one_before(number: int, held: int) -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.ask(1, 2)
    cluster.cycle()

    cluster.engine.start_attempt(app_id(1), number, 0)

    assert len(cluster.engine.containers()) == held
    assert cluster.engine.state.apps[app_id(1)].attempt_id.number == number


def test_attempts_of_applications_that_are_not_known_are_no_matter() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.cycle()

    cluster.engine.restart_attempts({app_id(9): 2}, 0)
    cluster.engine.finish(app_id(9), 0)

    assert len(cluster.engine.containers()) == 1


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda engine: engine.ask_for_master(app_id(9), 0), id="its AM"),
        pytest.param(lambda engine: engine.exclude(app_id(9), NOBODY), id="what it excludes"),
        pytest.param(lambda engine: engine.move(app_id(9), "b", 0), id="a move"),
        pytest.param(lambda engine: engine.set_priority(app_id(9), 1, 0), id="its priority"),
        pytest.param(lambda engine: engine.priority(app_id(9)), id="what its priority is"),
        pytest.param(lambda engine: engine.update_asks(app_id(9), [], 0), id="its asks"),
    ],
)
def test_who_asks_about_an_application_that_is_not_known_is_told(call) -> None:
    with pytest.raises(Rejected) as refused:
        call(SmallCluster().engine)

    assert refused.value.reason is Reason.INVALID_REQUEST
    assert str(app_id(9)) in str(refused.value)


def test_a_move_to_where_it_is_changes_nothing() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.ask(1, 2)
    cluster.cycle()
    before = cluster.status("root.a")

    assert cluster.engine.move(app_id(1), "a", 0) == "root.a"

    assert cluster.status("root.a") == before


def test_a_queue_that_drains_stops_when_its_last_application_moved_away() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.cycle()
    cluster.configure({"root.a.state": "STOPPED"})
    assert cluster.status("root.a").state == "Draining"

    cluster.engine.move(app_id(1), "b", 0)

    assert cluster.status("root.a").state == "Stopped"
    assert cluster.status("root.b").used == (1024, 1)
