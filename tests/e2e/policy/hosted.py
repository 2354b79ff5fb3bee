"""KubeYARN's processes and its kube-scheduler, run on this machine beside a control plane."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from e2e.crd.server import Server
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.installing import NAMESPACE
from kubeyarn.local.layout import layout
from kubeyarn.local.lookup import Lookup
from kubeyarn.local.ports import claim
from kubeyarn.local.processes import MARK

CHART = Path(__file__).parents[3] / "charts" / "kubeyarn"
KUBEYARN = Path(sys.executable).parent / "kubeyarn"


@dataclass
class Hosted:
    """Three processes by name; each is ended by its own pid."""

    cluster: LocalCluster
    directory: Path
    extender: int = field(default_factory=claim)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _health: dict[str, int] = field(default_factory=dict)

    def start_all(self) -> None:
        self.start("resourcemanager")
        self.start("scheduler")
        self._start_kube_scheduler()
        self.wait_ready("resourcemanager")
        self.wait_ready("scheduler")

    def start(self, name: str) -> None:
        """Start one of KubeYARN's processes; it may take over its own Lease at once."""
        health = self._health[name] = claim()
        port = "--am-port" if name == "resourcemanager" else "--extender-port"
        number = claim() if name == "resourcemanager" else self.extender
        flags = (f"{port}={number}",)
        command = [
            *(str(KUBEYARN), name, "--kubeconfig", str(self.cluster.kubeconfig_path)),
            *(f"--namespace={NAMESPACE}", f"--health-port={health}", *flags),
        ]
        self._spawn(name, command)

    def restart_scheduler(self) -> None:
        """`kill -9`, and the same again."""
        self.kill("scheduler")
        self.start("scheduler")

    def kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop_all(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def ended(self) -> list[str]:
        """The processes that are not running any more although nobody ended them."""
        return [name for name, process in self._running.items() if process.poll() is not None]

    def wait_ready(self, name: str, seconds: float = 60) -> None:
        url = f"http://127.0.0.1:{self._health[name]}/leading"
        deadline = time.monotonic() + seconds
        while not _answers(url):
            assert time.monotonic() < deadline, f"{name} is not ready: {self.log(name)}"
            assert self._running[name].poll() is None, f"{name} has ended: {self.log(name)}"
            time.sleep(0.1)

    def log(self, name: str, lines: int = 60) -> str:
        text = (self.directory / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _start_kube_scheduler(self) -> None:
        found = Lookup(print).find(["kube-scheduler"])
        config = self.directory / "kube-scheduler.yaml"
        config.write_text(self._configuration())
        pair = ["--cert-dir", str(self.directory / "pki"), "--bind-address=127.0.0.1"]
        flags = [f"--config={config}", f"--secure-port={claim()}", *pair]
        kubeconfig = str(self.cluster.kubeconfig_path)
        access = ("authentication-kubeconfig", "authorization-kubeconfig")
        flags += [f"--{name}={kubeconfig}" for name in access]
        self._spawn("kube-scheduler", [str(found["kube-scheduler"]), *flags])

    def _configuration(self) -> str:
        """What the chart's ConfigMap says, with the way to this cluster."""
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/kubeyarn-scheduler"
        found = Server(self.cluster.kubeconfig_path).call("GET", path).body
        said = yaml.safe_load(found["data"]["kube-scheduler.yaml"])
        said["clientConnection"]["kubeconfig"] = str(self.cluster.kubeconfig_path)
        return yaml.safe_dump(said)

    def _spawn(self, name: str, command: list[str]) -> None:
        # As in a pod whose container starts anew: the Lease's holder is known by the pod's name.
        variables = {**environment_in(self.cluster), "POD_NAME": f"{name}-0"}
        with (self.directory / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, stdout=log, stderr=log, env=variables, start_new_session=True
            )


def environment_in(cluster: LocalCluster) -> dict[str, str]:
    """The environment of a process that ends with a cluster, also when its test was interrupted.

    `kubeyarn cluster down` ends whatever carries the cluster's mark.
    """
    return {**os.environ, MARK: str(layout(cluster.name).directory)}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
