"""Killing a process inside a pod from outside, by its pid on the machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def kill_in_pod(uid: str, program: str) -> int:
    """Send SIGKILL to the one process of a pod that runs *program*; returns its pid."""
    found = [pid for pid in in_pod(uid) if program in _command(pid)]
    assert len(found) == 1, f"{program} in pod {uid}: pids {found} of {in_pod(uid)}"
    os.kill(found[0], signal.SIGKILL)
    return found[0]


def in_pod(uid: str) -> list[int]:
    """The pids of a pod's processes, by the cgroup that the kubelet made for it."""
    names = (f"pod{uid}", f"pod{uid.replace('-', '_')}")
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and any(name in _groups(entry) for name in names)
    ]


def _groups(process: Path) -> str:
    try:
        return (process / "cgroup").read_text()
    except OSError:
        return ""


def _command(pid: int) -> list[str]:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
    return [*words, *(Path(word).name for word in words)]
