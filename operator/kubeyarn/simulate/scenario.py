"""A scenario: nodes, configuration and steps, read from plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from reprlib import repr as in_few_words
from typing import TYPE_CHECKING

from kubeyarn.model.errors import ConfigRefused, Problem, SpecError
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import Partition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from kubeyarn.model.resources import ResourceTypes

Data = dict[str, object]

DEFAULTS = {
    "yarn.scheduler.capacity.per-node-heartbeat.multiple-assignments-enabled": "false",
    "yarn.scheduler.capacity.node-locality-delay": "0",
    "yarn.scheduler.fair.assignmultiple": "false",
}

_KEYS = (
    "name",
    "about",
    "scheduler",
    "nodes",
    "labels",
    "groups",
    "config",
    "fairAllocations",
    "steps",
)
_AMOUNTS = ("memory", "vcores", "resources")
NODE_KEYS = ("name", *_AMOUNTS, "labels", "rack", "count")
_LABEL_KEYS = ("name", "exclusive")
MASTER_KEYS = ("memory", "vcores", "label")
STEP_KEYS: Mapping[str, tuple[str, ...]] = {
    "submit": ("app", "user", "queue", "priority", "am", "label", "tags", "lifetime"),
    "settle": (),
    "heartbeat": ("times", "node"),
    "request": (
        *("app", "count", *_AMOUNTS, "priority", "label", "allocationRequestId"),
        *("nodes", "racks", "relax"),
    ),
    "cancel": ("app", "priority"),
    "release": ("app", "count", "newest", "priority"),
    "blacklist": ("app", "add", "remove"),
    "finish": ("app",),
    "kill": ("app",),
    "move": ("app", "queue"),
    "setPriority": ("app", "priority"),
    "setLifetime": ("app", "lifetime"),
    "addNode": NODE_KEYS,
    "removeNode": ("name",),
    "updateNode": ("name", *_AMOUNTS, "overcommitTimeout"),
    "decommission": ("node",),
    "recommission": ("node",),
    "unhealthy": ("node",),
    "healthy": ("node",),
    "refreshQueues": ("config", "fairAllocations"),
    "stopQueue": ("queue",),
    "startQueue": ("queue",),
    "preempt": ("rounds", "seconds"),
    "advance": ("seconds",),
    "observe": ("name", "headroom", "placement", "partitions", "nodes"),
}
"""The actions a step may have, each with its arguments."""

# ApplicationMasters send priorities as Java's int; all else is a long.
_GREATEST_INT = 2**31 - 1
_GREATEST_LONG = 2**63 - 1
MOST_NODES = 100_000
MOST_ROUNDS = 100_000
"""How often one step may have nodes heartbeat, so that every story ends."""
DEFAULT_RACK = "/default-rack"
_LABEL_NAME = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z_-]{0,254}")


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
        SpecError: a part is missing, unknown or of the wrong kind.
    """
    root = mapping(data, "scenario")
    check_keys(root, _KEYS, "scenario")
    scheduler = text(root.get("scheduler"), "scheduler") or "capacity"
    if scheduler not in ("capacity", "fair"):
        raise SpecError(f"scheduler: found {scheduler!r}, expected capacity or fair")
    return Scenario(
        name=text(root.get("name"), "name") or "",
        scheduler=scheduler,
        nodes=tuple(_node(node) for node in _list(root.get("nodes"), "nodes")),
        partitions=tuple(_partition(label) for label in _list(root.get("labels"), "labels")),
        groups={
            user: tuple(_texts(groups, f"groups of {user}"))
            for user, groups in mapping(root.get("groups") or {}, "groups").items()
        },
        config=read_config(root.get("config") or {}),
        allocations=text(root.get("fairAllocations"), "fairAllocations"),
        steps=tuple(_step(step, i) for i, step in enumerate(_list(root.get("steps"), "steps"))),
    )


