"""The Fair Scheduler on the live cluster, and the switch between the two.

It knows no partitions: all seven nodes are one pool of 56 containers.
"""

from __future__ import annotations

import pytest

from e2e.live.patience import until
from e2e.policy.world import condition, queue, root

pytestmark = pytest.mark.e2e

QUICK = {"enabled": True, "intervalSeconds": 1, "maximumWaitBeforeKillSeconds": 2}
SHORT = {"kubeyarn.io/fake-run-seconds": "8"}


def test_three_queues_share_by_weight_and_none_beyond_its_maximum(tree):
    world = tree(
        root(scheduler="Fair"),
        queue("root.a", fair={"weight": "1"}),
        queue("root.b", fair={"weight": "2"}),
        queue("root.c", fair={"weight": "5", "maxResources": {"memory": "20Gi", "cpu": "20"}}),
    )
    for name in ("a", "b", "c"):
        world.submit(name, f"root.{name}")
        world.until_running(name, 1)
    for name in ("a", "b", "c"):
        world.ask(name, name, 400, annotations=SHORT)

    # c is capped at 20; a and b share the other 36 one to two. What the scheduler counts, because
    # of containers that last seconds some have always just ended, and the next just begun.
    until(
        "they hold 12, 24 and 20",
        lambda: [world.queue(f"root.{q}")["status"].get("containers") for q in ("a", "b", "c")],
        lambda found: found == [12, 24, 20],
        seconds=60,
    )
    status = world.queue("root.b")["status"]
    assert status["fairShare"]["instantaneous"]["memory"] == "24Gi"
    assert status["fairShare"]["steady"]["memory"] == "24Gi"
    message = world.until_waits("c", "QueueMaximum")
    assert "root.c" in message
    assert "20Gi" in message


def test_a_least_share_is_restored_by_preemption(tree):
    least = {"minResources": {"memory": "10Gi", "cpu": "10"}}
    world = tree(
        root(scheduler="Fair", preemption=QUICK),
        queue("root.a", fair={"weight": "1"}),
        queue("root.b", fair={**least, "minSharePreemptionTimeoutSeconds": 2}),
        queue("root.c", fair={"weight": "1", "allowPreemptionFrom": False}),
    )
    world.run("a", "root.a", 45)
    world.run("c", "root.c", 9)
    world.until_running("a", 46)
    world.until_running("c", 10)
    world.run("b", "root.b", 9)

    world.until_running("b", 10, seconds=40)
    assert world.running("c") == 10
    world.until_running("a", 36)
    assert world.request("a")["status"]["failed"] == 10


def test_only_so_many_applications_of_a_queue_run_and_the_next_says_why(tree):
    world = tree(root(scheduler="Fair"), queue("root.a", fair={"maxRunningApplications": 1}))
    for name in ("a", "b"):
        world.run(name, "root.a", 1)
        world.until_state(name, "ACCEPTED")
    world.until_running("a", 2)

    assert "root.a" in world.until_waits("b-am-1", "ParallelLimit")
    assert world.running("b") == 0
    world.change("a", desiredState="Killed")
    world.until_running("b", 2)


def test_rules_make_queues_and_the_queue_above_tells_of_them(tree):
    rules = [
        {"policy": "specified", "create": False},
        {"policy": "nestedUserQueue", "parent": {"policy": "primaryGroup"}},
    ]
    cluster = {"fair": {"placementRules": rules}, "userGroups": {"alice": ["etl"]}}
    world = tree(root(scheduler="Fair", **cluster), queue("root.a"))
    world.submit("there", "root.a")
    world.submit("alices", "", user="alice")
    world.until_running("there", 1)
    world.until_running("alices", 1)

    assert world.application("alices")["status"]["queue"] == "root.etl.alice"
    status = world.until_queue("root", "tells of them", lambda s: len(s.get("madeQueues", ())) == 2)
    assert [made["name"] for made in status["madeQueues"]] == ["root.etl", "root.etl.alice"]


def test_the_switch_between_the_schedulers_loses_no_container(tree):
    both = {"capacity": "50%", "userLimitFactor": "-1", "maximumAMShare": "50%"}
    world = tree(
        root(),
        queue("root.a", **both, fair={"weight": "3"}),
        queue("root.b", **both, fair={"weight": "1"}),
    )
    world.run("a", "root.a", 9)
    world.run("b", "root.b", 4)
    until("all run", world.pods, lambda found: len(found) == 15)
    pods = {pod["metadata"]["uid"] for pod in world.pods()}

    world.say("root", cluster={"scheduler": "Fair"})
    status = world.until_queue("root.a", "has a fair share", lambda s: "fairShare" in s)
    assert status["containers"] == 10
    assert {pod["metadata"]["uid"] for pod in world.pods()} == pods
    world.ask("more", "a", 3)
    world.until_running("a", 13)

    world.say("root", cluster={"scheduler": "Capacity"})
    world.until_queue("root.a", "holds the same again", lambda s: s["containers"] == 13)
    world.until_queue("root.a", "has no fair share", lambda s: not s.get("fairShare"))
    world.ask("even-more", "b", 2)
    world.until_running("b", 7)
    assert pods <= {pod["metadata"]["uid"] for pod in world.pods()}
    assert all(world.request(name)["status"].get("failed", 0) == 0 for name in ("a", "b", "more"))


def test_fields_of_the_scheduler_that_does_not_decide_are_named(tree):
    world = tree(
        root(), queue("root.a", capacity="100%", fair={"weight": "3"}, userLimitFactor="2")
    )
    status = world.until_queue("root.a", "is told", lambda s: condition(s, "AllFieldsActing"))
    said = condition(status, "AllFieldsActing")
    assert said["status"] == "False"
    assert said["reason"] == "OtherScheduler"
    assert "spec.fair" in said["message"]

    world.say("root", cluster={"scheduler": "Fair"})
    status = world.until_queue(
        "root.a",
        "is told of the others",
        lambda s: "spec.capacity" in condition(s, "AllFieldsActing")["message"],
    )
    assert "userLimitFactor" in condition(status, "AllFieldsActing")["message"]
    assert "spec.fair" not in condition(status, "AllFieldsActing")["message"]
