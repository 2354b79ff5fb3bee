from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubeyarn.local.addresses import Addresses
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.layout import layout, run_directory


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of the test's own; the cache of programs is the user's, being large."""
    directory = tmp_path / "state"
    monkeypatch.setenv("KUBEYARN_STATE_DIR", str(directory))
    return directory


@pytest.fixture
def a_cluster(state: Path) -> Iterator[Callable[..., LocalCluster]]:
    """Makes clusters that are ended with the test, whatever becomes of it."""
    made: list[LocalCluster] = []

    def make(name: str, *, fake_nodes: int = 0, kubelet: bool = False) -> LocalCluster:
        cluster = LocalCluster(name, fake_nodes=fake_nodes, kubelet=kubelet, say=print)
        made.append(cluster)
        return cluster

    yield make
    for cluster in made:
        cluster.down()


class Traces:
    """What a cluster leaves on the machine, looked for by what it is made of, not by its record."""

    def __init__(self, name: str, state: Path) -> None:
        record = layout(name).read()
        assert record is not None
        self._state = str(state)
        self._slot = record.slot
        self._addresses = Addresses(record.slot, record.kubelet)
        sandboxes = run_directory(record.slot).glob("containerd/*.task/k8s.io/*")
        self._sandboxes = {path.name for path in sandboxes}

    def found(self) -> list[str]:
        return [
            *self._processes(),
            *self._mounts(),
            *self._devices(),
            *self._cgroups(),
            *self._files(),
        ]

    def _processes(self) -> Iterator[str]:
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or entry.name == str(os.getpid()):
                continue
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                groups = (entry / "cgroup").read_text()
            except OSError:
                continue
            ours = self._state in command or f"/kubeyarn-{self._slot}/" in groups
            if ours and state != "Z":
                yield f"process {entry.name}: {command[:80]}"

    def _mounts(self) -> Iterator[str]:
        run = f"{run_directory(self._slot)}/"
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            if run in line or self._state in line:
                yield f"mount {line.split()[4]}"

    def _devices(self) -> Iterator[str]:
        shown = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True)
        for line in shown.stdout.splitlines():
            if f" {self._addresses.bridge}:" in line or f"master {self._addresses.bridge} " in line:
                yield f"device {line.split()[1]}"

    def _cgroups(self) -> Iterator[str]:
        for path in Path("/sys/fs/cgroup").glob(f"**/kubeyarn-{self._slot}"):
            yield f"cgroup {path}"

    def _files(self) -> Iterator[str]:
        for path in (Path(self._state), run_directory(self._slot)):
            if path.exists():
                yield f"file {path}"
        notes = Path("/var/lib/cni/results")
        for path in notes.iterdir() if notes.is_dir() else ():
            if any(sandbox in path.name for sandbox in self._sandboxes):
                yield f"file {path}"
        logs = Path("/var/log/containers")
        for link in logs.iterdir() if logs.is_dir() else ():
            if self._state in str(link.readlink()):
                yield f"link {link}"


@pytest.fixture
def traces(state: Path) -> Callable[[str], Traces]:
    return lambda name: Traces(name, state)
