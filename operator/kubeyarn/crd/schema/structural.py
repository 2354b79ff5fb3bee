"""The typed fields of a custom resource as a Kubernetes structural schema.

Structural means: no references, no alternatives, every field typed. A field that may be unset is no
alternative: the API has no null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from kubeyarn.crd.fields import Extras, Field, Fields, Reported, ResourceAmounts

_SCALARS = {str: "string", int: "integer", bool: "boolean"}
_INT_OR_STRING = "x-kubernetes-int-or-string"
_NOTHING: tuple[object, ...] = (None, (), {})


def structural(part: type[Fields], path: str = "", without: tuple[str, ...] = ()) -> Extras:
    """The schema of a part of a custom resource, with API names and the fields but *without*.

    Raises:
        ValueError: a structural schema cannot express the type of a field.
    """
    path = path or part.__name__
    hints = get_type_hints(part, include_extras=True)
    fields = [field for field in msgspec.structs.fields(part) if field.name not in without]
    schema: Extras = {
        "description": re.sub(r"\s*\n\s*", " ", cleandoc(part.__doc__ or "")),
        "properties": {
            field.encode_name: _field(hints[field.name], field, f"{path}.{field.encode_name}")
            for field in fields
        },
        "required": [field.encode_name for field in fields if field.required],
        "type": "object",
        **_ordered(getattr(part, "extras", {})),
    }
    return schema if schema["required"] else _without(schema, "required")


def _field(hint: Any, field: msgspec.structs.FieldInfo, path: str) -> Extras:
    """A field's schema: its type's, its class's, and what the field itself adds."""
    bare, about = _unwrapped(hint)
    own = about[-1] if about else Field()
    optional = _alternatives(bare) is not None or isinstance(own, Reported)
    added: Extras = {}
    if not isinstance(own, Reported):
        default = _default(field)
        if default not in _NOTHING:
            added["default"] = default
    if own.description:
        added["description"] = own.description
    extensions = {k: v for k, v in own.schema.items() if k.startswith("x-") or k == "default"}
    schema = _typed(bare, [*about[:-1], Field(**_without(own.schema, *extensions))], path)
    referred = "properties" in schema or "enum" in schema
    if optional or referred:
        return _finished({**schema, **_ordered(added), **_ordered(extensions)})
    return _finished(_ordered({**schema, **added, **extensions}))


def _typed(bare: Any, about: list[Field], path: str) -> Extras:
    """The schema of a type and of the fields that it is annotated with."""
    alternatives = _alternatives(bare)
    if alternatives is not None:
        words: Extras = {key: value for one in about for key, value in one.schema.items()}
        if set(alternatives) == {int, str} and words.get(_INT_OR_STRING):
            return _ordered(words)
        if len(alternatives) != 1:
            raise ValueError(
                f"{path}: a structural schema cannot express {len(alternatives)} alternatives"
            )
        inner, more = _unwrapped(alternatives[0])
        return _typed(inner, [*more, *about], path)
    words = {key: value for one in about for key, value in one.schema.items()}
    if isinstance(bare, type) and issubclass(bare, Fields):
        return {**structural(bare, path), **words}
    if isinstance(bare, type) and issubclass(bare, Enum):
        return {"description": "", "enum": [one.value for one in bare], "type": "string", **words}
    return _finished(_ordered({**_shape(bare, words, path), **words}))


def _shape(bare: Any, words: Extras, path: str) -> Extras:
    if bare in _SCALARS:
        return {"type": _SCALARS[bare]}
    origin, arguments = get_origin(bare), get_args(bare)
    if origin is tuple:
        return {"type": "array", "items": _part(arguments[0], f"{path}[]")}
    # A map whose field says its own `type` has its whole schema there already.
    if origin is Mapping and "type" not in words:
        return {"type": "object", "additionalProperties": _part(arguments[1], f"{path}.*")}
    if bare == ResourceAmounts or origin is Mapping:
        return {}
    raise ValueError(f"{path}: {bare} cannot be expressed in a structural schema")


def _part(hint: Any, path: str) -> Extras:
    bare, about = _unwrapped(hint)
    return _typed(bare, about, path)


def _unwrapped(hint: Any) -> tuple[Any, list[Field]]:
    """A type and the fields that it is annotated with, inner ones first."""
    if get_origin(hint) is not Annotated:
        return hint, []
    bare, *about = get_args(hint)
    return bare, [one for one in about if isinstance(one, Field)]


def _alternatives(bare: Any) -> list[Any] | None:
    """The types that a field that may be unset has otherwise; None of any other."""
    if get_origin(bare) not in (Union, UnionType):
        return None
    return [one for one in get_args(bare) if one is not NoneType]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """What the API server fills in; None: nothing, or an object whose own fields have defaults."""
    default = field.default
    if default is msgspec.NODEFAULT or isinstance(default, Fields):
        return None
    if isinstance(default, Mapping):
        return dict(default)
    return default.value if isinstance(default, Enum) else default


def _finished(schema: Extras) -> Extras:
    """*schema* with the entries last that depend on others."""
    if "additionalProperties" in schema:
        inner = schema["additionalProperties"]
        return {**_without(schema, "additionalProperties"), "additionalProperties": inner}
    if schema.get("type") != "integer":
        return schema
    small = schema.get("maximum", 2**63) < 2**31
    return {**_without(schema, "format"), "format": "int32" if small else "int64"}


def _ordered(schema: Extras) -> Extras:
    return {key: schema[key] for key in sorted(schema)}


def _without(schema: Extras, *keys: str) -> Extras:
    return {key: value for key, value in schema.items() if key not in keys}
