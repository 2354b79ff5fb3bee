"""Containers that are to have another size than they were granted (Hadoop: container updates).

A request's spec wishes sizes for single containers. What is charged is in its status: at least what
the ResourceManager says the container has, and what is wished as soon as there is room for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeyarn.crd import amounts, quantities
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.scheduler import binding
from kubeyarn.scheduler.asks import Held, RequestState
from kubeyarn.scheduler.books import Books

Object = dict[str, Any]


def sync_updates(books: Books, state: RequestState) -> None:
    """Have the engine charge what containers of a request are to have, as far as it can."""
    wishes = _entries(state.found["spec"])
    if not wishes and not state.updating:
        return
    updated = _entries(state.found.get("status") or {}, "updated")
    for container in sorted({*wishes, *state.updating} & state.grants.keys()):
        held = state.grants[container]
        if held.freed or state.size is None or state.opportunistic:
            continue
        state.updating.add(container)
        if _sync_one(books, state, container, wishes.get(container), updated.get(container)):
            books.changed(state.key)
    state.updating &= state.grants.keys()


def _sync_one(
    books: Books,
    state: RequestState,
    container: ContainerId,
    wish: Object | None,
    updated: Object | None,
) -> bool:
    """Bring one container in line; whether something about it changed."""
    held, base = state.grants[container], state.size or ()
    before = (held.size, held.wanted, held.refused)
    actual = read_size(updated, base, books.types)
    held.wanted, held.refused = actual, ""
    if wish is not None and wish.get("resources"):
        try:
            said = amounts.positive_vector(wish["resources"], "updates", books.types)
            size = tuple(new or old for new, old in zip(said, base, strict=True))
            held.wanted = books.engine.rounded(container.attempt.application, size)
        except SpecError as error:
            held.refused = str(error)
    _charge(books, state, container, tuple(map(max, actual, held.wanted)))
    return (held.size, held.wanted, held.refused) != before


def _charge(books: Books, state: RequestState, container: ContainerId, size: Vector) -> None:
    held = state.grants[container]
    books.growing.pop(container, None)
    if size == (held.size or state.size):
        return
    if books.engine.resize(container, size):
        binding.resize(books, state, held, size)
    else:
        books.growing[container] = size


def grow(books: Books) -> None:
    """Try once more to have the engine charge what containers grow to."""
    for container, size in list(books.growing.items()):
        state, held = books.request_of(container), books.held(container)
        if state is None or held is None or held.freed:
            del books.growing[container]
        elif books.engine.resize(container, size):
            del books.growing[container]
            binding.resize(books, state, held, size)
            books.changed(state.key)


def read(found: Object, grants: Mapping[ContainerId, Held], types: ResourceTypes) -> None:
    """Take over what an earlier process charged for single containers."""
    for container, entry in _entries(found.get("status") or {}).items():
        if container in grants:
            grants[container].size = read_size(entry, (), types) or None


def read_size(entry: Object | None, otherwise: Vector, types: ResourceTypes) -> Vector:
    """The size that an entry says."""
    if entry is None or not entry.get("resources"):
        return otherwise
    return amounts.vector(entry["resources"], "resources", types)


def status(state: RequestState, types: ResourceTypes) -> list[Object]:
    """What is charged for the containers that were wished another size."""

    def shown(size: Vector) -> dict[str, str]:
        return {name: quantities.show(name, n) for name, n in types.mapping(size).items() if n}

    entries: list[Object] = []
    for container in sorted(state.updating & state.grants.keys()):
        held = state.grants[container]
        size = held.size or state.size
        if held.freed or size is None:
            continue
        entry: Object = {"id": str(container), "resources": shown(size)}
        if held.wanted is not None:
            entry["wanted"] = shown(held.wanted)
        if held.refused:
            entry["message"] = held.refused[:512]
        entries.append(entry)
    return entries


def _entries(part: Object, name: str = "updates") -> dict[ContainerId, Object]:
    found = {}
    for entry in part.get(name) or ():
        try:
            found[ContainerId.parse(entry["id"])] = entry
        except SpecError:
            continue
    return found
