"""A control plane with fake nodes, and KubeYARN's processes beside it, for all these tests."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.crd.server import Server
from e2e.policy.hosted import CHART, Hosted
from e2e.policy.world import MERGE, World
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.installing import NAMESPACE
from kubeyarn.local.lookup import Lookup

Json = dict[str, Any]

# Five nodes of 8 make 40 containers of one core and 1Gi; one more node for each partition.
NODES = 5
GPU, SHARED = "fake-0005", "fake-0006"
EACH = {"cpu": "8", "memory": "8Gi", "pods": "110"}
STATUS_MERGE = {"status": {"allocatable": EACH, "capacity": EACH}}

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """The cluster with the chart's objects and the processes; no pod of KubeYARN runs in it."""
    directory = tmp_path_factory.mktemp("policy")
    audit_log = directory / "audit.log"
    cluster = LocalCluster(
        "e2e-policy", fake_nodes=NODES + 2, kubelet=False, audit_log=audit_log, say=print
    )
    hosted = Hosted(cluster, directory)
    try:
        cluster.down()
        cluster.up()
        _install(cluster, hosted.extender)
        _shape_nodes(Server(cluster.kubeconfig_path))
        hosted.start_all()
        yield hosted
    finally:
        hosted.stop_all()
        cluster.down()


def _install(cluster: LocalCluster, extender: int) -> None:
    helm = Lookup(print).find(["helm"])["helm"]
    values = (
        "resourcemanager.replicas=0,scheduler.replicas=0",
        "admissionPolicies.enabled=false",
        f"scheduler.extenderPort={extender}",
    )
    command: list[str | Path] = [helm, "install", "kubeyarn", CHART, "--namespace", NAMESPACE]
    command += ["--create-namespace", "--kubeconfig", cluster.kubeconfig_path]
    for value in values:
        command += ["--set", value]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def _shape_nodes(server: Server) -> None:
    for number in range(NODES + 2):
        path = f"/api/v1/nodes/fake-{number:04d}"
        assert server.call("PATCH", path + "/status", STATUS_MERGE, kind=MERGE).status == 200
    for name, partition in ((GPU, "gpu"), (SHARED, "shared")):
        labels = {"metadata": {"labels": {"kubeyarn.io/partition": partition}}}
        assert server.call("PATCH", f"/api/v1/nodes/{name}", labels, kind=MERGE).status == 200


@pytest.fixture
def world(hosted: Hosted, request: pytest.FixtureRequest) -> Iterator[World]:
    """A namespace and an empty queue tree; both are emptied again."""
    server = Server(hosted.cluster.kubeconfig_path)
    name = f"policy-{next(_numbers)}"
    found = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert server.call("POST", "/api/v1/namespaces", found).status == 201
    world = World(server, hosted, name)
    yield world
    ended = {name: hosted.log(name) for name in hosted.ended()}
    for name in ended:
        # The other tests go on with a new one.
        hosted.start(name)
    if request.session.testsfailed:
        for process in ("scheduler", "resourcemanager", "kube-scheduler"):
            print(f"--- {process}\n{hosted.log(process)}")
    world.empty()
    world.no_queues()
    assert not ended, "\n".join(ended.values())


@pytest.fixture
def tree(world: World) -> Callable[..., World]:
    """Puts a tree of queues in force and gives back the world."""

    def put(*queues: Json) -> World:
        world.put(*queues)
        world.in_force(*(queue["metadata"]["name"] for queue in queues))
        return world

    return put
