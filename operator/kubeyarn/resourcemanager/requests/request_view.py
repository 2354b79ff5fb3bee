"""ContainerRequests as the ResourceManager reads them: what was granted, launched and has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubeyarn.cluster import names
from kubeyarn.crd import quantities, ranges
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.am_session import CompletedContainer, GrantedContainer, ShapeKey
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.resources import ResourceList
from kubeyarn.resourcemanager.pods.pod_builder import ContainerPlacement

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

    *attempt* is the number of the attempt that it is of, 0 for what was written by hand.
    *retry_limit* is how many failed containers are asked for again; None: that is the AM's affair.
    """

    name: str
    generation: int
    role: str
    attempt: int
    key: ShapeKey
    size: ResourceList
    granted: int
    grants: Mapping[ContainerId, str]
    launched: frozenset[ContainerId]
    completed: Mapping[ContainerId, CompletedContainer]
    counts: Mapping[str, int]
    retry_limit: int | None
    container: Mapping[str, Any] | None
    preempting: Mapping[ContainerId, tuple[bool, str]]
    excluded: frozenset[str]
    opportunistic: bool
    requested_updates: Mapping[ContainerId, Object]
    updates: Mapping[ContainerId, ContainerUpdateStatus]
    updated: Mapping[ContainerId, ContainerVersion]
    status: Mapping[str, Any]

    def size_of(self, container: ContainerId) -> ResourceList:
        """What one of its containers has."""
        known = self.updated.get(container)
        return known.size if known is not None else self.size

    def runs_opportunistic(self, container: ContainerId) -> bool:
        """Whether one of its containers is opportunistic, as its pod and its AM know it."""
        known = self.updated.get(container)
        said = known.opportunistic if known is not None else None
        return self.opportunistic if said is None else said

    def counts_opportunistic(self, container: ContainerId) -> bool:
        """Whether the scheduler counts one of its containers as opportunistic."""
        charged = self.updates.get(container)
        said = charged.opportunistic if charged is not None else None
        return self.runs_opportunistic(container) if said is None else said

    def version_of(self, container: ContainerId) -> int:
        """How often one of its containers was changed."""
        known = self.updated.get(container)
        return known.version if known is not None else 0

    def condition(self, kind: str) -> Object | None:
        """One condition of its status."""
        conditions: Sequence[Object] = self.status.get("conditions") or ()
        return next((c for c in conditions if c.get("type") == kind), None)

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

    def placement(self, container: ContainerId, role: str) -> ContainerPlacement:
        """One of its containers as its pod is made."""
        return ContainerPlacement(
            container,
            self.grants[container],
            self.size_of(container),
            self.name,
            role,
            opportunistic=self.runs_opportunistic(container),
        )


def view(request: Object, application: ApplicationId) -> RequestView:
    """Parse *request*, whose containers belong to *application*."""
    meta, spec, status = request["metadata"], request["spec"], request.get("status") or {}
    labels = meta.get("labels") or {}
    grants = {
        container: entry["node"]
        for entry in status.get("grants") or ()
        for container in _containers(entry, application)
    }
    launched = frozenset(
        c for entry in status.get("launched") or () for c in _containers(entry, application)
    )
    completed = {}
    for entry in status.get("completed") or ():
        container = ContainerId.parse(entry["id"])
        completed[container] = CompletedContainer(
            container, int(entry["exitStatus"]), entry.get("diagnostics") or ""
        )
    return RequestView(
        name=meta["name"],
        generation=int(meta.get("generation") or 0),
        role=labels.get(names.ROLE, names.ROLE_TASK),
        attempt=_attempt(labels),
        key=_key(spec, labels),
        size=_size(status if status.get("resources") else spec),
        granted=int(status.get("granted") or 0),
        grants=grants,
        launched=launched,
        completed=completed,
        counts={key: int(status.get(key) or 0) for key in COUNTS},
        retry_limit=int(spec.get("retryLimit") or 0) if spec.get("onFailure") == "Retry" else None,
        container=spec.get("container"),
        preempting={
            ContainerId.parse(entry["id"]): (bool(entry["kill"]), entry.get("message") or "")
            for entry in status.get("preempting") or ()
        },
        excluded=frozenset(spec.get("excludeNodes") or ()),
        opportunistic=spec.get("executionType") == "Opportunistic",
        requested_updates={
            ContainerId.parse(entry["id"]): entry for entry in spec.get("updates") or ()
        },
        updates={
            ContainerId.parse(entry["id"]): ContainerUpdateStatus(
                _size(entry),
                _size(entry, "wanted"),
                entry.get("message") or "",
                _type(entry),
            )
            for entry in status.get("updates") or ()
        },
        updated={
            ContainerId.parse(entry["id"]): ContainerVersion(
                int(entry.get("version") or 1), _size(entry), _type(entry)
            )
            for entry in status.get("updated") or ()
        },
        status=status,
    )


def _size(entry: Object, name: str = "resources") -> ResourceList:
    return ResourceList(quantities.amounts(entry.get(name) or {}, name))


def _type(entry: Object) -> bool | None:
    """Whether an entry says that its container is opportunistic; None: it does not say."""
    said = entry.get("executionType")
    return None if said is None else bool(said == names.OPPORTUNISTIC)


def _attempt(labels: Object) -> int:
    if labels.get(names.ROLE) not in (names.ROLE_AM, names.ROLE_ASK):
        return 0
    said = str(labels.get(names.ATTEMPT) or "")
    return int(said) if said.isdigit() else 1


def _key(spec: Object, labels: Object) -> ShapeKey:
    allocation = spec.get("allocationRequestId")
    return ShapeKey(
        int(spec.get("priority") or 0),
        -1 if allocation is None else int(allocation),
        labels.get(names.SHAPE, ""),
    )


def _containers(entry: Object, application: ApplicationId) -> list[ContainerId]:
    attempt = AttemptId(application, int(entry.get("attempt") or 1))
    epoch = int(entry.get("epoch") or 0)
    return [ContainerId(attempt, epoch, n) for n in ranges.expand(entry.get("containers") or "")]
