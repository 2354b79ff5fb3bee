"""A cluster like that of the policy tests: fake nodes, and KubeYARN's processes beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.crd.server import Server
from e2e.policy.conftest import NODES, _install, _shape_nodes, tree, world
from e2e.policy.hosted import Hosted
from kubeyarn.local.cluster import LocalCluster

__all__ = ["tree", "world"]


@pytest.fixture(scope="package")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """The cluster with the chart's objects and the processes; no pod of KubeYARN runs in it."""
    cluster = LocalCluster("e2e-attempts", fake_nodes=NODES + 2, kubelet=False, say=print)
    hosted = Hosted(cluster, tmp_path_factory.mktemp("attempts"))
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
