"""What a machine must have before a cluster can start; asked first, said all at once."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from kubeyarn.local.errors import LocalClusterError

_TOOLS = {"ip": "iproute2", "mount": "mount", "umount": "mount"}


def check(*, kubelet: bool) -> None:
    """Make sure that the machine can run the cluster asked for.

    Raises LocalClusterError that names everything missing and what works without it.
    """
    missing = [*_platform(), *(_for_a_kubelet() if kubelet else ())]
    if not missing:
        return
    advice = (
        "\nWithout these a control plane with fake nodes still works:"
        " `kubeyarn cluster up --no-kubelet --fake-nodes 10`"
        if kubelet and not _platform()
        else ""
    )
    raise LocalClusterError("this machine lacks:\n- " + "\n- ".join(missing) + advice)


def _platform() -> list[str]:
    if sys.platform == "linux":
        return []
    return [f"Linux (this is {sys.platform}): use kind with kind-config.yaml instead"]


def _for_a_kubelet() -> list[str]:
    missing = []
    if os.geteuid() != 0:
        missing.append(
            "root: a real kubelet mounts, makes network devices and cgroups; run with sudo,"
            " or use kind with kind-config.yaml where Docker is there"
        )
    missing += [
        f"the program `{tool}`: install the package {package}"
        for tool, package in _TOOLS.items()
        if shutil.which(tool) is None
    ]
    if not os.access("/sys/fs/cgroup", os.W_OK):
        missing.append("a writable /sys/fs/cgroup: in a container, run it privileged")
    if not Path("/proc/sys/net").is_dir():
        missing.append("/proc/sys/net: mount procfs")
    return missing
