"""The cgroup that all pods of a cluster live below, in every hierarchy of the machine."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local import processes
from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOUNT = Path("/sys/fs/cgroup")
_PATIENCE_SECONDS = 10.0
_NEEDED = ("cpu", "cpuset", "memory", "pids")


def is_unified() -> bool:
    """Whether the machine has cgroup v2 only."""
    return (_MOUNT / "cgroup.controllers").exists()


def name(slot: int) -> str:
    """The cgroup of a slot's cluster, from the root of each hierarchy."""
    return f"kubeyarn-{slot}"


def create(slot: int) -> None:
    """Make the cgroup in every hierarchy; the kubelet wants it to exist.

    Raises LocalClusterError where cgroup v2 does not hand down the controllers that pods need.
    """
    for hierarchy in _hierarchies():
        with contextlib.suppress(FileExistsError):
            (hierarchy / name(slot)).mkdir()
        _inherit_cpuset(hierarchy / name(slot))
    if is_unified():
        _delegate(_MOUNT)
        _delegate(_MOUNT / name(slot))
        _expect_controllers(_MOUNT / name(slot))


def remove(slot: int) -> None:
    """Kill what runs in the cgroup and remove it everywhere.

    Raises LocalClusterError when a cgroup stays in use.
    """
    for hierarchy in _hierarchies():
        processes.end(processes.of_pids(_members(hierarchy / name(slot))), 0)
    for hierarchy in _hierarchies():
        _remove_tree(hierarchy / name(slot))


def exists(slot: int) -> bool:
    """Whether a hierarchy still has the cgroup."""
    return any((hierarchy / name(slot)).exists() for hierarchy in _hierarchies())


def _hierarchies() -> list[Path]:
    if is_unified():
        return [_MOUNT]
    mounted = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return [Path(fields[1]) for fields in mounted if fields[2] in {"cgroup", "cgroup2"}]


def _inherit_cpuset(group: Path) -> None:
    # On v1 a new cpuset is empty and takes no process until it says which CPUs and memory it has.
    for setting in ("cpuset.cpus", "cpuset.mems"):
        own, parent = group / setting, group.parent / setting
        if not is_unified() and own.exists() and not own.read_text().strip():
            own.write_text(parent.read_text())


def _delegate(group: Path) -> None:
    available = (group / "cgroup.controllers").read_text().split()
    for controller in available:
        # Processes in the root of a container's hierarchy forbid this; what is missing then is
        # said for all controllers together.
        with contextlib.suppress(OSError):
            (group / "cgroup.subtree_control").write_text(f"+{controller}")


def _expect_controllers(group: Path) -> None:
    present = (group / "cgroup.controllers").read_text().split()
    missing = [controller for controller in _NEEDED if controller not in present]
    if missing:
        raise LocalClusterError(
            f"cgroup {group}: no controllers {', '.join(missing)} for pods, has: {present};"
            " in a container, run it with the host's cgroup namespace (docker run --cgroupns=host)"
        )


def _members(group: Path) -> Iterator[int]:
    for directory, _, _ in os.walk(group):
        with contextlib.suppress(OSError):
            yield from map(int, Path(directory, "cgroup.procs").read_text().split())


def _remove_tree(group: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for directory, _, _ in os.walk(group, topdown=False):
        while True:
            try:
                Path(directory).rmdir()
                break
            except FileNotFoundError:
                break
            except OSError as error:
                # The kernel empties a cgroup a moment after its last process ended.
                if time.monotonic() > deadline:
                    raise LocalClusterError(f"cgroup {directory}: {error}") from error
                time.sleep(0.02)
