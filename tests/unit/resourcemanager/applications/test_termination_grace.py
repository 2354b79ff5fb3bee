"""Nobody keeps a container for longer than the cluster allows once it has to stop."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from kubeyarn.cluster.resources import PODS, REQUESTS, Kind
from kubeyarn.crd import times
from kubeyarn.crd.object import Object
from kubeyarn.resourcemanager.settings import Settings
from unit.resourcemanager.objects import a_request
from unit.resourcemanager.stage import Stage

TASK = "wordcount-01-000002"


class Deletions(Stage):
    """A stage whose kubelet ends nothing; it notes what deletes say."""

    def __init__(self, *args: Any, **spec: Any) -> None:
        super().__init__(*args, **spec)
        self.graceful = True
        self.deletes: list[tuple[str, int | None]] = []

    async def delete(self, kind: Kind, name: str, namespace: str, options: Object) -> None:
        self.deletes.append((name, options.get("gracePeriodSeconds")))
        meta = self.objects[kind.kind, name]["metadata"]
        meta["deletionGracePeriodSeconds"] = options.get("gracePeriodSeconds", 0)
        await super().delete(kind, name, namespace, options)

    def told_to_end(self, name: str, grace_s: int) -> None:
        """Somebody deletes a pod and gives it so many seconds."""
        pod = copy.deepcopy(self.objects[PODS.kind, name])
        pod["metadata"]["deletionTimestamp"] = times.timestamp(self.now_ms + grace_s * 1000)
        pod["metadata"]["deletionGracePeriodSeconds"] = grace_s
        self.manager.cache.put_pod(self._put(PODS, pod))


async def running(seconds: Any, settings: Settings | None = None) -> Deletions:
    am = {"image": "words:1", "protocol": "Objects"}
    stage = Deletions(settings, applicationMaster=am)
    await stage.launch_am(1)
    template = {"spec": {"terminationGracePeriodSeconds": seconds}}
    asked = a_request("maps", container={"command": ["work"], "template": template})
    stage.manager.cache.put_request(stage._put(REQUESTS, asked))
    stage.grant("maps", 1, "2")
    await stage.settle()
    stage.pod(TASK, "Running")
    await stage.settle()
    return stage


def play(story: Any) -> None:
    asyncio.run(story())


@pytest.mark.parametrize(
    ("said", "most", "given"),
    [(None, 300, 5), (30, 300, 30), (300, 300, 300), (10**9, 300, 300), (60, 20, 20), (0, 300, 0)],
)
def test_a_pod_gets_the_time_to_stop_that_its_template_says_up_to_the_most(
    said: int | None, most: int, given: int
):
    async def story() -> None:
        stage = await running(said, Settings(max_termination_grace_s=most))
        spec = stage.objects[PODS.kind, TASK]["spec"]
        assert spec["terminationGracePeriodSeconds"] == given

    play(story)


def test_a_pod_of_before_that_has_longer_is_deleted_within_the_most():
    async def story() -> None:
        stage = await running(30)
        pod = copy.deepcopy(stage.objects[PODS.kind, TASK])
        pod["spec"]["terminationGracePeriodSeconds"] = 10**9
        stage.manager.cache.put_pod(stage._put(PODS, pod))
        stage.preempt("maps", "container_1763900000000_0001_01_000002")
        await stage.settle()
        assert stage.deletes == [(TASK, 300)]

    play(story)


def test_a_pod_that_somebody_gave_a_year_to_stop_is_cut_short():
    async def story() -> None:
        stage = await running(30)
        stage.told_to_end(TASK, 365 * 86_400)
        stage.now_ms += 300_000
        await stage.settle()
        assert stage.deletes == []
        stage.now_ms += 11_000
        await stage.settle()
        # Not at once: the kubelet has to say that the process is gone before its room is free.
        assert stage.deletes == [(TASK, 1)]

    play(story)
