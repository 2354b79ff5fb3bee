"""The way to kind: its configuration says only what kind knows, and the page fits it."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from docs.pages import ROOT, page
from kubeyarn.cluster import names
from kubeyarn.local.binaries import KUBERNETES_VERSION

Label = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")]


class Strict(BaseModel):
    """Fields that are not known are refused, as kind refuses them."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Mount(Strict):
    host_path: str
    container_path: str
    read_only: bool = False
    selinux_relabel: bool = False
    propagation: str = "None"


class PortMapping(Strict):
    container_port: int
    host_port: int = 0
    listen_address: str = ""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


class Patch(Strict):
    group: str = ""
    version: str = ""
    kind: str = ""
    patch: str


class Node(Strict):
    role: Literal["control-plane", "worker"] = "control-plane"
    image: str = ""
    labels: dict[str, Label] = {}
    extra_mounts: list[Mount] = []
    extra_port_mappings: list[PortMapping] = []
    kubeadm_config_patches: list[str] = []
    kubeadm_config_patches_json6902: list[Patch] = Field([], alias="kubeadmConfigPatchesJSON6902")


class Networking(Strict):
    ip_family: Literal["ipv4", "ipv6", "dual"] = "ipv4"
    api_server_port: int = 0
    api_server_address: str = ""
    pod_subnet: str = ""
    service_subnet: str = ""
    disable_default_cni: bool = Field(False, alias="disableDefaultCNI")
    kube_proxy_mode: Literal["iptables", "nftables", "ipvs", "none"] = "iptables"
    dns_search: list[str] = []


class Cluster(Strict):
    """kind's configuration (sigs.k8s.io/kind/pkg/apis/config/v1alpha4.Cluster)."""

    kind: Literal["Cluster"]
    api_version: Literal["kind.x-k8s.io/v1alpha4"]
    name: str = ""
    nodes: list[Node] = []
    networking: Networking = Networking()
    feature_gates: dict[str, bool] = {}
    runtime_config: dict[str, str] = {}
    kubeadm_config_patches: list[str] = []
    kubeadm_config_patches_json6902: list[Patch] = Field([], alias="kubeadmConfigPatchesJSON6902")
    containerd_config_patches: list[str] = []
    containerd_config_patches_json6902: list[str] = Field(
        [], alias="containerdConfigPatchesJSON6902"
    )


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster.model_validate(yaml.safe_load((ROOT / "kind-config.yaml").read_text()))


def test_the_configuration_says_only_what_kind_knows(cluster: Cluster) -> None:
    assert [node.role for node in cluster.nodes].count("control-plane") == 1
    assert len([node for node in cluster.nodes if node.role == "worker"]) >= 2


def test_its_nodes_show_racks_and_a_partition(cluster: Cluster) -> None:
    workers = [node for node in cluster.nodes if node.role == "worker"]

    assert len({node.labels[names.RACK] for node in workers}) == len(workers)
    assert any(names.PARTITION in node.labels for node in workers)


def test_what_is_said_of_versions_is_the_version_that_is_tested() -> None:
    minor = ".".join(KUBERNETES_VERSION.split(".")[:2])

    assert f"kindest/node:{minor}" in (ROOT / "kind-config.yaml").read_text()
    assert f"Kubernetes {minor.removeprefix('v')}" in page("docs/kind.md").text


def test_every_file_that_its_commands_name_is_there() -> None:
    named = [
        word
        for block in re.findall(r"```console\n(.*?)```", page("docs/kind.md").text, re.DOTALL)
        for word in shlex.split(block.replace("\\\n", " "), comments=True)
        if re.fullmatch(r"(?:examples|charts|operator)/\S+|kind-config\.yaml", word)
    ]

    assert "kind-config.yaml" in named
    assert "charts/kubeyarn" in named
    assert [word for word in named if not (ROOT / word).exists()] == []
