"""Applications whose ApplicationMaster fails, on a real control plane with fake nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2e.attempts.puppet import Puppet, running
from e2e.live.patience import until
from e2e.policy.world import World, queue, root

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

Json = dict[str, Any]
Tree = Callable[..., World]


@pytest.fixture
def tree_of_one(tree: Tree) -> World:
    spec = {"capacity": "100%", "maximumAMShare": "50%", "userLimitFactor": "10"}
    return tree(root(), queue("root.a", **spec))


def attempts(world: World, name: str) -> list[tuple[int, str]]:
    status = world.application(name).get("status") or {}
    return [(a["number"], a["state"]) for a in status.get("attempts") or ()]


def until_attempts(world: World, name: str, *wanted: tuple[int, str]) -> None:
    until(f"attempts {wanted}", lambda: attempts(world, name), lambda a: a == list(wanted))


def kill_the_resourcemanager(world: World) -> None:
    world.hosted.kill("resourcemanager")
    world.hosted.start("resourcemanager")


def kill_the_scheduler(world: World) -> None:
    world.hosted.restart_scheduler()


def kill_both(world: World) -> None:
    kill_the_resourcemanager(world)
    kill_the_scheduler(world)


def kill_nobody(world: World) -> None:
    pass


STRIKES = [kill_nobody, kill_the_resourcemanager, kill_the_scheduler, kill_both]


@pytest.mark.parametrize("strike", STRIKES, ids=lambda strike: strike.__name__)
def test_an_application_succeeds_in_its_second_attempt(
    tree_of_one: World, strike: Callable[[World], None]
) -> None:
    world = tree_of_one
    world.submit("words", "root.a")
    first = Puppet(world, "words", 1)
    first.register()
    pods = first.launch(*first.gather(3))
    first.exit(1)
    strike(world)

    until_attempts(world, "words", (1, "FAILED"), (2, "LAUNCHED"))
    second = Puppet(world, "words", 2)
    assert first.try_call("allocate", {"responseId": 1})[1]["error"] == "AttemptEnded"
    answer = second.register()
    assert answer["containersFromPreviousAttempts"] == []
    assert not set(pods) & set(running(world))
    containers = second.gather(2)
    assert {c.split("_")[-2] for c in containers} == {"02"}
    second.finish()

    found = world.until_state("words", "FINISHED")
    assert found["status"]["finalStatus"] == "SUCCEEDED"
    until_attempts(world, "words", (1, "FAILED"), (2, "FINISHED"))
    assert found["status"]["attempts"][0]["exitStatus"] == 1
    world.until_queue("root.a", "holds nothing", lambda s: not s.get("containers"))


@pytest.mark.parametrize("strike", STRIKES, ids=lambda strike: strike.__name__)
def test_containers_that_run_are_kept_and_handed_over(
    tree_of_one: World, strike: Callable[[World], None]
) -> None:
    world = tree_of_one
    world.submit("words", "root.a", keepContainersAcrossAttempts=True)
    first = Puppet(world, "words", 1)
    first.register()
    containers = sorted(first.gather(4))
    pods = first.launch(*containers[:3])
    uids = {p["metadata"]["uid"] for p in world.pods() if p["metadata"]["name"] in pods}
    first.exit(3)
    strike(world)

    second = Puppet(world, "words", 2)
    answer = second.register()
    told = sorted(c["containerId"] for c in answer["containersFromPreviousAttempts"])
    assert told == containers[:3]
    # The same pods, and nothing else was granted or lost.
    now = {p["metadata"]["uid"] for p in world.pods() if p["metadata"]["name"] in pods}
    assert now == uids
    ended: list[Json] = []

    def more() -> list[Json]:
        ended.extend(second.allocate()["completed"])
        return ended

    until("the end of the one that did not run is told", more)
    assert [(e["containerId"], e["exitStatus"]) for e in ended] == [(containers[3], -106)]
    world.until_queue("root.a", "holds four", lambda s: s.get("containers") == 4)

    second.call("containers", {"stop": [containers[0]]})
    ended.clear()
    until("the stopped one's end is told", more)
    assert [(e["containerId"], e["exitStatus"]) for e in ended] == [(containers[0], -105)]
    second.finish()
    world.until_state("words", "FINISHED")
    world.until_queue("root.a", "holds nothing", lambda s: not s.get("containers"))


def test_an_application_fails_with_its_last_attempt(tree_of_one: World) -> None:
    world = tree_of_one
    world.submit("words", "root.a", maxAttempts=5)
    Puppet(world, "words", 1).exit(1)
    Puppet(world, "words", 2).exit(0)

    found = world.until_state("words", "FAILED")
    # The cluster's maximum is 2.
    assert attempts(world, "words") == [(1, "FAILED"), (2, "FAILED")]
    assert "exited with status 0 without registering" in found["status"]["diagnostics"]
    world.until_queue("root.a", "holds nothing", lambda s: not s.get("containers"))


def test_an_am_whose_pod_is_deleted_does_not_use_an_attempt_up(tree_of_one: World) -> None:
    world = tree_of_one
    world.submit("words", "root.a")
    for number in (1, 2, 3):
        puppet = Puppet(world, "words", number)
        puppet.register()
        path = f"/api/v1/namespaces/{world.namespace}/pods/{puppet.pod}"
        world.call("DELETE", path)

    fourth = Puppet(world, "words", 4)
    fourth.register()
    fourth.finish()
    found = world.until_state("words", "FINISHED")
    statuses = [a["exitStatus"] for a in found["status"]["attempts"][:3]]
    assert statuses == [-100, -100, -100]


def test_what_was_asked_by_hand_goes_on_through_attempts(tree_of_one: World) -> None:
    world = tree_of_one
    world.submit("words", "root.a")
    world.ask("by-hand", "words", 3)
    first = Puppet(world, "words", 1)
    world.until_request("by-hand", "three run", lambda s: s.get("running") == 3)
    before = set(running(world)) - {first.pod}
    first.exit(1)
    second = Puppet(world, "words", 2)

    assert before <= set(running(world))
    second.register()
    second.finish()
    world.until_state("words", "FINISHED")
