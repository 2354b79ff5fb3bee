"""The check before a binding: grants, ended applications, queues and users at their limits."""

from __future__ import annotations

import pytest

from kubeyarn.model.ids import ContainerId
from unit.scheduler.world import World, a_grant, a_node, a_queue, a_request, refusal, two_queues

SMALL = {"cpu": "1", "memory": "1Gi"}


@pytest.fixture
def world():
    world = World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=3, resources=SMALL))
    world.cycle()
    return world


def test_a_granted_pod_may_run_on_its_node(world):
    container, node, pod = a_grant(world)

    assert world.bind_check.granted_node(container, pod["metadata"]["uid"]) == node
    world.bind_check.check(container, pod["metadata"]["uid"], node)


def test_nothing_runs_without_a_grant(world):
    unknown = ContainerId(min(world.granted("maps")).attempt, 0, 99)

    assert refusal(world.bind_check.granted_node, unknown, "u") == (
        "container_1763850000000_0001_01_000099: it has no grant; nothing runs without one"
    )


def test_a_grant_is_for_one_node(world):
    container, node, pod = a_grant(world)
    other = {"n1": "n2", "n2": "n1"}[node]

    assert refusal(world.bind_check.check, container, pod["metadata"]["uid"], other) == (
        f"{container}: granted on node {node}, not on {other}"
    )


def test_a_grant_is_for_one_pod(world):
    container, node, _ = a_grant(world)
    world.live.containers.bind(container, "first")

    assert refusal(world.bind_check.check, container, "second", node) == (
        f"{container}: its grant is used by another pod"
    )
    world.bind_check.check(container, "first", node)


def test_a_freed_grant_binds_nothing(world):
    container, node, pod = a_grant(world)
    world.end(pod["metadata"]["name"], "Failed")
    world.cycle()

    assert "it has no grant" in refusal(world.bind_check.check, container, "u", node)


def full_world():
    """A queue whose maximum is exactly an AM and three containers; all but one are bound."""
    world = World(
        ("queue", a_queue("root")),
        ("queue", a_queue("root.a", capacity="100%", userLimitFactor=10, maximumAMShare="100%")),
        ("node", a_node("n1", cpu=4, memory="8Gi")),
    )
    world.submit("words", 1, am=SMALL)
    world.put("request", a_request("maps", "words", count=9, resources=SMALL))
    world.cycle()
    grants = {**world.granted("words-am-1"), **world.granted("maps")}
    for container, node in sorted(grants.items())[:-1]:
        world.launch(container, node)
    container = max(grants)
    return world, container, world.launch(container, "n1", bound=False)


def test_a_queue_may_be_filled_to_its_maximum_and_a_binding_be_said_twice():
    world, container, pod = full_world()
    uid = pod["metadata"]["uid"]

    for _ in range(2):
        world.bind_check.check(container, uid, "n1")
        world.live.containers.bind(container, uid)
    assert world.live.bound("root.a") == (4 * 2**30, 4000)


def test_a_queue_never_holds_more_than_its_maximum():
    world, container, pod = full_world()
    world.put("node", a_node("n1", cpu=3, memory="8Gi"))
    world.cycle()

    assert refusal(world.bind_check.check, container, pod["metadata"]["uid"], "n1") == (
        f"{container}: queue root would hold memory 4Gi, cpu 4 of at most memory 8Gi, cpu 3"
    )


def test_a_user_over_the_most_it_may_hold_binds_nothing_more():
    world, container, pod = full_world()
    world.put("queue", a_queue("root.b", capacity="50%"))
    spec = {"capacity": "50%", "maximumCapacity": "100%", "userLimitFactor": "1.25"}
    world.put("queue", a_queue("root.a", **spec, maximumAMShare="100%"))
    world.cycle()

    assert refusal(world.bind_check.check, container, pod["metadata"]["uid"], "n1") == (
        f"{container}: user alice holds memory 3Gi, cpu 3 in queue root.a, "
        "which is over its limit there"
    )
    world.put("queue", a_queue("root.a", **spec | {"userLimitFactor": 2}, maximumAMShare="100%"))
    world.cycle()
    world.bind_check.check(container, pod["metadata"]["uid"], "n1")


def test_what_an_ended_application_was_granted_starts_no_more(world):
    container, node, pod = a_grant(world)
    application = world.objects["application"]["words"]
    world.patch("application", "words", status={**application["status"], "state": "KILLED"})
    world.cycle()

    assert "its application has ended" in refusal(
        world.bind_check.check, container, pod["metadata"]["uid"], node
    )


def test_what_is_bound_is_counted_up_and_down_the_queues(world):
    container, _, pod = a_grant(world)
    world.live.containers.bind(container, "u")
    assert world.live.bound("root.a") == world.live.bound("root") == (2**30, 1000)
    assert world.live.bound("root.b") == (0, 0)

    world.live.containers.unbind(container, "another")
    assert world.live.bound("root") == (2**30, 1000)
    world.live.containers.unbind(container, "u")
    assert world.live.bound("root") == (0, 0)

    world.live.containers.bind(container, pod["metadata"]["uid"])
    world.end(pod["metadata"]["name"])
    world.cycle()
    world.remove("pod", pod["metadata"]["name"])
    assert world.live.bound("root") == (0, 0)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_pod_that_was_resized_past_its_grant_counts_as_large_as_it_is(restarted):
    world, container, pod = full_world()
    resized = world.objects["pod"]["words-01-000002"]["spec"]
    requests = {"cpu": "3", "memory": "1Gi"}
    main = {"name": "main", "resources": {"requests": requests}}
    world.patch("pod", "words-01-000002", spec={**resized, "containers": [main]})
    if restarted:
        world.restart()

    assert world.live.bound("root.a") == (3 * 2**30, 5000)
    assert refusal(world.bind_check.check, container, pod["metadata"]["uid"], "n1") == (
        f"{container}: queue root would hold memory 4Gi, cpu 6 of at most memory 8Gi, cpu 4"
    )
    world.patch("pod", "words-01-000002", spec=resized)
    assert world.live.bound("root.a") == (3 * 2**30, 3000)
    world.end("words-01-000002")
    assert world.live.bound("root.a") == (2 * 2**30, 2000)
