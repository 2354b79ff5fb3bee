"""A container is started once: whatever dies, is deleted, or is not answered, it has one pod."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from kubeyarn.cluster.errors import AlreadyExists, Conflict
from kubeyarn.cluster.resources import PODS, REQUESTS, Kind
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable
from kubeyarn.model.ids import AttemptId, ContainerId
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.applications import records
from kubeyarn.resourcemanager.settings import Settings
from unit.resourcemanager.stage import KEY, Stage

AM = "wordcount-01-000001"
FIRST = "wordcount-01-000002"


class Dies(BaseException):
    """The ResourceManager is killed at this call."""


class RecordingStage(Stage):
    """A stage that remembers which pods were made, and whose API server does odd things when told.

    *dies_at* kills the ResourceManager at a patch of this kind and name. The next pods are answered
    with *answers* in turn: an exception that comes instead of making one, "lost" for one that is
    made without an answer, which may be gone at once, "" for one that is made, or when an event
    comes.
    """

    def __init__(self, **spec: Any) -> None:
        self.made: list[str] = []
        self.dies_at: tuple[str, str] | None = None
        self.answers: list[Exception | asyncio.Event | str] = []
        super().__init__(Settings(finished_pod_retention_s=15), **spec)

    async def create(
        self, kind: Kind, body: Object, namespace: str, *, attempts: int = 6
    ) -> Object:
        if kind is not PODS:
            return await super().create(kind, body, namespace)
        answer = self.answers.pop(0) if self.answers else ""
        # As a call does: others come to their turn meanwhile.
        await asyncio.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        made = await super().create(kind, body, namespace)
        self.made.append(made["metadata"]["name"])
        if answer in ("lost", "lost and gone", "lost and gone unseen"):
            if answer != "lost":
                self.goes(made["metadata"]["name"], watched=answer == "lost and gone")
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

    def goes(self, name: str, *, watched: bool = True) -> None:
        """Somebody deletes a pod; where it is *watched* the ResourceManager hears of it."""
        gone = self.objects.pop((PODS.kind, name))
        if watched:
            self.manager.cache.put_pod(gone)
            self.manager.cache.put_pod(gone, deleted=True)


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


def request_of(stage: Stage) -> str:
    """The request for what the AM asked."""
    [request] = [name for name in stage.requests() if not name.startswith("wordcount-am")]
    return request


async def launch(stage: Stage, container: str) -> wire.ContainersAnswer:
    """The AM's call; nobody looks at the application meanwhile."""
    caller = stage.masters.caller(stage.identity(AM))
    message = [wire.LaunchContainer(container_id=container, command=["work"])]
    return await stage.masters.containers(caller, wire.Containers(launch=message))


def refused(answer: wire.ContainersAnswer) -> list[str]:
    return [error.message for error in answer.errors]


ENDED = ["the container has ended already"]


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
        assert refused(await launch(stage, container)) == ENDED
        assert stage.completed(request_of(stage)) == {"01_000002": 0}
        await stage.settle()
        assert stage.made == [AM, FIRST]
        # Old it is still, and goes now that its end is recorded.
        assert stage.pods() == [AM]

    play(story)


def test_an_old_pod_stays_as_long_as_its_request_cannot_be_read():
    async def story() -> None:
        stage, container = await with_a_master()
        await launch(stage, container)
        stage.ends(FIRST)
        found = copy.deepcopy(stage.objects[REQUESTS.kind, request_of(stage)])
        size = found["spec"]["resources"]
        found["spec"]["resources"] = {"cpu": "much"}
        stage.manager.cache.put_request(stage._put(REQUESTS, found))
        stage.now_ms += 60_000
        await stage.settle()
        assert stage.pods() == [AM, FIRST]

        found = copy.deepcopy(found)
        found["spec"]["resources"] = size
        stage.manager.cache.put_request(stage._put(REQUESTS, found))
        await stage.settle()
        assert stage.completed(request_of(stage)) == {"01_000002": 0}
        assert stage.pods() == [AM]

    play(story)


def test_a_pod_that_was_made_without_an_answer_is_found():
    async def story() -> None:
        stage, container = await with_a_master()
        stage.answers = ["lost"]
        assert not refused(await launch(stage, container))
        await stage.settle()
        assert stage.made == [AM, FIRST]
        assert stage.completed(request_of(stage)) == {}

    play(story)


def test_a_call_whose_answer_was_lost_starts_nothing_again():
    async def story() -> None:
        stage, container = await with_a_master()
        # Its pod came and went before it is asked for again.
        stage.answers = ["lost and gone"]
        assert refused(await launch(stage, container)) == ENDED
        await stage.settle()
        assert stage.made == [AM, FIRST]
        assert stage.completed(request_of(stage)) == {"01_000002": -100}

    play(story)


def test_a_pod_that_goes_while_it_is_looked_for_was_the_container():
    async def story() -> None:
        stage, container = await with_a_master()
        # There when it is asked for again, gone when it is looked at, and no watch has told.
        there = AlreadyExists(409, "AlreadyExists", "there is one")
        stage.answers = ["lost and gone unseen", there]
        await launch(stage, container)
        await stage.settle()
        assert stage.made == [AM, FIRST]
        assert stage.completed(request_of(stage)) == {"01_000002": -100}

    play(story)


def test_a_name_that_a_former_application_leaves_is_taken_at_the_next_try():
    async def story() -> None:
        stage, container = await with_a_master()
        stage.answers = [AlreadyExists(409, "AlreadyExists", "there is one")]
        assert not refused(await launch(stage, container))
        assert stage.made == [AM, FIRST]

    play(story)


def test_a_conflict_that_is_none_of_names_is_tried_again():
    async def story() -> None:
        stage, container = await with_a_master()
        stage.answers = [Conflict(409, "Conflict", "the object has been modified")]
        with pytest.raises(Conflict):
            await launch(stage, container)
        for _ in range(2):
            assert not refused(await launch(stage, container))
        assert stage.made == [AM, FIRST]

    play(story)


def test_a_call_that_waits_for_another_one_starts_nothing_again():
    async def story() -> None:
        stage, container = await with_a_master()
        arrives = asyncio.Event()
        stage.answers = ["", arrives]
        first, second = (asyncio.create_task(launch(stage, container)) for _ in range(2))
        assert not refused(await first)
        # Deleted before the second call, if it is made, gets to the API server.
        stage.goes(FIRST)
        arrives.set()
        answer = await second
        assert stage.made == [AM, FIRST]
        assert refused(answer) in ([], ENDED)

    play(story)


@pytest.mark.parametrize("recorded", [True, False], ids=["seen before", "preempted"])
def test_a_pod_that_went_between_two_processes_is_not_made_again(recorded: bool):
    async def story() -> None:
        stage, container = await with_a_master()
        await launch(stage, container)
        if recorded:
            # Nothing but `launched` tells the next process of it.
            await stage.settle()
        else:
            stage.preempt(request_of(stage), container)
        stage.goes(FIRST, watched=False)
        stage.restart()
        # The AM calls before the new process has looked at its application.
        caller = stage.masters.caller(stage.identity(AM))
        stage.masters.register(caller, wire.Register(), stage.now_ms)
        assert refused(await launch(stage, container)) == ENDED
        await stage.settle()
        assert stage.made == [AM, FIRST]
        assert container[-9:] in stage.completed(request_of(stage))

    play(story)
