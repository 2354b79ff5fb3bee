"""NodeTracker that are lost, drained or flap, and what becomes of the containers on them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.applications import records
from kubeyarn.resourcemanager.nodes.tracker import TIMEOUT, NodeTracker
from kubeyarn.resourcemanager.settings import Settings
from unit.resourcemanager.stage import Stage, pod_of

SETTINGS = Settings(node_expiry_s=600, decommission_timeout_s=100)
ONE = {"cpu": "1", "memory": "1Gi"}


def a_node(stage: Stage, ready: str = "True", since_s: int = 0, **spec: Any) -> dict[str, Any]:
    """Node n1; the status of its Ready condition changed *since_s* ago."""
    at = records.timestamp(stage.now_ms - since_s * 1000)
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": at}
    meta: dict[str, Any] = {"name": "n1", "annotations": spec.pop("annotations", {})}
    return {"metadata": meta, "spec": spec, "status": {"conditions": [condition]}}


def see(stage: Stage, what: str = "MODIFIED", **said: Any) -> None:
    stage.manager.node_changed(what, a_node(stage, **said))


def cordon(stage: Stage, since_s: int = 0, **said: Any) -> None:
    taint = {
        "key": "node.kubernetes.io/unschedulable",
        "effect": "NoSchedule",
        "timeAdded": records.timestamp(stage.now_ms - since_s * 1000),
    }
    see(stage, unschedulable=True, taints=[taint], **said)


async def two_containers(**spec: Any) -> tuple[Stage, str, list[str]]:
    """An AM on node n1 with two running containers there."""
    stage = Stage(SETTINGS, **spec)
    see(stage, "ADDED")
    am = await stage.launch_am(1)
    await stage.register(am)
    ask = wire.Ask(count=2, resources=dict(ONE), priority=1)
    await stage.allocate(am, 0, ask)
    (name,) = [r for r in stage.requests() if "-am-" not in r]
    stage.grant(name, 1, "2-3")
    await stage.settle()
    given = await stage.allocate(am, 1)
    containers = [c.container_id for c in given.allocated]
    await stage.run(am, *containers)
    for container in containers:
        stage.pod(pod_of(container), "Running")
    await stage.settle()
    return stage, am, containers


def told(answer: wire.Allocated) -> list[tuple[str, str, str, int]]:
    return [
        (n.node, n.state, n.update_type, n.decommissioning_timeout_seconds)
        for n in answer.updated_nodes
    ]


def ask_name(stage: Stage) -> str:
    return next(r for r in stage.requests() if "-am-" not in r)


LOST = ("n1", "LOST", "NODE_UNUSABLE", -1)


@pytest.mark.parametrize("loss", ["silent", "deleted", "unready"])
def test_what_was_on_a_lost_node_has_ended_once_with_100_and_its_pods_go(loss):
    async def story() -> None:
        stage, am, containers = await two_containers(keepContainersAcrossAttempts=True)
        elsewhere(stage, am)
        if loss == "deleted":
            see(stage, "DELETED")
        else:
            see(stage, ready="Unknown" if loss == "silent" else "False", since_s=601)
        await stage.settle()

        name = ask_name(stage)
        assert stage.completed(name) == {c[-9:]: -100 for c in containers}
        assert stage.pods() == [am]
        answer = await stage.allocate(am, 2)
        assert sorted(c.container_id for c in answer.completed) == containers
        assert "node" in answer.completed[0].diagnostics
        (node,) = told(answer)
        assert node[1:3] == ("UNHEALTHY" if loss == "unready" else "LOST", "NODE_UNUSABLE")
        # Said once, repeated only when the answer itself is asked for again.
        assert (await stage.allocate(am, 2)).updated_nodes == answer.updated_nodes
        later = await stage.allocate(am, 3)
        assert (later.completed, later.updated_nodes) == ([], [])

    asyncio.run(story())


def elsewhere(stage: Stage, pod: str) -> None:
    """The AM runs on another node."""
    found = stage.objects["Pod", pod]
    found["spec"]["nodeName"] = "n2"
    stage.manager.cache.put_pod(found)


def test_an_am_on_a_lost_node_is_started_again_and_that_attempt_does_not_count():
    async def story() -> None:
        stage, _, _ = await two_containers(maxAttempts=2)
        see(stage, ready="Unknown", since_s=601)
        await stage.settle()

        first = stage.status()["attempts"][0]
        assert (first["state"], first["exitStatus"]) == ("FAILED", -100)
        assert "*lost* node" in first["diagnostics"]
        assert stage.pods() == []
        assert stage.attempts()[1][0] == 2

    asyncio.run(story())


def test_a_node_that_flaps_loses_nothing_and_nobody_is_told():
    async def story() -> None:
        stage, am, containers = await two_containers()
        for ready, since_s in (("Unknown", 599), ("True", 0), ("False", 30), ("True", 0)):
            see(stage, ready=ready, since_s=since_s)
            stage.manager.reconcile_all()
            await stage.settle()

        assert stage.completed(ask_name(stage)) == {}
        assert len(stage.pods()) == 1 + len(containers)
        assert told(await stage.allocate(am, 2)) == []

    asyncio.run(story())


def test_a_node_is_lost_by_time_alone():
    async def story() -> None:
        stage, am, _ = await two_containers()
        elsewhere(stage, am)
        see(stage, ready="Unknown")
        stage.now_ms += 601_000
        stage.manager.reconcile_all()
        await stage.settle()

        assert told(await stage.allocate(am, 2)) == [LOST]

    asyncio.run(story())


def test_what_was_granted_on_a_lost_node_and_not_launched_has_ended_too():
    async def story() -> None:
        stage, am, containers = await two_containers()
        elsewhere(stage, am)
        await stage.allocate(am, 2, wire.Ask(count=1, resources=dict(ONE), priority=1))
        stage.grant(ask_name(stage), 1, "4")
        see(stage, "DELETED")
        await stage.settle()

        assert set(stage.completed(ask_name(stage)).values()) == {-100}
        assert len(stage.completed(ask_name(stage))) == len(containers) + 1

    asyncio.run(story())


def test_a_container_that_had_ended_before_its_node_was_lost_ended_as_it_did():
    async def story() -> None:
        stage, am, (first, second) = await two_containers()
        elsewhere(stage, am)
        stage.pod(pod_of(first), "Succeeded", 0)
        see(stage, "DELETED")
        await stage.settle()

        assert stage.completed(ask_name(stage)) == {first[-9:]: 0, second[-9:]: -100}

    asyncio.run(story())


@pytest.mark.parametrize("restart", [False, True])
def test_a_cordoned_node_is_drained_within_its_time(restart):
    async def story() -> None:
        stage, am, containers = await two_containers()
        elsewhere(stage, am)
        cordon(stage)
        stage.now_ms += 40_000
        answer = await stage.allocate(am, 2)
        (node,) = told(answer)
        assert node[:3] == ("n1", "DECOMMISSIONING", "NODE_DECOMMISSIONING")
        assert 50 <= node[3] <= 60
        assert told(await stage.allocate(am, 3)) == []
        if restart:
            stage.restart()
            cordon(stage, since_s=(stage.now_ms - stage.now_ms // 1000 * 1000) + 40)
        await stage.settle()
        assert len(stage.pods()) == 1 + len(containers)

        stage.graceful = True
        stage.now_ms += 100_000
        stage.manager.reconcile_all()
        await stage.settle()
        assert stage.completed(ask_name(stage)) == {}
        for container in containers:
            stage.pod(pod_of(container), "Failed", 143)
        await stage.settle()
        assert stage.completed(ask_name(stage)) == {c[-9:]: -100 for c in containers}

    asyncio.run(story())


def test_a_drained_node_is_decommissioned_and_one_that_is_uncordoned_is_usable_again():
    async def story() -> None:
        stage, am, containers = await two_containers()
        elsewhere(stage, am)
        cordon(stage)
        await stage.allocate(am, 2)
        for container in containers:
            stage.pod(pod_of(container), "Succeeded", 0)
        await stage.settle()
        stage.manager.reconcile_all()
        assert told(await stage.allocate(am, 3)) == [("n1", "DECOMMISSIONED", "NODE_UNUSABLE", -1)]
        see(stage)
        assert told(await stage.allocate(am, 4)) == [("n1", "RUNNING", "NODE_USABLE", -1)]

    asyncio.run(story())


def test_an_am_that_comes_later_hears_of_the_nodes_that_do_not_run():
    async def story() -> None:
        stage = Stage(SETTINGS)
        see(stage, "ADDED")
        am = await stage.launch_am(1)
        elsewhere(stage, am)
        cordon(stage)
        await stage.register(am)

        assert [n[:2] for n in told(await stage.allocate(am, 0))] == [("n1", "DECOMMISSIONED")]
        assert told(await stage.allocate(am, 1)) == []

    asyncio.run(story())


@pytest.mark.parametrize(("said", "left"), [("7", 7), ("-1", -1), ("soon", 100), (None, 100)])
def test_a_nodes_annotation_says_how_long_its_containers_may_stay(said, left):
    stage = Stage(SETTINGS)
    nodes = NodeTracker(600, 100, lambda: stage.now_ms)
    annotations = {} if said is None else {TIMEOUT: said}
    node = a_node(stage, unschedulable=True, annotations=annotations)
    nodes.see("ADDED", node, {"n1"})

    assert [n.view.remaining_s for n in nodes.standing()] == [left]


def test_since_when_a_node_is_cordoned_is_read_from_the_node_itself():
    stage = Stage(SETTINGS)
    nodes = NodeTracker(600, 100, lambda: stage.now_ms)
    node = a_node(stage, unschedulable=True)
    node["metadata"]["managedFields"] = [
        {"time": records.timestamp(stage.now_ms - 5000), "fieldsV1": {"f:metadata": {}}},
        {
            "time": records.timestamp(stage.now_ms - 30_000),
            "fieldsV1": {"f:spec": {"f:unschedulable": {}}},
        },
    ]
    nodes.see("ADDED", node, {"n1"})

    assert [n.view.remaining_s for n in nodes.standing()] == [70]


def test_a_node_that_has_never_said_anything_is_not_lost():
    stage = Stage(SETTINGS)
    nodes = NodeTracker(600, 100, lambda: stage.now_ms)
    nodes.see("ADDED", {"metadata": {"name": "n1"}}, ())

    assert list(nodes.standing()) == []
