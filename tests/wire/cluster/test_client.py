"""The Kubernetes client against an API server that has its days."""

from __future__ import annotations

import asyncio

import pytest

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.errors import AlreadyExists, Conflict, Gone, NotFound, Refused
from kubeyarn.cluster.resources import NODES, PODS, QUEUES, REQUESTS
from kubeyarn.model.errors import Unavailable

QUEUE = {"metadata": {"name": "root"}, "spec": {"capacity": "100%"}}


def a_pod(name="p", **spec):
    return {"metadata": {"name": name, "namespace": "team-a"}, "spec": spec}


async def test_objects_are_created_read_patched_and_deleted(api, client):
    made = await client.create(PODS, a_pod(), "team-a")
    assert made["metadata"]["uid"]
    assert (await client.get(PODS, "p", "team-a")) == made

    patched = await client.patch(PODS, "p", {"metadata": {"labels": {"a": "b"}}}, "team-a")
    assert patched["metadata"]["labels"] == {"a": "b"}
    removed = await client.patch(PODS, "p", {"metadata": {"labels": None}}, "team-a")
    assert "labels" not in removed["metadata"]

    await client.delete(PODS, "p", "team-a")
    assert api.get("pods", "p", "team-a") is None


async def test_a_status_is_patched_by_its_subresource_only(api, client):
    api.put("yarnqueues", QUEUE)
    await client.patch(QUEUES, "root", {"status": {"leaf": True}})
    assert "status" not in api.get("yarnqueues", "root")

    await client.patch(QUEUES, "root", {"status": {"leaf": True}, "spec": {}}, sub="status")
    assert api.get("yarnqueues", "root")["status"] == {"leaf": True}
    assert api.get("yarnqueues", "root")["spec"] == {"capacity": "100%"}


async def test_a_subresource_is_created(api, client):
    api.put("pods", a_pod())
    target = {"target": {"name": "n1"}}
    await client.create_sub(PODS, "p", "binding", target, "team-a")

    assert api.get("pods", "p", "team-a")["spec"]["nodeName"] == "n1"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "POST"])
async def test_what_may_pass_is_tried_again(api, client, status, method):
    api.put("yarnqueues", QUEUE)
    api.trouble(5, status, method=method)
    calls = {
        "GET": lambda: client.get(QUEUES, "root"),
        "PATCH": lambda: client.patch(QUEUES, "root", {"spec": {"x": 1}}),
        "DELETE": lambda: client.delete(QUEUES, "root"),
        "POST": lambda: client.create(PODS, a_pod(), "team-a"),
    }
    await calls[method]()

    assert len(api.requests) == 6


async def test_after_six_tries_it_is_unavailable(api, client):
    api.trouble(99, 503)

    with pytest.raises(Unavailable, match=r"GET /api/v1/nodes/n1: 503 Trouble: trouble on demand"):
        await client.get(NODES, "n1")
    assert len(api.requests) == 6


async def test_a_broken_connection_is_tried_again(api, client):
    api.put("yarnqueues", QUEUE)
    api.trouble(2, drop=True)

    assert (await client.get(QUEUES, "root"))["spec"] == QUEUE["spec"]
    assert len(api.requests) >= 3


async def test_a_create_whose_answer_got_lost_says_that_it_exists(api, client):
    api.trouble(1, 500, method="POST", after=True)

    with pytest.raises(AlreadyExists):
        await client.create(PODS, a_pod(), "team-a")
    assert api.get("pods", "p", "team-a") is not None


async def test_a_server_that_is_not_there_is_unavailable():
    client = KubeClient(Connection("http://127.0.0.1:9"), "test")
    with pytest.raises(Unavailable, match="no answer"):
        await client.get(NODES, "n1")
    await client.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Refused), (401, Refused), (403, Refused), (404, NotFound), (409, Conflict), (410, Gone),
     (413, Refused), (422, Refused)],
)  # fmt: skip
async def test_what_will_not_pass_is_not_tried_again(api, client, status, error):
    api.trouble(1, status)

    with pytest.raises(error) as caught:
        await client.get(NODES, "n1")
    assert (caught.value.status, caught.value.reason) == (status, "Trouble")
    assert str(caught.value) == f"trouble on demand: {status}"
    assert len(api.requests) == 1


async def test_a_replace_is_tried_once_because_it_may_have_been_taken(api, client):
    found = api.put("yarnqueues", QUEUE)
    api.trouble(1, 500, method="PUT")

    with pytest.raises(Unavailable):
        await client.replace(QUEUES, "root", found)
    assert len(api.requests) == 1


async def test_a_replace_of_an_older_version_is_a_conflict(api, client):
    old = api.put("yarnqueues", QUEUE)
    api.put("yarnqueues", {**QUEUE, "spec": {"capacity": "50%"}})

    with pytest.raises(Conflict):
        await client.replace(QUEUES, "root", old)


async def test_a_deletion_may_name_the_uid_it_means(api, client):
    api.put("pods", a_pod())

    with pytest.raises(Conflict):
        await client.delete(PODS, "p", "team-a", {"preconditions": {"uid": "another"}})
    assert api.get("pods", "p", "team-a") is not None


async def test_collections_are_read_in_pages(api, client):
    for number in range(1203):
        api.put("nodes", {"metadata": {"name": f"n{number:04d}"}})

    found = await client.list_all(NODES)

    assert [n["metadata"]["name"] for n in found] == [f"n{i:04d}" for i in range(1203)]
    assert len(api.requests) == 3


async def test_an_empty_collection_is_empty(client):
    assert await client.list_all(REQUESTS) == []


async def test_collections_are_narrowed_by_labels_and_namespace(api, client):
    for namespace, name, role in (("a", "x", "am"), ("a", "y", "task"), ("b", "z", "am")):
        meta = {"name": name, "namespace": namespace, "labels": {"role": role}}
        api.put("pods", {"metadata": meta})

    by_label = await client.list_all(PODS, labelSelector="role=am")
    assert [p["metadata"]["name"] for p in by_label] == ["x", "z"]
    assert [p["metadata"]["name"] for p in await client.list_all(PODS, "a")] == ["x", "y"]


async def test_calls_in_flight_are_bounded(api):
    client = KubeClient(api.connection, "test", in_flight=3)
    open_now, most = 0, 0

    async def call():
        nonlocal open_now, most
        await client.list_all(NODES)

    real = client._session.request

    def counted(*args, **kwargs):
        nonlocal open_now, most
        context = real(*args, **kwargs)
        enter, leave = type(context).__aenter__, type(context).__aexit__

        class Counted:
            async def __aenter__(self):
                nonlocal open_now, most
                open_now += 1
                most = max(most, open_now)
                return await enter(context)

            async def __aexit__(self, *error):
                nonlocal open_now
                open_now -= 1
                return await leave(context, *error)

        return Counted()

    client._session.request = counted
    await asyncio.gather(*(call() for _ in range(20)))
    await client.close()

    assert most == 3


async def test_an_answer_that_is_no_json_is_unavailable(api, client, monkeypatch):
    api.put("nodes", {"metadata": {"name": "n1"}})
    monkeypatch.setattr(api, "_answer", lambda *_: ["a", "list"])

    with pytest.raises(Unavailable, match="not a JSON object"):
        await client.get(NODES, "n1")
