"""What ContainerRequest.status says of containers: read once, when a process begins to lead.

`grants`, `preempting` and `updates` are what an earlier scheduler process decided; the fields
`completed` and `updated` are the ResourceManager's and are read whenever the object changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.crd import amounts, conditions
from kubeyarn.crd.container_request import (
    ChargedUpdate,
    ContainerRequest,
    ExecutionType,
    UpdatedContainerStatus,
    by_container,
)
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.scheduler.request_state import Allocation, AppliedSpec, RequestState


@dataclass(frozen=True, slots=True)
class ActualContainer:
    """What a container's pod has, as the ResourceManager says it."""

    size: Vector
    opportunistic: bool


def read_allocations(
    request: ContainerRequest, application: ApplicationId, types: ResourceTypes
) -> tuple[dict[ContainerId, Allocation], set[ContainerId]]:
    """The grants that a status lists, and of which of them it says what is charged."""
    allocations = {
        container: Allocation(node, opportunistic=request.opportunistic)
        for container, node in request.granted_nodes(application).items()
    }
    for container, preempted in by_container(request.status.preempting).items():
        # Who was only marked is looked at anew; who was killed has a pod that goes.
        allocation = allocations.get(container)
        if allocation is not None and preempted.kill:
            allocation.preempt(preempted.message, kill=True)
    charged = {
        container: update
        for container, update in by_container(request.status.updates).items()
        if container in allocations
    }
    for container, update in charged.items():
        allocation = allocations[container]
        opportunistic = _is_opportunistic(update.execution_type, allocation.opportunistic)
        allocation.charge(_size(update, types), opportunistic=opportunistic)
    return allocations, set(charged)


def actual_container(
    updated: UpdatedContainerStatus | None, state: RequestState, types: ResourceTypes
) -> ActualContainer:
    """What an entry of `updated` says; where it is silent, what was granted."""
    if updated is None:
        return ActualContainer(state.size or (), state.opportunistic)
    opportunistic = _is_opportunistic(updated.execution_type, state.opportunistic)
    return ActualContainer(_size(updated, types) or state.size or (), opportunistic)


def accepted_before(request: ContainerRequest) -> bool:
    """Whether the scheduler has taken this request already, perhaps in an earlier process."""
    return conditions.holds(request.status.conditions, "Accepted")


def applied_before(states: list[RequestState]) -> AppliedSpec | None:
    """The priority and queue that an earlier process acted on last; None: nobody has yet.

    They are in the status of the newest AM's request that has any.
    """
    for state in _masters(states):
        applied = state.request.status.applied
        if applied is not None:
            return applied.priority, applied.queue
    return None


def priority_before(states: list[RequestState]) -> int | None:
    """The priority that an application had in the scheduler before this one; None: in none.

    What its spec says may have been refused since, and a scheduler asks for no right to what it
    takes back.
    """
    for state in _masters(states):
        applied = state.request.status.applied
        in_force = applied.priority_in_force if applied is not None else None
        priority = in_force if state.priority is None else state.priority
        if priority is not None:
            return priority
    return None


def _masters(states: list[RequestState]) -> list[RequestState]:
    """The requests for its ApplicationMasters, the newest first."""
    return sorted((s for s in states if s.am), key=lambda s: -s.attempt)


def _is_opportunistic(kind: ExecutionType | None, otherwise: bool) -> bool:
    return otherwise if kind is None else kind is ExecutionType.OPPORTUNISTIC


def _size(update: ChargedUpdate | UpdatedContainerStatus, types: ResourceTypes) -> Vector | None:
    if not update.resources:
        return None
    return amounts.vector(update.resources, "resources", types)
