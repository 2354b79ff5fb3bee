"""Checks what an ApplicationMaster asks and makes values of it (Hadoop: RMServerUtils)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kubeyarn.crd import quantities
from kubeyarn.lifecycle.am_session import ResourceRequest, ShapeKey
from kubeyarn.model.asks import ANYWHERE, Locality
from kubeyarn.model.constraints import PlacementConstraint
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import ResourceList
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.amservice.callers import Caller
from kubeyarn.resourcemanager.amservice.headroom import LargestAsk
from kubeyarn.resourcemanager.amservice.wire import FieldError
from kubeyarn.resourcemanager.requests import request_builder
from kubeyarn.schedulers import constraint_parser

MOST_CONTAINERS = 100_000
ANY_PLACE = "*"
_LONGEST_PLACE = 253
_MOST_PLACES = 1000
_TAG = re.compile(r"[A-Za-z0-9._-]{1,100}")
_MOST_TAGS = 16
_LONGEST_CONSTRAINT = 4096


class _Shape(NamedTuple):
    """What an ask says besides its name, its count and where it is to be.

    *is_larger*: it is above what is allowed now, and so only for those that asked for it before.
    """

    size: ResourceList
    opportunistic: bool
    constraint: PlacementConstraint | None
    tags: tuple[str, ...]
    digest: str
    is_larger: bool


def asks(messages: Sequence[wire.Ask], largest: LargestAsk) -> tuple[ResourceRequest, ...]:
    """The asks of a heartbeat; no size is above what *largest* allows.

    Thousands of asks are mostly alike, so what they have in common is read once.

    Raises:
        FieldError: one of them cannot be acted on.
    """
    known: dict[object, _Shape] = {}
    return tuple(_ask(f"asks[{index}]", ask, largest, known) for index, ask in enumerate(messages))


def _ask(
    where: str, message: wire.Ask, largest: LargestAsk, known: dict[object, _Shape]
) -> ResourceRequest:
    _check_numbers(where, message)
    place = message.locality
    like = None
    if place is None and not message.placement_constraint:
        like = (
            *message.resources.items(),
            message.partition,
            message.execution_type,
            *message.allocation_tags,
        )
    shape = known.get(like) if like is not None else None
    if shape is None:
        shape = _read_shape(where, message, largest)
        if like is not None:
            known[like] = shape
    key = ShapeKey(message.priority, message.allocation_request_id, shape.digest)
    if shape.is_larger:
        _check_maximum(f"{where}.resources", shape.size, largest.maximum(key, shape.size))
    locality = ANYWHERE
    if place is not None:
        locality = Locality(
            tuple((node, message.count) for node in place.nodes),
            tuple((rack, message.count) for rack in place.racks),
            place.relax,
        )
    return ResourceRequest(
        key, message.count, shape.size, message.partition, locality, shape.opportunistic,
        shape.constraint, shape.tags,
    )  # fmt: skip


def _read_shape(where: str, message: wire.Ask, largest: LargestAsk) -> _Shape:
    size = ResourceList(quantities.amounts(message.resources, f"{where}.resources"))
    for name in request_builder.ALWAYS_SHOWN:
        if size.get(name, 0) <= 0:
            shown = quantities.show(name, size.get(name, 0))
            raise FieldError(f"{where}.resources.{name}", f"found {shown}, allowed: more than 0")
    opportunistic = message.execution_type == "OPPORTUNISTIC"
    constraint, tags = _placement(where, message)
    if opportunistic and constraint is not None:
        raise FieldError(
            f"{where}.placementConstraint",
            "found one with executionType OPPORTUNISTIC, allowed: GUARANTEED",
        )
    digest = _digest(message, size, message.locality or wire.Locality(), tags)
    return _Shape(size, opportunistic, constraint, tags, digest, largest.is_exceeded_by(size))


def places(field: str, names: Sequence[str], before: frozenset[str]) -> frozenset[str]:
    """Nodes and racks to exclude (Hadoop: RMServerUtils.validateBlacklistRequest).

    Raises:
        FieldError: one is no name, or they are too many.
    """
    for i, name in enumerate(names):
        if name == ANY_PLACE or not 0 < len(name) <= _LONGEST_PLACE:
            raise FieldError(
                f"{field}[{i}]",
                f"found {name!r}, allowed: the name of a node or rack, and not {ANY_PLACE!r}",
            )
    added = frozenset(names)
    if len(before | added) > _MOST_PLACES:
        raise FieldError(
            field,
            f"would make {len(before | added)} excluded nodes, allowed: {_MOST_PLACES} at a time; "
            "remove some first",
        )
    return added


def released(caller: Caller, field: str, text: str) -> ContainerId:
    """A container that this AM may release (Hadoop: validateContainerReleaseRequest).

    Raises:
        FieldError: it is none of its own.
    """
    container = _container_id(field, text)
    mine = container.attempt == caller.session.attempt
    if mine or (caller.keeps_containers and container.attempt.application == caller.record.id):
        return container
    whose = "application" if caller.keeps_containers else "attempt"
    raise FieldError(
        field, f"found {text}, which is no container of this {whose}, allowed: its own"
    )


def _check_numbers(where: str, message: wire.Ask) -> None:
    if not 0 <= message.count <= MOST_CONTAINERS:
        raise FieldError(
            f"{where}.count", f"found {message.count}, allowed: 0 to {MOST_CONTAINERS}"
        )
    if message.priority < 0:
        raise FieldError(f"{where}.priority", f"found {message.priority}, allowed: 0 or more")
    if message.allocation_request_id < -1:
        raise FieldError(
            f"{where}.allocationRequestId",
            f"found {message.allocation_request_id}, allowed: -1 or more",
        )


def _check_maximum(field: str, size: Mapping[str, int], high: Mapping[str, int]) -> None:
    for name, amount in size.items():
        if name in high and amount > high[name]:
            raise FieldError(
                f"{field}.{name}",
                f"found {quantities.show(name, amount)}, allowed: at most the maximum allocation "
                f"{quantities.show(name, high[name])}",
            )


def _digest(
    message: wire.Ask, size: Mapping[str, int], locality: wire.Locality, tags: tuple[str, ...]
) -> str:
    """A short hash of everything that makes an ask of the same priority and id another ask."""
    words = f"{sorted(size.items())}{message.partition}{locality}"
    if message.execution_type == "OPPORTUNISTIC":
        # Asks of earlier versions keep their names.
        words += message.execution_type
    if message.placement_constraint or tags:
        words += f"{message.placement_constraint}{tags}"
    return hashlib.sha256(words.encode()).hexdigest()[:8]


def _placement(where: str, message: wire.Ask) -> tuple[PlacementConstraint | None, tuple[str, ...]]:
    """An ask's constraint and tags, if they can be acted on."""
    for i, tag in enumerate(message.allocation_tags):
        if not _TAG.fullmatch(tag) or i >= _MOST_TAGS:
            raise FieldError(
                f"{where}.allocationTags[{i}]",
                f"found {tag!r}, allowed: up to {_MOST_TAGS} tags of letters, digits, '.', '_' and "
                "'-', each of 1 to 100",
            )
    if len(message.placement_constraint) > _LONGEST_CONSTRAINT:
        raise FieldError(
            f"{where}.placementConstraint", f"allowed: {_LONGEST_CONSTRAINT} characters"
        )
    if not message.placement_constraint:
        return None, tuple(sorted(set(message.allocation_tags)))
    try:
        constraint = constraint_parser.parse(message.placement_constraint)
    except SpecError as error:
        raise FieldError(f"{where}.placementConstraint", str(error)) from None
    return constraint, tuple(sorted(set(message.allocation_tags)))


def _container_id(field: str, text: str) -> ContainerId:
    try:
        return ContainerId.parse(text)
    except SpecError as error:
        raise FieldError(field, str(error)) from error
