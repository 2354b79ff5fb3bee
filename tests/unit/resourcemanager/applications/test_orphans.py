"""Pods whose application is gone do not run on, however it went."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from kubeyarn.cluster.resources import APPLICATIONS, PODS, REQUESTS
from unit.resourcemanager.objects import a_request, an_application
from unit.resourcemanager.stage import KEY, Stage

PODS_OF_IT = [f"wordcount-01-00000{number}" for number in (1, 2, 3)]


async def running() -> Stage:
    am = {"image": "words:1", "protocol": "Objects"}
    stage = Stage(applicationMaster=am)
    await stage.launch_am(1)
    asked = a_request("maps", count=2, container={"command": ["work"]})
    stage.manager.cache.put_request(stage._put(REQUESTS, asked))
    stage.grant("maps", 1, "2-3")
    await stage.settle()
    for name in PODS_OF_IT:
        stage.pod(name, "Running")
    await stage.settle()
    assert stage.pods() == PODS_OF_IT
    return stage


def orphan(stage: Stage) -> None:
    """Somebody deletes the application and leaves what it owns."""
    for name in PODS_OF_IT:
        pod = copy.deepcopy(stage.objects[PODS.kind, name])
        pod["metadata"].pop("ownerReferences", None)
        stage.manager.cache.put_pod(stage._put(PODS, pod))
    gone = stage.objects.pop((APPLICATIONS.kind, KEY[1]))
    stage.manager.application_changed("DELETED", gone)


async def wait(stage: Stage, seconds: int) -> None:
    stage.now_ms += seconds * 1000
    await stage.manager.reconcile(KEY)


def play(story: Any) -> None:
    asyncio.run(story())


def test_pods_left_behind_by_their_application_are_deleted_after_a_while():
    async def story() -> None:
        stage = await running()
        orphan(stage)
        await wait(stage, 0)
        await wait(stage, 29)
        assert stage.pods() == PODS_OF_IT
        await wait(stage, 1)
        assert stage.pods() == []
        assert sum(event.startswith("ApplicationGone: ") for event in stage.events) == 3

    play(story)


def test_another_process_deletes_them_too():
    async def story() -> None:
        stage = await running()
        orphan(stage)
        stage.restart()
        assert stage.manager.cache.gone_with_pods() == [KEY]
        await wait(stage, 0)
        await wait(stage, 30)
        assert stage.pods() == []

    play(story)


def test_what_has_ended_is_kept_for_its_logs():
    async def story() -> None:
        stage = await running()
        stage.pod(PODS_OF_IT[1], "Succeeded", exit_code=0)
        ended = copy.deepcopy(stage.objects[PODS.kind, PODS_OF_IT[1]])
        [status] = ended["status"]["containerStatuses"]
        status["state"]["terminated"]["finishedAt"] = "2025-11-23T12:13:20Z"
        stage.manager.cache.put_pod(stage._put(PODS, ended))
        orphan(stage)
        await wait(stage, 0)
        await wait(stage, 30)
        assert stage.pods() == [PODS_OF_IT[1]]
        await wait(stage, 3600)
        assert stage.pods() == []

    play(story)


def test_pods_of_an_earlier_application_of_the_name_are_deleted():
    async def story() -> None:
        stage = await running()
        orphan(stage)
        another = an_application(KEY[1])
        another["metadata"]["uid"] = "another-uid"
        stage.manager.application_changed("ADDED", stage._put(APPLICATIONS, another))
        await stage.settle()
        assert stage.pods() == []

    play(story)


def test_an_application_that_cannot_be_read_keeps_its_pods():
    async def story() -> None:
        stage = await running()
        unreadable = copy.deepcopy(stage.objects[APPLICATIONS.kind, KEY[1]])
        unreadable["spec"]["maxAttempts"] = "two"
        stage._put(APPLICATIONS, unreadable)
        stage.restart()
        assert KEY not in stage.manager.cache.applications
        await wait(stage, 0)
        await wait(stage, 300)
        assert stage.pods() == PODS_OF_IT

        stage.manager.application_changed("DELETED", stage.objects[APPLICATIONS.kind, KEY[1]])
        await wait(stage, 0)
        await wait(stage, 30)
        assert stage.pods() == []

    play(story)
