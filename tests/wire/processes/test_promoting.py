"""Containers that are promoted and demoted by an ApplicationMaster's word."""

from __future__ import annotations

import pytest

from kubeyarn.cluster import names
from wire.processes.cluster import NAMESPACE, ask
from wire.processes.updates import told, updated

PROMOTE, DEMOTE = "PROMOTE_EXECUTION_TYPE", "DEMOTE_EXECUTION_TYPE"
LARGE = {"cpu": "1", "memory": "9Gi"}


async def running(cluster, master, *asks):
    """Containers of these asks, once their pods run."""
    before = len(master.containers)
    await master.beat(*asks)
    wanted = before + sum(said["count"] for said in asks)
    await master.beat_until(lambda: len(master.containers) == wanted)
    made = master.containers[before:]
    await master.launch(*made)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == wanted)
    return made


def update(container, kind, version=0):
    return {"containerId": container["containerId"], "version": version, "type": kind}


def label(cluster, container):
    [pod] = [
        pod
        for pod in cluster.pods("task")
        if pod["metadata"]["annotations"][names.CONTAINER_ID] == container["containerId"]
    ]
    return pod["metadata"]["labels"][names.EXECUTION_TYPE]


def used(cluster):
    return cluster.api.get("yarnqueues", "root.a")["status"]["used"]["memory"]


async def test_a_demotion_frees_the_queue_and_comes_back_in_the_answer(cluster, master):
    [container] = await running(cluster, master, ask(1))
    await cluster.until(lambda: used(cluster) == "3Gi")
    [said], errors = await updated(master, update(container, DEMOTE))

    assert errors == []
    assert said["type"] == DEMOTE
    assert said["container"] == {**container, "version": 1, "executionType": "OPPORTUNISTIC"}
    assert label(cluster, container) == "Opportunistic"
    await cluster.until(lambda: used(cluster) == "2Gi")

    [said], errors = await updated(master, update(container, PROMOTE, version=1))
    assert (errors, said["type"]) == ([], PROMOTE)
    assert said["container"] == {**container, "version": 2}
    assert label(cluster, container) == "Guaranteed"
    await cluster.until(lambda: used(cluster) == "3Gi")


async def test_a_promotion_waits_for_its_queue_through_restarts_of_both_processes(cluster, master):
    """root.a may have 25.6 of 32 GiB, and has 20 when the opportunistic one is to be promoted."""
    firm = await running(cluster, master, ask(2, resources=LARGE))
    spare = ask(1, priority=2, resources={**LARGE, "memory": "6Gi"}, executionType="OPPORTUNISTIC")
    [container] = await running(cluster, master, spare)
    answer = await master.beat(updates=[update(container, PROMOTE)])
    assert answer["updateErrors"] == []
    answer = await master.beat(updates=[update(container, PROMOTE)])
    assert [e["reason"] for e in answer["updateErrors"]] == ["UPDATE_OUTSTANDING_ERROR"]
    await cluster.until(lambda: "QueueMaximum" in waits(cluster, container))
    for name in ("manager", "scheduler"):
        await cluster.kill(name)
    cluster.start_manager()
    cluster.start_scheduler()
    await cluster.ready()
    await master.register()
    # As an ApplicationMaster that says everything again: it was wished already.
    answers = [await master.beat(updates=[update(container, PROMOTE)])]
    answers.append(await master.beat(releases=[firm[0]["containerId"]]))
    [said], errors = await told(master, answers)

    assert (errors, said["type"], said["container"]["version"]) == ([], PROMOTE, 1)
    assert label(cluster, container) == "Guaranteed"
    await cluster.until(lambda: used(cluster) == "17Gi")


def waits(cluster, container):
    for (plural, namespace, _), found in cluster.api.objects.items():
        if plural == "containerrequests" and namespace == NAMESPACE:
            for entry in (found.get("status") or {}).get("updates") or ():
                if entry["id"] == container["containerId"]:
                    return entry.get("waits") or ""
    return ""


async def test_a_container_that_is_not_launched_yet_starts_as_what_it_is_then(cluster, master):
    await master.beat(ask(1))
    await master.beat_until(lambda: master.containers)
    [container] = master.containers
    [said], _ = await updated(master, update(container, DEMOTE))
    assert said["container"]["executionType"] == "OPPORTUNISTIC"
    await master.launch(container)
    await cluster.until(lambda: cluster.pods("task", phase="Running"))

    assert label(cluster, container) == "Opportunistic"
    assert cluster.refused == []


async def test_a_demoted_container_goes_for_a_guaranteed_one(cluster, master):
    whole = {"cpu": "1", "memory": "12Gi"}
    made = await running(cluster, master, ask(1, resources=whole))
    await updated(master, update(made[0], DEMOTE))
    there = {"locality": {"nodes": [made[0]["node"]], "racks": [], "relax": False}}
    await master.beat(ask(1, priority=3, resources=whole, **there))
    await master.beat_until(lambda: master.completed)

    assert [c["exitStatus"] for c in master.completed] == [-108]


async def test_a_registration_tells_what_containers_are_by_now(cluster, master):
    [container] = await running(cluster, master, ask(1))
    await updated(master, update(container, DEMOTE))
    await cluster.kill("manager")
    cluster.start_manager()
    await cluster.ready()
    answer = await master.register()

    [known] = answer["containers"]
    assert (known["executionType"], known["version"]) == ("OPPORTUNISTIC", 1)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"type": PROMOTE}, "UPDATE_REFUSED"),
        ({"type": DEMOTE, "version": 5}, "INCORRECT_CONTAINER_VERSION_ERROR"),
        ({"type": DEMOTE, "containerId": "container_1_0001_01_000077"}, "INVALID_CONTAINER_ID"),
    ],
)
async def test_what_cannot_be_is_answered_with_a_word(cluster, master, said, reason):
    [container] = await running(cluster, master, ask(1))
    answer = await master.beat(updates=[{**update(container, ""), **said}])

    assert [e["reason"] for e in answer["updateErrors"]] == [reason]
    assert label(cluster, container) == "Guaranteed"
