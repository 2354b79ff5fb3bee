"""Fake nodes: Node objects that KWOK keeps ready and whose pods it pretends to run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import TYPE_CHECKING

from kubeyarn.local.binaries import KUBERNETES_VERSION, KWOK_VERSION
from kubeyarn.local.processes import Component, flag_list

if TYPE_CHECKING:
    from kubeyarn.local.api import Api
    from kubeyarn.local.cluster_config import ClusterConfig

_PORT = 10247
_LEASE_SECONDS = 40
_MANAGED = "kwok.x-k8s.io/node"
_CAPACITY = {"cpu": "32", "memory": "128Gi", "pods": "256", "ephemeral-storage": "1Ti"}


def component(cluster: ClusterConfig) -> Component:
    """KWOK, driving only the nodes that are marked as fake."""
    layout, record = cluster.layout, cluster.record
    stages = layout.of("stages.yaml")
    stages.write_bytes(resources.files("kubeyarn.local").joinpath("stages.yaml").read_bytes())
    server = f"{record.addresses.loopback}:{_PORT}"
    flags = {
        "kubeconfig": layout.kubeconfig,
        "config": stages,
        "manage-all-nodes": "false",
        "manage-nodes-with-annotation-selector": f"{_MANAGED}=fake",
        "node-lease-duration-seconds": _LEASE_SECONDS,
        "server-address": server,
        "node-ip": record.addresses.node,
    }
    return Component(
        name="kwok",
        version=KWOK_VERSION,
        arguments=(str(cluster.binaries["kwok"]), *flag_list(flags)),
        environment=(),
        process=None,
        health=f"http://{server}/healthz",
    )


def create(api: Api, count: int) -> None:
    """Create that many fake nodes; those that are there already stay."""
    with ThreadPoolExecutor(8) as pool:
        for made in [pool.submit(api.create, "/api/v1/nodes", node(i)) for i in range(count)]:
            made.result()


def name(number: int) -> str:
    """The name of the fake node of this number."""
    return f"fake-{number:04d}"


def node(number: int) -> dict[str, object]:
    """The fake node of this number: 32 cores and 128 GiB, four racks of nodes in turn."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name(number),
            "annotations": {_MANAGED: "fake"},
            "labels": {
                "kubernetes.io/hostname": name(number),
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "type": "kwok",
                "topology.kubernetes.io/zone": f"rack-{number % 4}",
            },
        },
        "status": {
            "capacity": _CAPACITY,
            "allocatable": _CAPACITY,
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "kubeletVersion": f"{KUBERNETES_VERSION}-fake",
                "kubeProxyVersion": "",
                "containerRuntimeVersion": f"kwok://{KWOK_VERSION[1:]}",
                "kernelVersion": "",
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
                "osImage": "",
            },
        },
    }
