"""A resource whose last node goes, or that root names no longer, while requests name it."""

from __future__ import annotations

import pytest

from unit.scheduler.world import (
    SMALL,
    World,
    a_node,
    a_queue,
    a_request,
    condition,
    numbers,
    request_status,
    two_queues,
)

GPU = "example.org/gpu"
LICENCE = "licence"


@pytest.fixture
def world():
    world = World(
        *two_queues(),
        ("node", a_node("n1")),
        ("node", a_node("g1", cpu=4, also={GPU: "2"})),
    )
    world.submit("words", 1)
    return world


def asked(world, count, name="maps", resources=SMALL):
    world.put("request", a_request(name, "words", count=count, resources=resources))
    world.cycle()
    return world.granted(name)


def ask_for_gpus(world, count, each="1"):
    return asked(world, count, name="train", resources={**SMALL, GPU: each})


def lose_the_gpus(world, when):
    """The only node with the resource goes while a scheduler looks, or while none does."""
    if when == "live":
        world.remove("node", "g1")
    else:
        world.objects["node"].pop("g1")
        world.restart()
    world.cycle()
    world.turn()


@pytest.mark.parametrize("when", ["live", "restart"])
def test_a_request_that_was_granted_none_of_it_waits_for_a_node(world, when):
    asked(world, 2, name="others", resources={**SMALL, GPU: "1"})
    ask_for_gpus(world, 1, each="2")
    lose_the_gpus(world, when)

    assert condition(world, "train", "Accepted") == ("True", "Accepted")
    assert condition(world, "train", "Satisfied") == ("False", "NoNodeFits")
    assert len(asked(world, 1)) == 1

    world.put("node", a_node("g2", also={GPU: "8"}))
    world.cycle()
    assert list(world.granted("train").values()) == ["g2"]


@pytest.mark.parametrize("when", ["live", "restart"])
def test_a_container_that_runs_is_charged_for_it_on(world, when):
    grants = ask_for_gpus(world, 1)
    pods = [world.launch(c, node)["metadata"]["name"] for c, node in grants.items()]
    lose_the_gpus(world, when)

    assert set(map(str, grants)) <= set(world.held())
    assert world.live.types.mapping(world.status("root.a").used)[GPU] == 1

    for pod in pods:
        world.end(pod)
    world.complete("train", *grants)
    world.cycle()
    assert world.live.types.mapping(world.status("root.a").used)[GPU] == 0
    assert len(asked(world, 1)) == 1


@pytest.mark.parametrize("when", ["live", "restart"])
def test_a_grant_without_a_pod_is_made_again_where_the_resource_comes_back(world, when):
    ask_for_gpus(world, 2)
    lose_the_gpus(world, when)

    assert world.granted("train") == {}
    world.put("node", a_node("g2", also={GPU: "4"}))
    world.cycle()
    assert set(world.granted("train").values()) == {"g2"}


@pytest.mark.parametrize("when", ["live", "restart"])
def test_the_resource_is_no_type_any_more_when_no_request_names_it(world, when):
    ask_for_gpus(world, 1, each="3")
    lose_the_gpus(world, when)
    world.remove("request", "train")
    world.cycle()
    world.cycle()

    assert world.live.types.names == ("memory", "cpu")
    assert len(asked(world, 1)) == 1


def test_a_request_whose_size_is_not_written_yet_keeps_the_resource(world):
    world.put("request", a_request("train", "words", resources={**SMALL, GPU: "1"}))
    world.cycle(write=False)
    world.remove("node", "g1")
    world.cycle()

    assert condition(world, "train", "Accepted") == ("True", "Accepted")
    assert GPU in request_status(world, "train")["resources"]


@pytest.mark.parametrize("when", ["live", "restart"])
def test_root_names_a_resource_no_longer_that_containers_hold(when):
    most = {"cluster": {"maximumAllocation": {"memory": "8Gi", "cpu": "4", LICENCE: "4"}}}
    world = World(
        ("queue", a_queue("root", **most)),
        *two_queues()[1:],
        ("node", a_node("n1", also={LICENCE: "4"})),
    )
    world.submit("words", 1)
    grants = asked(world, 2, resources={**SMALL, LICENCE: "1"})
    for container, node in grants.items():
        world.launch(container, node)
    del most["cluster"]["maximumAllocation"][LICENCE]
    if when == "live":
        world.put("queue", a_queue("root", **most))
    else:
        world.objects["queue"]["root"]["spec"] = most
        world.restart()
    world.cycle()

    assert numbers(world.granted("maps")) == numbers(grants)
    assert world.live.types.mapping(world.status("root.a").used)[LICENCE] == 2
    assert len(asked(world, 1, name="reduces")) == 1
