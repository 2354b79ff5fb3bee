"""What ApplicationMasters are told of limits, and what telling it costs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kubeyarn.scheduler.request_state import AMLimits
from kubeyarn.scheduler.status import am_limits
from kubeyarn.scheduler.status.am_limits import AMLimitsReporter, is_worth_a_write
from unit.scheduler.world import SMALL, World, a_node, a_queue, a_request, condition, two_queues

EVERY_S = 5.0
LATER_S = 1e9


def a_world(*queues, nodes=("n1", "n2")):
    queues = queues or two_queues()
    return World(*queues, *(("node", a_node(name)) for name in nodes))


def told(world, name="words-am-1"):
    status = world.objects["request"][name]["status"]
    return status.get("headroom"), status.get("maximumAllocation")


def test_the_grant_of_a_master_brings_its_limits_along():
    world = a_world()
    world.submit("words", 1, am=SMALL)
    world.cycle()

    headroom, maximum = told(world)
    # The user's limit, 10, is nearer than the queue's maximum, 12800m; the master holds 1.
    assert headroom["cpu"] == "9"
    assert maximum == {"cpu": "8", "memory": "16Gi"}


def test_who_waits_for_its_master_is_told_nothing():
    world = a_world(nodes=())
    world.submit("words", 1, am=SMALL)
    world.turn()

    assert told(world) == (None, None)


def test_under_fair_it_is_the_rest_of_the_fair_share_though_no_maximum_is_said():
    world = a_world(
        ("queue", a_queue("root", cluster={"scheduler": "Fair"})), ("queue", a_queue("root.a"))
    )
    world.submit("words", 1, am=SMALL)
    world.cycle()

    assert told(world) == ({"cpu": "15", "memory": "31Gi"}, {"cpu": "8", "memory": "16Gi"})


def test_limits_that_others_change_go_along_with_what_is_written_anyway():
    world = a_world()
    world.submit("words", 1, am=SMALL)
    world.submit("others", 2, am=SMALL)
    world.cycle()
    world.put("request", a_request("maps", "others", count=4, resources=SMALL))
    world.cycle()
    before = told(world)[0]["cpu"]

    world.patch("application", "words", spec={"priority": 0})
    world.cycle()

    # The user's limit, 10, less two masters and four containers.
    assert (before, told(world)[0]["cpu"]) == ("8", "4")


@pytest.mark.parametrize(
    ("before", "after", "since_s", "worth"),
    [
        pytest.param((100, 100), (100, 100), 99.0, False, id="nothing changed"),
        pytest.param((100, 100), (95, 100), 10.0, False, id="less than a tenth"),
        pytest.param((100, 100), (100, 90), 10.0, True, id="a tenth of one resource"),
        pytest.param((100, 100), (111, 100), 10.0, False, id="just below a tenth more"),
        pytest.param((100, 5), (100, 0), 10.0, True, id="nothing is left"),
        pytest.param((0, 5), (1, 5), 10.0, True, id="something is there again"),
        pytest.param((100, 100), (99, 100), 30.0, True, id="a little, for half a minute"),
    ],
)
def test_a_change_is_worth_a_write_of_its_own_when(before, after, since_s, worth):
    large = (1000, 1000)

    assert is_worth_a_write(AMLimits(before, large), AMLimits(after, large), since_s) is worth


def test_another_maximum_is_worth_a_write_at_once():
    assert is_worth_a_write(AMLimits((1, 1), (8, 8)), AMLimits((1, 1), (4, 8)), 0.0)
    assert is_worth_a_write(None, AMLimits((1, 1), (4, 8)), 0.0)


def test_an_application_whose_headroom_cannot_be_counted_costs_itself_alone(monkeypatch):
    world = a_world()
    world.submit("odd", 1, am=SMALL)
    world.submit("words", 2, am=SMALL)
    headroom = world.live.state.scheduler.headroom

    def fails(application):
        if application.number == 1:
            raise ZeroDivisionError("seven")
        return headroom(application)

    monkeypatch.setattr(world.live.state.scheduler, "headroom", fails)
    world.cycle()
    AMLimitsReporter(world.live.cache, world.live.state).report(LATER_S, EVERY_S)
    world.write()

    assert told(world)[0]["cpu"] == "8"
    assert len(world.granted("odd-am-1")) == 1
    assert told(world, "odd-am-1") == (None, None)
    assert condition(world, "odd-am-1", "Accepted") == ("Unknown", "InternalError")


@pytest.fixture
def many():
    """Thirty applications that run and wait for more, on a cluster that others use."""
    world = a_world(*two_queues(), nodes=[f"n{i}" for i in range(8)])
    for number in range(1, 31):
        world.submit(f"app{number:02}", number, am=SMALL)
    world.submit("other", 31, queue="root.b", am=SMALL)
    world.turn()
    for number in range(1, 31):
        world.put("request", a_request(f"more{number:02}", f"app{number:02}", count=50))
    world.turn()
    reporter = AMLimitsReporter(world.live.cache, world.live.state)
    for second in range(20):
        reporter.report(LATER_S + second, EVERY_S)
        world.write()
    return world


def test_headroom_that_changes_all_the_time_costs_a_bounded_number_of_writes(many, monkeypatch):
    monkeypatch.setattr(am_limits, "is_worth_a_write", lambda *_: True)
    reporter = AMLimitsReporter(many.live.cache, many.live.state)
    rounds = []
    for second in range(60):
        reporter.report(2 * LATER_S + second, EVERY_S)
        rounds.append({key[1] for key in many.dirty})
        many.dirty.clear()

    assert max(map(len, rounds)) == am_limits.MOST_IN_A_ROUND
    for name in rounds[0]:
        times = [second for second, names in enumerate(rounds) if name in names]
        assert min(b - a for a, b in pairwise(times)) >= EVERY_S
    # Whom it has not told for longest goes first, so nobody is left out.
    assert len(set().union(*rounds[:4])) == 31


def test_while_nothing_changes_work_that_waits_costs_no_write(many):
    reporter = AMLimitsReporter(many.live.cache, many.live.state)
    versions = {name: one["metadata"]["resourceVersion"] for name, one in requests(many)}
    for second in range(120):
        many.loop.cycle()
        reporter.report(2 * LATER_S + second, EVERY_S)
        many.write()

    assert versions == {name: one["metadata"]["resourceVersion"] for name, one in requests(many)}


def requests(world):
    return world.objects["request"].items()
