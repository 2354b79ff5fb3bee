"""What containers have used, counted once and kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubeyarn.cluster.resources import PODS
from kubeyarn.lifecycle.usage import Usage, of_container
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.applications import records
from kubeyarn.resourcemanager.pods import pod_state
from kubeyarn.resourcemanager.requests import usage
from unit.resourcemanager.objects import CREATED, NOW_MS, a_pod, container, exited
from unit.resourcemanager.stage import Stage, pod_of

GIB = 1 << 30
ASK = wire.Ask(priority=1, count=2, resources={"cpu": "500m", "memory": "1Gi"})
MIB_SECONDS = 1024


def play(story: Any) -> None:
    asyncio.run(story())


def test_a_container_uses_its_size_for_as_long_as_it_holds_it():
    used = of_container({"cpu": 500, "memory": GIB}, 60, 0)

    assert used == Usage({"cpu": 30_000, "memory": 60 * GIB})


def test_what_a_preempted_container_used_counts_as_preempted_too():
    used = of_container({"memory": GIB}, 60, -102)

    assert used == Usage({"memory": 60 * GIB}, {"memory": 60 * GIB}, 1)


def test_usages_add_up_by_resource():
    total = Usage({"cpu": 1}) + Usage({"cpu": 2, "memory": 3}, {"memory": 3}, 1)

    assert total == Usage({"cpu": 3, "memory": 3}, {"memory": 3}, 1)


@pytest.mark.parametrize(
    ("pod", "seconds"),
    [
        (a_pod(container(2), phase="Running"), 90),
        (
            a_pod(
                container(2),
                phase="Succeeded",
                main=exited(0, finishedAt=records.timestamp(NOW_MS + 30_000)),
            ),
            30,
        ),
        (
            a_pod(container(2), deletionTimestamp=records.timestamp(NOW_MS + 40_000)),
            40,
        ),
        (a_pod(container(2), creationTimestamp=records.timestamp(NOW_MS + 100_000)), 0),
    ],
    ids=["runs", "ended", "deleted", "of another clock"],
)
def test_a_pod_holds_its_room_from_its_creation_to_its_end(pod, seconds):
    facts = pod_state.read(pod)

    assert facts is not None
    assert records.timestamp(NOW_MS) == CREATED
    assert facts.held_s(NOW_MS + 90_000) == seconds


async def with_two_containers(stage: Stage) -> tuple[str, list[str]]:
    """An AM that runs two containers; returns its pod and theirs."""
    am = await stage.launch_am(1)
    await stage.register(am)
    answer = await stage.allocate(am, 0, ASK)
    request = next(name for name in stage.requests() if "-am-" not in name)
    stage.grant(request, 1, "2-3")
    await stage.settle()
    answer = await stage.allocate(am, answer.response_id)
    containers = sorted(c.container_id for c in answer.allocated)
    await stage.run(am, *containers)
    pods = [pod_of(c) for c in containers]
    for pod in pods:
        created = records.timestamp(stage.now_ms)
        stage.objects[PODS.kind, pod]["metadata"]["creationTimestamp"] = created
        stage.pod(pod, "Running")
    await stage.settle()
    return am, pods


def finish(stage: Stage, pod: str, after_s: int, exit_code: int = 0) -> None:
    """A pod's process ends so many seconds after the pod was made."""
    stage.pod(pod, "Succeeded" if exit_code == 0 else "Failed", exit_code)
    found = stage.objects[PODS.kind, pod]
    created = pod_state.times.milliseconds(found["metadata"]["creationTimestamp"])
    ended = found["status"]["containerStatuses"][0]["state"]["terminated"]
    ended["finishedAt"] = records.timestamp(created + after_s * 1000)
    stage.manager.cache.put_pod(found)


async def told(stage: Stage) -> Any:
    """`usage` of the application's status; a process that starts anew says at once what is new."""
    await stage.settle()
    stage.restart()
    await stage.settle()
    return stage.status()["usage"]


def test_the_status_of_an_application_sums_up_what_its_containers_used():
    async def story() -> None:
        stage = Stage()
        _, pods = await with_two_containers(stage)

        finish(stage, pods[0], 60)
        used = await told(stage)
        assert (used["memorySeconds"], used["vcoreSeconds"]) == (60 * MIB_SECONDS, 30)

        finish(stage, pods[1], 41, exit_code=1)
        used = await told(stage)
        assert (used["memorySeconds"], used["vcoreSeconds"]) == (101 * MIB_SECONDS, 50)
        assert not used.get("preemptedContainers")

        assert await told(stage) == used, "counted once, though it started anew"

    play(story)


def test_what_was_preempted_is_told_apart():
    async def story() -> None:
        stage = Stage()
        _, pods = await with_two_containers(stage)
        [request] = [name for name in stage.requests() if "-am-" not in name]
        taken = stage.objects[PODS.kind, pods[0]]["metadata"]["annotations"]
        stage.preempt(request, taken["kubeyarn.io/container-id"])

        used = await told(stage)
        assert used["preemptedContainers"] == 1
        assert used["preemptedMemorySeconds"] == used["memorySeconds"] > 0

    play(story)


def test_usage_never_falls_when_a_request_is_deleted():
    before = {"memorySeconds": 60, "vcoreSeconds": 5}

    assert usage.of_application([], before) == {
        "memorySeconds": 60,
        "vcoreSeconds": 5,
        "preemptedMemorySeconds": 0,
        "preemptedVcoreSeconds": 0,
        "preemptedContainers": 0,
    }
