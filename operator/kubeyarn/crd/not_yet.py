"""Fields that are accepted and do not act yet.

Users write their whole configuration once; what nobody acts on yet is said by the condition
AllFieldsActing=False, never silently ignored. When a capability lands, its line goes from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubeyarn.crd.conditions import Saying
from kubeyarn.crd.object import Object

CONDITION = "AllFieldsActing"
ACTING = "AllFieldsAct"
NOT_YET_ACTING = "NotYetActing"

Table = Mapping[str, tuple[object, ...]]
"""Fields by path below spec, `[]` for every entry of a list, with the values that do act.

A field that is not said, or is empty, always acts.
"""

QUEUE: Table = {}

APPLICATION: Table = {}

REQUEST: Table = {
    "gang": (),
}

BY_KIND: Mapping[str, Table] = {
    "YarnQueue": QUEUE,
    "YarnApplication": APPLICATION,
    "ContainerRequest": REQUEST,
}


def not_yet(kind: str, found: Object) -> list[str]:
    """The fields of an object that say something nobody acts on yet, as `spec.<path>: <value>`."""
    return fields(found, BY_KIND[kind])


def fields(found: Object, table: Table) -> list[str]:
    """The fields of *table* to which an object gives another value than those that act."""
    spec = found.get("spec") or {}
    return [
        f"spec.{place}: {_shown(value)}"
        for path, acting in table.items()
        for place, value in _values(spec, path.split("."), "")
        if value not in (None, "", [], {}) and value not in acting
    ]


def saying(kind: str, found: Object) -> Saying:
    """The condition AllFieldsActing of an object."""
    idle = not_yet(kind, found)
    if not idle:
        return Saying(CONDITION, True, ACTING, "everything the spec says is acted on")
    message = f"accepted, but not acted on by this version: {'; '.join(idle)}"
    return Saying(CONDITION, False, NOT_YET_ACTING, message)


def _values(found: Any, path: list[str], at: str) -> Iterator[tuple[str, Any]]:
    """Every value at *path*, with its place."""
    if not path:
        yield at, found
        return
    name, *rest = path
    key, entries = name.removesuffix("[]"), name.endswith("[]")
    if not isinstance(found, Mapping) or key not in found:
        return
    place = f"{at}.{key}" if at else key
    if not entries:
        yield from _values(found[key], rest, place)
        return
    for number, entry in enumerate(found[key] or ()):
        yield from _values(entry, rest, f"{place}[{number}]")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(value)) + "}"
    return f"{len(value)} entries" if isinstance(value, list) else str(value)
