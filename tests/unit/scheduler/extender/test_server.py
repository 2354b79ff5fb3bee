"""The extender's HTTP door, as kube-scheduler knocks: its JSON has Go's capital names."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp.test_utils import TestClient, TestServer

from kubeyarn.cluster.errors import Conflict, NotFound, Refused
from kubeyarn.model.errors import Unavailable
from kubeyarn.scheduler.extender import server
from kubeyarn.scheduler.extender.bind_check import BindCheck
from kubeyarn.scheduler.extender.server import Extender
from unit.scheduler.world import (
    World,
    a_grant,
    a_node,
    a_request,
    condition,
    foreign,
    needs,
    two_queues,
)

SMALL = {"cpu": "1", "memory": "1Gi"}


class Api:
    """The part of the API server that the extender calls."""

    def __init__(self, world):
        self.world, self.bindings, self.fails = world, [], None

    async def get(self, kind, name, namespace=None):
        if name not in self.world.objects["pod"]:
            raise NotFound(404, "NotFound", f'pods "{name}" not found')
        return self.world.objects["pod"][name]

    async def create_sub(self, kind, name, sub, body, namespace=None):
        if self.fails is not None:
            raise self.fails
        self.bindings.append((name, sub, body, namespace))
        return {}


@pytest.fixture
def world():
    world = World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=3, resources=SMALL))
    world.cycle()
    return world


@pytest.fixture
def api(world):
    return Api(world)


@pytest.fixture
async def door(world, api):
    extender = Extender(
        api,
        world.live.cache,
        world.live.containers,
        world.bind_check,
        lambda: not hasattr(api, "starts"),
    )
    async with TestClient(TestServer(extender.application())) as client:
        yield client


async def said(door, verb, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await door.post(f"/scheduler/{verb}", data=data)
    return answer.status, json.loads(await answer.read())


async def test_filter_lets_a_granted_pod_onto_its_node_only(door, world):
    _, node, pod = a_grant(world)
    asked = {"Pod": pod, "Nodes": None, "NodeNames": ["n1", "n2"]}

    assert await said(door, "filter", asked) == (
        200,
        {
            "Nodes": None,
            "NodeNames": [node],
            "FailedNodes": {},
            "FailedAndUnresolvableNodes": {},
            "Error": "",
        },
    )


async def test_filter_refuses_a_pod_whose_node_is_not_offered(door, world):
    container, node, pod = a_grant(world)
    other = {"n1": "n2", "n2": "n1"}[node]
    status, answer = await said(door, "filter", {"Pod": pod, "NodeNames": [other]})

    assert status == 200
    assert answer["NodeNames"] == []
    assert answer["FailedAndUnresolvableNodes"] == {other: f"{container} is granted on node {node}"}


async def test_filter_refuses_what_is_no_container_of_ours(door):
    pod = foreign("web", "", needs("1", "1Gi"))
    _, answer = await said(door, "filter", {"Pod": pod, "NodeNames": ["n1", "n2"]})

    assert answer["FailedAndUnresolvableNodes"] == {
        "n1": "pod team-a/web is no container of KubeYARN: it has no annotation "
        "kubeyarn.io/container-id"
    }
    assert answer["Error"] == ""


@pytest.mark.parametrize("names", [None, []])
async def test_filter_without_names_of_nodes_offers_none(door, world, names):
    _, _, pod = a_grant(world)
    status, answer = await said(door, "filter", {"Pod": pod, "NodeNames": names})

    assert (status, answer["NodeNames"], answer["FailedAndUnresolvableNodes"]) == (200, [], {})


def binding(pod, node, **other):
    return {
        "PodName": pod["metadata"]["name"],
        "PodNamespace": "team-a",
        "PodUID": pod["metadata"]["uid"],
        "Node": node,
        **other,
    }


async def test_bind_posts_the_binding(door, world, api):
    container, node, pod = a_grant(world)
    name = pod["metadata"]["name"]

    assert await said(door, "bind", binding(pod, node)) == (200, {"Error": ""})
    assert api.bindings == [
        (
            name,
            "binding",
            {
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": {"name": name, "namespace": "team-a", "uid": pod["metadata"]["uid"]},
                "target": {"apiVersion": "v1", "kind": "Node", "name": node},
            },
            "team-a",
        )
    ]
    assert world.live.allocation(container).bound_uid == pod["metadata"]["uid"]


async def test_bind_refuses_another_node_and_posts_nothing(door, world, api):
    container, node, pod = a_grant(world)
    other = {"n1": "n2", "n2": "n1"}[node]

    _, answer = await said(door, "bind", binding(pod, other))
    assert answer == {"Error": f"{container}: granted on node {node}, not on {other}"}
    assert api.bindings == []


async def test_bind_reads_a_pod_that_the_watch_has_not_brought_yet(door, world, api):
    container, node = min(world.granted("maps").items())
    pod = world.launch(container, node, bound=False, watched=False)

    assert (await said(door, "bind", binding(pod, node)))[1] == {"Error": ""}


async def test_bind_of_a_pod_that_is_gone_is_refused(door, world):
    _, node, pod = a_grant(world)
    world.remove("pod", pod["metadata"]["name"])

    status, answer = await said(door, "bind", binding(pod, node))
    assert (status, answer["Error"]) == (200, f'pods "{pod["metadata"]["name"]}" not found')


async def test_bind_of_a_pod_made_anew_under_the_name_is_refused(door, world, api):
    _, node, pod = a_grant(world)

    _, answer = await said(door, "bind", binding(pod, node, PodUID="another"))
    assert "is no container of KubeYARN" in answer["Error"]
    assert api.bindings == []


async def test_a_binding_that_is_there_already_is_done(door, world, api):
    _, node, pod = a_grant(world)
    api.fails = Conflict(409, "Conflict", "pod is already assigned to node")
    pod["spec"]["nodeName"] = node

    assert (await said(door, "bind", binding(pod, node)))[1] == {"Error": ""}


async def test_a_binding_to_another_node_that_is_there_already_gives_the_grant_back(
    door, world, api
):
    container, node, pod = a_grant(world)
    api.fails = Conflict(409, "Conflict", "pod is already assigned to node n9")
    pod["spec"]["nodeName"] = "n9"

    assert (await said(door, "bind", binding(pod, node)))[1] == {
        "Error": "to be tried again: pod is already assigned to node n9"
    }
    assert world.live.allocation(container).bound_uid == ""
    assert world.live.bound("root.a") == (0, 0)


async def test_a_binding_whose_fate_is_unknown_keeps_its_room_and_can_be_asked_again(
    door, world, api
):
    container, node, pod = a_grant(world)
    api.fails = Unavailable("no answer")
    assert (await said(door, "bind", binding(pod, node)))[1] == {
        "Error": "to be tried again: no answer"
    }
    assert world.live.allocation(container).bound_uid == pod["metadata"]["uid"]

    api.fails = None
    assert (await said(door, "bind", binding(pod, node)))[1] == {"Error": ""}
    assert world.live.bound("root.a") == (2**30, 1000)


@pytest.mark.parametrize("came_about", [False, True])
async def test_a_binding_of_unknown_fate_is_looked_after(door, world, api, monkeypatch, came_about):
    monkeypatch.setattr("kubeyarn.scheduler.extender.server._DOUBT_S", 0.01)
    container, node, pod = a_grant(world)
    api.fails = Unavailable("no answer")
    await said(door, "bind", binding(pod, node))
    if came_about:
        pod["spec"]["nodeName"] = node
    await asyncio.sleep(0.1)

    uid = pod["metadata"]["uid"]
    assert world.live.allocation(container).bound_uid == (uid if came_about else "")
    assert world.live.bound("root.a") == ((2**30, 1000) if came_about else (0, 0))


@pytest.mark.parametrize(("status", "reason"), [(403, "Forbidden"), (422, "Invalid")])
async def test_a_binding_that_the_api_server_refuses_can_be_taken_back(
    door, world, api, status, reason
):
    container, node, pod = a_grant(world)
    api.fails = Refused(status, reason, "not allowed")

    assert (await said(door, "bind", binding(pod, node)))[1] == {"Error": "not allowed"}
    assert world.live.allocation(container).bound_uid == ""
    assert world.live.bound("root.a") == (0, 0)
    world.loop.applications.revoke(container, 0)
    assert world.live.allocation(container) is None


def in_spec(**parts):
    return lambda pod: pod["spec"].update(parts)


def in_metadata(**parts):
    return lambda pod: pod["metadata"].update(parts)


def a_sidecar(**resources):
    return {"name": "hog", "restartPolicy": "Always", "resources": resources}


def of_another(**parts):
    owner = {"kind": "YarnApplication", "name": "words", "controller": True, "uid": "x", **parts}
    return in_metadata(ownerReferences=[owner])


LARGER = {
    "a sidecar": (
        lambda pod: pod["spec"]["containers"].append(needs("3", "0")),
        "its pod as a whole requests cpu 4, granted: 1",
    ),
    "a native sidecar": (
        in_spec(initContainers=[a_sidecar(requests={"memory": "200Gi"})]),
        "requests memory 201Gi, granted: 1Gi",
    ),
    "a limit without a request": (
        in_spec(initContainers=[a_sidecar(limits={"nvidia.com/gpu": 8})]),
        "requests nvidia.com/gpu 8, granted: 0",
    ),
    "the pod as a whole": (
        in_spec(resources={"requests": {"cpu": "30"}}),
        "requests cpu 30, granted: 1",
    ),
    "overhead": (in_spec(overhead={"cpu": "1m"}), "requests cpu 1001m, granted: 1"),
    "what cannot be read": (
        in_spec(overhead={"cpu": "1e40"}),
        "spec.overhead.cpu: found '1e40'",
    ),
}
FOREIGN = {
    "another namespace": (
        in_metadata(namespace="team-b"),
        "is not its pod: found the namespace 'team-b', expected 'team-a'",
    ),
    "another name": (in_metadata(name="mine"), "found the name 'mine', expected 'words-01-00000"),
    "another owner": (of_another(), "found the uid of the owning YarnApplication 'x'"),
    "an owner that does not control it": (of_another(controller=False), "YarnApplication ''"),
    "no owner": (in_metadata(ownerReferences=[]), "YarnApplication '', expected 'words-"),
}


@pytest.mark.parametrize("verb", ["filter", "bind"])
@pytest.mark.parametrize(
    ("change", "why"),
    [*LARGER.values(), *FOREIGN.values()],
    ids=[*LARGER.keys(), *FOREIGN.keys()],
)
async def test_a_pod_that_is_not_what_was_granted_does_not_bind(
    door, world, api, verb, change, why
):
    container, node = min(world.granted("maps").items())
    pod = world.launch(container, node, bound=False, watched=False)
    del world.objects["pod"][pod["metadata"]["name"]]
    change(pod)
    world.put("pod", pod)
    if verb == "filter":
        _, answer = await said(door, "filter", {"Pod": pod, "NodeNames": [node]})
        refused = answer["FailedAndUnresolvableNodes"][node]
    else:
        asked = binding(pod, node, PodNamespace=pod["metadata"]["namespace"])
        refused = (await said(door, "bind", asked))[1]["Error"]

    assert refused.startswith(f"{container}: ")
    assert why in refused
    assert api.bindings == []
    assert world.live.allocation(container).bound_uid == ""


@pytest.mark.parametrize("verb", ["filter", "bind"])
async def test_before_the_cache_is_complete_nothing_is_decided(door, world, api, verb):
    api.starts = True
    _, node, pod = a_grant(world)
    body = {"Pod": pod, "NodeNames": [node], **binding(pod, node)}

    assert await said(door, verb, body) == (
        503,
        {"Error": "the scheduler is starting or does not lead"},
    )
    assert api.bindings == []


@pytest.mark.parametrize("verb", ["filter", "bind"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"Pod": 7}', b'{"Pod": {}}', b'{"PodName": 1}', b"\xff\xfe"],
)
async def test_what_makes_no_sense_is_refused_and_nothing_else_happens(door, api, verb, body):
    status, answer = await said(door, verb, body)

    assert status == 400
    assert answer["Error"].startswith(f"the body is no {verb.title()} arguments: ")
    assert api.bindings == []


@pytest.mark.parametrize(
    "pod",
    [
        {"metadata": {}},
        {"metadata": {"name": "x", "namespace": "y", "uid": 7, "annotations": ["x"]}},
        {"metadata": {"name": "x", "namespace": "y", "uid": "z"}, "spec": ["x"]},
    ],
)
async def test_a_pod_that_is_none_is_refused(door, pod):
    status, answer = await said(door, "filter", {"Pod": pod, "NodeNames": ["n1"]})

    assert status == 400
    assert "the body is no Filter arguments" in answer["Error"]


async def test_kube_schedulers_own_preemption_takes_nothing(door, world):
    _, _, pod = a_grant(world)
    victims = {"n1": {"Pods": [{"UID": "u"}], "NumPDBViolations": 0}}
    asked = {"Pod": pod, "NodeNameToVictims": {}, "NodeNameToMetaVictims": victims}

    assert await said(door, "preempt", asked) == (200, {"NodeNameToMetaVictims": {}})


@pytest.mark.parametrize("verb", ["filter", "bind"])
async def test_what_one_pod_makes_a_verb_raise_is_told_on_its_request(
    door, world, monkeypatch, verb
):
    (container, node), (other, other_node) = sorted(world.granted("maps").items())[:2]
    pod = world.launch(container, node, bound=False)
    well = world.launch(other, other_node, bound=False)
    real = BindCheck.check_pod

    def check_pod(self, use):
        if use.container == container:
            raise ZeroDivisionError("seven")
        real(self, use)

    def body(pod, node):
        return {"Pod": pod, "NodeNames": [node]} if verb == "filter" else binding(pod, node)

    monkeypatch.setattr(BindCheck, "check_pod", check_pod)
    status, answer = await said(door, verb, body(pod, node))
    world.write()
    assert (status, answer) == (500, {"Error": "to be tried again: a bug: ZeroDivisionError"})
    assert condition(world, "maps", "Satisfied") == ("False", "InternalError")
    assert (await said(door, verb, body(well, other_node)))[1]["Error"] == ""

    monkeypatch.undo()
    assert (await said(door, verb, body(pod, node)))[1]["Error"] == ""
    world.write()
    assert condition(world, "maps", "Satisfied") == ("True", "AllGranted")


async def test_a_binding_whose_answer_makes_us_fail_counts_until_the_pod_tells(
    door, world, api, monkeypatch
):
    monkeypatch.setattr(server, "_DOUBT_S", 0.01)
    container, node, pod = a_grant(world)
    api.fails = ZeroDivisionError("seven")

    status, _ = await said(door, "bind", binding(pod, node))
    assert status == 500
    assert world.live.allocation(container).bound_uid == pod["metadata"]["uid"]
    await asyncio.sleep(0.1)
    assert world.live.allocation(container).bound_uid == ""
