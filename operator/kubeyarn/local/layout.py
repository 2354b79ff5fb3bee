"""The files of one cluster and the record that `up` leaves for the commands after it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from kubeyarn.local.addresses import Addresses
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.user_directories import state_directory

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Record:
    """What a cluster was started with."""

    slot: int
    kubelet: bool
    fake_nodes: int
    boot: str

    @property
    def addresses(self) -> Addresses:
        """The cluster's addresses."""
        return Addresses(self.slot, self.kubelet)


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one cluster's files."""

    name: str
    directory: Path

    @property
    def record(self) -> Path:
        """The cluster's record."""
        return self.directory / "cluster.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.directory / "admin.kubeconfig"

    @property
    def lock(self) -> Path:
        """The lock of the commands that change this cluster."""
        return self.directory.parent / f".{self.name}.lock"

    @property
    def node_name(self) -> str:
        """The real node's name."""
        return f"{self.name}-node"

    def of(self, part: str) -> Path:
        """The file or directory of this name; its parents are made."""
        path = self.directory / part
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def read(self) -> Record | None:
        """The record, or None where no cluster was started or its record is not readable."""
        try:
            return Record(**json.loads(self.record.read_text()))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None

    def write(self, record: Record) -> None:
        """Keep the record."""
        partial = self.of(".cluster.partial")
        partial.write_text(json.dumps(asdict(record)))
        partial.rename(self.record)


def layout(name: str) -> Layout:
    """The layout of the cluster of this name.

    Raises LocalClusterError for a name that cannot be part of a node's name.
    """
    if not _NAME.fullmatch(name):
        raise LocalClusterError(
            f"cluster name {name!r}: use lower-case letters, digits and '-', at most 40,"
            " beginning and ending with a letter or digit"
        )
    return Layout(name, state_directory() / "clusters" / name)


def layouts() -> list[Layout]:
    """The layouts of all clusters of this user that were started and not ended."""
    directory = state_directory() / "clusters"
    if not directory.is_dir():
        return []
    return [layout(path.name) for path in sorted(directory.iterdir()) if path.is_dir()]


def boot_id() -> str:
    """What names this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def run_directory(slot: int) -> Path:
    """Where a cluster with a kubelet has its sockets: their paths must be short."""
    return Path("/run/kubeyarn") / str(slot)
