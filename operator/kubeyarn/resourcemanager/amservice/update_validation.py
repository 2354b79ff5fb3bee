"""Which updates of containers are taken (Hadoop: RMServerUtils.validateAndSplitUpdate...)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kubeyarn.crd import quantities
from kubeyarn.lifecycle.am_session import (
    INCORRECT_CONTAINER_VERSION_ERROR,
    INVALID_CONTAINER_ID,
    RESOURCE_OUTSIDE_ALLOWED_RANGE,
    UPDATE_OUTSTANDING_ERROR,
    UPDATE_REFUSED,
    UpdateContainerError,
    UpdateContainerRequest,
    UpdateType,
)
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import ResourceList
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.requests import request_builder
from kubeyarn.resourcemanager.requests.request_view import RequestView

# Whether a container is opportunistic after it.
_TYPES = {
    UpdateType.PROMOTE_EXECUTION_TYPE.value: False,
    UpdateType.DEMOTE_EXECUTION_TYPE.value: True,
}
_WORDS = {"GUARANTEED": False, "OPPORTUNISTIC": True}

FindView = Callable[[ContainerId], RequestView | None]


class _No(SpecError):
    """An update is refused with one of Hadoop's words."""

    def __init__(self, reason: str, message: str, version: int = -1) -> None:
        super().__init__(message)
        self.reason, self.version = reason, version


def check(
    messages: Sequence[wire.Update],
    view_of: FindView,
    before: Mapping[ContainerId, UpdateContainerRequest],
    maximum: Mapping[str, int],
) -> tuple[tuple[UpdateContainerRequest, ...], tuple[UpdateContainerError, ...]]:
    """The updates of one heartbeat that are taken, and why the others are not.

    *before* is what was taken of earlier heartbeats, by container.
    """
    taken: dict[ContainerId, UpdateContainerRequest] = {}
    errors = []
    for update in messages:
        try:
            container, view = _known(update, view_of)
            _check_outstanding(update, container, view, taken, before)
            wanted = _check_one(update, container, view, maximum)
        # One update's refusal is told beside the others' success, as in Hadoop; the heartbeat goes
        # on.
        except _No as no:
            errors.append(UpdateContainerError(update.container_id, no.reason, no.version, str(no)))
        else:
            taken[wanted.id] = wanted
    return tuple(taken.values()), tuple(errors)


def _check_outstanding(
    update: wire.Update,
    container: ContainerId,
    view: RequestView,
    taken: Mapping[ContainerId, UpdateContainerRequest],
    before: Mapping[ContainerId, UpdateContainerRequest],
) -> None:
    """One update at a time, but another size replaces a size that the container waits for.

    Source: Hadoop RMServerUtils.validateContainerIdAndVersion and
    ContainerUpdateContext.checkAndAddToOutstandingIncreases.
    """
    version = view.version_of(container)
    if update.version != version:
        raise _No(
            INCORRECT_CONTAINER_VERSION_ERROR,
            f"version: found {update.version}, the container's is {version}",
            version,
        )
    if container in taken:
        raise _No(
            UPDATE_OUTSTANDING_ERROR,
            "the same heartbeat has another update of the container, allowed: one",
            version,
        )
    known = before.get(container)
    to_be = known.opportunistic if known is not None else None
    if to_be is not None and to_be != view.runs_opportunistic(container):
        raise _No(
            UPDATE_OUTSTANDING_ERROR,
            f"the container is to become {_word(opportunistic=to_be)} already, allowed: no other "
            "update until then",
            version,
        )


def _check_one(
    update: wire.Update, container: ContainerId, view: RequestView, maximum: Mapping[str, int]
) -> UpdateContainerRequest:
    version, now = view.version_of(container), view.size_of(container)
    opportunistic = view.runs_opportunistic(container)
    if update.type in _TYPES or update.execution_type:
        to_be = _execution_type(update, version)
        _check_type(update, version, now, opportunistic=opportunistic, to_be=to_be)
        return UpdateContainerRequest(container, ResourceList(), to_be)
    if opportunistic:
        raise _No(
            UPDATE_REFUSED,
            "opportunistic containers keep their size; promote it first, or ask for another one",
            version,
        )
    try:
        return UpdateContainerRequest(container, _size(update, now, maximum))
    except SpecError as error:
        raise _No(RESOURCE_OUTSIDE_ALLOWED_RANGE, str(error), version) from None


