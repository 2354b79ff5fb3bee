"""Each reconciler tells the scheduler what is different, once; a second look tells nothing."""

from __future__ import annotations

import pytest

from kubeyarn.model.queues import SchedulerKind
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from unit.scheduler.world import (
    GIB,
    SMALL,
    World,
    a_node,
    a_queue,
    a_request,
    asked,
    foreign,
    needs,
    two_queues,
)

TOLD = {
    "configure", "stop", "add_node", "update_node", "remove_node", "submit", "start_attempt",
    "ask_for_master", "master_gone", "locate_master", "finish", "move", "set_priority",
    "update_asks", "recover", "skip_numbers", "decrease", "request_increase", "release",
}  # fmt: skip


class Listening:
    """A scheduler that notes what it is told."""

    def __init__(self, scheduler, told):
        self._scheduler, self._told = scheduler, told

    def __getattr__(self, name):
        found = getattr(self._scheduler, name)
        if name not in TOLD:
            return found

        def call(*args, **named):
            self._told.append((name, *args))
            return found(*args, **named)

        return call


class Told(list):
    """What a scheduler was told since it was last looked at, without the time."""

    def take(self):
        told = [(name, *args[:-1]) if name in WITH_TIME else (name, *args) for name, *args in self]
        self.clear()
        return told

    def names(self):
        return [name for name, *_ in self.take()]


WITH_TIME = {
    "configure", "submit", "start_attempt", "ask_for_master", "finish", "move", "set_priority",
    "update_asks", "release",
}  # fmt: skip


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def world(told):
    def listening(kind, types, epoch):
        return Listening(CapacityScheduler(types, epoch=epoch), told)

    world = World(
        *two_queues(), ("node", a_node("n1")), ("node", a_node("n2")), make_scheduler=listening
    )
    told.clear()
    return world


def look_again(world):
    """Every reconciler looks at all of its kind once more."""
    for name in list(world.live.cache.nodes.facts):
        world.put("node", world.objects["node"][name])
    for kind in ("queue", "pod", "application", "request"):
        for item in list(world.objects[kind].values()):
            world.put(kind, item)
    world.cycle()


def test_whoever_looks_twice_tells_nothing(world, told):
    world.submit("words", 1)
    world.cycle()
    grants = {**world.granted("words-am-1"), **asked(world, 3)}
    for container, node in grants.items():
        world.launch(container, node)
    world.put("pod", foreign("db", "n1", needs("1", "1Gi")))
    world.cycle()
    told.clear()

    look_again(world)
    assert told.take() == []


# Nodes.


def test_a_node_joins_and_changes_by_what_foreign_pods_leave(world, told):
    world.put("node", a_node("n3", cpu=4, memory="8Gi"))
    world.put("pod", foreign("db", "n3", needs("1", "2Gi")))
    world.cycle()
    [(name, node)] = told.take()
    assert (name, node.name, node.total) == ("add_node", "n3", (6 * GIB, 3000))

    world.remove("pod", "db")
    world.cycle()
    [(name, node)] = told.take()
    assert (name, node.total) == ("update_node", (8 * GIB, 4000))


def test_a_lost_node_without_containers_is_removed(world, told):
    world.remove("node", "n2")
    world.cycle()

    assert told.take() == [("remove_node", "n2")]


def test_a_lost_node_is_kept_without_room_while_a_container_is_bound_there(world, told):
    world.submit("words", 1)
    world.cycle()
    [(container, node)] = world.granted("words-am-1").items()
    pod = world.launch(container, node)
    world.remove("node", node)
    told.clear()
    world.cycle()
    [(name, kept)] = told.take()
    assert (name, kept.total, kept.schedulable) == ("update_node", (0, 0), False)

    world.remove("pod", pod["metadata"]["name"])
    assert told.take() == [("release", container)]
    world.turn()
    assert ("remove_node", node) in told.take()


# Requests.


def counts(told):
    return [args[1][0].count for name, *args in told.take() if name == "update_asks"]


def test_a_request_asks_for_what_is_pending_and_again_only_when_that_changes(world, told):
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=3, resources=SMALL))
    world.cycle()
    assert counts(told) == [3]

    world.patch("request", "maps", spec={"count": 3})
    world.cycle()
    assert counts(told) == []
    world.patch("request", "maps", spec={"count": 5})
    world.cycle()
    assert counts(told) == [2]


