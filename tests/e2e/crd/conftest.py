from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.crd.server import Server
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.lookup import Lookup

CHART = Path(__file__).parents[3] / "charts" / "kubeyarn"
NAMESPACE = "kubeyarn-system"


@pytest.fixture(scope="package")
def helm() -> Path:
    return Lookup(print).find(["helm"])["helm"]


@pytest.fixture(scope="package")
def cluster() -> Iterator[LocalCluster]:
    """A control plane of these tests' own, without nodes: nothing here needs to run a pod."""
    cluster = LocalCluster("crd-e2e", kubelet=False, say=print)
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.down()


@pytest.fixture(scope="package")
def server(cluster: LocalCluster, helm: Path) -> Server:
    """An API server on which the chart was installed as users do it, with no process running."""
    replicas = "resourcemanager.replicas=0,scheduler.replicas=0"
    command = [helm, "install", "kubeyarn", CHART, "--namespace", NAMESPACE, "--create-namespace"]
    done = subprocess.run(
        [*command, "--set", replicas, "--kubeconfig", cluster.kubeconfig_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return Server(cluster.kubeconfig_path)


@pytest.fixture
def kubectl(server: Server, cluster: LocalCluster) -> Callable[..., str]:
    """Runs kubectl as administrator and gives back what it printed."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [cluster.kubectl, "--kubeconfig", server.kubeconfig, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
