"""Which files are counted, and how they are cut into splits, one split for a map."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# What else is installed beside the standard library differs from image to image.
_NOT_STANDARD = {"site-packages", "dist-packages", "__pycache__"}


class InputError(Exception):
    """There is nothing to count, or a file is not what it was when the work was split."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to count; *size* in bytes."""

    path: str
    size: int


def standard_library() -> list[File]:
    """All Python sources of this interpreter's standard library, sorted by path."""
    root = Path(sysconfig.get_paths()["stdlib"])
    return [f for f in _walk(root) if f.path.endswith(".py")]


def find(paths: Iterable[str]) -> list[File]:
    """The files *paths* name, and those under the directories among them, sorted by path.

    Names that begin with a dot are left out of directories, because the directories of a mounted
    ConfigMap hold every file twice.

    Raises:
        InputError: a path does not exist.
    """
    files: dict[str, File] = {}
    for name in paths:
        path = Path(name)
        if path.is_dir():
            files.update((f.path, f) for f in _walk(path))
        elif path.is_file():
            files[name] = File(name, path.stat().st_size)
        else:
            raise InputError(f"input {name}: no such file or directory")
    return [files[path] for path in sorted(files)]


def group(files: Sequence[File], splits: int) -> list[list[File]]:
    """Cut *files*, in their order, into at most *splits* groups of about equal bytes.

    No group is empty; a file is never cut.

    Raises:
        InputError: there are no files.
    """
    if not files:
        raise InputError("no files to count")
    total = sum(file.size for file in files) or 1
    groups: list[list[File]] = [[] for _ in range(splits)]
    before = 0
    for file in files:
        # The group in whose share of the bytes the middle of the file lies.
        groups[min(splits - 1, (2 * before + file.size) * splits // (2 * total))].append(file)
        before += file.size
    return [chosen for chosen in groups if chosen]


def read(file: File) -> bytes:
    """The content of *file*.

    Raises:
        InputError: its size is not what it was when it was found: the result would be of
            another input than the one that was split.
    """
    content = Path(file.path).read_bytes()
    if len(content) != file.size:
        raise InputError(
            f"{file.path}: found {len(content)} bytes, expected {file.size}; "
            "maps must see the files that the ApplicationMaster saw (the same image)"
        )
    return content


def _walk(root: Path) -> Iterator[File]:
    files_found = []
    for directory, names, files in os.walk(root):
        names[:] = [n for n in names if n not in _NOT_STANDARD and not n.startswith(".")]
        paths = (Path(directory, name) for name in files if not name.startswith("."))
        files_found += [File(str(p), p.stat().st_size) for p in paths if p.is_file()]
    return iter(sorted(files_found, key=lambda file: file.path))
