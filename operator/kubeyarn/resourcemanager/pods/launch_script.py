"""The launch script of a container, kept where a NodeManager keeps it. Pure.

Kubernetes runs the command without it; whoever looks into a container finds in it what was run,
with which environment, and can run that again (Hadoop: ContainerLaunch, launch_container.sh).
It travels as an annotation of the pod, so that it needs neither an object nor a shell in the image.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubeyarn.crd.object import Object
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.pods.directories import container_directory

ANNOTATION = "kubeyarn.io/launch-script"
FILE = "launch_container.sh"
# All annotations of an object together may have 256 KiB (Kubernetes: TotalAnnotationSizeLimitB).
LONGEST = 64 * 1024

_VOLUME = "kubeyarn-script"
_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def script(
    env: Iterable[Mapping[str, Any]], directory: str, command: Sequence[str], args: Sequence[str]
) -> str:
    """What a container runs, as a shell script; empty when that is too long to be kept."""
    lines = ["#!/bin/sh", "# What this container was started with.", "set -e"]
    known: set[str] = set()
    for variable in env:
        lines.append(_assigned(variable, known))
        known.add(str(variable["name"]))
    lines.append(f"cd {shlex.quote(directory)}")
    words = " ".join(_quoted(word, known) for word in (*command, *args))
    lines.append(f"exec {words}" if command else f"# The image's own command, with: {words}")
    text = "\n".join(lines) + "\n"
    # A longer one would have the pod refused; the container starts without it as well.
    return text if len(text.encode()) <= LONGEST else ""


def volume() -> Object:
    """The script as a file, out of the pod's own annotation."""
    source = {"fieldRef": {"fieldPath": f"metadata.annotations['{ANNOTATION}']"}, "path": FILE}
    return {"name": _VOLUME, "downwardAPI": {"items": [source], "defaultMode": 0o555}}


def mount(container: ContainerId) -> Object:
    """Where the script is: in the container's own directory."""
    path = posixpath.join(container_directory(container), FILE)
    return {"name": _VOLUME, "mountPath": path, "subPath": FILE, "readOnly": True}


def _assigned(variable: Mapping[str, Any], known: set[str]) -> str:
    name = str(variable["name"])
    if "valueFrom" in variable or not _NAME.fullmatch(name):
        return f"# {name} is in the environment."
    return f"export {name}={_quoted(str(variable.get('value') or ''), known)}"


def _quoted(text: str, known: set[str]) -> str:
    """A word for the shell, with `$(NAME)` put in as Kubernetes does: known names only."""
    parts: list[str] = []
    end = 0
    for reference in _REFERENCE.finditer(text):
        name = reference[1]
        # Kubernetes leaves a reference to a variable that is not defined before as it is written.
        if name is not None and (name not in known or not _NAME.fullmatch(name)):
            continue
        parts.append(text[end : reference.start()])
        parts.append("$" if name is None else f"\0{name}\0")
        end = reference.end()
    whole = "".join([*parts, text[end:]])
    if "\0" not in whole:
        return shlex.quote(whole)
    pieces = whole.split("\0")
    return "".join(
        f'"${{{piece}}}"' if place % 2 else shlex.quote(piece) if piece else ""
        for place, piece in enumerate(pieces)
    )
