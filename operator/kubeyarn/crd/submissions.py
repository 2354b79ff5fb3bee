"""YarnApplication and ContainerRequest objects as the scheduler's values.

Raw JSON in, because thousands of them come by in a second; nothing is validated that the API
server has validated, but nothing that is wrong gets past either.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubeyarn.crd import amounts, defaults, reading
from kubeyarn.crd.object import Object
from kubeyarn.model.applications import Application
from kubeyarn.model.asks import ANYWHERE, Ask, AskKey, Locality
from kubeyarn.model.constraints import PlacementConstraint
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers import constraint_parser


def application(found: Object, types: ResourceTypes) -> Application:
    """What the scheduler needs to know of a YarnApplication that has got its id.

    Raises:
        SpecError: a field says nothing that can be acted on, or there is no id yet.
    """
    metadata, spec = found["metadata"], reading.mapping(found.get("spec"), "spec")
    status = found.get("status") or {}
    name = ApplicationId.parse(str(status.get("applicationId", "")))
    return Application(
        id=name,
        user=status.get("user") or spec.get("user") or "",
        queue=spec.get("queue") or "",
        groups=_groups(spec.get("userGroups")),
        name=spec.get("applicationName") or metadata["name"],
        priority=_optional(spec, "priority"),
        am_size=None if spec.get("unmanagedAM") else am_size(found, types),
        partition=spec.get("partition"),
        tags=tuple(spec.get("tags") or ()),
        order=name.number,
        submitted_ms=milliseconds(metadata.get("creationTimestamp")),
    )


def _groups(said: Any) -> tuple[str, ...]:
    """A user's groups, without Kubernetes' own, such as system:authenticated."""
    return tuple(str(group) for group in said or () if not str(group).startswith("system:"))


def am_size(found: Object, types: ResourceTypes) -> Vector:
    """The size of a YarnApplication's ApplicationMaster, with YARN's defaults where it is silent.

    Raises:
        SpecError: no quantity, zero, or a resource that the cluster does not know.
    """
    master = (found.get("spec") or {}).get("applicationMaster") or {}
    return _size(
        master.get("resources"), "spec.applicationMaster.resources", types, defaults.AM_RESOURCES
    )


def ask(found: Object, types: ResourceTypes) -> Ask:
    """What a ContainerRequest still wants: its count, and what is wanted again, less the granted.

    Raises:
        SpecError: a field says nothing that can be acted on.
    """
    spec = reading.mapping(found.get("spec"), "spec")
    granted = (found.get("status") or {}).get("granted") or 0
    wanted = reading.count(spec.get("count", 1), "spec.count") + asked_again(found)
    pending = max(0, wanted - granted)
    return Ask(
        key=ask_key(found),
        count=pending,
        size=_size(spec.get("resources"), "spec.resources", types, defaults.TASK_RESOURCES),
        partition=spec.get("partition"),
        locality=_locality(spec.get("locality"), pending),
        opportunistic=spec.get("executionType") == "Opportunistic",
        constraint=_constraint(spec.get("placementConstraint") or ""),
        tags=tuple(sorted(spec.get("allocationTags") or ())),
    )


def asked_again(found: Object) -> int:
    """Containers that a ContainerRequest wants in place of others that ended badly."""
    status = found.get("status") or {}
    return int(status.get("retried") or 0) + int(status.get("replaced") or 0)


def _constraint(said: str) -> PlacementConstraint | None:
    try:
        return constraint_parser.parse(said) if said else None
    except SpecError as error:
        raise SpecError(f"spec.placementConstraint: {error}") from None


def ask_key(found: Object) -> AskKey:
    """The key by which a ContainerRequest is known within its application."""
    spec = found.get("spec") or {}
    return AskKey(
        priority=reading.count(spec.get("priority", 0), "spec.priority"),
        allocation_request_id=reading.integer(
            spec.get("allocationRequestId", 0), "spec.allocationRequestId"
        ),
        name=found["metadata"]["name"],
    )


def _size(said: Any, field: str, types: ResourceTypes, standard: Mapping[str, str]) -> Vector:
    if said is None:
        said = {}
    return amounts.positive_vector({**standard, **reading.mapping(said, field)}, field, types)


def _locality(said: Any, wanted: int) -> Locality:
    if not said:
        return ANYWHERE
    return Locality(
        nodes=tuple((node, wanted) for node in sorted(said.get("nodes") or ())),
        racks=tuple((rack, wanted) for rack in sorted(said.get("racks") or ())),
        relax=said.get("relax", True) is not False,
    )


def _optional(spec: Mapping[str, Any], name: str) -> int | None:
    value = spec.get(name)
    return None if value is None else reading.count(value, f"spec.{name}")


def milliseconds(timestamp: object) -> int:
    """A Kubernetes timestamp, such as 2026-11-23T03:42:28Z, in milliseconds since 1970; 0: none.

    Raises:
        SpecError: no timestamp.
    """
    if timestamp is None:
        return 0
    try:
        return int(datetime.fromisoformat(str(timestamp)).timestamp() * 1000)
    except ValueError:
        raise SpecError(
            f"found {timestamp!r}, expected a time such as 2026-11-23T03:42:28Z"
        ) from None
