"""Containers whose templates say which nodes will do, through both processes and their restarts."""

from __future__ import annotations

from wire.processes.cluster import GROUP, NAMESPACE, ask

READY = [{"type": "Ready", "status": "True"}]
ROOM = {"cpu": "8", "memory": "16Gi"}
TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
TOLERATES = {"tolerations": [{"key": "gpu", "operator": "Exists"}]}
SSD = {"nodeSelector": {"disk": "ssd"}}


def put_node(cluster, name, *, labels=None, taints=()):
    node = {"metadata": {"name": name, "labels": labels or {}}, "spec": {"taints": list(taints)}}
    cluster.api.put("nodes", {**node, "status": {"allocatable": ROOM, "conditions": READY}})


def put_request(cluster, name, count, **spec):
    container = {"image": "task:1", "template": {"spec": spec}}
    wanted = {"application": "words", "priority": 1, "count": count, "container": container}
    wanted["resources"] = {"cpu": "1", "memory": "1Gi"}
    meta = {"name": name, "namespace": NAMESPACE}
    found = {**GROUP, "kind": "ContainerRequest", "metadata": meta, "spec": wanted}
    cluster.api.put("containerrequests", found)


def nodes_of(cluster, request):
    """The nodes of the pods that run for a request, one for each."""
    return [
        pod["spec"]["nodeName"]
        for pod in cluster.pods("task", phase="Running")
        if pod["metadata"]["annotations"]["kubeyarn.io/request"] == request
    ]


def waits(cluster, name):
    found = cluster.condition("containerrequests", name, "Satisfied", NAMESPACE)
    return found.get("reason"), found.get("message", "")


async def restart(cluster):
    for process in ("manager", "scheduler"):
        await cluster.kill(process)
    cluster.start_manager()
    cluster.start_scheduler()
    await cluster.ready()


async def test_containers_run_where_their_templates_let_them_also_after_a_restart(cluster, master):
    put_node(cluster, "n3", labels={"disk": "ssd"})
    put_node(cluster, "n4", taints=[TAINT])
    put_request(cluster, "ssd", 3, **SSD)
    put_request(cluster, "gpu", 2, **TOLERATES, nodeSelector={"disk": "tape"})
    put_request(cluster, "plain", 2)
    await cluster.until(lambda: nodes_of(cluster, "ssd") == ["n3"] * 3)
    await cluster.until(lambda: len(nodes_of(cluster, "plain")) == 2)
    assert "n4" not in nodes_of(cluster, "plain")
    await cluster.until(lambda: waits(cluster, "gpu")[0] == "NoNodeFits")
    assert waits(cluster, "gpu")[1].startswith("0 of 4 nodes match nodeSelector disk=tape")

    await restart(cluster)
    put_request(cluster, "more", 2, **SSD)
    await cluster.until(lambda: nodes_of(cluster, "more") == ["n3"] * 2)
    assert waits(cluster, "gpu")[0] == "NoNodeFits"
    put_node(cluster, "n4", labels={"disk": "tape"}, taints=[TAINT])
    await cluster.until(lambda: nodes_of(cluster, "gpu") == ["n4"] * 2)


async def test_what_waits_for_a_node_costs_no_writes(cluster, master):
    put_request(cluster, "ssd", 3, **SSD)
    await cluster.until(lambda: waits(cluster, "ssd")[0] == "NoNodeFits")
    await cluster.until_quiet(0.5)
    written = len(cluster.written())

    await master.beat(ask(1))
    await master.beat_until(lambda: master.containers)

    told = [name for _, name, _ in cluster.written()[written:] if name.endswith("/ssd")]
    assert told == []


async def test_a_master_waits_for_a_node_that_its_template_asks_for(cluster):
    template = {"spec": SSD}
    cluster.submit("tape", applicationMaster={"image": "words:1", "template": template})
    await cluster.until(lambda: waits(cluster, "tape-am-1")[0] == "NoNodeFits")
    assert "0 of 2 nodes match nodeSelector disk=ssd" in waits(cluster, "tape-am-1")[1]

    put_node(cluster, "n3", labels={"disk": "ssd"})
    await cluster.until(lambda: cluster.pods("am", phase="Running"))

    (pod,) = cluster.pods("am")
    assert pod["spec"]["nodeName"] == "n3"
