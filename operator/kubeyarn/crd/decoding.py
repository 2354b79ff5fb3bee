"""A raw object as a typed one: decoded once, when it comes in from a watch or a list.

`Resource.read` checks types and enumerations, fills in defaults and passes over what it does not
know, so a status that an older or a newer version wrote still decodes. An object that cannot be
decoded raises `ObjectUnreadable`, which names the field: whoever holds the object tells it there,
and serves every other object as before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Self, TypeVar, cast, get_args, get_type_hints

import msgspec

from kubeyarn.crd.fields import NOTHING, Fields
from kubeyarn.crd.object import Key, Object
from kubeyarn.model.errors import SpecError


class ObjectUnreadable(SpecError):
    """An object has a field that cannot be read: *field* is its path, such as `spec.count`."""

    def __init__(self, kind: str, name: str, field: str, message: str) -> None:
        super().__init__(f"{kind} {name}: {message}")
        self.kind = kind
        self.name = name
        self.field = field


class OwnerReference(Fields, frozen=True):
    """Who is deleted before this object may go (Kubernetes: OwnerReference)."""

    kind: str
    uid: str


class Metadata(Fields, frozen=True):
    """What we use of an object's metadata (Kubernetes: ObjectMeta)."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    labels: Mapping[str, str] = NOTHING
    annotations: Mapping[str, str] = NOTHING
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()


class Resource(Fields, frozen=True):
    """A custom resource; its kinds add `spec` and `status`."""

    metadata: Metadata

    @classmethod
    def read(cls, item: Object) -> Self:
        """The typed form of a raw object.

        Raises:
            ObjectUnreadable: a field has another type than the definition says, an enumeration a
                word that is not in it, or a required field is missing.
        """
        try:
            return msgspec.convert(item, cls)
        except msgspec.ValidationError as error:
            raise _unreadable(cls, item, str(error)) from None

    @classmethod
    def kind(cls) -> str:
        """The kind, as the API names it."""
        return cls.__name__

    @property
    def key(self) -> Key:
        """Its namespace and name."""
        return self.metadata.namespace, self.metadata.name


Kind = TypeVar("Kind", bound=Resource)
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class DecodedObject(Generic[Kind]):
    """An object as it came, to compare with it what is written, and decoded, for all else."""

    raw: Object
    decoded: Kind
    # What was made of it, by whom and for what: it is made once for each version of an object.
    _made: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def once(self, what: object, make: Callable[[], Made]) -> Made:
        """What *make* makes of this version of the object, made once for each *what*."""
        if what not in self._made:
            self._made[what] = make()
        return cast(Made, self._made[what])

    @classmethod
    def read(cls, kind: type[Kind], item: Object) -> DecodedObject[Kind]:
        """An object that came in.

        Raises:
            ObjectUnreadable: it cannot be decoded.
        """
        return cls(item, kind.read(item))


# msgspec says where it failed in the text of its error alone; there is no attribute to ask.
_AT = re.compile(r"(?P<wrong>.*?)(?: - at `\$\.?(?P<path>.*)`)?")
# `[...]` stands for an entry of a map; msgspec does not say which, so nothing below it is looked
# up.
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])")


def _unreadable(kind: type[Resource], item: Object, text: str) -> ObjectUnreadable:
    """Msgspec's words in ours: the field, what was found there, and what is allowed."""
    match = _AT.fullmatch(text)
    wrong, path = (match["wrong"], match["path"] or "") if match is not None else (text, "")
    missing = re.fullmatch(r"Object missing required field `(.*)`", wrong)
    if missing is not None:
        path = f"{path}.{missing[1]}".removeprefix(".")
    value, hint = _at(item, kind, path)
    # msgspec says "Invalid enum value" and not which ones there are, so they are taken from the
    # type.
    words = _words(hint)
    if missing is not None:
        message = f"{path}: found nothing, expected a value"
    elif words:
        message = f"{path}: found {value!r}, allowed: {', '.join(words)}"
    else:
        wanted = re.match(r"Expected `(.*?)`", wrong)
        message = f"{path}: found {value!r}, expected {wanted[1] if wanted else wrong}"
    metadata = item.get("metadata") if isinstance(item, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return ObjectUnreadable(kind.kind(), str(name or "?"), path, message)


def _at(value: Any, kind: type[Fields], path: str) -> tuple[Any, Any]:
    """The value at a path and the type that it should have; None where either is not known."""
    hint: Any = kind
    for name, place, _ in _STEP.findall(path):
        part = _part_of(hint)
        if name:
            value = value.get(name) if isinstance(value, Mapping) else None
            hint = _hint(part, name)
        elif place:
            entries = value if isinstance(value, list | tuple) else ()
            value = entries[int(place)] if int(place) < len(entries) else None
        else:
            return None, None
    return value, hint


def _hint(part: type[Fields] | None, name: str) -> Any:
    if part is None:
        return None
    attributes = {field.encode_name: field.name for field in msgspec.structs.fields(part)}
    return get_type_hints(part).get(attributes.get(name, ""))


def _leaves(hint: Any) -> list[Any]:
    """The types that a type is made of: those of an optional one, of a list's entries."""
    inner = get_args(hint)
    return [leaf for one in inner for leaf in _leaves(one)] if inner else [hint]


def _part_of(hint: Any) -> type[Fields] | None:
    parts = (leaf for leaf in _leaves(hint) if isinstance(leaf, type) and issubclass(leaf, Fields))
    return next(parts, None)


def _words(hint: Any) -> list[str]:
    return [
        str(word.value)
        for leaf in _leaves(hint)
        if isinstance(leaf, type) and issubclass(leaf, Enum)
        for word in leaf
    ]
