"""Messages of the AM service, made from the values of a session."""

from __future__ import annotations

from kubeyarn.lifecycle.am_session import (
    CompletedContainer,
    GrantedContainer,
    RejectedAsk,
    UpdateContainerError,
    UpdateType,
)
from kubeyarn.lifecycle.node import NodeUpdate
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.requests.request_builder import container_size


def container(granted: GrantedContainer) -> wire.Container:
    """A granted container."""
    return wire.Container(
        container_id=str(granted.id),
        node=granted.node,
        priority=granted.key.priority,
        allocation_request_id=granted.key.allocation_request_id,
        version=granted.version,
        execution_type="OPPORTUNISTIC" if granted.opportunistic else "GUARANTEED",
        resources=container_size(granted.size),
    )


def completed(ended: CompletedContainer) -> wire.Completed:
    """A container's end."""
    return wire.Completed(
        container_id=str(ended.id), exit_status=ended.exit_status, diagnostics=ended.diagnostics
    )


def updated(kind: UpdateType, granted: GrantedContainer) -> wire.UpdatedContainer:
    """A container that was changed."""
    return wire.UpdatedContainer(type=kind.value, container=container(granted))


def update_error(error: UpdateContainerError) -> wire.UpdateError:
    """An update that is not made."""
    return wire.UpdateError(
        container_id=error.id,
        reason=error.reason,
        current_version=error.version,
        message=error.message,
    )


def rejected(ask: RejectedAsk) -> wire.Rejected:
    """An ask that cannot be served as it is."""
    return wire.Rejected(
        priority=ask.key.priority,
        allocation_request_id=ask.key.allocation_request_id,
        reason=ask.reason,
        message=ask.message,
    )


def node(update: NodeUpdate) -> wire.NodeUpdate:
    """A node that changed."""
    return wire.NodeUpdate(
        node=update.name,
        state=update.view.state.value,
        update_type=update.view.update_type.value,
        decommissioning_timeout_seconds=update.view.remaining_s,
    )
