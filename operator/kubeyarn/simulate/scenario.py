"""A scenario: nodes, configuration and steps, read from plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.errors import SpecError
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import Partition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.resources import ResourceTypes

Data = dict[str, object]

DEFAULTS = {
    "yarn.scheduler.capacity.per-node-heartbeat.multiple-assignments-enabled": "false",
    "yarn.scheduler.capacity.node-locality-delay": "0",
    "yarn.scheduler.fair.assignmultiple": "false",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is done, to what."""

    action: str
    arguments: Data


@dataclass(frozen=True, slots=True)
class Scenario:
    """Nodes, configuration and steps for one scheduler (`capacity` or `fair`)."""

    name: str
    scheduler: str
    nodes: tuple[Data, ...]
    partitions: tuple[Partition, ...]
    groups: Mapping[str, tuple[str, ...]]
    config: Mapping[str, str]
    allocations: str | None
    steps: tuple[Step, ...]
    types: tuple[str, ...] = field(default=())


def read_scenario(data: object) -> Scenario:
    """The scenario that plain data (YAML, JSON) describe.

    Raises:
        SpecError: a part is missing or of the wrong kind.
    """
    root = _mapping(data, "scenario")
    scheduler = str(root.get("scheduler", "capacity"))
    if scheduler not in ("capacity", "fair"):
        raise SpecError(f"scheduler: found {scheduler!r}, expected capacity or fair")
    return Scenario(
        name=str(root.get("name", "")),
        scheduler=scheduler,
        nodes=tuple(_mapping(node, "nodes") for node in _list(root.get("nodes"), "nodes")),
        partitions=tuple(_partition(label) for label in _list(root.get("labels"), "labels")),
        groups={
            user: tuple(str(group) for group in _list(groups, f"groups of {user}"))
            for user, groups in _mapping(root.get("groups") or {}, "groups").items()
        },
        config=read_config(root.get("config") or {}),
        allocations=text(root.get("fairAllocations")),
        steps=tuple(_step(step, i) for i, step in enumerate(_list(root.get("steps"), "steps"))),
    )


def read_config(data: object) -> dict[str, str]:
    """Property names and their text; null leaves a property out."""
    found = {key: scalar(value) for key, value in _mapping(data, "config").items()}
    return {key: value for key, value in found.items() if value is not None}


def removed_keys(data: object) -> tuple[str, ...]:
    """The property names that a refresh takes away (their value is null)."""
    return tuple(key for key, value in _mapping(data, "config").items() if value is None)


def scalar(value: object) -> str | None:
    """A YAML scalar as text; booleans are `true` and `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def text(value: object) -> str | None:
    """Text, if there is any."""
    return None if value is None else str(value)


def whole(arguments: Mapping[str, object], name: str, default: int | None = None) -> int:
    """A whole number among a step's arguments.

    Raises:
        SpecError: it is missing and has no default, or is none.
    """
    value = arguments.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise SpecError(f"{name}: found {value!r}, expected a whole number")
    return int(value)


def word(arguments: Mapping[str, object], name: str) -> str:
    """A name among a step's arguments.

    Raises:
        SpecError: it is missing.
    """
    value = arguments.get(name)
    if value is None:
        raise SpecError(f"{name}: missing")
    return str(value)


def amounts(arguments: Mapping[str, object], types: ResourceTypes) -> tuple[int, ...]:
    """`memory`, `vcores` and `resources` as a vector, MiB and vcores."""
    found = {"memory": whole(arguments, "memory", 1024), "cpu": whole(arguments, "vcores", 1)}
    others = _mapping(arguments.get("resources") or {}, "resources")
    for name in others:
        if name not in types.names:
            raise SpecError(f"resources: {name!r} is unknown, known are {types.names}")
        found[name] = whole(others, name)
    return types.vector(found)


def read_nodes(data: Mapping[str, object], types: ResourceTypes) -> list[Node]:
    """The node, or the `count` nodes, of one entry."""
    labels = _list(data.get("labels"), "labels")
    partition = str(labels[0]) if labels else ""
    total = amounts(data, types)
    name = word(data, "name")
    if data.get("count") is None:
        return [Node(name, total, partition)]
    return [Node(f"{name}-{i}", total, partition) for i in range(whole(data, "count"))]


def _step(data: object, index: int) -> Step:
    step = _mapping(data, f"step {index}")
    if len(step) != 1:
        raise SpecError(f"step {index}: found {sorted(step)}, expected one action")
    action, arguments = next(iter(step.items()))
    return Step(action, _mapping(arguments or {}, f"step {index}"))


def _partition(data: object) -> Partition:
    label = _mapping(data, "labels")
    return Partition(word(label, "name"), exclusive=label.get("exclusive", True) is not False)


def _mapping(data: object, where: str) -> Data:
    if not isinstance(data, dict):
        raise SpecError(f"{where}: found {data!r}, expected a mapping")
    return {str(key): value for key, value in data.items()}


def _list(data: object, where: str) -> list[object]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise SpecError(f"{where}: found {data!r}, expected a list")
    return data
