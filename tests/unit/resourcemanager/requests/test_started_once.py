"""A container is started once: whatever dies, is deleted, or is not answered, it has one pod."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from kubeyarn.cluster import names
from kubeyarn.cluster.errors import AlreadyExists, Conflict, NotFound
from kubeyarn.cluster.resources import PODS, REQUESTS, Kind
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable
from kubeyarn.model.ids import AttemptId, ContainerId
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.applications import records
from kubeyarn.resourcemanager.settings import Settings
from unit.resourcemanager.objects import a_request
from unit.resourcemanager.stage import KEY, Stage, pod_of

AM = "wordcount-01-000001"
FIRST = "wordcount-01-000002"


class Dies(BaseException):
    """The ResourceManager is killed at this call."""


class RecordingStage(Stage):
    """A stage that counts the pods that were made under each name, and dies or lies when told.

    *dies_at* kills the ResourceManager at the next write of this kind and name; *unanswered* has
    the next pod made without an answer; *unseen* keeps deletions of pods from being watched.
    """

    def __init__(self, **spec: Any) -> None:
        self.made: list[str] = []
        self.dies_at: tuple[str, str] | None = None
        self.unanswered = False
        self.conflicts = 0
        super().__init__(Settings(finished_pod_retention_s=15), **spec)

    async def create(
        self, kind: Kind, body: Object, namespace: str, *, attempts: int = 6
    ) -> Object:
        if kind is not PODS:
            return await super().create(kind, body, namespace)
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict(409, "Conflict", "the proxy answers 409")
        made = await super().create(kind, body, namespace)
        self.made.append(made["metadata"]["name"])
        if self.unanswered:
            self.unanswered = False
            raise Unavailable("no answer: the connection broke")
        return made

    async def patch(
        self, kind: Kind, name: str, body: Object, namespace: str, sub: str = ""
    ) -> Object:
        if (kind.kind, name) == self.dies_at:
            raise Dies
        return await super().patch(kind, name, body, namespace, sub)

    def ends(self, name: str) -> None:
        """The pod's process ends well, and the kubelet says when."""
        self.pod(name, "Succeeded", 0)
        found = copy.deepcopy(self.objects[PODS.kind, name])
        ended = found["status"]["containerStatuses"][0]["state"]["terminated"]
        ended["finishedAt"] = records.timestamp(self.now_ms)
        self.manager.cache.put_pod(self._put(PODS, found))

    def take_away(self, name: str) -> None:
        """Somebody deletes a pod while the ResourceManager's watch of pods is broken."""
        del self.objects[PODS.kind, name]

    def made_twice(self) -> set[str]:
        return {name for name in self.made if self.made.count(name) > 1}


def play(story: Any) -> None:
    asyncio.run(story())


async def with_a_master() -> tuple[RecordingStage, str]:
    """An AM that was granted one container, and has not launched it; returns the container's id."""
    stage = RecordingStage()
    await stage.launch_am(1)
    await stage.register(AM)
    await stage.allocate(AM, 0, wire.Ask(count=1, resources={"cpu": "1", "memory": "1Gi"}))
    [request] = [name for name in stage.requests() if not name.startswith("wordcount-am")]
    stage.grant(request, 1, "2")
    await stage.settle()
    return stage, str(ContainerId(AttemptId(stage.application().id, 1), 0, 2))


async def launch(stage: Stage, container: str) -> wire.ContainersAnswer:
    caller = stage.masters.caller(stage.identity(AM))
    message = [wire.LaunchContainer(container_id=container, command=["work"])]
    return await stage.masters.containers(caller, wire.Containers(launch=message))


def request_of(stage: Stage) -> str:
    [request] = [name for name in stage.requests() if not name.startswith("wordcount-am")]
    return request


def test_a_container_that_ended_while_nobody_watched_is_not_started_again():
    async def story() -> None:
        stage, container = await with_a_master()
        # Its pod is made, and the ResourceManager dies before it has written or answered anything.
        await launch(stage, container)
        stage.ends(FIRST)
        stage.now_ms += 60_000
        # The next one dies, too, as soon as it would write how the container ended.
        stage.restart()
        stage.dies_at = (REQUESTS.kind, request_of(stage))
        with pytest.raises(Dies):
            await stage.manager.reconcile(KEY)
        stage.dies_at = None
        stage.restart()
        await stage.register(AM)
        # The AM says again what was not answered.
        await launch(stage, container)
        await stage.settle()
        assert stage.made_twice() == set()
        assert stage.completed(request_of(stage)) == {container[-9:]: 0}

    play(story)
