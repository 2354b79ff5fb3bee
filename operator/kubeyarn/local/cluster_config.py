"""What the components of one cluster are configured from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.local.layout import run_directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kubeyarn.local import pki
    from kubeyarn.local.layout import Layout, Record


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificates by which the components of a cluster know each other."""

    authority: pki.Pair
    etcd_authority: pki.Pair
    etcd: pki.Pair
    api_server: pki.Pair
    kubelet_client: pki.Pair
    service_accounts: pki.Pair
    admin: pki.Pair
    controller_manager: pki.Pair
    scheduler: pki.Pair
    node: pki.Pair


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """A cluster's files, record, programs and certificates."""

    layout: Layout
    record: Record
    binaries: Mapping[str, Path]
    certificates: Certificates

    @property
    def run(self) -> Path:
        """The directory of the node's sockets and of containerd's volatile state."""
        return run_directory(self.record.slot)
