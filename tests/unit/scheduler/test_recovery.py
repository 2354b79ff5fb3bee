"""A scheduler that starts counts what an earlier one granted."""

from __future__ import annotations

import copy

import pytest

from kubeyarn.cluster import names
from kubeyarn.model.ids import ContainerId
from unit.scheduler.world import (
    GIB,
    SMALL,
    World,
    a_node,
    a_queue,
    a_request,
    asked,
    charged,
    numbers,
    started,
    two_queues,
)


@pytest.fixture
def world():
    return World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))


def test_a_restart_in_the_middle_changes_nothing(world):
    started(world)
    world.patch("request", "maps", spec={"count": 20})
    world.cycle()
    before = charged(world.live)
    grants = world.granted("maps")

    world.restart()
    world.cycle()

    assert charged(world.live) == before
    assert world.granted("maps") == grants


def test_grants_that_were_not_written_before_a_restart_are_made_anew_under_other_ids(world):
    world.submit("words", 1)
    world.cycle()
    world.put("request", a_request("maps", "words", count=2, resources=SMALL))
    world.cycle(write=False)
    assert world.live.requests["team-a", "maps"].granted == 2

    world.restart()
    world.cycle()

    assert [str(c) for c in sorted(world.granted("maps"))] == [
        "container_e01_1763850000000_0001_01_000001",
        "container_e01_1763850000000_0001_01_000002",
    ]
    assert len(world.held()) == 3


@pytest.mark.parametrize("remains", ["application", "requests", "nothing", "another"])
def test_what_runs_of_a_deleted_application_counts_until_it_is_gone_after_a_restart(world, remains):
    pods = started(world, 3)
    held, bound = world.held(), world.live.bound("root.a")
    if remains != "application":
        world.remove("application", "words")
    if remains != "requests":
        world.remove("request", "maps")
        world.remove("request", "words-am-1")
    world.restart()
    world.cycle()
    if remains == "another":
        world.submit("words", 2)
        world.cycle()
        assert numbers(world.granted("words-am-1")) == [1]
        world.remove("application", "words")
        world.remove("request", "words-am-1")
        world.cycle()

    assert world.held() == held
    assert world.live.bound("root.a") == bound
    for pod in pods.values():
        world.remove("pod", pod)
    if remains == "application":
        world.remove("application", "words")
    world.cycle()
    assert world.held() == []
    assert world.live.bound("root.a") == (0, 0)
    assert world.live.scheduler.queue_status()[1].active_applications == 0


@pytest.mark.parametrize(
    "more",
    [
        {"ephemeral-storage": "1Gi"},
        {"hugepages-2Mi": "4Mi"},
        {"example.org/gone": "1"},
        {"ephemeral-storage": "1500m"},
    ],
    ids=["storage", "hugepages", "gone", "fraction"],
)
@pytest.mark.parametrize("queue", ["stays", "is gone"])
def test_a_pod_that_asks_for_what_the_scheduler_does_not_count_is_counted(world, more, queue):
    for pod in started(world, 3).values():
        world.objects["pod"][pod]["spec"]["containers"][0]["resources"]["requests"] |= more
    used = world.status("root.a").used
    world.objects["application"].clear()
    world.objects["request"].clear()
    if queue == "is gone":
        world.objects["queue"].pop("root.a")
        world.objects["queue"]["root.b"]["spec"]["capacity"] = "100%"
    world.restart()
    world.cycle()

    if queue == "stays":
        assert world.status("root.a").used == used
    assert sum(16 * GIB - available[0] for available in world.free().values()) == used[0]


@pytest.mark.parametrize("restart", [False, True], ids=["seen", "found by a restart"])
@pytest.mark.parametrize("listed", [True, False], ids=["a grant's", "no grant's"])
@pytest.mark.parametrize(
    ("named", "value"),
    [("namespace", "team-b"), ("ownerReferences", [{"kind": "YarnApplication", "uid": "x"}])],
)
def test_a_pod_that_copies_a_containers_annotation_is_no_container(
    world, named, value, listed, restart
):
    pods = started(world, 3)
    container, name = max(pods.items())
    pod = copy.deepcopy(world.objects["pod"][name])
    if not listed:
        container = ContainerId(container.attempt, container.epoch, 77)
        pod["metadata"]["annotations"][names.CONTAINER_ID] = str(container)
    world.remove("pod", name)
    pod["metadata"] |= {"name": "copy", "uid": "copy", named: value}
    if named == "ownerReferences":
        pod["metadata"][named] = [{**value[0], "controller": True}]
    world.put("pod", pod)
    if restart:
        world.restart()
    world.cycle()

    use = world.live.cache.pods.get((pod["metadata"]["namespace"], "copy"))
    assert use in list(world.live.cache.pods.foreign_on(use.node))
    allocation = world.live.allocation(container)
    assert allocation is None or allocation.bound_uid != "copy"


def test_what_runs_although_its_queue_is_gone_counts_on_its_node(world):
    pods = started(world, 3)
    world.objects["application"].clear()
    world.objects["request"].clear()
    world.objects["queue"].pop("root.a")
    world.objects["queue"]["root.b"]["spec"]["capacity"] = "100%"
    world.restart()
    world.cycle()

    nodes = world.live.scheduler.state.cluster.nodes.values()
    assert sum(16 * GIB - n.total[0] for n in nodes) == 5 * GIB
    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert {n.total for n in nodes} == {(16 * GIB, 8000)}


def test_a_binding_that_comes_about_after_its_grant_was_taken_back_is_counted(world):
    world.submit("words", 1)
    world.cycle()
    container, node = min(asked(world, 1).items())
    pod = world.launch(container, node, bound=False)
    world.loop.applications.revoke(container, 0)
    world.patch("pod", pod["metadata"]["name"], spec={"nodeName": node})
    world.cycle()

    assert str(container) in world.held()
    assert len(world.held()) == 3
    world.remove("pod", pod["metadata"]["name"])
    world.cycle()
    assert str(container) not in world.held()


def test_what_runs_of_a_deleted_application_whose_queue_went_counts_on_its_node(world):
    pods = started(world, 3)
    world.remove("application", "words")
    for name in ("words-am-1", "maps"):
        world.remove("request", name)
    world.cycle()
    world.put("queue", a_queue("root.b", capacity="100%"))
    world.remove("queue", "root.a")
    world.put("node", a_node("g1", cpu=0, also={"nvidia.com/gpu": "1"}))
    world.cycle()

    assert world.held() == []
    nodes = world.live.scheduler.state.cluster.nodes.values()
    assert sum(n.total[1] for n in nodes) == 16_000 - len(pods) * 1000
    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert sum(n.total[1] for n in nodes) == 16_000
