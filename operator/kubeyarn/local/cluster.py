"""Brings a Kubernetes cluster on this machine up and down, and ends and starts its components."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local import (
    controlplane,
    health,
    locking,
    node,
    prerequisites,
    processes,
    shared_directories,
    slots,
)
from kubeyarn.local.api import Api
from kubeyarn.local.binaries import CONTROL_PLANE, NODE
from kubeyarn.local.cluster_config import ClusterConfig
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.layout import Record, boot_id, layout
from kubeyarn.local.lookup import Lookup
from kubeyarn.local.processes import Components
from kubeyarn.local.starting import TIMEOUT_SECONDS, Start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """How one component is."""

    name: str
    pid: int
    version: str
    healthy: bool


class LocalCluster:
    """One cluster of this machine, by name.

    Args:
        name: What its files and nodes are called; several clusters live side by side.
        fake_nodes: How many nodes KWOK pretends to run.
        kubelet: Whether a real kubelet and containerd run; only root can have them.
        audit_log: A file for the API server's audit log of metadata.
        say: Called with a line of progress, for people.
    """

    def __init__(
        self,
        name: str = "kubeyarn",
        *,
        fake_nodes: int = 0,
        kubelet: bool = True,
        audit_log: Path | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._layout = layout(name)
        self._fake_nodes = fake_nodes
        self._kubelet = kubelet
        self._audit_log = audit_log
        self._say = say
        self._components = Components(self._layout.directory)

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self._layout.name

    @property
    def kubeconfig_path(self) -> Path:
        """The administrator's kubeconfig; it is there once the cluster is up."""
        return self._layout.kubeconfig

    @property
    def node_name(self) -> str:
        """The real node's name."""
        return self._layout.node_name

    @property
    def api(self) -> Api:
        """Calls to the API server as administrator.

        Raises LocalClusterError where the cluster is not up.
        """
        addresses = self._record().addresses
        return Api(
            str(addresses.api_server),
            addresses.api_server_port,
            self._authority,
            controlplane.admin(self._layout),
        )

    def up(self, images: Sequence[Path] = ()) -> None:
        """Bring the cluster up and wait until its nodes are ready.

        In a cluster that is up, components that have ended are started again. Otherwise the
        remains of a crashed or rebooted cluster are removed, and a fresh one is started.

        Raises LocalClusterError when something is missing, or ended, or is not ready in time.
        """
        with locking.exclusive(self._layout.lock):
            record = self._layout.read()
            if record is not None and self._is_running(record):
                self._revive(record)
                for archive in images:
                    self.load_image(archive)
            else:
                self._clean(record)
                try:
                    self._start_fresh(images)
                except BaseException:
                    if self._layout.directory.exists():
                        self._say("failed: ending what was started")
                    self._clean(self._layout.read())
                    raise
        self._say(f"cluster {self.name} is up; export KUBECONFIG={self.kubeconfig_path}")

    def down(self) -> None:
        """End the cluster and remove all that is left of it; nothing happens where none is."""
        with locking.exclusive(self._layout.lock):
            self._clean(self._layout.read())
        clusters = self._layout.directory.parent
        shared_directories.remove_if_empty(clusters, clusters.parent)

    def status(self) -> list[ComponentStatus]:
        """How every component is, in the order of their names; empty for no cluster."""
        return [self._status(name) for name in self._components.names()]

    def is_up(self) -> bool:
        """Whether any process of it runs."""
        record = self._layout.read()
        return record is not None and self._is_running(record)

    def component_names(self) -> list[str]:
        """The names that stop, kill and start take."""
        return self._components.names()

    def stop(self, component: str) -> None:
        """End a component as a supervisor would: asked first."""
        processes.end(self._process(component), _PATIENCE_SECONDS)

    def kill(self, component: str) -> None:
        """Kill a component outright, as `kill -9` does."""
        processes.end(self._process(component), 0)

    def start(self, component: str, *, wait: bool = True) -> None:
        """Start a component that ended, as it was started before; one that runs is let be."""
        recorded = self._components.get(component)
        if recorded.process is None or not recorded.process.alive:
            self._components.start(recorded)
        if wait:
            self._wait_healthy(component)

    def log(self, component: str, lines: int = 50) -> str:
        """The end of a component's log."""
        return self._components.log_tail(component, lines)

    def load_image(self, archive: Path) -> None:
        """Import an OCI or Docker image archive into the node's containerd.

        Raises LocalClusterError where the cluster has no kubelet or the import fails.
        """
        record = self._record()
        if not record.kubelet:
            raise LocalClusterError(f"cluster {self.name} has no kubelet, so no place for images")
        node.import_image(record.slot, Lookup(self._say).find(["ctr"])["ctr"], archive)

    @property
    def kubectl(self) -> Path:
        """A kubectl that is not too old: from a setting, PATH, the cache, or fetched or built."""
        return Lookup(self._say).find(["kubectl"])["kubectl"]

    # Starting

    def _start_fresh(self, images: Sequence[Path]) -> None:
        started = time.monotonic()
        prerequisites.check(kubelet=self._kubelet)
        # Before anything is made: to fetch or build programs may take minutes and may fail.
        binaries = Lookup(self._say).find(self._wanted())
        slot, claim = slots.claim(self.name)
        with claim:
            record = Record(slot, self._kubelet, self._fake_nodes, boot_id())
            self._layout.directory.mkdir(parents=True, mode=0o700)
            # First of all files: a start that is cut off is found and cleaned by it.
            self._layout.write(record)
            certificates = controlplane.issue(self._layout, record)
            config = ClusterConfig(self._layout, record, binaries, certificates)
            start = Start(config, self._components, claim, self.api, self._say)
            start.run(images, self._audit_log)
        self._say(f"ready in {time.monotonic() - started:.1f} s")

    def _wanted(self) -> list[str]:
        fake = ["kwok"] if self._fake_nodes else []
        return [*CONTROL_PLANE, *fake, *(NODE if self._kubelet else ())]

    # Coming back, ending

    def _is_running(self, record: Record) -> bool:
        # After a reboot a pid and even its start time may be another process's.
        if record.boot != boot_id():
            return False
        return any(self._alive(name) for name in self._components.names())

    def _alive(self, name: str) -> bool:
        process = self._components.get(name).process
        return process is not None and process.alive

    def _revive(self, record: Record) -> None:
        asked = (self._kubelet, self._fake_nodes)
        if asked != (record.kubelet, record.fake_nodes):
            raise LocalClusterError(
                f"cluster {self.name} is up with {_described(record.kubelet, record.fake_nodes)},"
                f" not with {_described(*asked)}: `kubeyarn cluster down --name {self.name}` first"
            )
        for name in _in_order_of_start(self._components.names()):
            if not self._alive(name):
                self._say(f"{name} had ended: starting it again")
                self.start(name)
        for name in self._components.names():
            self._wait_healthy(name)

    def _clean(self, record: Record | None) -> None:
        if record is None or record.boot == boot_id():
            for names in _in_order_of_end(self._components.names()):
                processes.end([p for name in names for p in self._process(name)], _PATIENCE_SECONDS)
        # By their mark: those that died between start and record, and children of what was ended.
        processes.end(self._components.marked(), 0)
        if record is not None and record.kubelet:
            self._clean_node(record)
        shutil.rmtree(self._layout.directory, ignore_errors=True)

    def _clean_node(self, record: Record) -> None:
        node.clean_files(self._layout)
        # Long after a crash the slot may be another cluster's, and what bears its name with it.
        slot, claim = slots.claim(self.name, record.slot)
        with claim:
            if slot == record.slot:
                node.clean_slot(record)

    # Asking

    @property
    def _authority(self) -> Path:
        return controlplane.authority(self._layout)

    def _record(self) -> Record:
        record = self._layout.read()
        if record is None:
            raise LocalClusterError(
                f"cluster {self.name} is not up: `kubeyarn cluster up --name {self.name}`"
            )
        return record

    def _process(self, component: str) -> list[processes.Process]:
        process = self._components.get(component).process
        return [process] if process else []

    def _status(self, name: str) -> ComponentStatus:
        component = self._components.get(name)
        alive = component.process is not None and component.process.alive
        pid = component.process.pid if component.process and alive else 0
        return ComponentStatus(
            name, pid, component.version, health.healthy(component, self._authority)
        )

    def _wait_healthy(self, component: str) -> None:
        health.wait_healthy(self._components, component, self._authority, TIMEOUT_SECONDS)


def _described(kubelet: bool, fake_nodes: int) -> str:
    return f"{'a' if kubelet else 'no'} kubelet and {fake_nodes} fake nodes"


def _in_order_of_start(names: Sequence[str]) -> list[str]:
    first = ["etcd", "kube-apiserver"]
    return [name for name in first if name in names] + [n for n in names if n not in first]


def _in_order_of_end(names: Sequence[str]) -> list[list[str]]:
    # The kubelet first, or it would start again what ends under it; etcd last.
    order = [["kubelet"], ["containerd", "kwok", "service-proxy"], []]
    known = {name for group in order for name in group} | {"etcd"}
    order[2] = [name for name in names if name not in known]
    return [[name for name in group if name in names] for group in [*order, ["etcd"]]]
