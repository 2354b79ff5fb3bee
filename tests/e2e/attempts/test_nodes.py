"""Nodes that are lost, flap or are drained, on a real control plane with fake nodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from e2e.attempts.puppet import Puppet, ask
from e2e.live.patience import until
from e2e.policy.conftest import STATUS_MERGE
from e2e.policy.world import MERGE, World, queue, root
from kubeyarn.local import fakenodes

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

Json = dict[str, Any]
Tree = Callable[..., World]

NUMBER = 2
NODE = fakenodes.name(NUMBER)
PATH = f"/api/v1/nodes/{NODE}"
FAKE = "kwok.x-k8s.io/node"
TIMEOUT = "kubeyarn.io/decommission-timeout-seconds"


@pytest.fixture
def busy(tree: Tree) -> Iterator[tuple[World, Puppet, list[str]]]:
    """An AM elsewhere, and two of its containers that run on the node; it is as new afterwards."""
    spec = {"capacity": "100%", "maximumAMShare": "50%", "userLimitFactor": "10"}
    world = tree(root(), queue("root.a", **spec))
    cordon(world, True)
    world.submit("words", "root.a")
    puppet = Puppet(world, "words", 1)
    cordon(world, False)
    puppet.register()
    there = {"locality": {"nodes": [NODE], "racks": [], "relax": False}}
    got: list[str] = []

    def more() -> list[str]:
        said = [{**ask(2), **there}] if not got and puppet.response_id == 0 else []
        got.extend(c["containerId"] for c in puppet.allocate(*said)["allocated"])
        return got

    containers = sorted(until("two containers", more, lambda found: len(found) == 2))
    puppet.launch(*containers)
    drain_news(puppet)
    yield world, puppet, containers
    restore(world)


def drain_news(puppet: Puppet) -> None:
    """What is told until now is not what the test is about."""
    until("nothing new", lambda: puppet.allocate()["updatedNodes"], lambda found: not found)


def cordon(world: World, wanted: bool) -> None:
    world.call("PATCH", PATH, {"spec": {"unschedulable": wanted}}, MERGE)


def restore(world: World) -> None:
    if world.server.call("GET", PATH).status == 404:
        world.call("POST", "/api/v1/nodes", fakenodes.node(NUMBER))
    annotations = {FAKE: "fake", TIMEOUT: None}
    world.call("PATCH", PATH, {"metadata": {"annotations": annotations}}, MERGE)
    cordon(world, False)
    world.call("PATCH", f"{PATH}/status", STATUS_MERGE, MERGE)
    until("the node is ready", lambda: world.get(PATH), _ready)


def _ready(node: Json) -> bool:
    conditions = node["status"].get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def silence(world: World, seconds: int) -> None:
    """The kubelet has not been heard of for so long."""
    world.call("PATCH", PATH, {"metadata": {"annotations": {FAKE: None}}}, MERGE)
    at = (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {
        "type": "Ready",
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
        "lastTransitionTime": at,
        "lastHeartbeatTime": at,
    }
    # What kept it ready may not have seen yet that it is no longer to, and say once more it is.
    said = {"status": {"conditions": [ready]}}
    until(
        "the node stays silent",
        lambda: world.call("PATCH", f"{PATH}/status", said, MERGE) and _stays_silent(world, 1.5),
    )


def _stays_silent(world: World, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _ready(world.get(PATH)):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.1)
    return False


def silenced(world: World) -> None:
    silence(world, 700)


def deleted(world: World) -> None:
    world.call("DELETE", PATH)


def gather(puppet: Puppet, count: int) -> tuple[list[Json], list[Json]]:
    """Heartbeats until so many containers have ended: those, and what was told of nodes."""
    ended: list[Json] = []
    nodes: list[Json] = []

    def more() -> list[Json]:
        answer = puppet.allocate()
        ended.extend(answer["completed"])
        nodes.extend(answer["updatedNodes"])
        return ended

    until(f"{count} ended", more, lambda found: len(found) >= count, seconds=40)
    for _ in range(5):
        more()
        time.sleep(0.2)
    return ended, nodes


@pytest.mark.parametrize("lose", [silenced, deleted], ids=lambda lose: lose.__name__)
def test_containers_on_a_lost_node_end_once_with_100_and_are_had_elsewhere(
    busy: tuple[World, Puppet, list[str]], lose: Callable[[World], None]
) -> None:
    world, puppet, containers = busy
    lose(world)
    ended, nodes = gather(puppet, 2)

    assert sorted((e["containerId"], e["exitStatus"]) for e in ended) == [
        (c, -100) for c in containers
    ]
    assert all("*lost* node" in e["diagnostics"] for e in ended)
    assert [(n["node"], n["state"], n["updateType"]) for n in nodes] == [
        (NODE, "LOST", "NODE_UNUSABLE")
    ]
    until("its pods are gone", lambda: world.pods("words"), lambda pods: len(pods) == 1)
    world.until_queue("root.a", "holds the AM alone", lambda s: s.get("containers") == 1)
    assert len(puppet.gather(2)) == 2
    puppet.finish()
    world.until_state("words", "FINISHED")


def test_a_node_that_flaps_loses_no_container(
    busy: tuple[World, Puppet, list[str]],
) -> None:
    world, puppet, containers = busy
    before = {p["metadata"]["uid"] for p in world.pods("words")}
    silence(world, 3)
    time.sleep(3)
    world.call("PATCH", PATH, {"metadata": {"annotations": {FAKE: "fake"}}}, MERGE)
    until("the node is back", lambda: world.get(PATH), _ready)

    answer = puppet.allocate()
    assert (answer["completed"], answer["updatedNodes"]) == ([], [])
    assert {p["metadata"]["uid"] for p in world.pods("words")} == before
    assert len(before) == 1 + len(containers)
    puppet.finish()
    world.until_state("words", "FINISHED")


def test_a_drained_node_is_told_with_its_timeout_and_its_containers_end_then(
    busy: tuple[World, Puppet, list[str]],
) -> None:
    world, puppet, containers = busy
    world.call("PATCH", PATH, {"metadata": {"annotations": {TIMEOUT: "6"}}}, MERGE)
    cordon(world, True)
    told = until("the AM is told", lambda: puppet.allocate()["updatedNodes"])
    (node,) = told
    assert (node["node"], node["state"]) == (NODE, "DECOMMISSIONING")
    assert node["updateType"] == "NODE_DECOMMISSIONING"
    assert 3 <= node["decommissioningTimeoutSeconds"] <= 6
    assert len(world.pods("words")) == 1 + len(containers)

    ended, nodes = gather(puppet, 2)
    assert sorted((e["containerId"], e["exitStatus"]) for e in ended) == [
        (c, -100) for c in containers
    ]
    assert [(n["node"], n["state"]) for n in nodes] == [(NODE, "DECOMMISSIONED")]
    puppet.finish()
    world.until_state("words", "FINISHED")