def read_config(data: object) -> dict[str, str]:
    """Property names and their text; null leaves a property out."""
    config = {key: scalar(value) for key, value in mapping(data, "config").items()}
    return {key: value for key, value in config.items() if value is not None}


def removed_keys(data: object) -> tuple[str, ...]:
    """The property names that a refresh takes away (their value is null)."""
    return tuple(key for key, value in mapping(data, "config").items() if value is None)


def scalar(value: object) -> str | None:
    """A YAML scalar as text; booleans are `true` and `false`.

    Raises:
        SpecError: it is a map or a list.
    """
    # YAML's `yes` and `on` come as True, and Hadoop's properties know `true` alone.
    if isinstance(value, bool):
        return "true" if value else "false"
    return text(value, "config")


def text(value: object, where: str) -> str | None:
    """Text, or a number as text; None stays None.

    Raises:
        SpecError: it is a map, a list, bytes, or too large a number.
    """
    if isinstance(value, dict | list | bytes | set | tuple):
        raise SpecError(f"{where}: found {shown(value)}, expected text or a number")
    try:
        return None if value is None else str(value)
    except ValueError:
        # Python writes no number of more than 4300 digits.
        raise SpecError(f"{where}: found {shown(value)}, expected a smaller one") from None


def shown(value: object) -> str:
    """What was found, in few words."""
    try:
        return in_few_words(value)
    except ValueError:
        return "a number of thousands of digits"


def label(value: object) -> str | None:
    """A node label expression, without the blanks around it.

    Hadoop: ResourceRequest.getNodeLabelExpression. An empty one is the default partition; None says
    nothing.
    """
    given = text(value, "label")
    return None if given is None else given.strip()


def check_keys(data: Mapping[str, object], known: Collection[str], where: str) -> None:
    """Refuse keys that mean nothing.

    Raises:
        SpecError: there is one.
    """
    unknown = sorted(data.keys() - set(known))
    if unknown:
        raise SpecError(f"{where}: {unknown[0]!r} is unknown, known are {sorted(known)}")


def whole(
    arguments: Mapping[str, object],
    name: str,
    default: int | None = None,
    *,
    least: int = -_GREATEST_LONG,
    most: int = _GREATEST_LONG,
) -> int:
    """A whole number among a step's arguments, from *least* to *most*.

    Raises:
        SpecError: it is missing and has no default, or is none.
    """
    value = arguments.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"{name}: found {shown(value)}, expected a whole number")
    # YAML reads 1e3 as a float, and it is a whole number.
    if isinstance(value, float) and not value.is_integer():
        raise SpecError(f"{name}: found {value!r}, expected a whole number")
    if not least <= value <= most:
        raise SpecError(f"{name}: found {shown(value)}, expected a number from {least} to {most}")
    return int(value)


def priority(arguments: Mapping[str, object], default: int | None = None) -> int:
    """The `priority` among a step's arguments, a number of 32 bits.

    Raises:
        SpecError: it is missing and has no default, or is none.
    """
    return whole(arguments, "priority", default, least=-_GREATEST_INT - 1, most=_GREATEST_INT)


def flag(arguments: Mapping[str, object], name: str, *, default: bool) -> bool:
    """A truth among a step's arguments.

    Raises:
        SpecError: it is neither true nor false.
    """
    value = arguments.get(name, default)
    if not isinstance(value, bool):
        raise SpecError(f"{name}: found {shown(value)}, expected true or false")
    return value


def names(arguments: Mapping[str, object], name: str) -> tuple[str, ...]:
    """A list of names among a step's arguments; none is an empty one.

    Raises:
        SpecError: it is no list.
    """
    return tuple(_texts(arguments.get(name), name))


def word(arguments: Mapping[str, object], name: str) -> str:
    """A name among a step's arguments.

    Raises:
        SpecError: it is missing.
    """
    value = text(arguments.get(name), name)
    if value is None:
        raise SpecError(f"{name}: missing")
    return value


