"""pydantic's JSON schema rewritten as a Kubernetes structural schema.

Structural means: no references, no alternatives, no titles, every field typed. What pydantic says
with `$ref`, `anyOf: [X, null]`, `title` or `additionalProperties: false` is said differently here.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

_DROPPED = ("title", "additionalProperties", "propertyNames", "exclusiveMinimum", "const")
MAKE = "x-make"
"""Marks an object that is made when it is not said, so that its own defaults show."""


def structural(model: type[BaseModel]) -> Schema:
    """The structural schema of *model*, with API names.

    Raises:
        ValueError: the model has a field that no structural schema can say.
    """
    raw = model.model_json_schema(by_alias=True)
    return _rewritten(raw, raw.get("$defs", {}), model.__name__)


def _rewritten(schema: Schema, definitions: dict[str, Schema], path: str) -> Schema:
    flat = _without_null(_resolved(schema, definitions), definitions, path)
    result = {key: value for key, value in flat.items() if key not in (*_DROPPED, "$defs")}
    if _says_nothing(result.get("default")):
        result.pop("default", None)
    if result.pop(MAKE, False):
        result["default"] = {}
    if "description" in result:
        result["description"] = re.sub(r"\s*\n\s*", " ", result["description"]).strip()
    if result.get("enum"):
        result["enum"] = list(result["enum"])
    if result.get("type") == "integer":
        result["format"] = "int32" if result.get("maximum", 2**63) < 2**31 else "int64"
    if "properties" in flat:
        result["properties"] = {
            name: _rewritten(part, definitions, f"{path}.{name}")
            for name, part in flat["properties"].items()
        }
    if isinstance(flat.get("additionalProperties"), dict):
        result["additionalProperties"] = _rewritten(
            flat["additionalProperties"], definitions, f"{path}.*"
        )
    if "items" in flat:
        result["items"] = _rewritten(flat["items"], definitions, f"{path}[]")
    return result


def _says_nothing(default: object) -> bool:
    """Whether a default would only make stored objects longer: none, or an empty list or map."""
    return default is None or default == [] or default == {}


def _resolved(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """*schema* with its reference replaced by what it names; its own words win."""
    if "$ref" not in schema:
        return schema
    target = definitions[schema["$ref"].rpartition("/")[2]]
    own = {key: value for key, value in schema.items() if key != "$ref"}
    return {**_resolved(target, definitions), **own}


def _without_null(schema: Schema, definitions: dict[str, Schema], path: str) -> Schema:
    """*schema* without the alternative that nothing is said, which the API has no word for."""
    if "anyOf" not in schema:
        return schema
    real = [part for part in schema["anyOf"] if part.get("type") != "null"]
    if len(real) != 1:
        raise ValueError(f"{path}: {len(real)} alternatives cannot be said in a structural schema")
    own = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**_resolved(real[0], definitions), **own}
