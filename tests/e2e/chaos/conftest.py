"""A control plane with fake nodes for the chaos test; KubeYARN's processes are behind a proxy."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.chaos.crew import Crew
from e2e.chaos.scripts import OURS
from e2e.crd.server import Server
from e2e.live.patience import until
from e2e.policy.hosted import CHART
from e2e.policy.world import MERGE, queue, root
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.installing import NAMESPACE as SYSTEM
from kubeyarn.local.lookup import Lookup

Json = dict[str, Any]

NAMESPACE = "chaos"
NODES = 12
# Amounts, so that nodes that come and go change no maximum.
MAXIMA = {"root.a": 40, "root.b": 30, "root.c": 48, "root.d": 24}
EACH = {"cpu": "16", "memory": "16Gi", "pods": "110"}


@pytest.fixture(scope="package")
def seed() -> int:
    """What decides which strikes come when; another one by the environment's CHAOS_SEED."""
    return int(os.environ.get("CHAOS_SEED") or "20251")


@pytest.fixture(scope="package")
def crew(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Iterator[Crew]:
    cluster = LocalCluster("e2e-chaos", fake_nodes=NODES, kubelet=False, say=print)
    crew = Crew(cluster, tmp_path_factory.mktemp("chaos"), seed)
    try:
        cluster.down()
        cluster.up()
        _install(cluster)
        server = Server(cluster.kubeconfig_path)
        for number in range(NODES):
            path = f"/api/v1/nodes/fake-{number:04d}/status"
            shape = {"status": {"allocatable": EACH, "capacity": EACH}}
            assert server.call("PATCH", path, shape, kind=MERGE).status == 200
        crew.start_all()
        yield crew
    finally:
        crew.stop_all()
        cluster.down()


@pytest.fixture(scope="package")
def server(crew: Crew) -> Server:
    """The API server itself, with a namespace and the queues in force."""
    server = Server(crew.cluster.kubeconfig_path)
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    assert server.call("POST", "/api/v1/namespaces", made).status == 201
    for one in tree():
        assert server.call("POST", f"{OURS}/yarnqueues", one).status == 201
    until(
        "queues are in force",
        lambda: queues(server),
        lambda found: all("effective" in status for status in found.values()),
    )
    return server


def queues(server: Server) -> dict[str, Json]:
    """The status of every queue."""
    found = server.call("GET", f"{OURS}/yarnqueues").body["items"]
    return {q["metadata"]["name"]: q.get("status") or {} for q in found}


def tree() -> list[Json]:
    more = {"userLimitFactor": "-1", "maximumAMShare": "100%"}
    return [
        root(),
        *(
            queue(
                path,
                capacityByResource={"memory": f"{most // 2}Gi", "cpu": str(most // 2)},
                maximumCapacityByResource={"memory": f"{most}Gi", "cpu": str(most)},
                **more,
            )
            for path, most in MAXIMA.items()
        ),
    ]


def _install(cluster: LocalCluster) -> None:
    helm = Lookup(print).find(["helm"])["helm"]
    # Pods of two replicas each, which no kubelet starts: the processes run beside.
    values = (
        "resourcemanager.replicas=2,scheduler.replicas=2",
        "admissionPolicies.enabled=false",
        "resourcemanager.nodeSelector.kubeyarn=none,scheduler.nodeSelector.kubeyarn=none",
    )
    command: list[str | Path] = [helm, "install", "kubeyarn", CHART, "--namespace", SYSTEM]
    command += ["--create-namespace", "--kubeconfig", cluster.kubeconfig_path]
    for value in values:
        command += ["--set", value]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