def amounts(
    arguments: Mapping[str, object], types: ResourceTypes, *, least: int = -_GREATEST_LONG
) -> tuple[int, ...]:
    """`memory`, `vcores` and `resources` as a vector, MiB and vcores, each at least *least*.

    Raises:
        SpecError: one is no whole number or too little, or of an unknown resource type.
    """
    sizes = {
        "memory": whole(arguments, "memory", 1024, least=least),
        "cpu": whole(arguments, "vcores", 1, least=least),
    }
    others = mapping(arguments.get("resources") or {}, "resources")
    for name in others:
        if name not in types.names:
            raise SpecError(f"resources: {name!r} is unknown, known are {types.names}")
        sizes[name] = whole(others, name, least=least)
    return types.vector(sizes)


def read_nodes(
    data: Mapping[str, object], types: ResourceTypes, partitions: Sequence[Partition]
) -> list[Node]:
    """The node, or the `count` nodes, of one entry.

    Raises:
        ConfigRefused: it has a label that the cluster has not, or more than one.
        SpecError: a part of it is missing or of the wrong kind.
    """
    partition = _partition_of_node(data, partitions)
    rack = text(data.get("rack"), "rack") or DEFAULT_RACK
    total = amounts(data, types, least=0)
    name = word(data, "name")
    if data.get("count") is None:
        return [Node(name, total, partition, rack)]
    count = whole(data, "count", least=0, most=MOST_NODES)
    return [Node(f"{name}-{i}", total, partition, rack) for i in range(count)]


def _step(data: object, index: int) -> Step:
    step = mapping(data, f"step {index}")
    if len(step) != 1:
        raise SpecError(f"step {index}: found {shown(sorted(step))}, expected one action")
    action, arguments = next(iter(step.items()))
    return Step(action, mapping({} if arguments is None else arguments, f"step {index}"))


def _node(data: object) -> Data:
    node = mapping(data, "nodes")
    check_keys(node, NODE_KEYS, "nodes")
    return node


def _partition_of_node(data: Mapping[str, object], partitions: Sequence[Partition]) -> str:
    """The one label of a node (Hadoop: CommonNodeLabelsManager.checkAddLabelsToNode)."""
    labels = names(data, "labels")
    known = sorted(partition.name for partition in partitions)
    if len(labels) > 1:
        raise _labels_refused(f"found {list(labels)} on one node, allowed: one label")
    for label in labels:
        if label not in known:
            raise _labels_refused(f"found {label!r} on a node, known are {known}; declare it")
    return labels[0] if labels else ""


def check_labels(partitions: Sequence[Partition]) -> None:
    """Refuse names that are none (Hadoop: NodeLabelUtil.checkAndThrowLabelName).

    Raises:
        ConfigRefused: a label is no name.
    """
    for partition in partitions:
        if not _LABEL_NAME.fullmatch(partition.name):
            raise _labels_refused(
                f"found {partition.name!r}, allowed: at most 255 letters, digits, dashes and "
                "underscores, the first a letter or a digit"
            )


def _labels_refused(message: str) -> ConfigRefused:
    return ConfigRefused((Problem("root", "labels", "InvalidField", f"labels: {message}"),))


def _partition(data: object) -> Partition:
    label = mapping(data, "labels")
    check_keys(label, _LABEL_KEYS, "labels")
    return Partition(word(label, "name"), exclusive=label.get("exclusive", True) is not False)


def mapping(data: object, where: str) -> Data:
    """What must be a map, with its keys as text.

    Raises:
        SpecError: it is none.
    """
    if not isinstance(data, dict):
        raise SpecError(f"{where}: found {shown(data)}, expected a mapping")
    # YAML keys may be numbers or truths, such as a queue that is called 1.
    return {text(key, where) or str(key): value for key, value in data.items()}


def _list(data: object, where: str) -> list[object]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise SpecError(f"{where}: found {shown(data)}, expected a list")
    return data


def _texts(data: object, where: str) -> Iterator[str]:
    for one in _list(data, where):
        yield text(one, where) or str(one)
