"""What ContainerRequest.status says of containers: read once, when a process begins to lead.

`grants`, `preempting` and `updates` are what an earlier scheduler process decided; the fields
`completed` and `updated` are the ResourceManager's and are read whenever the object changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.cluster import names
from kubeyarn.crd import amounts, conditions, ranges
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.scheduler.request_state import Allocation, AppliedSpec, RequestState


@dataclass(frozen=True, slots=True)
class ActualContainer:
    """What a container's pod has, as the ResourceManager says it."""

    size: Vector
    opportunistic: bool


def read_allocations(
    found: Object, application: ApplicationId, types: ResourceTypes
) -> tuple[dict[ContainerId, Allocation], set[ContainerId]]:
    """The grants that a status lists, and of which of them it says what is charged."""
    opportunistic = found["spec"].get("executionType") == names.OPPORTUNISTIC
    status = found.get("status") or {}
    allocations: dict[ContainerId, Allocation] = {}
    for entry in status.get("grants") or ():
        attempt = AttemptId(application, int(entry.get("attempt") or 1))
        for number in ranges.expand(entry.get("containers") or ""):
            container = ContainerId(attempt, int(entry.get("epoch") or 0), number)
            allocations[container] = Allocation(entry["node"], opportunistic=opportunistic)
    for entry in status.get("preempting") or ():
        # Who was only marked is looked at anew; who was killed has a pod that goes.
        allocation = allocations.get(ContainerId.parse(entry["id"]))
        if allocation is not None and entry.get("kill"):
            allocation.preempt(str(entry.get("message") or ""), kill=True)
    charged = {
        container: entry
        for container, entry in container_entries(status, "updates").items()
        if container in allocations
    }
    for container, entry in charged.items():
        allocation, kind = allocations[container], entry.get("executionType")
        beside = allocation.opportunistic if kind is None else kind == names.OPPORTUNISTIC
        allocation.charge(_size(entry, types), opportunistic=beside)
    return allocations, set(charged)


def actual_container(
    entry: Object | None, state: RequestState, types: ResourceTypes
) -> ActualContainer:
    """What an entry of `updated` says; where it is silent, what was granted."""
    entry = entry or {}
    kind = entry.get("executionType")
    opportunistic = state.opportunistic if kind is None else kind == names.OPPORTUNISTIC
    return ActualContainer(_size(entry, types) or state.size or (), opportunistic)


def container_entries(part: Object, name: str) -> dict[ContainerId, Object]:
    """The entries of a list by their container id; malformed ids are skipped."""
    entries = {}
    for entry in part.get(name) or ():
        try:
            entries[ContainerId.parse(entry["id"])] = entry
        except SpecError:
            continue
    return entries


def completed_containers(found: Object) -> list[ContainerId]:
    """The containers whose end the ResourceManager has recorded."""
    entries = (found.get("status") or {}).get("completed") or ()
    return [ContainerId.parse(entry["id"]) for entry in entries]


def accepted_before(found: Object) -> bool:
    """Whether the scheduler has taken this request already, perhaps in an earlier process."""
    return conditions.holds((found.get("status") or {}).get("conditions"), "Accepted")


def applied_before(states: list[RequestState]) -> AppliedSpec | None:
    """The priority and queue that an earlier process acted on last; None: nobody has yet.

    They are in the status of the newest AM's request that has any.
    """
    masters = sorted((s for s in states if s.am), key=lambda s: s.attempt)
    for state in reversed(masters):
        applied = (state.found.get("status") or {}).get("applied")
        if applied is not None:
            return applied.get("priority"), applied.get("queue") or ""
    return None


def _size(entry: Object, types: ResourceTypes) -> Vector | None:
    if not entry.get("resources"):
        return None
    return amounts.vector(entry["resources"], "resources", types)
