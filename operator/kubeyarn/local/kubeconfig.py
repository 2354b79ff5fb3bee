"""Kubeconfig files, with everything they refer to inside."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import yaml

from kubeyarn.local import pki

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, cluster: str, server: str, authority: Path, user: pki.Pair) -> Path:
    """Write the kubeconfig of one user of one cluster, readable by its owner only."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": _encoded(authority),
                },
            }
        ],
        "users": [
            {
                "name": path.stem,
                "user": {
                    "client-certificate-data": _encoded(user.certificate),
                    "client-key-data": _encoded(user.key),
                },
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": path.stem}}],
        "current-context": cluster,
    }
    pki.write_private(path, yaml.safe_dump(content, sort_keys=False).encode())
    return path


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
