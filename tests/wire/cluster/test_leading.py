"""Who may write, who stands by, and which kube-scheduler works."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from kubeyarn.cluster import epochs
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.leading import Leader
from kubeyarn.cluster.lease import NEVER
from kubeyarn.cluster.resources import PODS, QUEUES
from kubeyarn.local.ports import claim
from kubeyarn.model.errors import Unavailable
from kubeyarn.resourcemanager.amservice import endpoint
from kubeyarn.resourcemanager.settings import Settings
from kubeyarn.scheduler.leader.kube_scheduler_gate import KEEPER, KubeSchedulerGate

SYSTEM = "kubeyarn-system"


# Writes.


async def test_who_does_not_lead_reads_and_does_not_write(api):
    api.put("yarnqueues", {"metadata": {"name": "root"}, "spec": {}})
    client = KubeClient(api.connection, "test", may_write_s=lambda: -1.0)
    try:
        assert await client.get(QUEUES, "root")
        for write in (
            lambda: client.patch(QUEUES, "root", {"spec": {"state": "Stopped"}}),
            lambda: client.create(PODS, {"metadata": {"name": "p"}}, "a"),
            lambda: client.delete(QUEUES, "root"),
        ):
            with pytest.raises(Unavailable, match="does not lead"):
                await write()
    finally:
        await client.close()
    assert api.get("yarnqueues", "root")["spec"] == {}


async def test_a_write_is_waited_for_no_longer_than_the_lease_lasts(api):
    api.put("yarnqueues", {"metadata": {"name": "root"}, "spec": {}})
    until = time.monotonic() + 0.5
    client = KubeClient(api.connection, "test", may_write_s=lambda: until - time.monotonic())
    api.trouble(100, 503, delay_s=60)
    try:
        with pytest.raises(Unavailable):
            await client.patch(QUEUES, "root", {"spec": {}})
    finally:
        await client.close()
    assert time.monotonic() - until < 1


# Epochs.


async def test_the_highest_epoch_is_found_in_grants_endings_and_pods(api, client):
    assert await epochs.highest(client) == NEVER
    where = {"name": "r", "namespace": "a"}
    request = {"metadata": where, "spec": {"application": "words"}}
    api.put("containerrequests", {**request, "status": {"grants": [{"node": "n", "epoch": 2}]}})
    assert await epochs.highest(client) == 2
    ended = [{"id": "container_e04_1763850000000_0001_01_000002"}]
    api.put("containerrequests", {**request, "status": {"completed": ended}})
    assert await epochs.highest(client) == 4
    api.put("containerrequests", {**request, "status": {"launched": [{"epoch": 5}], "epoch": 6}})
    assert await epochs.highest(client) == 6
    # One that cannot be read keeps nobody from leading.
    api.put("containerrequests", {"metadata": {"name": "x", "namespace": "a"}, "spec": {}})
    assert await epochs.highest(client) == 6
    labels = {"app.kubernetes.io/managed-by": "kubeyarn"}
    said = {"kubeyarn.io/container-id": "container_e09_1763850000000_0001_01_000002"}
    pod = {"name": "p", "namespace": "a", "labels": labels, "annotations": said}
    api.put("pods", {"metadata": pod, "spec": {}})
    assert await epochs.highest(client) == 9


# Standing by.


async def test_one_leads_and_the_other_is_ready_to(api, background, until):
    ports = [claim() for _ in range(2)]
    leaders = [Leader("kubeyarn-x", api.connection, SYSTEM, f"p{i}", ports[i], 1) for i in range(2)]

    async def work(leader):
        leader.waits_for = ""
        await asyncio.Event().wait()

    async def said(port, path):
        url = f"http://127.0.0.1:{port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status

    first = background(leaders[0].run(lambda *_: work(leaders[0])))
    await until(lambda: leaders[0].leads)
    background(leaders[1].run(lambda *_: work(leaders[1])))
    await until(lambda: leaders[1]._follows)
    assert [await said(port, "/readyz") for port in ports] == [200, 200]
    assert [await said(port, "/leading") for port in ports] == [200, 503]

    first.cancel()
    await until(lambda: leaders[1].leads, 3)
    assert await said(ports[1], "/leading") == 200


# The kube-scheduler beside.


def holder(api, name):
    return api.get("leases", name, SYSTEM)["spec"]["holderIdentity"]


async def test_a_kube_scheduler_waits_until_the_scheduler_beside_it_leads(
    api, client, background, until
):
    gate, other = (
        KubeSchedulerGate(SYSTEM, "a-kube-scheduler", "a", "u"),
        KubeSchedulerGate(SYSTEM, "b-kube-scheduler"),
    )
    await gate.shut(client)
    await other.shut(client)
    assert holder(api, gate.name) == holder(api, other.name) == KEEPER
    owner = api.get("leases", gate.name, SYSTEM)["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Pod", "a", "u")
    works = api.get("leases", other.name, SYSTEM)
    works["spec"]["holderIdentity"] = "b_1"
    api.put("leases", works)

    background(gate.keep_open(client))
    await until(lambda: holder(api, gate.name) == "")
    # The one of the pod that led before stops at its next renewal.
    await until(lambda: holder(api, other.name) == KEEPER)


async def test_a_kube_scheduler_that_died_leaves_its_lease_to_the_next_one(
    api, client, background, until, monkeypatch
):
    monkeypatch.setattr("kubeyarn.scheduler.leader.kube_scheduler_gate._SILENT_S", 0.1)
    monkeypatch.setattr("kubeyarn.scheduler.leader.kube_scheduler_gate._LOOK_S", 0.05)
    gate = KubeSchedulerGate(SYSTEM, "a-kube-scheduler")
    await gate.shut(client)
    background(gate.keep_open(client))
    await until(lambda: holder(api, gate.name) == "")
    lease = api.get("leases", gate.name, SYSTEM)
    lease["spec"] |= {"holderIdentity": "a_1", "renewTime": "then"}
    api.put("leases", lease)

    await until(lambda: holder(api, gate.name) == "")


# The AM service.


async def test_the_service_leads_to_whoever_leads(api, client, background, until, monkeypatch):
    monkeypatch.setattr(endpoint, "_LOOK_S", 0.05)
    api.put("services", {"metadata": {"name": endpoint.NAME, "namespace": SYSTEM}})

    def addresses():
        found = api.get("endpointslices", endpoint.NAME, SYSTEM)
        return [e["addresses"] for e in found["endpoints"]] if found else []

    first = background(endpoint.keep(client, Settings(pod_ip="10.0.0.7")))
    await until(lambda: addresses() == [["10.0.0.7"]])
    owner = api.get("endpointslices", endpoint.NAME, SYSTEM)["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"]) == ("Service", endpoint.NAME)
    first.cancel()
    background(endpoint.keep(client, Settings(pod_ip="10.0.0.8")))
    await until(lambda: addresses() == [["10.0.0.8"]])


async def test_outside_a_cluster_nothing_leads_anywhere(api, client, background):
    background(endpoint.keep(client, Settings()))
    await asyncio.sleep(0.1)

    assert api.get("endpointslices", endpoint.NAME, SYSTEM) is None
