"""Where a container finds its directories (Hadoop: ContainerLaunch, LocalDirsHandlerService). Pure.

As on a NodeManager, LOCAL_DIRS holds the container's own directory, which is its working directory
and has its files and its launch script; LOG_DIRS is for what it writes to files of its own.
"""

from __future__ import annotations

import posixpath

from kubeyarn.cluster import names
from kubeyarn.crd.object import Object
from kubeyarn.model.ids import ContainerId

LOCAL_DIR = "/kubeyarn/local"
LOG_DIR = "/kubeyarn/logs"
TOKEN_DIR = "/var/run/secrets/kubeyarn.io"
TOKEN_SECONDS = 3600

_LOCAL, _LOGS, _TOKEN = "kubeyarn-local", "kubeyarn-logs", "kubeyarn-token"


def container_directory(container: ContainerId) -> str:
    """A container's own directory (Hadoop: PWD)."""
    return posixpath.join(LOCAL_DIR, str(container))


def volumes(role: str) -> list[Object]:
    """Directories that live as long as the pod, and an ApplicationMaster's token."""
    made: list[Object] = [
        {"name": _LOCAL, "emptyDir": {}},
        {"name": _LOGS, "emptyDir": {}},
    ]
    if role == names.ROLE_AM:
        made.append(_token())
    return made


def mounts(container: ContainerId, role: str) -> list[Object]:
    """Where they are; the container's own directory is made by the kubelet, open to any user."""
    made: list[Object] = [
        {"name": _LOCAL, "mountPath": LOCAL_DIR},
        {
            "name": _LOCAL,
            "mountPath": container_directory(container),
            "subPath": str(container),
        },
        {"name": _LOGS, "mountPath": LOG_DIR},
    ]
    if role == names.ROLE_AM:
        made.append({"name": _TOKEN, "mountPath": TOKEN_DIR, "readOnly": True})
    return made


def _token() -> Object:
    """The kubelet writes the token anew before it expires."""
    token = {"audience": names.AM_AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": "token"}
    sources = [{"serviceAccountToken": token}]
    return {"name": _TOKEN, "projected": {"sources": sources, "defaultMode": 0o444}}
