"""What a request's status says of containers that are to have another size or execution type.

`updates` is the scheduler's: what is charged. `updated` is the ResourceManager's: what the pods
have, which holds until the scheduler charges something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubeyarn.cluster import names
from kubeyarn.crd import amounts
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.scheduler.asks import Held, RequestState


@dataclass(frozen=True, slots=True)
class Actual:
    """What a container has by the ResourceManager's word."""

    size: Vector
    opportunistic: bool


def entries(part: Object, name: str = "updates") -> dict[ContainerId, Object]:
    """A list of containers by id, without those whose id is none."""
    found = {}
    for entry in part.get(name) or ():
        try:
            found[ContainerId.parse(entry["id"])] = entry
        except SpecError:
            continue
    return found


def actual(entry: Object | None, state: RequestState, types: ResourceTypes) -> Actual:
    """What an entry of `updated` says; where it is silent, what was granted."""
    said = (entry or {}).get("executionType")
    opportunistic = state.opportunistic if said is None else said == names.OPPORTUNISTIC
    return Actual(_size(entry or {}, types) or state.size or (), opportunistic)


def read(
    found: Object, grants: Mapping[ContainerId, Held], types: ResourceTypes
) -> set[ContainerId]:
    """Take over what an earlier process charged; returns the containers that it says that of."""
    known = set()
    for container, entry in entries(found.get("status") or {}).items():
        held = grants.get(container)
        if held is None:
            continue
        known.add(container)
        held.size = _size(entry, types)
        if entry.get("executionType") is not None:
            held.opportunistic = entry["executionType"] == names.OPPORTUNISTIC
    return known


def _size(entry: Object, types: ResourceTypes) -> Vector | None:
    if not entry.get("resources"):
        return None
    return amounts.vector(entry["resources"], "resources", types)
