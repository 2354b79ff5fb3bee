"""What an application holds is taken back, whatever else goes wrong with it meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
from collections.abc import Callable
from typing import Any

import pytest

from kubeyarn.cluster.errors import ApiError, Refused
from kubeyarn.cluster.resources import APPLICATIONS, PODS, REQUESTS, Kind
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import KubeYarnError, Unavailable
from kubeyarn.resourcemanager.requests import request_plan
from unit.resourcemanager.objects import a_request
from unit.resourcemanager.stage import KEY, Stage

AM = "wordcount-01-000001"
TASKS = ["wordcount-01-000002", "wordcount-01-000003"]
SECOND = "container_1763900000000_0001_01_000002"


class TroubledStage(Stage):
    """A stage whose API server says no where *refuses* has an error for a write."""

    refuses: Callable[[Kind, str, Object], Exception | None] | None = None

    def _ask(self, kind: Kind, name: str, body: Object) -> None:
        error = self.refuses(kind, name, body) if self.refuses is not None else None
        if error is not None:
            raise error

    async def create(
        self, kind: Kind, body: Object, namespace: str, *, attempts: int = 6
    ) -> Object:
        self._ask(kind, body["metadata"]["name"], body)
        return await super().create(kind, body, namespace)

    async def patch(
        self, kind: Kind, name: str, body: Object, namespace: str, sub: str = ""
    ) -> Object:
        self._ask(kind, name, body)
        return await super().patch(kind, name, body, namespace, sub)

    async def patch_entries(
        self, kind: Kind, name: str, body: Object, namespace: str, sub: str = ""
    ) -> Object:
        self._ask(kind, name, body)
        return await super().patch_entries(kind, name, body, namespace, sub)

    async def look(self) -> None:
        """Have the application looked at some times, as the work queue does when one look fails."""
        for _ in range(4):
            self.now_ms += 40_000
            self.manager._status_at.clear()
            with contextlib.suppress(KubeYarnError, ZeroDivisionError):
                await self.manager.reconcile(KEY)

    def change(self, kind: Kind, name: str, **spec: Any) -> None:
        item = copy.deepcopy(self.objects[kind.kind, name])
        item["spec"] |= spec
        seen = self.manager.cache
        put = seen.put_application if kind is APPLICATIONS else seen.put_request
        put(self._put(kind, item))


async def running(**spec: Any) -> TroubledStage:
    """An application with its AM, which speaks in objects, and two containers, all running."""
    am = {"image": "words:1", "protocol": "Objects"}
    stage = TroubledStage(applicationMaster=am, **spec)
    await stage.launch_am(1)
    asked = a_request("maps", count=2, container={"command": ["work"]})
    stage.manager.cache.put_request(stage._put(REQUESTS, asked))
    stage.grant("maps", 1, "2-3")
    await stage.settle()
    for name in (AM, *TASKS):
        stage.pod(name, "Running")
    await stage.settle()
    return stage


def play(story: Any) -> None:
    asyncio.run(story())


def refused_status(kind: Kind, _: str, body: Object) -> Exception | None:
    """No status that says anything but a state: something in it is longer than it may be."""
    if kind is APPLICATIONS and "conditions" in body.get("status", {}):
        return Refused(422, "Invalid", "status.trackingUrl: Too long: may not be more than 2048")
    return None


def refused_request(kind: Kind, name: str, body: Object) -> Exception | None:
    if kind is REQUESTS and name == "maps" and "status" in body:
        return Refused(413, "RequestEntityTooLarge", "etcdserver: request is too large")
    return None


def unavailable(kind: Kind, _: str, body: Object) -> Exception | None:
    """Neither applications nor requests can be written."""
    return Unavailable("500: etcd is full") if kind in (APPLICATIONS, REQUESTS) else None


TROUBLES = [refused_status, refused_request, unavailable]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_a_kill_ends_every_pod_whatever_cannot_be_written(trouble: Any):
    async def story() -> None:
        stage = await running()
        stage.refuses = trouble
        stage.change(APPLICATIONS, KEY[1], desiredState="Killed")
        await stage.look()
        assert stage.pods() == []

    play(story)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_the_policy_gets_its_room_whatever_cannot_be_written(trouble: Any):
    async def story() -> None:
        stage = await running()
        stage.refuses = trouble
        stage.preempt("maps", SECOND)
        await stage.look()
        assert stage.pods() == [AM, TASKS[1]]

    play(story)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_a_lifetime_ends_whatever_cannot_be_written(trouble: Any):
    async def story() -> None:
        stage = await running(lifetimeSeconds=600)
        stage.refuses = trouble
        stage.now_ms += 601_000
        await stage.look()
        assert stage.pods() == []

    play(story)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_a_drained_node_is_left_whatever_cannot_be_written(trouble: Any):
    async def story() -> None:
        stage = await running()
        stage.refuses = trouble
        node = {
            "metadata": {
                "name": "n1",
                "annotations": {"kubeyarn.io/decommission-timeout-seconds": "0"},
            },
            "spec": {"unschedulable": True},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
        with contextlib.suppress(RuntimeError):
            stage.manager.node_changed("MODIFIED", node)
        stage.now_ms += 5000
        stage.manager.nodes.look({"n1"})
        await stage.look()
        assert not {AM, *TASKS} & set(stage.pods())

    play(story)


def test_a_pod_that_cannot_be_told_why_is_taken_back_nevertheless():
    async def story() -> None:
        stage = await running()
        stage.refuses = lambda kind, _, body: (
            Unavailable("429: slow down") if kind is PODS and "status" in body else None
        )
        stage.preempt("maps", SECOND)
        await stage.settle()
        assert stage.pods() == [AM, TASKS[1]]

    play(story)


def test_one_pod_that_cannot_be_deleted_does_not_keep_the_others():
    async def story() -> None:
        stage = await running()
        delete = stage.delete

        async def most(kind: Kind, name: str, namespace: str, options: Object) -> None:
            if name == TASKS[0]:
                raise ApiError(400, "BadRequest", "no")
            await delete(kind, name, namespace, options)

        stage.delete = most  # type: ignore[method-assign]
        stage.change(APPLICATIONS, KEY[1], desiredState="Killed")
        await stage.look()
        assert stage.pods() == [TASKS[0]]

    play(story)


def test_a_bug_in_our_own_rules_keeps_nothing_of_what_is_taken_back(monkeypatch: Any):
    async def story() -> None:
        stage = await running()
        monkeypatch.setattr(request_plan, "_wanted_status", lambda *_: {}[1 // 0])
        stage.preempt("maps", SECOND)
        await stage.look()
        assert stage.pods() == [AM, TASKS[1]]
        [said] = [
            c
            for c in stage.objects[REQUESTS.kind, "maps"]["status"]["conditions"]
            if c["type"] == "Reconciled"
        ]
        assert (said["status"], said["reason"]) == ("False", "InternalError")
        assert "ZeroDivisionError" in said["message"]

        stage.change(APPLICATIONS, KEY[1], desiredState="Killed")
        await stage.look()
        assert stage.pods() == []

    play(story)


def test_an_application_whose_state_cannot_be_told_is_killed_when_its_user_says_so(
    monkeypatch: Any,
):
    async def story() -> None:
        stage = await running()
        monkeypatch.setattr(
            "kubeyarn.resourcemanager.applications.observed_state.observe", lambda *_: 1 // 0
        )
        await stage.look()
        assert stage.pods() == [AM, *TASKS]
        stage.change(APPLICATIONS, KEY[1], desiredState="Killed")
        await stage.look()
        assert stage.pods() == []

    play(story)


def test_a_refused_status_leaves_the_state_and_is_told_once(caplog: pytest.LogCaptureFixture):
    async def story() -> None:
        stage = await running()
        stage.refuses = refused_status
        stage.change(APPLICATIONS, KEY[1], desiredState="Killed")
        await stage.look()
        await stage.look()
        assert stage.status()["state"] == "KILLED"
        assert stage.status()["finalStatus"] == "KILLED"
        assert [e for e in stage.events if e.startswith("StatusRefused: status.trackingUrl")]

    with caplog.at_level(logging.WARNING):
        play(story)
    told = [r for r in caplog.records if "its state alone is kept" in r.getMessage()]
    assert len(told) == 1


def test_nothing_is_given_to_an_application_whose_state_could_not_be_written():
    async def story() -> None:
        stage = TroubledStage()
        stage.refuses = unavailable
        await stage.look()
        assert stage.requests() == []

    play(story)