def test_a_request_that_is_excluded_elsewhere_is_asked_for_anew_while_it_waits(world, told):
    everywhere = {"excludeNodes": ["n1", "n2"]}
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=2, resources=SMALL, **everywhere))
    world.cycle()
    told.clear()
    world.patch("request", "maps", spec={"excludeNodes": ["n2"]})
    world.cycle()

    assert counts(told) == [2]


def test_a_request_that_is_deleted_cancels_its_ask(world, told):
    world.submit("words", 1)
    waits = {"excludeNodes": ["n1", "n2"]}
    world.put("request", a_request("maps", "words", count=2, resources=SMALL, **waits))
    world.cycle()
    told.clear()
    world.remove("request", "maps")
    world.cycle()

    assert counts(told) == [0]
    assert ("team-a", "maps") not in world.live.requests


def test_an_opportunistic_request_is_not_asked_of_the_scheduler(world, told):
    world.submit("words", 1)
    world.cycle()
    told.clear()
    asked(world, 2, executionType="Opportunistic")

    assert told.take() == []
    assert len(world.granted("maps")) == 2


# Applications.


def test_an_application_is_submitted_once_its_ams_request_is_there(world, told):
    world.submit("words", 1)
    request = world.objects["request"].pop("words-am-1")
    world.live.see("request", "DELETED", request)
    world.cycle()
    assert told.names() == []

    world.put("request", request)
    world.cycle()
    assert told.names() == ["submit"]


def test_a_changed_priority_is_told_once_also_after_a_restart(world, told):
    world.submit("words", 1, priority=1)
    world.cycle()
    told.clear()
    world.patch("application", "words", spec={"priority": 3})
    world.cycle()
    assert [args[1] for name, *args in told.take() if name == "set_priority"] == [3]

    world.restart()
    world.cycle()
    assert "set_priority" not in told.names()


def test_an_ended_application_is_finished_with_its_last_container(world, told):
    world.submit("words", 1)
    world.cycle()
    [(container, node)] = world.granted("words-am-1").items()
    pod = world.launch(container, node)
    world.patch("application", "words", status={"state": "FINISHED"})
    world.cycle()
    told.clear()
    assert world.held() == [str(container)]

    world.remove("pod", pod["metadata"]["name"])
    world.cycle()
    assert told.names() == ["release", "finish"]


# Pods.


def test_a_bound_pod_counts_before_the_next_cycle_and_is_released_once(world, told):
    world.submit("words", 1)
    world.cycle()
    [(container, node)] = world.granted("words-am-1").items()
    told.clear()
    pod = world.launch(container, node)
    assert world.live.bound("root.a") == (2 * GIB, 1000)

    world.end(pod["metadata"]["name"])
    world.remove("pod", pod["metadata"]["name"])
    world.cycle()
    assert world.live.bound("root.a") == (0, 0)
    assert told.take() == [("release", container)]


def test_a_container_that_no_request_lists_is_recovered(world, told):
    world.submit("words", 1)
    world.cycle()
    [container] = asked(world, 1)
    node = world.granted("maps")[container]
    pod = world.launch(container, node, bound=False)["metadata"]["name"]
    world.loop.applications.revoke(container, 0)
    world.patch("pod", pod, spec={"nodeName": node})
    told.clear()
    world.cycle()

    assert [args[1].id for name, *args in told.take() if name == "recover"] == [container]
    assert world.live.bound("root.a") == (GIB, 1000)


# Queues.


def test_a_queue_whose_status_alone_changed_is_not_configured_again(world, told):
    world.patch("queue", "root.a", status={"state": "Running"})
    world.cycle()
    assert told.take() == []

    world.patch("queue", "root.a", spec={"maximumCapacity": "90%"})
    world.cycle()
    assert told.names() == ["configure"]


@pytest.mark.parametrize(
    ("kind", "item", "rebuilt"),
    [
        pytest.param("queue", a_queue("root.a", capacity="60%"), False, id="another spec"),
        pytest.param("queue", a_queue("root", cluster={"scheduler": "Fair"}), True, id="kind"),
        pytest.param("node", a_node("n3"), False, id="another node"),
        pytest.param("node", a_node("n3", also={"nvidia.com/gpu": "1"}), True, id="resource"),
    ],
)
def test_a_scheduler_is_built_anew_for_another_kind_or_other_resources(world, kind, item, rebuilt):
    assert not world.loop.queues.needs_rebuild()
    world.put(kind, item)
    assert world.loop.queues.needs_rebuild() == rebuilt

    world.cycle()
    assert not world.loop.queues.needs_rebuild()
    fair = kind == "queue" and rebuilt
    assert world.live.state.kind is (SchedulerKind.FAIR if fair else SchedulerKind.CAPACITY)
