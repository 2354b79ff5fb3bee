"""Whoever takes the name of an object that the ResourceManager has to make is told of."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from kubeyarn.cluster import names
from kubeyarn.cluster.resources import PODS, REQUESTS
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.name_taken import Whose, whose_pod
from unit.resourcemanager.objects import a_request
from unit.resourcemanager.stage import KEY, Stage, pod_of

FOREIGN = {
    "kind": "Pod",
    "metadata": {"name": "", "namespace": KEY[0], "uid": "foreign"},
    "spec": {"containers": [{"name": "main"}]},
}
OBJECTS = {"image": "words:1", "protocol": "Objects"}


def squat(stage: Stage, name: str, **metadata: Any) -> None:
    """Somebody makes a pod of this name."""
    pod = copy.deepcopy(FOREIGN)
    pod["metadata"] |= {"name": name, **metadata}
    stage._put(PODS, pod)


def play(story: Any) -> None:
    asyncio.run(story())


def test_an_attempt_fails_whose_masters_pod_cannot_have_its_name():
    async def story() -> None:
        stage = Stage(applicationMaster=OBJECTS, maxAttempts=1)
        squat(stage, "wordcount-01-000001")
        await stage.settle()
        stage.grant("wordcount-am-1", 1, "1")
        for _ in range(3):
            await stage.settle()

        assert stage.status()["state"] == "FAILED"
        assert "NameTaken: Pod team-a/wordcount-01-000001" in stage.status()["diagnostics"]
        assert any(event.startswith("NameTaken: ") for event in stage.events)
        # What is somebody else's stays.
        assert stage.pods() == ["wordcount-01-000001"]

    play(story)


def test_a_container_ends_whose_pod_cannot_have_its_name():
    async def story() -> None:
        stage = Stage(applicationMaster=OBJECTS)
        await stage.launch_am(1)
        squat(stage, "wordcount-01-000002")
        asked = a_request("maps", container={"command": ["work"]})
        stage.manager.cache.put_request(stage._put(REQUESTS, asked))
        stage.grant("maps", 1, "2")
        for _ in range(2):
            await stage.settle()

        assert stage.completed("maps") == {"01_000002": -1000}
        [ended] = stage.objects[REQUESTS.kind, "maps"]["status"]["completed"]
        assert "delete it, or give the application another name" in ended["diagnostics"]

    play(story)


OWNER = [{"kind": "YarnApplication", "uid": "app-uid", "controller": True}]
KNOWN_AS = {
    names.APPLICATION: KEY[1],
    names.APPLICATION_ID: "application_7_0001",
    names.CONTAINER_ID: "container_7_0001_01_000002",
}
FORMER = {
    names.APPLICATION: KEY[1],
    names.APPLICATION_ID: "application_1_0001",
    names.CONTAINER_ID: "container_1_0001_01_000002",
}


@pytest.mark.parametrize(
    ("annotations", "owners", "whose"),
    [
        pytest.param(KNOWN_AS, OWNER, Whose.OURS, id="the container's own, made before"),
        pytest.param(KNOWN_AS, [], Whose.ANOTHERS, id="nobody's, with a copied annotation"),
        pytest.param({}, OWNER, Whose.ANOTHERS, id="no container"),
        pytest.param(FORMER, [], Whose.FORMER, id="of a former application of the name"),
        pytest.param(
            {**FORMER, names.APPLICATION: "other"}, [], Whose.ANOTHERS, id="another application's"
        ),
    ],
)
def test_whose_a_pod_is(annotations, owners, whose):
    found = {"metadata": {"annotations": annotations, "ownerReferences": owners}}
    wanted = {"metadata": {"annotations": KNOWN_AS, "ownerReferences": OWNER}}

    assert whose_pod(found, wanted) is whose


def test_a_pod_of_a_former_application_of_the_name_is_waited_for():
    async def story() -> None:
        stage = Stage(applicationMaster=OBJECTS)
        former = {
            names.APPLICATION: KEY[1],
            names.APPLICATION_ID: "application_1_0001",
            names.CONTAINER_ID: "container_1_0001_01_000001",
        }
        squat(stage, "wordcount-01-000001", annotations=former)
        await stage.settle()
        stage.grant("wordcount-am-1", 1, "1")
        await stage.settle()

        assert stage.attempts() == [(1, "ALLOCATED")]
        assert stage.completed("wordcount-am-1") == {}

    play(story)


def a_squatting_request(application: str) -> dict[str, Any]:
    found = a_request("wordcount-am-1", container={"image": "mine"})
    found["spec"]["application"] = application
    return found


@pytest.mark.parametrize("application", [KEY[1], "another"])
def test_an_application_fails_whose_masters_request_cannot_have_its_name(application):
    async def story() -> None:
        stage = Stage(applicationMaster=OBJECTS)
        item = stage._put(REQUESTS, a_squatting_request(application))
        stage.manager.cache.put_request(item)
        for _ in range(2):
            await stage.settle()

        status = stage.status()
        assert status["state"] == "FAILED"
        said = "NameTaken: ContainerRequest team-a/wordcount-am-1"
        assert status["diagnostics"].startswith(said)
        accepted = next(c for c in status["conditions"] if c["type"] == "Accepted")
        assert (accepted["status"], accepted["reason"]) == ("False", "NameTaken")
        assert [event for event in stage.events if event.startswith("NameTaken")]

    play(story)


def test_an_ask_is_rejected_whose_request_cannot_have_its_name():
    async def story() -> None:
        stage = Stage()
        pod = await stage.launch_am(1)
        await stage.register(pod)
        ask = wire.Ask(priority=1, count=2, resources={"memory": "1Gi", "cpu": "1"})
        await stage.allocate(pod, 0, ask)
        [name] = [n for n in stage.requests() if not n.startswith("wordcount-am")]
        theirs = a_request(name, count=1)
        stage._put(REQUESTS, theirs)
        before = copy.deepcopy(theirs["spec"])
        stage.restart()
        await stage.register(pod)
        await stage.allocate(pod, 0, ask)
        answer = await stage.allocate(pod, 1)

        assert [(r.reason, "is not KubeYARN's" in r.message) for r in answer.rejected] == [
            ("NameTaken", True)
        ]
        assert stage.objects[REQUESTS.kind, name]["spec"] == before

    play(story)


def test_names_of_containers_differ_whatever_applications_are_called():
    assert pod_of("container_e02_1_0001_01_000001") == "wordcount-01e02-000001"
    assert pod_of("container_1_0001_01_000001") == "wordcount-01-000001"
