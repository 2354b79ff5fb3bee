"""Files that are there before a container's command starts (Hadoop: LocalResource). Pure.

Keys of ConfigMaps and Secrets are mounted at their paths, read-only, as they are when the pod
starts: like a NodeManager's localized files they do not change under a running container.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Object = dict[str, Any]
Files = Sequence[Mapping[str, Any]]

_NAME = "kubeyarn-file-"
_MOUNTED_AS = "file"


def volumes(files: Files) -> list[Object]:
    """One volume for each file, with its key alone."""
    return [{"name": f"{_NAME}{number}", **_source(file)} for number, file in _mounted(files)]


def mounts(files: Files, directory: str) -> list[Object]:
    """Where the files go; their paths are relative to *directory*."""
    return [
        {
            "name": f"{_NAME}{number}",
            "mountPath": posixpath.join(directory, file["path"]),
            "subPath": _MOUNTED_AS,
            "readOnly": True,
        }
        for number, file in _mounted(files)
    ]


def _mounted(files: Files) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, file in enumerate(files):
        plain = (file.get("type") or "File") == "File"
        if plain and (file.get("configMap") or file.get("secret")):
            yield number, file


def _source(file: Mapping[str, Any]) -> Object:
    said = file.get("configMap") or file["secret"]
    items = [{"key": said["key"], "path": _MOUNTED_AS}]
    if file.get("configMap"):
        return {"configMap": {"name": said["name"], "items": items}}
    return {"secret": {"secretName": said["name"], "items": items}}
