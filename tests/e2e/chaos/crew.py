"""KubeYARN's processes behind the proxy, each one killed outright and started anew at once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from e2e.crd.server import Server
from e2e.live.patience import until
from e2e.policy.hosted import KUBEYARN, environment_in
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.installing import NAMESPACE
from kubeyarn.local.lookup import Lookup
from kubeyarn.local.ports import claim

Json = dict[str, Any]

PROXY = Path(__file__).with_name("proxy.py")


REPLICAS = (0, 1)
# Those of a scheduler's pod.
KUBE_SCHEDULER = {f"scheduler-{n}": f"kube-scheduler-{n}" for n in REPLICAS}


@dataclass
class Crew:
    """Processes by name, two of each; `away` are those that are not to be started again yet."""

    cluster: LocalCluster
    directory: Path
    seed: int
    proxy: int = field(default_factory=claim)
    service: int = field(default_factory=claim)
    health: dict[str, int] = field(default_factory=dict)
    commands: dict[str, list[str]] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def start_all(self) -> None:
        kubeconfig = self._behind_the_proxy()
        direct = str(self.cluster.kubeconfig_path)
        ports = [str(self.proxy), str(self.service)]
        self._start("proxy", [sys.executable, str(PROXY), direct, *ports, str(self.seed)])
        until("the proxy answers", lambda: self._answers(self.proxy, "/-/struck"), seconds=20)
        for number in REPLICAS:
            self._start_replica(number, kubeconfig)
        for component in ("resourcemanager", "scheduler"):
            until(f"a {component} leads", lambda c=component: self.leader(c), seconds=60)

    def _start_replica(self, number: int, kubeconfig: Path) -> None:
        common = ["--kubeconfig", str(kubeconfig), f"--namespace={NAMESPACE}"]
        manager, scheduler = f"resourcemanager-{number}", f"scheduler-{number}"
        extender, lease = claim(), f"{scheduler}-kube-scheduler"
        # What has ended goes soon, so that lists stay short.
        own = [f"--am-port={claim()}", "--finished-pod-retention-seconds=15"]
        gate = f"--kube-scheduler-lease={lease}"
        self._start(manager, [*self._ours(manager), *common, *own])
        # As the init container does.
        standby = [str(KUBEYARN), "standby", *common, gate]
        subprocess.run(standby, check=True, timeout=60, env={**os.environ, "POD_NAME": scheduler})
        own = [f"--extender-port={extender}", gate]
        self._start(scheduler, [*self._ours(scheduler), *common, *own])
        command = self._kube_scheduler(number, kubeconfig, extender, lease)
        self._start(KUBE_SCHEDULER[scheduler], command)

    def _ours(self, name: str) -> list[str]:
        port = self.health[name] = claim()
        return [str(KUBEYARN), name.rpartition("-")[0], f"--health-port={port}"]

    def leader(self, component: str) -> str:
        """The replica that leads; empty when none does."""
        names = [f"{component}-{number}" for number in REPLICAS]
        return next((n for n in names if self._answers(self.health[n], "/leading")), "")

    def kill(self, name: str) -> None:
        """`kill -9`, and what supervises it starts it again."""
        with self.turn:
            self._kill(name)
            self._start(name, self.commands[name])

    def lose(self, name: str) -> list[str]:
        """`kill -9` of all in a pod; its node is gone, so nobody starts it until `bring_back`."""
        lost = [name, KUBE_SCHEDULER[name]] if name in KUBE_SCHEDULER else [name]
        with self.turn:
            for one in lost:
                self.away.add(one)
                self._kill(one)
        return lost

    def bring_back(self, names: list[str]) -> None:
        with self.turn:
            for name in names:
                self.away.discard(name)
                if name not in self.running:
                    self._start(name, self.commands[name])

    def _kill(self, name: str) -> None:
        process = self.running.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()

    def look_after(self) -> list[str]:
        """Start again what has ended by itself, as the kubelet does; returns which."""
        with self.turn:
            ended = [name for name, process in self.running.items() if process.poll() is not None]
            for name in ended:
                self._start(name, self.commands[name])
            return ended

    def storm(self, status: int, share: float, seconds: float) -> None:
        self._tell(f"/-/storm?status={status}&share={share}&seconds={seconds}")

    def cut_watches(self, seconds: float) -> None:
        self._tell(f"/-/cut?seconds={seconds}")

    def stop_all(self) -> dict[str, tuple[int, float]]:
        """Ask all to end, KubeYARN's first; returns exit codes and how long each took."""
        done: dict[str, tuple[int, float]] = {}
        for name in sorted(self.running, key=lambda name: (name == "proxy", name)):
            process = self.running.pop(name)
            began = time.monotonic()
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            done[name] = process.returncode, time.monotonic() - began
        return done

    def log(self, name: str) -> str:
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _start(self, name: str, command: list[str]) -> None:
        self.commands[name] = command
        if name in self.away:
            return
        # Loopback addresses are not allowed in an EndpointSlice.
        variables = {**environment_in(self.cluster), "POD_NAME": name, "POD_IP": own_address()}
        with (self.directory / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, stdout=log, stderr=log, env=variables, start_new_session=True
            )

    def _behind_the_proxy(self) -> Path:
        said = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.proxy}"}},
            ],
            "users": [{"name": "u", "user": {"token": "none"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        path = self.directory / "proxied.kubeconfig"
        path.write_text(yaml.safe_dump(said))
        return path

    def _kube_scheduler(
        self, number: int, kubeconfig: Path, extender: int, lease: str
    ) -> list[str]:
        """What the chart has for one of several, by way of the proxy."""
        place = f"/api/v1/namespaces/{NAMESPACE}/configmaps/kubeyarn-scheduler"
        found = Server(self.cluster.kubeconfig_path).call("GET", place).body
        said = yaml.safe_load(found["data"]["kube-scheduler.yaml"])
        assert said["leaderElection"]["leaderElect"] is True
        said["clientConnection"]["kubeconfig"] = str(kubeconfig)
        said["extenders"][0]["urlPrefix"] = f"http://127.0.0.1:{extender}/scheduler"
        config = self.directory / f"kube-scheduler-{number}.yaml"
        config.write_text(yaml.safe_dump(said))
        program = str(Lookup(print).find(["kube-scheduler"])["kube-scheduler"])
        pki = str(self.directory / f"pki-{number}")
        flags = ["--bind-address=127.0.0.1", f"--secure-port={claim()}", "--cert-dir", pki]
        elected = f"--leader-elect-resource-name={lease}"
        return [program, f"--config={config}", elected, *flags]

    def _tell(self, what: str) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.proxy}{what}", method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def _answers(self, port: int, path: str) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
        except OSError:
            return False
        return True


def own_address() -> str:
    """An address of this machine that is no loopback one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Nothing is sent: this only asks which address a packet would have.
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