def _execution_type(update: wire.Update, version: int) -> bool:
    """Whether the container is to be opportunistic."""
    to_be = _WORDS.get(update.execution_type, _TYPES.get(update.type))
    if to_be is None or (update.type and _TYPES.get(update.type) != to_be):
        raise _No(
            UPDATE_REFUSED,
            f"type: found {update.type!r} with executionType {update.execution_type!r}, allowed: "
            "the one that says it, or none",
            version,
        )
    return to_be


def _check_type(
    update: wire.Update,
    version: int,
    now: Mapping[str, int],
    *,
    opportunistic: bool,
    to_be: bool,
) -> None:
    if to_be == opportunistic:
        # Hadoop says nothing to it, and its ApplicationMaster waits for ever.
        raise _No(UPDATE_REFUSED, f"it is {_word(opportunistic=to_be)} already", version)
    try:
        target = quantities.amounts(update.resources, "resources")
    except SpecError as error:
        raise _No(UPDATE_REFUSED, str(error), version) from None
    if any(amount != now.get(name, 0) for name, amount in target.items()):
        raise _No(
            UPDATE_REFUSED,
            "resources: found another size with a change of the execution type, allowed: one of "
            "the two at a time",
            version,
        )


def _word(*, opportunistic: bool) -> str:
    return "OPPORTUNISTIC" if opportunistic else "GUARANTEED"


def _known(update: wire.Update, view_of: FindView) -> tuple[ContainerId, RequestView]:
    try:
        container = ContainerId.parse(update.container_id)
    except SpecError as error:
        raise _No(INVALID_CONTAINER_ID, str(error)) from None
    view = view_of(container)
    if view is None or container not in view.grants or container in view.completed:
        raise _No(INVALID_CONTAINER_ID, "no such container of this application lives")
    return container, view


def _size(update: wire.Update, now: Mapping[str, int], maximum: Mapping[str, int]) -> ResourceList:
    """The wanted size, if it is allowed.

    Raises:
        SpecError: it is no size, is too large, or does not match the update's type.
    """
    wanted = ResourceList({**now, **quantities.amounts(update.resources, "resources")})
    for name, amount in wanted.items():
        # In-place resize knows CPU and memory alone (Kubernetes: the subresource `resize`).
        if name not in request_builder.ALWAYS_SHOWN and amount != now.get(name, 0):
            raise SpecError(
                f"resources.{name}: found another amount, allowed: changes of cpu and memory, "
                "which Kubernetes resizes"
            )
        most = maximum.get(name)
        if amount <= 0 or (most is not None and amount > most):
            raise SpecError(
                f"resources.{name}: found {quantities.show(name, amount)}, allowed: more than 0"
                + (f", at most {quantities.show(name, most)}" if most is not None else "")
            )
    _check_direction(update.type, now, wanted)
    return wanted


def _check_direction(update_type: str, now: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    """One update makes a container larger or smaller (Hadoop: checkSchedContainerChangeRequest)."""
    more = any(wanted[name] > now.get(name, 0) for name in wanted)
    less = any(wanted[name] < now.get(name, 0) for name in wanted)
    if more and less:
        raise SpecError("resources: some are more and some less than the container has")
    allowed = ("", UpdateType.INCREASE_RESOURCE.value, UpdateType.DECREASE_RESOURCE.value)
    if update_type not in allowed:
        names = ", ".join(UpdateType)
        raise SpecError(f"type: found {update_type!r}, allowed: one of {names}")
    if (update_type == allowed[1] and less) or (update_type == allowed[2] and more):
        raise SpecError(
            f"resources: they are not what {update_type} says, {'more' if more else 'less'}"
        )
