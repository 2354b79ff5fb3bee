"""What was lent is taken back: told first, then killed, ApplicationMasters last."""

from __future__ import annotations

import pytest

from e2e.attempts.puppet import Puppet
from e2e.live.patience import until
from e2e.policy.world import condition, queue, role_of, root

pytestmark = pytest.mark.e2e

PREEMPTED = -102
QUICK = {
    "enabled": True,
    "intervalSeconds": 1,
    "maximumWaitBeforeKillSeconds": 3,
    "totalPerRound": "100%",
    "maximumIgnoredOverCapacity": "0%",
    "naturalTermination": "100%",
}
OPEN = {"maximumCapacity": "100%", "userLimitFactor": "-1", "maximumAMShare": "50%"}


def endings(status):
    return [entry["exitStatus"] for entry in status.get("completed") or ()]


@pytest.mark.parametrize("lazy", [False, True])
def test_a_guarantee_is_restored_by_containers_that_were_told_before(tree, lazy):
    world = tree(
        root(preemption={**QUICK, "lazy": lazy}),
        queue("root.a", **OPEN, capacity="50%"),
        queue("root.b", **OPEN, capacity="50%"),
    )
    world.run("a", "root.a", 60)
    world.until_running("a", 40)
    world.run("b", "root.b", 30)
    told = world.until_request("a", "some are marked", lambda s: s.get("preempting"))
    marked = {entry["id"] for entry in told["preempting"] if not entry["kill"]}

    # Nobody is killed who was not told, and for three seconds nobody at all.
    assert marked
    assert world.running("a") == 40
    assert "guaranteed" in told["preempting"][0]["message"]
    world.until_running("b", 20)
    world.until_running("a", 20)
    world.until_request("a", "20 have failed", lambda s: s.get("failed") == 20)
    masters = [pod for pod in world.pods("a") if role_of(pod) == "am"]
    assert len(masters) == 1

    # It settles: nobody is taken back for what was given back.
    world.stays("root.a keeps its guarantee", lambda: world.running("a"), 20, seconds=5)
    world.stays("root.b keeps its guarantee", lambda: world.running("b"), 20, seconds=1)


def test_a_preempted_container_ends_with_yarns_exit_status_and_is_not_asked_for_again(tree):
    world = tree(
        root(preemption=QUICK),
        queue("root.a", **OPEN, capacity="50%"),
        queue("root.b", **OPEN, capacity="50%"),
    )
    seen = set()
    world.run("a", "root.a", 39)
    world.until_running("a", 40)
    world.run("b", "root.b", 5)

    def look():
        status = world.request("a")["status"]
        seen.update(endings(status))
        return status.get("failed", 0)

    until("six were preempted", look, lambda n: n == 6)
    world.until_running("b", 6)
    assert seen <= {PREEMPTED}
    assert world.request("a")["status"].get("pending", 0) == 0
    world.stays("they do not come back", lambda: world.running("a"), 34, seconds=2)


def test_an_application_master_is_told_before_and_after(tree):
    """It hears that containers will go, then that they went, and the pods say why."""
    world = tree(
        root(preemption=QUICK),
        queue("root.a", **OPEN, capacity="50%"),
        queue("root.b", **OPEN, capacity="50%"),
    )
    world.submit("a", "root.a")
    master = Puppet(world, "a", 1)
    master.register()
    containers = master.gather(39)
    master.launch(*containers)
    world.run("b", "root.b", 3)

    told = until("it is told", master.allocate, lambda said: said["preemption"]["containers"])
    marked = set(told["preemption"]["containers"])
    assert "guaranteed" in told["preemption"]["message"]
    assert marked <= set(containers)
    assert world.running("a") == 40
    ended = []

    def hear():
        ended.extend(master.allocate()["completed"])
        return ended

    until("it hears of four ends", hear, lambda found: len(found) == 4)
    assert {entry["containerId"] for entry in ended} <= marked
    assert {entry["exitStatus"] for entry in ended} == {PREEMPTED}
    world.until_running("b", 4)
    events = world.events("PreemptedByQueue")
    assert {event["note"].partition(":")[0] for event in events} == {
        entry["containerId"] for entry in ended
    }


def test_a_queue_that_is_spared_is_not_touched(tree):
    world = tree(
        root(preemption=QUICK),
        queue("root.a", **OPEN, capacity="25%", preemption={"disabled": True}),
        queue("root.b", **OPEN, capacity="25%"),
        queue("root.c", **OPEN, capacity="50%"),
    )
    world.run("a", "root.a", 19)
    world.run("b", "root.b", 19)
    world.until_running("a", 20)
    world.until_running("b", 20)
    world.run("c", "root.c", 30)

    world.until_running("b", 10)
    world.until_running("c", 10)
    world.stays("root.a keeps what it borrowed", lambda: world.running("a"), 20, seconds=4)
    assert world.running("b") == 10
    assert not world.request("a")["status"].get("preempting")


def test_without_preemption_nobody_is_taken_anything(tree):
    world = tree(
        root(), queue("root.a", **OPEN, capacity="50%"), queue("root.b", **OPEN, capacity="50%")
    )
    world.run("a", "root.a", 39)
    world.until_running("a", 40)
    world.run("b", "root.b", 5)

    message = world.until_waits("b-am-1", "NodesBusy")
    assert "no node has room for" in message
    assert "place 1 of 1" in message
    assert world.running("a") == 40
    until(
        "the application's condition says it, too",
        lambda: condition(world.application("b")["status"], "Running").get("reason"),
        lambda reason: reason == "NodesBusy",
    )


def test_an_application_of_lower_priority_gives_way_within_its_queue(tree):
    within = {**QUICK, "intraQueue": {"enabled": True, "order": "PriorityFirst"}}
    world = tree(root(preemption=within), queue("root.a", **OPEN, capacity="100%"))
    world.run("low", "root.a", 39, priority=1, user="alice")
    world.until_running("low", 40)
    world.run("high", "root.a", 7, priority=5, user="bob")

    world.until_running("high", 8)
    world.until_running("low", 32)
    world.stays("no more than that", lambda: world.running("low"), 32, seconds=3)
