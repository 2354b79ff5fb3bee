"""Starts a fresh cluster: what does not wait for each other starts at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.local import controlplane, fakenodes, health, node

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from kubeyarn.local.api import Api
    from kubeyarn.local.cluster_config import ClusterConfig
    from kubeyarn.local.processes import Components

TIMEOUT_SECONDS = 60.0
_SECONDS_PER_FAKE_NODE = 0.1


@dataclass(frozen=True, slots=True)
class Start:
    """One start of one cluster."""

    cluster: ClusterConfig
    components: Components
    claim: socket.socket
    api: Api
    say: Callable[[str], None]

    def run(self, images: Sequence[Path], audit_log: Path | None) -> None:
        """Start everything and wait until it is ready.

        Raises LocalClusterError when a component ends or is not ready in time.
        """
        record = self.cluster.record
        controlplane.write_kubeconfigs(self.cluster.layout, record, self.cluster.certificates)
        if record.kubelet:
            node.prepare(record, self.cluster.layout)
        with ThreadPoolExecutor() as pool:
            tasks: list[Future[None]] = []
            if record.kubelet:
                # Importing images waits for the disk, the API server for the processor.
                runtime = pool.submit(self._start_runtime)
                tasks.append(pool.submit(self._import, runtime, images))
            self._start_api_server(audit_log)
            tasks.append(pool.submit(self._start_controllers))
            if record.fake_nodes:
                tasks.append(pool.submit(self._start_fake_nodes))
            if record.kubelet:
                tasks.append(pool.submit(self._start_node, runtime))
            for task in tasks:
                task.result()

    def _start_api_server(self, audit_log: Path | None) -> None:
        self.components.start(controlplane.etcd(self.cluster), self.claim)
        self.components.start(controlplane.api_server(self.cluster, audit_log), self.claim)
        # What comes next ends at once where no API server answers.
        self._wait("kube-apiserver")
        self.say(f"API server answers on {self.cluster.record.addresses.api_server_url}")

    def _start_controllers(self) -> None:
        for component in (
            controlplane.controller_manager(self.cluster),
            controlplane.scheduler(self.cluster),
        ):
            self.components.start(component, self.claim)
        for name in ("etcd", "kube-controller-manager", "kube-scheduler"):
            self._wait(name)
        # Without it no pod can be created in the namespace.
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        health.wait_until(lambda: self.api.answers(account), account, TIMEOUT_SECONDS)
        self.say("control plane is ready")

    def _start_fake_nodes(self) -> None:
        self.components.start(fakenodes.component(self.cluster), self.claim)
        count = self.cluster.record.fake_nodes
        fakenodes.create(self.api, count)
        self._wait("kwok")
        self._wait_ready(fakenodes.name(number) for number in range(count))
        self.say(f"{count} fake nodes are ready")

    def _start_runtime(self) -> None:
        self.components.start(node.containerd(self.cluster), self.claim)
        self._wait("containerd")
        for archive in node.images(self.say):
            self._import_one(archive)

    def _import(self, runtime: Future[None], images: Sequence[Path]) -> None:
        runtime.result()
        for archive in images:
            self._import_one(archive)

    def _import_one(self, archive: Path) -> None:
        node.import_image(self.cluster.record.slot, self.cluster.binaries["ctr"], archive)

    def _start_node(self, runtime: Future[None]) -> None:
        self.components.start(node.service_proxy(self.cluster), self.claim)
        runtime.result()
        self.components.start(node.kubelet(self.cluster), self.claim)
        self._wait("kubelet")
        self._wait_ready([self.cluster.layout.node_name])
        self.say(f"node {self.cluster.layout.node_name} is ready")

    def _wait(self, component: str) -> None:
        authority = self.cluster.certificates.authority.certificate
        health.wait_healthy(self.components, component, authority, TIMEOUT_SECONDS)

    def _wait_ready(self, names: Iterable[str]) -> None:
        wanted = set(names)
        health.wait_until(
            lambda: wanted <= _ready_nodes(self.api),
            f"{len(wanted)} nodes Ready, {min(wanted)} first",
            TIMEOUT_SECONDS + len(wanted) * _SECONDS_PER_FAKE_NODE,
        )


def _ready_nodes(api: Api) -> set[str]:
    nodes = api.get("/api/v1/nodes") or {}
    items = nodes["items"]
    assert isinstance(items, list)
    return {item["metadata"]["name"] for item in items if _is_ready(item)}


def _is_ready(item: Mapping[str, Mapping[str, Sequence[Mapping[str, str]]]]) -> bool:
    conditions = item["status"].get("conditions", ())
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
