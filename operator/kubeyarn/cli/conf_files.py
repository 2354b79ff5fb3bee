"""A Hadoop cluster's own configuration files, for a scenario that names them.

`conf` of a scenario is a folder, a file, or a list of both, from the scenario's own folder. Of a
folder the files are read that a ResourceManager reads, in its order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.hadoop.configuration_xml import is_allocations, read_configuration
from kubeyarn.model.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_PROPERTIES = ("resource-types.xml", "yarn-site.xml", "capacity-scheduler.xml")
_ALLOCATIONS = "fair-scheduler.xml"
_OF_CAPACITY = "yarn.scheduler.capacity.root."
_SCHEDULER = "yarn.resourcemanager.scheduler.class"
_SCHEDULERS = {"CapacityScheduler": "capacity", "FairScheduler": "fair"}


def with_conf(data: object, folder: Path, named: Sequence[Path] = ()) -> object:
    """A scenario's *data* with the properties of the files that it and *named* give.

    What the scenario says itself goes before them. Relative paths in *data* are below *folder*.

    Raises:
        SpecError: a file cannot be read, or `conf` is no path.
    """
    if not isinstance(data, dict):
        return data
    rest = {key: value for key, value in data.items() if key != "conf"}
    paths = [*(folder / path for path in _paths(data.get("conf"))), *named]
    if not paths:
        return rest
    properties, allocations = _read(paths)
    own = rest.get("config")
    if own is None or isinstance(own, dict):
        # The scenario's own last: it is what the file is tried with.
        rest["config"] = {**properties, **(own or {})}
    if allocations is not None:
        rest.setdefault("fairAllocations", allocations)
    rest.setdefault("scheduler", _scheduler(properties, allocations))
    return rest


def _paths(value: object) -> Iterator[str]:
    if value is None:
        return
    for path in value if isinstance(value, list) else [value]:
        if not isinstance(path, str):
            raise SpecError(
                f"conf: found a {type(path).__name__}, expected the path of a folder or a file, "
                "or a list of them"
            )
        yield path


def _read(paths: Sequence[Path]) -> tuple[dict[str, str], str | None]:
    """The properties of all files, and the text of the last file of allocations."""
    configurations: list[bytes] = []
    allocations: str | None = None
    for path in paths:
        for file in _files(path):
            content = _content(file)
            try:
                if is_allocations(content):
                    allocations = content.decode()
                else:
                    # Each alone first, so that an error names its file; all together in the end,
                    # because `final` in one keeps later ones from saying otherwise.
                    read_configuration([content])
                    configurations.append(content)
            except (SpecError, UnicodeDecodeError) as error:
                raise SpecError(f"conf: {file}: {error}") from error
    return read_configuration(configurations), allocations


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = [path / name for name in (*_PROPERTIES, _ALLOCATIONS) if (path / name).is_file()]
    if not files:
        expected = ", ".join((*_PROPERTIES, _ALLOCATIONS))
        raise SpecError(f"conf: {path}: found none of {expected}; name a folder with one of them")
    return files


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        raise SpecError(f"conf: {error}") from error


def _scheduler(properties: Mapping[str, str], allocations: str | None) -> str:
    """Which scheduler the files mean: the one that they name, or whose file is alone."""
    named = properties.get(_SCHEDULER, "").strip().rpartition(".")[2]
    if named in _SCHEDULERS:
        return _SCHEDULERS[named]
    of_capacity = any(name.startswith(_OF_CAPACITY) for name in properties)
    return "fair" if allocations is not None and not of_capacity else "capacity"
