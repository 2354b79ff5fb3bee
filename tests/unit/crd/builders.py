"""Raw objects for tests, with nothing in them but what a test says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kubeyarn.crd import scheduler_config
from kubeyarn.crd.schema import definitions
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.model.resources import ResourceTypes


def a_queue(path: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": path, "generation": 1}, "spec": spec}


def unchecked(*objects: dict[str, Any]) -> list[UncheckedQueue]:
    return [UncheckedQueue.read(found) for found in objects]


def read_queues(
    objects: Iterable[dict[str, Any]], types: ResourceTypes
) -> scheduler_config.QueuesRead:
    return scheduler_config.read_queues(unchecked(*objects), types)


def an_application(name: str = "wordcount", status: Any = None, **spec: Any) -> dict[str, Any]:
    known = {"applicationId": "application_1763850000000_0007", "user": "alice"}
    return {
        "metadata": {
            "name": name,
            "namespace": "team-a",
            "generation": 1,
            "creationTimestamp": "2026-11-23T03:42:28Z",
        },
        "spec": {"applicationMaster": {"image": "x"}, **spec},
        "status": known if status is None else status,
    }


def a_request(name: str = "maps", status: Any = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "team-a", "generation": 1},
        "spec": {"application": "wordcount", **spec},
        "status": status or {},
    }


def spec_schema(kind: str) -> dict[str, Any]:
    (found,) = (one for one in definitions.DEFINITIONS if one.kind == kind)
    spec: dict[str, Any] = definitions.object_schema(found)["properties"]["spec"]
    return spec


def as_stored(schema: dict[str, Any], value: Any) -> Any:
    """A value with the defaults that the API server fills in by its schema."""
    if isinstance(value, list):
        return [as_stored(schema["items"], entry) for entry in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    filled = dict(value)
    for name, field in schema["properties"].items():
        if name not in filled and "default" in field:
            filled[name] = field["default"]
        if name in filled:
            filled[name] = as_stored(field, filled[name])
    return filled


def refusals(schema: dict[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """What the API server has against a value by its schema, CEL rules aside."""
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
    kind = schema.get("type")
    if kind is not None and type(value) is not kinds[kind]:
        yield f"{path}: {value!r} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 2**31):
            yield f"{path}: {len(value)} characters"
        if "pattern" in schema and re.search(schema["pattern"], value) is None:
            yield f"{path}: {value!r} does not match {schema['pattern']}"
    if isinstance(value, int) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield f"{path}: {value} is out of bounds"
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", 2**31):
            yield f"{path}: {len(value)} entries"
        for number, entry in enumerate(value):
            yield from refusals(schema["items"], entry, f"{path}[{number}]")
    if isinstance(value, dict):
        yield from _refused_entries(schema, value, path)


def _refused_entries(schema: dict[str, Any], value: dict[str, Any], path: str) -> Iterator[str]:
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    if len(value) > schema.get("maxProperties", 2**31):
        yield f"{path}: {len(value)} entries"
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{path}.{name}: missing"
    fields = schema.get("properties", {})
    for name, entry in value.items():
        field = fields.get(name) or schema.get("additionalProperties")
        if field is None:
            yield f"{path}.{name}: unknown"
        else:
            yield from refusals(field, entry, f"{path}.{name}")


def some(part: dict[str, Any]) -> Any:
    """Some value for every field of a schema."""
    if part.get("x-kubernetes-int-or-string"):
        return "1Gi"
    if "enum" in part:
        return part["enum"][0]
    if "properties" in part:
        return {name: some(field) for name, field in part["properties"].items()}
    if part["type"] == "array":
        return [some(part["items"])]
    if part["type"] == "object":
        inner = part.get("additionalProperties")
        return {"one": some(inner)} if inner else {"free": ["form"]}
    return {"string": "text", "integer": 7, "boolean": True}[part["type"]]
