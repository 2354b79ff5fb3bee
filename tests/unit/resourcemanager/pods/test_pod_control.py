"""A pod is never larger than its grant, whatever its template or the cluster adds to it."""

from __future__ import annotations

import asyncio
import copy

import pytest

from kubeyarn.cluster.errors import Refused
from kubeyarn.cluster.pod_requests import pod_requests
from kubeyarn.cluster.resources import PODS, REQUESTS, Kind
from kubeyarn.crd.object import Object
from kubeyarn.resourcemanager.pods import pod_state
from kubeyarn.resourcemanager.pods.pod_control import PodControl
from unit.resourcemanager.objects import a_request
from unit.resourcemanager.stage import Stage

SMALL = {"cpu": "100m", "memory": "128Mi"}
HOG = {"name": "hog", "image": "x", "resources": {"requests": {"cpu": "3"}}}


class Cluster(Stage):
    """An API server that adds to pods, as admission does."""

    def __init__(self) -> None:
        self.added: Object = {}
        super().__init__(applicationMaster={"image": "words:1", "protocol": "Objects"})

    async def create(
        self, kind: Kind, body: Object, namespace: str, *, attempts: int = 6
    ) -> Object:
        if kind is PODS:
            body = copy.deepcopy(body)
            for name, value in self.added.items():
                body["spec"][name] = value
            body["spec"] = {k: v for k, v in body["spec"].items() if v is not None}
        return await super().create(kind, body, namespace)


async def after_a_grant(template: Object, added: Object | None = None) -> Stage:
    """A request with *template* is granted one container of the size SMALL."""
    stage = Cluster()
    await stage.launch_am(1)
    stage.added = added or {}
    container = {"image": "x", "template": template}
    item = a_request("maps", container=container, resources=SMALL)
    stage.manager.cache.put_request(stage._put(REQUESTS, item))
    stage.grant("maps", 1, "2")
    await stage.settle()
    # What could not be started is recorded at the next look.
    await stage.settle()
    return stage


def why_invalid(stage: Stage) -> str:
    """The reason for which the container ended; nothing of it is left."""
    assert stage.pods() == ["wordcount-01-000001"]
    assert stage.completed("maps") == {"01_000002": -1000}
    [ended] = stage.objects[REQUESTS.kind, "maps"]["status"]["completed"]
    assert any(ended["diagnostics"] in event for event in stage.events)
    return str(ended["diagnostics"])


def test_a_container_with_a_sidecar_above_its_grant_ends_with_the_field():
    template = {"spec": {"containers": [{"name": "main"}, HOG]}}

    assert (
        "template.spec.containers[1].resources.requests.cpu: found 3, which does not fit beside "
        "the rest of the pod into the granted 100m"
    ) in why_invalid(asyncio.run(after_a_grant(template)))


def test_a_container_whose_sidecar_fits_runs():
    sidecar = {"name": "s", "resources": {"limits": {"cpu": "40m", "memory": "32Mi"}}}
    stage = asyncio.run(after_a_grant({"spec": {"containers": [{"name": "main"}, sidecar]}}))
    pod = stage.objects[PODS.kind, "wordcount-01-000002"]

    assert pod_requests(pod) == {"cpu": 100, "memory": 128 * 2**20}
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {
        "cpu": "60m",
        "memory": "96Mi",
    }


@pytest.mark.parametrize(
    ("added", "why"),
    [
        ({"overhead": {"cpu": "250m"}}, "found cpu 350m, granted: 100m for the pod as a whole"),
        ({"initContainers": [{**HOG, "restartPolicy": "Always"}]}, "found cpu 3100m, granted"),
    ],
    ids=["overhead of a runtime class", "a sidecar of a webhook"],
)
def test_a_pod_that_the_cluster_makes_larger_is_taken_back(added: Object, why: str):
    assert why in why_invalid(asyncio.run(after_a_grant({}, added)))


def test_a_sidecar_without_limits_does_not_run_where_nothing_bounds_it():
    template = {"spec": {"containers": [{"name": "main"}, {"name": "s"}]}}

    why = why_invalid(asyncio.run(after_a_grant(template, {"resources": None})))
    assert "found a sidecar without a memory limit" in why


class Resizes:
    """An API server that takes down what pods are resized to."""

    def __init__(self) -> None:
        self.bodies: list[Object] = []

    async def patch_entries(self, kind, name, body, namespace, sub):
        self.bodies.append(body)


def test_the_main_container_alone_grows_and_never_to_nothing():
    template = {"spec": {"containers": [{"name": "main"}, {"name": "s", "resources": {
        "limits": {"cpu": "40m", "memory": "32Mi"}}}]}}  # fmt: skip
    stage = asyncio.run(after_a_grant(template))
    pod = pod_state.read(stage.objects[PODS.kind, "wordcount-01-000002"])
    assert pod is not None
    api = Resizes()
    control = PodControl(api, stage, stage.manager.cache, 300)  # type: ignore[arg-type]

    asyncio.run(control.resize(pod, {"cpu": 200, "memory": 256 * 2**20}))
    [container] = api.bodies[0]["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "160m", "memory": "224Mi"}
    with pytest.raises(Refused, match="found memory 32Mi for the whole pod, of which its sidecars"):
        asyncio.run(control.resize(pod, {"cpu": 200, "memory": 32 * 2**20}))
