"""Queues that are stopped, deleted, moved out of and looked at while applications run."""

from __future__ import annotations

from collections import Counter

import pytest

from e2e.live.patience import until
from e2e.policy.world import condition, node_of, queue, role_of, root

pytestmark = pytest.mark.e2e

OPEN = {"maximumCapacity": "100%", "userLimitFactor": "-1", "maximumAMShare": "50%"}


def test_a_stopped_queue_drains_and_takes_nothing_new(tree):
    world = tree(
        root(), queue("root.a", **OPEN, capacity="50%"), queue("root.b", **OPEN, capacity="50%")
    )
    world.run("a", "root.a", 4)
    world.until_running("a", 5)
    world.say("root.a", state="Stopped")
    status = world.until_queue("root.a", "drains", lambda s: s.get("state") == "Draining")
    assert condition(status, "Ready")["status"] == "False"
    assert condition(status, "Ready")["reason"] == "Draining"

    world.submit("late", "root.a")
    refused = world.until_state("late", "FAILED")["status"]
    assert condition(refused, "Accepted")["reason"] == "QueueStopped"
    assert "root.a" in condition(refused, "Accepted")["message"]

    # What runs goes on, asks included, whatever process decides.
    world.hosted.restart_scheduler()
    world.hosted.wait_ready("scheduler")
    world.ask("more", "a", 2)
    world.until_running("a", 7)
    assert world.queue("root.a")["status"]["state"] == "Draining"

    world.change("a", desiredState="Killed")
    world.until_state("a", "KILLED")
    world.until_queue("root.a", "is stopped", lambda s: s.get("state") == "Stopped")
    world.say("root.a", state="Running")
    world.until_queue("root.a", "runs again", lambda s: s.get("state") == "Running")
    world.run("again", "root.a", 1)
    world.until_running("again", 2)


def test_a_running_application_moves_with_all_it_holds(tree):
    world = tree(
        root(), queue("root.a", **OPEN, capacity="50%"), queue("root.b", **OPEN, capacity="50%")
    )
    world.run("a", "root.a", 5)
    before = {pod["metadata"]["uid"] for pod in world.until_running("a", 6)}
    world.change("a", queue="root.b")
    status = world.until_queue("root.b", "holds it", lambda s: s.get("containers") == 6)

    assert status["used"] == {"cpu": "6", "memory": "6Gi"}
    assert status["applications"] == {"active": 1, "total": 1, "pending": 0}
    world.until_queue("root.a", "holds nothing", lambda s: not s.get("containers"))
    assert {pod["metadata"]["uid"] for pod in world.pods("a")} == before
    world.until_request("a", "is there", lambda s: s.get("queue") == "root.b")
    until(
        "the application says so",
        lambda: world.application("a")["status"]["queue"],
        lambda path: path == "root.b",
    )

    world.change("a", queue="root.nowhere")
    moved = world.until_request(
        "a-am-1", "is refused", lambda s: condition(s, "Moved").get("status") == "False"
    )
    assert condition(moved, "Moved")["reason"] == "QueueNotFound"
    assert "root.nowhere" in condition(moved, "Moved")["message"]
    assert world.queue("root.b")["status"]["containers"] == 6


def test_the_status_of_a_queue_is_what_its_pods_say(tree):
    world = tree(
        root(), queue("root.a", **OPEN, capacity="50%"), queue("root.b", **OPEN, capacity="50%")
    )
    world.run("one", "root.a", 5, user="alice")
    world.run("two", "root.a", 3, user="bob", resources={"cpu": "2", "memory": "1Gi"})
    # No node has more than 8, so this one is refused until there is one, in whatever partition.
    world.ask("large", "two", 1, resources={"cpu": "9", "memory": "1Gi"}, priority=5)
    refused = world.until_request(
        "large", "is refused", lambda s: condition(s, "Accepted").get("status") == "False"
    )
    assert condition(refused, "Accepted")["reason"] == "MaximumAllocation"
    with world.node_of_its_own("wide", partition="gpu", cpu="9", memory="8Gi"):
        world.until_waits("large", "NoNodeFits")
    # Once accepted it waits, although that node has gone again.
    world.until_running("one", 6)
    world.until_running("two", 4)
    status = world.until_queue("root.a", "counts all", lambda s: s.get("containers") == 10)
    status = world.until_queue("root.a", "counts what waits", lambda s: s["pending"]["cpu"] == "9")

    pods = [*world.pods("one"), *world.pods("two")]
    held: Counter[str] = Counter()
    for pod in pods:
        requests = pod["spec"]["containers"][0]["resources"]["requests"]
        held[pod["metadata"]["annotations"]["kubeyarn.io/user"]] += int(requests["cpu"])
    assert len(pods) == 10
    assert dict(held) == {"alice": 6, "bob": 7}
    assert {u["name"]: u["used"]["cpu"] for u in status["users"]} == {"alice": "6", "bob": "7"}
    assert status["used"] == {"cpu": "13", "memory": "10Gi"}
    assert status["am"]["used"] == {"cpu": "2", "memory": "2Gi"}
    assert status["effective"] == {
        "minimum": {"cpu": "20", "memory": "20Gi"},
        "maximum": {"cpu": "40", "memory": "40Gi"},
    }
    assert status["usedCapacity"] == "65.0%"
    assert status["absoluteUsedCapacity"] == "32.5%"
    assert status["leaf"] is True
    of_root = world.until_queue(
        "root", "counts all", lambda s: (s.get("containers"), s.get("nodes")) == (10, 7)
    )
    assert of_root["used"] == status["used"]
    assert "no node" in world.until_waits("large", "NoNodeFits")
    assert condition(world.request("large")["status"], "Accepted")["status"] == "True"


def test_a_reservation_is_shown_and_holds_a_nodes_room_until_it_is_enough(tree):
    """Every node has 5 of 8 in use; one container of 6 is asked for on a certain node."""
    world = tree(
        root(), queue("root.a", **OPEN, capacity="50%"), queue("root.b", **OPEN, capacity="50%")
    )
    for name in ("a", "b"):
        world.submit(name, f"root.{name}")
    masters = [node_of(pod) for n in ("a", "b") for pod in world.until_running(n, 1)]
    for number in range(5):
        name = f"fake-{number:04d}"
        there = {"nodes": [name], "relax": False}
        world.ask(f"n{number}", "a", 5 - masters.count(name), locality=there)
    world.until_running("a", 24)
    reserved = {"locality": {"nodes": ["fake-0003"], "relax": False}}
    large = {"cpu": "6", "memory": "6Gi"}
    world.ask("large", "a", 1, resources=large, priority=5, **reserved)
    status = world.until_queue(
        "root.a", "reserves", lambda s: (s.get("reserved") or {}).get("cpu") == "6"
    )
    assert status["used"] == {"cpu": "30", "memory": "30Gi"}
    assert status["containers"] == 24

    # Nobody else gets that node's room, although three containers would fit in it.
    world.ask("there", "b", 1, **reserved)
    world.ask("elsewhere", "b", 1, locality={"nodes": ["fake-0002"], "relax": False}, priority=2)
    world.until_granted("elsewhere", 1)
    world.stays("kept", lambda: world.request("there")["status"].get("granted", 0), 0, seconds=2)

    for pod in world.pods("a"):
        if role_of(pod) == "task":
            world.delete_pod(pod)
    world.until_granted("large", 1)
    world.until_granted("there", 1)
    world.until_queue("root.a", "reserves no more", lambda s: s["reserved"]["cpu"] == "0")
