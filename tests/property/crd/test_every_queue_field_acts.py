"""Each field of YarnQueue that somebody changes is seen in what the schedulers are told.

The fields are those of the definition's own schema. One by one each is given two values, in a spec
with what must stand around it; what `crd.scheduler_config` makes of the queues, templates included,
must differ then. No field is left to other processes alone: where one of them acts on a field, too,
its own tests show that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kubeyarn.crd import scheduler_config
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.resources import ResourceTypes
from unit.crd.builders import a_queue, spec_schema, unchecked

TYPES = ResourceTypes(("memory", "cpu"))
SCHEMA = spec_schema("YarnQueue")

# Free-form: what they say is read as a spec.
FREE = ("template", "leafTemplate", "parentTemplate")


def two_values(schema: dict[str, Any], name: str) -> tuple[Any, Any]:
    """Two values of a field that has no fields of its own."""
    if "enum" in schema:
        first, last = schema["enum"][0], schema["enum"][-1]
        return (first, last) if first != last else (None, first)
    if schema.get("x-kubernetes-int-or-string"):
        return (20, 30) if name == "minimumUserLimitPercent" else ("1Gi", "2Gi")
    if name in FREE:
        return {"priority": 1}, {"priority": 2}
    kind = schema["type"]
    if kind == "array":
        entry = schema["items"]
        one, other = two_values(entry, name)
        return [one], [other]
    if kind == "object":
        entry = schema.get("additionalProperties") or {}
        key = "memory" if entry.get("x-kubernetes-int-or-string") else "one"
        one, other = two_values(entry, name)
        return {key: one}, {key: other}
    if kind == "boolean":
        return False, True
    if kind == "integer":
        return 3, 4
    rule = str(schema.get("x-kubernetes-validations", ""))
    if "percentage" in rule:
        return "10%", "20%"
    if "number in quotes" in rule:
        return "1", "2"
    return "root.a", "root.b"


def leaves(schema: dict[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The fields without fields of their own, by path; `[]` is a list's entry."""
    for name, field in schema.get("properties", {}).items():
        inner, place = field, (*at, name)
        if field.get("type") == "array" and "properties" in field["items"]:
            inner, place = field["items"], (*place, "[]")
        if "properties" in inner:
            yield from leaves(inner, place)
        else:
            yield place


def field_of(path: tuple[str, ...]) -> dict[str, Any]:
    schema = SCHEMA
    for name in path:
        schema = schema["items"] if name == "[]" else schema["properties"][name]
    return schema


def spec_with(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A spec in which everything around a field is said that it needs to be read."""
    spec: dict[str, Any] = {
        "cluster": {"scheduler": "Fair" if "fair" in path else "Capacity"},
        "autoCreate": {"enabled": True},
    }
    at: Any = spec
    for place, name in enumerate(path[:-1]):
        if name == "[]":
            continue
        listed = path[place + 1] == "[]"
        if listed:
            entry = at.setdefault(name, [needed(path[: place + 2])])[0]
            at = entry
        else:
            at = at.setdefault(name, {})
    if value is not None:
        at[path[-1]] = value
    else:
        at.pop(path[-1], None)
    return spec


def needed(path: tuple[str, ...]) -> dict[str, Any]:
    """An entry of a list, with what it must have."""
    entry = field_of(path)
    return {
        name: two_values(entry["properties"][name], name)[0] for name in entry.get("required", ())
    }


def read(path: tuple[str, ...], value: Any) -> SchedulerConfig:
    """What the schedulers are told where a field has this value, on root if only root may say it.

    A field of the cluster's is told of root, every other one of a queue below it.
    """
    spec = spec_with(path, value)
    cluster = spec.pop("cluster")
    root = {"cluster": cluster, "autoCreate": {"enabled": True}}
    objects = [a_queue("root", **root), a_queue("root.a", **spec), a_queue("root.b")]
    found = scheduler_config.read_queues(unchecked(*objects), TYPES)
    assert found.problems == ()
    assert found.config is not None
    return found.config


@pytest.mark.parametrize("path", list(leaves(SCHEMA)), ids=".".join)
def test_a_field_that_is_changed_changes_what_the_schedulers_are_told(
    path: tuple[str, ...],
) -> None:
    one, other = two_values(field_of(path), path[-1])

    assert read(path, one) != read(path, other)


def test_a_field_that_nobody_reads_would_be_found() -> None:
    assert read(("unheard",), 1) == read(("unheard",), 2)


def test_every_field_is_walked() -> None:
    walked = {path[0] for path in leaves(SCHEMA)}

    assert walked == SCHEMA["properties"].keys()
