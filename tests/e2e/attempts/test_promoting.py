"""Containers that are promoted and demoted on a real control plane, through a killed scheduler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2e.attempts.puppet import Puppet, ask
from e2e.live.patience import until
from e2e.policy.world import World, queue, root

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

Json = dict[str, Any]
Tree = Callable[..., World]

PROMOTE, DEMOTE = "PROMOTE_EXECUTION_TYPE", "DEMOTE_EXECUTION_TYPE"
BIG = {"cpu": "1", "memory": "7Gi"}


@pytest.fixture
def master(tree: Tree) -> Puppet:
    """The AM, of 1 GiB, of an application in root.a, which may have 20 of the 40 GiB."""
    half = {"capacity": "50%", "maximumCapacity": "50%"}
    open_to_all = {"maximumAMShare": "50%", "userLimitFactor": "10"}
    world = tree(
        root(opportunisticContainers=True),
        queue("root.a", **half, **open_to_all),
        queue("root.b", capacity="50%"),
    )
    world.submit("words", "root.a")
    puppet = Puppet(world, "words", 1)
    puppet.register()
    return puppet


def gather(master: Puppet, said: Json, *excluded: str) -> list[Json]:
    """Containers as asked, once they are there; not on *excluded* nodes."""
    got = list(master.allocate(said, excludeNodes={"add": list(excluded)})["allocated"])

    def more() -> list[Json]:
        got.extend(master.allocate()["allocated"])
        return got

    return until(f"{said['count']} containers", more, lambda found: len(found) == said["count"])


def update(container: Json, kind: str, version: int = 0) -> Json:
    return {"containerId": container["containerId"], "version": version, "type": kind}


def told(master: Puppet, answers: list[Json]) -> Json:
    """The one update that heartbeats tell of."""

    def once() -> list[Json]:
        answers.append(master.allocate())
        assert not [error for answer in answers for error in answer["updateErrors"]]
        return [found for answer in answers for found in answer["updatedContainers"]]

    [found] = until("an update is told", once, bool)
    return found


def used(master: Puppet, memory: str) -> None:
    """Wait until root.a uses so much."""
    master.world.until_queue(
        "root.a", f"uses {memory}", lambda status: status.get("used", {}).get("memory") == memory
    )


def kill_scheduler(master: Puppet) -> None:
    hosted = master.world.hosted
    hosted.restart_scheduler()
    hosted.wait_ready("scheduler")


def pod_of(master: Puppet, name: str) -> tuple[str, str, str]:
    """A pod's uid, phase and what it says of its container."""
    pod = master.world.get(f"/api/v1/namespaces/{master.world.namespace}/pods/{name}")
    meta = pod["metadata"]
    return meta["uid"], pod["status"]["phase"], meta["labels"]["kubeyarn.io/execution-type"]


def test_a_demoted_container_frees_its_queue_and_runs_on(master: Puppet) -> None:
    [container] = gather(master, {**ask(1), "resources": BIG})
    [pod] = master.launch(container["containerId"])
    uid, _, kind = pod_of(master, pod)
    assert kind == "Guaranteed"
    used(master, "8Gi")

    found = told(master, [master.allocate(updates=[update(container, DEMOTE)])])
    assert (found["type"], found["container"]["version"]) == (DEMOTE, 1)
    assert found["container"]["executionType"] == "OPPORTUNISTIC"
    assert pod_of(master, pod) == (uid, "Running", "Opportunistic")
    used(master, "1Gi")

    kill_scheduler(master)
    # Its room in the queue is had by others, elsewhere: 1 and twice 7 of 20 GiB.
    gather(master, {**ask(2), "resources": BIG}, container["node"])
    used(master, "15Gi")
    assert pod_of(master, pod) == (uid, "Running", "Opportunistic")


def test_an_opportunistic_container_is_promoted_when_room_comes(master: Puppet) -> None:
    firm = gather(master, {**ask(2), "resources": BIG})
    master.launch(*(container["containerId"] for container in firm))
    spare = {**ask(1), "priority": 2, "resources": BIG, "executionType": "OPPORTUNISTIC"}
    [container] = gather(master, spare)
    [pod] = master.launch(container["containerId"])
    uid, _, kind = pod_of(master, pod)
    assert kind == "Opportunistic"
    used(master, "15Gi")

    answers = [master.allocate(updates=[update(container, PROMOTE)])]
    waits(master, container)
    kill_scheduler(master)
    waits(master, container)
    assert pod_of(master, pod) == (uid, "Running", "Opportunistic")

    answers.append(master.allocate(releases=[firm[0]["containerId"]]))
    found = told(master, answers)
    assert (found["type"], found["container"]["version"]) == (PROMOTE, 1)
    assert found["container"]["executionType"] == "GUARANTEED"
    assert pod_of(master, pod) == (uid, "Running", "Guaranteed")
    used(master, "15Gi")

    kill_scheduler(master)
    used(master, "15Gi")
    # It counts: no second one of 7 fits below 20 GiB, but a small one does.
    gather(master, {**ask(5), "priority": 3})
    used(master, "20Gi")
    assert pod_of(master, pod) == (uid, "Running", "Guaranteed")


def waits(master: Puppet, container: Json) -> None:
    """Wait until the container's request says that the queue is full for it."""

    def entry() -> str:
        path = f"/apis/kubeyarn.io/v1alpha1/namespaces/{master.world.namespace}/containerrequests"
        return next(
            (
                str(found.get("waits") or "")
                for request in master.world.get(path)["items"]
                for found in (request.get("status") or {}).get("updates") or ()
                if found["id"] == container["containerId"]
            ),
            "",
        )

    until("the promotion waits", entry, lambda said: said.startswith("QueueMaximum"))
