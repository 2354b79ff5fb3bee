"""ApplicationMasters of all kinds, and what users tell them, on a real control plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2e.attempts.puppet import Outsider, Puppet, running
from e2e.attempts.test_attempts import (
    attempts,
    kill_both,
    kill_the_resourcemanager,
    tree_of_one,
    until_attempts,
)
from e2e.live.patience import until
from e2e.policy.world import MERGE, ONE, OURS, TASK, World, condition

__all__ = ["tree_of_one"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

Json = dict[str, Any]


def annotate(world: World, name: str, **said: str) -> None:
    """What an AM with kubectl says of itself."""
    path = f"{OURS}/namespaces/{world.namespace}/yarnapplications/{name}"
    words = {f"kubeyarn.io/{key.replace('_', '-')}": text for key, text in said.items()}
    world.call("PATCH", path, {"metadata": {"annotations": words}}, MERGE)


def changes(world: World, name: str) -> Json:
    return condition(world.application(name).get("status") or {}, "ChangesApplied")


@pytest.mark.parametrize("strike", [None, kill_both], ids=["calm", "kill_both"])
def test_an_am_that_runs_elsewhere_registers_with_its_secret(
    tree_of_one: World, strike: Callable[[World], None] | None
) -> None:
    world = tree_of_one
    world.submit("words", "root.a", unmanagedAM=True)
    outsider = Outsider(world, "words")
    world.until_state("words", "ACCEPTED")
    assert world.pods("words") == []
    if strike is not None:
        strike(world)
    outsider.register()
    pods = outsider.launch(*outsider.gather(2))
    world.until_state("words", "RUNNING")
    assert set(running(world)) == set(pods)

    outsider.finish()
    found = world.until_state("words", "FINISHED")
    assert found["status"]["finalStatus"] == "SUCCEEDED"
    assert attempts(world, "words") == [(1, "FINISHED")]
    assert outsider.try_call("register", {})[1]["error"] == "AttemptEnded"
    world.until_queue("root.a", "holds nothing", lambda s: not s.get("containers"))


def test_an_am_that_calls_nobody_works_with_objects_alone(tree_of_one: World) -> None:
    world = tree_of_one
    master = {"resources": ONE, **TASK, "protocol": "Objects"}
    world._create("YarnApplication", "words", {"queue": "root.a", "applicationMaster": master})
    first = Puppet(world, "words", 1)
    world.until_state("words", "RUNNING")
    assert first.try_call("register", {})[1]["error"] == "NotAnApplicationMaster"
    world.ask("maps", "words", 3, onFailure="Retry", retryLimit=1)
    world.until_request("maps", "three run", lambda s: s.get("running") == 3)
    first.exit(1)

    second = Puppet(world, "words", 2)
    until_attempts(world, "words", (1, "FAILED"), (2, "RUNNING"))
    annotate(world, "words", progress="66", tracking_url="http://words")
    until(
        "progress is shown",
        lambda: world.application("words")["status"],
        lambda s: (s.get("progress"), s.get("trackingUrl")) == (66, "http://words"),
    )
    kill_the_resourcemanager(world)
    ids = [a["id"] for a in world.application("words")["status"]["attempts"]]
    annotate(world, "words", final_status=f"{ids[0]} KILLED")
    annotate(world, "words", final_status=f"{ids[1]} SUCCEEDED", diagnostics="all counted")
    found = world.until_state("words", "FINISHED")
    assert found["status"]["finalStatus"] == "SUCCEEDED"
    assert found["status"]["diagnostics"] == "all counted"
    second.exit(0)
    until_attempts(world, "words", (1, "FAILED"), (2, "FINISHED"))
    world.until_queue("root.a", "holds nothing", lambda s: not s.get("containers"))


def test_containers_that_fail_are_asked_for_again_without_an_am(tree_of_one: World) -> None:
    world = tree_of_one
    world.submit("words", "root.a")
    master = Puppet(world, "words", 1)
    master.register()
    world.ask("maps", "words", 2, onFailure="Retry", retryLimit=1)
    world.until_request("maps", "two run", lambda s: s.get("running") == 2)
    task = next(p for p in world.pods("words") if p["metadata"]["name"] != master.pod)
    world.delete_pod(task)
    world.until_request("maps", "it is replaced", lambda s: s.get("replaced") == 1)
    world.until_request("maps", "two run again", lambda s: s.get("running") == 2)
    for retried, failed in ((1, 2), (1, 3)):
        pod = next(p for p in world.pods("words") if p["metadata"]["name"] != master.pod)
        master.pod, mine = pod["metadata"]["name"], master.pod
        master.exit(7)
        master.pod = mine
        world.until_request("maps", f"{failed} failed", lambda s, n=failed: s.get("failed") == n)
        status = world.request("maps")["status"]
        assert status["retried"] == retried

    world.until_request("maps", "one runs on", lambda s: s.get("running") == 1)
    status = world.request("maps")["status"]
    assert (status["granted"], status.get("pending", 0)) == (4, 0)
    master.finish()


def test_an_attempt_is_failed_by_its_user(tree_of_one: World) -> None:
    world = tree_of_one
    world.submit("words", "root.a")
    first = Puppet(world, "words", 1)
    first.register()
    world.change("words", failAttempt="appattempt_1_0001_000001")
    until(
        "it is refused",
        lambda: changes(world, "words"),
        lambda c: c.get("reason") == "AttemptNotFound",
    )
    world.change("words", failAttempt=world.application("words")["status"]["attempts"][0]["id"])

    second = Puppet(world, "words", 2)
    until_attempts(world, "words", (1, "FAILED"), (2, "LAUNCHED"))
    failed = world.application("words")["status"]["attempts"][0]
    assert failed["diagnostics"] == "Attempt failed by its user."
    assert changes(world, "words")["status"] == "True"
    second.register()
    second.finish()
    world.until_state("words", "FINISHED")


def test_what_ended_while_no_am_was_there_is_told_to_the_next_one(tree_of_one: World) -> None:
    world = tree_of_one
    world.submit("words", "root.a", keepContainersAcrossAttempts=True)
    first = Puppet(world, "words", 1)
    first.register()
    containers = sorted(first.gather(3))
    pods = first.launch(*containers)
    first.exit(1)
    second = Puppet(world, "words", 2)
    # It has not registered yet: nobody is there to be told.
    mine, second.pod = second.pod, pods[0]
    second.exit(5)
    second.pod = mine
    kill_the_resourcemanager(world)
    until(
        "the end is recorded",
        lambda: [p["metadata"]["name"] for p in world.pods("words")],
        lambda names: pods[0] not in names,
    )

    previous = {c["containerId"] for c in second.register()["containersFromPreviousAttempts"]}
    ended: list[Json] = []

    def more() -> list[Json]:
        ended.extend(second.allocate()["completed"])
        return ended

    until("the end is told", more)
    assert [(e["containerId"], e["exitStatus"]) for e in ended] == [(containers[0], 5)]
    assert previous - {containers[0]} == set(containers[1:])
    # Once.
    for _ in range(3):
        assert second.allocate()["completed"] == []
    second.finish()
    world.until_state("words", "FINISHED")
