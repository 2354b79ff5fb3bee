"""Undoes what was mounted below a directory."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kubeyarn.local.errors import LocalClusterError


def below(directory: Path) -> list[str]:
    """The mount points at or below a directory, the deepest and latest first."""
    prefix = f"{directory}/"
    points = [
        _unescaped(line.split()[4])
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
    ]
    return [point for point in reversed(points) if f"{point}/".startswith(prefix)]


def undo(directory: Path) -> None:
    """Unmount everything at or below a directory; what is busy is detached.

    Raises LocalClusterError when something stays mounted.
    """
    for point in below(directory):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
    left = below(directory)
    if left:
        raise LocalClusterError(f"still mounted: {', '.join(left)}; unmount by hand")


def _unescaped(field: str) -> str:
    return field.encode().decode("unicode_escape")
