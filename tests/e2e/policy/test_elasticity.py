"""Queues borrow what others leave, up to their maximum, and never a container more."""

from __future__ import annotations

import pytest

from e2e.live.patience import until
from e2e.policy.world import condition, queue, root

pytestmark = pytest.mark.e2e

OPEN = {"maximumCapacity": "100%", "userLimitFactor": "-1", "maximumAMShare": "50%"}


def test_a_queue_borrows_idle_room_up_to_its_maximum_and_never_more(tree):
    """Containers end all the time and the scheduler is killed in the middle: never above 30."""
    world = tree(
        root(),
        queue("root.a", **OPEN | {"capacity": "25%", "maximumCapacity": "75%"}),
        queue("root.b", **OPEN, capacity="75%"),
    )
    watched = world.watch_pods()
    world.run("a", "root.a", 120, annotations={"kubeyarn.io/fake-run-seconds": "5"})

    world.until_running("a", 30)
    message = world.until_waits("a", "QueueMaximum")
    assert "root.a holds" in message
    assert "30Gi" in message

    world.hosted.restart_scheduler()
    world.hosted.wait_ready("scheduler")
    before = watched.bindings
    until("twenty more are bound", lambda: watched.bindings, lambda n: n >= before + 20)
    watched.close()

    assert watched.most["root.a"] == 30


def test_a_queue_that_comes_back_gets_its_share_as_the_others_containers_end(tree):
    world = tree(
        root(),
        queue("root.a", **OPEN, capacity="50%"),
        queue("root.b", **OPEN, capacity="50%"),
    )
    world.run("a", "root.a", 200, annotations={"kubeyarn.io/fake-run-seconds": "6"})
    world.until_running("a", 40)
    world.run("b", "root.b", 50)
    watched = world.watch_pods()

    world.until_running("b", 20)
    until("root.a has 20 left", lambda: world.running("a"), lambda n: n <= 20)
    watched.close()
    assert watched.most["root.b"] == 20


def test_absolute_amounts_are_guarantees_and_maxima(tree):
    world = tree(
        root(),
        queue(
            "root.a",
            capacityByResource={"memory": "10Gi", "cpu": "10"},
            maximumCapacityByResource={"memory": "16Gi", "cpu": "20"},
            userLimitFactor="-1",
        ),
        queue("root.b", capacityByResource={"memory": "30Gi", "cpu": "30"}),
    )
    status = world.queue("root.a")["status"]
    assert status["effective"] == {
        "minimum": {"cpu": "10", "memory": "10Gi"},
        "maximum": {"cpu": "20", "memory": "16Gi"},
    }

    world.run("a", "root.a", 30)
    world.until_running("a", 16)
    assert "16Gi" in world.until_waits("a", "QueueMaximum")
    assert world.running("a") == 16


def test_weights_share_what_there_is_and_a_new_queue_takes_its_part(tree):
    world = tree(root(), queue("root.a", capacity="3w"), queue("root.b", capacity="1w"))
    world.until_queue(
        "root.a",
        "has three quarters",
        lambda s: s["effective"]["minimum"] == {"cpu": "30", "memory": "30Gi"},
    )

    world.put(queue("root.c", capacity="4w"))
    world.in_force("root.c")
    world.until_queue(
        "root.a",
        "has three eighths",
        lambda s: s["effective"]["minimum"] == {"cpu": "15", "memory": "15Gi"},
    )


def test_a_changed_queue_acts_within_two_seconds(tree):
    world = tree(
        root(),
        queue("root.a", **OPEN | {"capacity": "25%", "maximumCapacity": "25%"}),
        queue("root.b", **OPEN, capacity="75%"),
    )
    world.run("a", "root.a", 30)
    world.until_running("a", 10)
    world.stays("no more than its maximum", lambda: world.running("a"), 10)

    world.say("root.a", maximumCapacity="50%")
    until("twenty run", lambda: world.running("a"), lambda n: n == 20, seconds=2)


def test_a_change_that_does_not_add_up_changes_nothing_and_says_why(tree):
    world = tree(
        root(),
        queue("root.a", **OPEN | {"capacity": "25%", "maximumCapacity": "25%"}),
        queue("root.b", **OPEN, capacity="75%"),
    )
    world.say("root.a", capacity="40%", maximumCapacity="100%")
    status = world.until_queue(
        "root.a", "is refused", lambda s: condition(s, "Accepted").get("status") == "False"
    )

    said = condition(status, "Accepted")
    assert said["reason"] == "CapacitySum"
    assert "115%" in said["message"]
    assert "What it said before stays in force" in said["message"]
    assert status["effective"]["maximum"] == {"cpu": "10", "memory": "10Gi"}
    world.run("a", "root.a", 30)
    world.until_running("a", 10)
    world.until_waits("a", "QueueMaximum")
    assert world.running("a") == 10
