"""One request that cannot be acted on is told so, and costs the rest of its application nothing."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from kubeyarn.cluster.resources import APPLICATIONS, PODS, REQUESTS
from kubeyarn.crd.object import Object
from unit.resourcemanager.objects import a_request
from unit.resourcemanager.stage import KEY, Stage

HALF_AN_ID = [{"id": "container_e", "resources": {"cpu": "2"}}]
UNREADABLE_GRANTS = {"grants": [{"attempt": 1, "node": "n1", "containers": "2-1"}]}

TEMPLATES = {
    "spec-is-text": ({"spec": "boom"}, "template.spec: found 'boom', allowed: an object"),
    "containers-is-text": (
        {"spec": {"containers": "boom"}},
        "template.spec.containers: found 'boom', allowed: a list",
    ),
    "container-is-text": (
        {"spec": {"containers": ["boom"]}},
        "template.spec.containers[0]: found 'boom', allowed: an object",
    ),
    "variable-without-name": (
        {"spec": {"containers": [{"env": [{"value": "1"}]}]}},
        "template.spec.containers[0].env[0].name: found nothing, needed: a string",
    ),
    "affinity-is-text": (
        {"spec": {"affinity": "x"}},
        "template.spec.affinity: found 'x', allowed: an object",
    ),
    "limits-is-text": (
        {"spec": {"containers": [{"resources": {"limits": "x"}}]}},
        "template.spec.containers[0].resources.limits: found 'x', allowed: an object",
    ),
    "volumes-is-number": ({"spec": {"volumes": 3}}, "template.spec.volumes: found 3"),
    "labels-is-list": ({"metadata": {"labels": ["x"]}}, "template.metadata.labels: found ['x']"),
    "mounts-are-numbers": (
        {"spec": {"containers": [{"command": 3}]}},
        "template: TypeError",
    ),
}


def play(story: Any) -> None:
    asyncio.run(story())


async def running(**spec: Any) -> Stage:
    """An application that runs; its AM speaks in objects."""
    am = {"image": "words:1", "protocol": "Objects"}
    stage = Stage(applicationMaster=am, **spec)
    await stage.launch_am(1)
    return stage


def ask(stage: Stage, name: str, *, status: Object | None = None, **spec: Any) -> None:
    """A user writes a request by hand."""
    item = a_request(name, status=status, **spec)
    stage.manager.cache.put_request(stage._put(REQUESTS, item))


def said(stage: Stage, name: str, kind: str = "Reconciled") -> Object:
    found = stage.objects[REQUESTS.kind, name].get("status") or {}
    return next((c for c in found.get("conditions") or () if c["type"] == kind), {})


@pytest.mark.parametrize(
    ("spec", "status", "why"),
    [
        ({"count": 0, "updates": HALF_AN_ID}, {}, "spec.updates[0].id: container id: found"),
        ({}, UNREADABLE_GRANTS, "ranges"),
    ],
    ids=["update-of-half-an-id", "grants-that-are-no-ranges"],
)
def test_a_request_that_cannot_be_read_is_told_so_and_the_others_go_on(
    spec: Object, status: Object, why: str
):
    async def story() -> None:
        stage = await running()
        ask(stage, "aaa", status=copy.deepcopy(status), **spec)
        ask(stage, "maps", container={"command": ["work"]})
        stage.grant("maps", 1, "2-3")
        await stage.settle()

        assert "wordcount-01-000002" in stage.pods()
        assert said(stage, "aaa")["status"] == "False"
        assert said(stage, "aaa")["reason"] == "InvalidRequest"
        if why != "ranges":
            assert why in said(stage, "aaa")["message"]
        assert said(stage, "maps") == {}
        assert any(event.startswith("InvalidRequest: ") for event in stage.events)

    play(story)


def test_a_request_that_is_mended_is_told_so():
    async def story() -> None:
        stage = await running()
        ask(stage, "aaa", count=0, updates=HALF_AN_ID)
        await stage.settle()
        mended = copy.deepcopy(stage.objects[REQUESTS.kind, "aaa"])
        mended["spec"]["updates"] = []
        stage.manager.cache.put_request(stage._put(REQUESTS, mended))
        await stage.settle()
        assert (said(stage, "aaa")["status"], said(stage, "aaa")["message"]) == ("True", "")

    play(story)


def test_an_application_is_killed_whatever_its_requests_look_like():
    async def story() -> None:
        stage = await running()
        ask(stage, "maps", container={"command": ["work"]})
        stage.grant("maps", 1, "2-3")
        await stage.settle()
        for name in ("wordcount-01-000001", "wordcount-01-000002", "wordcount-01-000003"):
            stage.pod(name, "Running")
        ask(stage, "aaa", count=0, updates=HALF_AN_ID)
        ask(stage, "bbb", status=copy.deepcopy(UNREADABLE_GRANTS))
        app = copy.deepcopy(stage.objects[APPLICATIONS.kind, KEY[1]])
        app["spec"]["desiredState"] = "Killed"
        stage.manager.cache.put_application(stage._put(APPLICATIONS, app))
        await stage.settle()
        assert stage.pods() == []
        assert stage.status()["state"] == "KILLED"

    play(story)


@pytest.mark.parametrize(("template", "why"), TEMPLATES.values(), ids=TEMPLATES)
def test_a_container_whose_template_is_none_ends_with_the_reason_and_others_start(
    template: Object, why: str
):
    async def story() -> None:
        stage = await running()
        ask(stage, "aaa", container={"image": "x", "template": template})
        stage.grant("aaa", 1, "2")
        ask(stage, "maps", container={"command": ["work"]})
        stage.grant("maps", 1, "3")
        await stage.settle()

        assert stage.pods() == ["wordcount-01-000001", "wordcount-01-000003"]
        assert stage.completed("aaa") == {"01_000002": -1000}
        [ended] = stage.objects[REQUESTS.kind, "aaa"]["status"]["completed"]
        assert why in ended["diagnostics"]

    play(story)


@pytest.mark.parametrize(
    "template",
    [{"spec": "boom"}, {"spec": {"containers": "boom"}}, {"spec": {"containers": ["boom"]}}],
    ids=["spec", "containers", "container"],
)
def test_an_application_whose_masters_template_is_none_fails_with_the_reason(template: Object):
    async def story() -> None:
        stage = Stage(applicationMaster={"image": "x", "template": template}, maxAttempts=1)
        await stage.settle()
        stage.grant("wordcount-am-1", 1, "1")
        await stage.settle()
        assert stage.status()["state"] == "FAILED"
        assert "found 'boom', allowed" in stage.status()["diagnostics"]
        assert not [name for kind, name in stage.objects if kind == PODS.kind]

    play(story)
