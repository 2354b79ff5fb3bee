"""ContainerRequests as the ResourceManager reads them: what was granted, launched and has ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from kubeyarn.cluster import names
from kubeyarn.crd import quantities
from kubeyarn.crd.conditions import Condition, ConditionStatus
from kubeyarn.crd.container_request import (
    Applied,
    ContainerRequest,
    ExecutionType,
    OnFailure,
    RequestUsage,
    Role,
    by_container,
)
from kubeyarn.crd.decoding import DecodedObject
from kubeyarn.crd.fields import ResourceAmounts
from kubeyarn.crd.launch import LaunchSpec
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.am_session import CompletedContainer, GrantedContainer, ShapeKey
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.resources import ResourceList

RECONCILED = "Reconciled"
"""The condition by which the ResourceManager says whether it can act on the whole of a request."""

COUNTS = ("running", "succeeded", "failed", "retried", "replaced")


@dataclass(frozen=True, slots=True)
class ContainerUpdateStatus:
    """How far the scheduler is with an update of a container.

    *size* is what it charges to the queue by now, *wanted* the size after the update, *refused* why
    there will be none. *opportunistic*: nothing is charged to the queue; None: it does not say.
    """

    size: ResourceList
    wanted: ResourceList
    refused: str = ""
    opportunistic: bool | None = None


@dataclass(frozen=True, slots=True)
class ContainerVersion:
    """What a container is since its *version*-th update."""

    version: int
    size: ResourceList
    opportunistic: bool | None = None


@dataclass(frozen=True, slots=True)
class RequestView:
    """What a ContainerRequest says, parsed once.

    *version* is its resourceVersion. *attempt* is the number of the attempt that it is of, 0 for
    what was written by hand.
    *requested_updates* and *status* are as they came: what is written is compared with them.
    *headroom* and *maximum_allocation* are what an ApplicationMaster's request tells of its limits.
    *retry_limit* is how many failed containers are asked for again; None: that is the AM's affair.
    *mistake* is what of its spec cannot be acted on; the rest of it is.
    """

    name: str
    version: str
    generation: int
    role: str
    attempt: int
    key: ShapeKey
    size: ResourceList
    queue: str
    granted: int
    grants: Mapping[ContainerId, str]
    launched: frozenset[ContainerId]
    completed: Mapping[ContainerId, CompletedContainer]
    counts: Mapping[str, int]
    retry_limit: int | None
    container: LaunchSpec | None
    preempting: Mapping[ContainerId, tuple[bool, str]]
    excluded: frozenset[str]
    opportunistic: bool
    requested_updates: Mapping[ContainerId, Object]
    updates: Mapping[ContainerId, ContainerUpdateStatus]
    updated: Mapping[ContainerId, ContainerVersion]
    conditions: tuple[Condition, ...]
    applied: Applied | None
    headroom: ResourceList
    maximum_allocation: ResourceList
    usage: RequestUsage
    status: Mapping[str, Any]
    mistake: str = ""

    @property
    def is_idle(self) -> bool:
        """Whether nothing was granted, so that nothing can follow from what becomes of it.

        Thousands of requests that wait are so, and cost a reconciliation no more than this look.
        """
        granted = self.grants or self.launched or self.completed or self.preempting
        changed = self.updates or self.updated or self.requested_updates or self.mistake
        accepted = self.condition("Accepted")
        told = self.condition(RECONCILED) is not None or (
            accepted is not None and accepted.status is ConditionStatus.FALSE
        )
        return not (granted or changed or told or any(self.counts.values()))

    def size_of(self, container: ContainerId) -> ResourceList:
        """What one of its containers has."""
        known = self.updated.get(container)
        return known.size if known is not None else self.size

    def runs_opportunistic(self, container: ContainerId) -> bool:
        """Whether one of its containers is opportunistic, as its pod and its AM know it."""
        known = self.updated.get(container)
        opportunistic = known.opportunistic if known is not None else None
        return self.opportunistic if opportunistic is None else opportunistic

    def counts_opportunistic(self, container: ContainerId) -> bool:
        """Whether the scheduler counts one of its containers as opportunistic."""
        charged = self.updates.get(container)
        opportunistic = charged.opportunistic if charged is not None else None
        return self.runs_opportunistic(container) if opportunistic is None else opportunistic

    def version_of(self, container: ContainerId) -> int:
        """How often one of its containers was changed."""
        known = self.updated.get(container)
        return known.version if known is not None else 0

    def condition(self, kind: str) -> Condition | None:
        """One condition of its status."""
        return next((c for c in self.conditions if c.type == kind), None)

    def granted_container(self, container: ContainerId) -> GrantedContainer:
        """One of its containers as an ApplicationMaster is told of it."""
        return GrantedContainer(
            container,
            self.grants[container],
            self.key,
            self.size_of(container),
            self.version_of(container),
            self.runs_opportunistic(container),
        )


def view(request: DecodedObject[ContainerRequest], application: ApplicationId) -> RequestView:
    """What *request* says, whose containers belong to *application*.

    Raises:
        SpecError: its status, or its size, is nothing that can be acted on.
    """
    decoded, raw = request.decoded, request.raw
    requested_updates, mistake = _requested_updates(raw)
    meta, spec, status = decoded.metadata, decoded.spec, decoded.status
    return RequestView(
        name=meta.name,
        version=meta.resource_version,
        generation=meta.generation,
        role=_role(decoded),
        attempt=_attempt(decoded),
        key=ShapeKey(spec.priority, spec.allocation_request_id, meta.labels.get(names.SHAPE, "")),
        # What the scheduler has rounded it to; before it has answered, what was asked.
        size=_size(status.resources or spec.resources),
        queue=status.queue,
        granted=status.granted,
        grants=decoded.granted_nodes(application),
        launched=frozenset(
            container for entry in status.launched for container in entry.ids(application)
        ),
        completed={
            container: CompletedContainer(container, entry.exit_status, entry.diagnostics)
            for container, entry in by_container(status.completed).items()
        },
        counts={
            "running": status.running,
            "succeeded": status.succeeded,
            "failed": status.failed,
            "retried": status.retried,
            "replaced": status.replaced,
        },
        retry_limit=spec.retry_limit if spec.on_failure is OnFailure.RETRY else None,
        container=spec.container,
        preempting=_preempting(decoded),
        excluded=frozenset(spec.exclude_nodes),
        opportunistic=decoded.opportunistic,
        requested_updates=requested_updates,
        updates={
            container: ContainerUpdateStatus(
                _size(entry.resources),
                _size(entry.wanted),
                entry.message,
                _is_opportunistic(entry.execution_type),
            )
            for container, entry in by_container(status.updates).items()
        },
        updated={
            container: ContainerVersion(
                entry.version, _size(entry.resources), _is_opportunistic(entry.execution_type)
            )
            for container, entry in by_container(status.updated).items()
        },
        conditions=status.conditions,
        applied=status.applied,
        headroom=_size(status.headroom),
        maximum_allocation=_size(status.maximum_allocation),
        usage=status.usage,
        status=raw.get("status") or {},
        mistake=mistake,
    )


def _role(request: ContainerRequest) -> str:
    """What its containers are for.

    Its spec says whether that is an ApplicationMaster, which only we may ask for; the label, which
    nobody else may write, whether an ApplicationMaster asked.
    """
    if request.spec.role is Role.APPLICATION_MASTER:
        return names.ROLE_AM
    asked = request.metadata.labels.get(names.ROLE) == names.ROLE_ASK
    return names.ROLE_ASK if asked else names.ROLE_TASK


def _attempt(request: ContainerRequest) -> int:
    by_hand = _role(request) == names.ROLE_TASK
    return 0 if by_hand else names.labelled_attempt(request.metadata.labels)


@dataclass(frozen=True, slots=True)
class UnreadRequest:
    """A request that cannot be read, and why; its containers are known by their pods alone.

    *bug*: its user could not have done anything about it.
    """

    request: DecodedObject[ContainerRequest]
    why: str
    bug: bool

    @property
    def name(self) -> str:
        """The request's name."""
        return self.request.decoded.metadata.name

    @property
    def role(self) -> str:
        """What its containers are for."""
        return _role(self.request.decoded)

    @property
    def attempt(self) -> int:
        """The number of the attempt that it is of, 0 for what was written by hand."""
        return _attempt(self.request.decoded)

    @property
    def preempting(self) -> Mapping[ContainerId, tuple[bool, str]]:
        """The containers that the policy takes back: whether now, and why."""
        return _preempting(self.request.decoded)


def views(
    requests: Iterable[DecodedObject[ContainerRequest]], application: ApplicationId
) -> tuple[list[RequestView], list[UnreadRequest]]:
    """What the requests of *application* say, each read on its own, and those that cannot be.

    A version of a request is read once, however often it is asked for.
    """
    readable, unread = [], []
    for request in requests:
        read = request.once(application, partial(_read, request, application))
        if isinstance(read, RequestView):
            readable.append(read)
        else:
            unread.append(read)
    return readable, unread


def _read(
    request: DecodedObject[ContainerRequest], application: ApplicationId
) -> RequestView | UnreadRequest:
    try:
        return view(request, application)
    except SpecError as error:
        return UnreadRequest(request, str(error), bug=False)
    except Exception as error:  # noqa: BLE001 - one request's trouble is not the others'
        why = f"it cannot be read: {type(error).__name__}: {error}"
        return UnreadRequest(request, why, bug=True)


def _preempting(request: ContainerRequest) -> dict[ContainerId, tuple[bool, str]]:
    return {
        container: (entry.kill, entry.message)
        for container, entry in by_container(request.status.preempting).items()
    }


def _requested_updates(raw: Object) -> tuple[dict[ContainerId, Object], str]:
    """`spec.updates` by container, and what is wrong with the first one that is of none."""
    updates, mistake = {}, ""
    for place, entry in enumerate(raw["spec"].get("updates") or ()):
        try:
            updates[ContainerId.parse(entry["id"])] = entry
        except SpecError as error:
            mistake = mistake or f"spec.updates[{place}].id: {error}"
    return updates, mistake


def _size(amounts: ResourceAmounts) -> ResourceList:
    return ResourceList(quantities.amounts(amounts, "resources"))


def _is_opportunistic(execution_type: ExecutionType | None) -> bool | None:
    """Whether a container is opportunistic; None: it is not said."""
    return None if execution_type is None else execution_type is ExecutionType.OPPORTUNISTIC
