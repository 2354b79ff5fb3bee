"""ContainerRequest.status, the scheduler's part: grants, why it waits, what containers are charged.

A request is written when something about it changed and never by two writes at once; what changes
meanwhile is in the next write, so a burst of grants costs one write a request. What waits costs
none: its message is refreshed only together with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import NotFound
from kubeyarn.cluster.resources import REQUESTS
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.crd import all_fields_acting, conditions, quantities, ranges, times
from kubeyarn.crd.conditions import NewCondition
from kubeyarn.crd.container_request import ExecutionType
from kubeyarn.crd.object import Key, Object
from kubeyarn.model.errors import Unavailable
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.node_backoff import MOST_LISTED, NodeBackoff
from kubeyarn.scheduler.reconcile_errors import UNREADABLE, ReconcileError, Watched
from kubeyarn.scheduler.request_reader import accepted_before
from kubeyarn.scheduler.request_state import Allocation, AMLimits, RequestState
from kubeyarn.scheduler.scheduler_state import SchedulerState
from kubeyarn.scheduler.status.am_limits import AMLimitsReader, limits_status
from kubeyarn.scheduler.status.patch import changes, now, shown


class RequestWriter:
    """Keeps the scheduler's part of ContainerRequest.status current."""

    def __init__(
        self,
        client: KubeClient,
        cache: SchedulerCache,
        state: SchedulerState,
        leading: Callable[[], bool],
        epoch: int = 0,
    ) -> None:
        self._client = client
        self._requests = cache.requests
        self._errors = cache.errors
        self._state = state
        self._limits = AMLimitsReader(cache, state)
        self._leading = leading
        self._epoch = epoch
        self.queue: WorkQueue[Key] = WorkQueue(self.write, settle_s=0.0)

    async def write(self, key: Key) -> None:
        """Write what of a request's status is not as it should be."""
        state = self._requests.get(key)
        error = self._errors.get(Watched.REQUEST, key)
        if state is not None and state.deleted:
            return
        if state is None and (error is None or error.raw is None):
            return
        # A write after the lease was lost could overwrite what the successor granted; the epoch
        # guards the moment between this look and the write.
        if not self._leading():
            raise Unavailable("the lease is not held")
        if state is None:
            await self._write_unreadable(key, error)
            return
        body, limits = self.to_write(state)
        if not body:
            state.limits_written(limits if state.limits_due else state.limits_told)
            return
        # Both numbers go along with any change: `kubectl get` shows what is absent as no value, and
        # a request whose containers are granted in the turn that takes it never had a pending one.
        body["granted"], body["pending"] = state.granted, state.pending
        # The API server lets no epoch follow a later one (CEL in the definition).
        body["epoch"] = self._epoch
        try:
            written = await self._client.patch(
                REQUESTS, key[1], {"status": body}, key[0], sub="status"
            )
        except NotFound:
            return
        state.limits_written(limits)
        self._requests.status_written(key, written)

    def to_write(self, state: RequestState) -> tuple[Object, AMLimits | None]:
        """What is to be written; limits that changed go along, and alone only when due."""
        limits = self._limits.read(state)
        status = state.raw.get("status") or {}
        body = changes(status, self.wanted(state))
        if limits is not None and (body or state.limits_due):
            body |= changes(status, limits_status(limits, self._state.types))
        return body, limits

    async def _write_unreadable(self, key: Key, error: ReconcileError | None) -> None:
        """Say of a request that was never taken in why it is not."""
        body = unreadable_status(error)
        if body:
            body["epoch"] = self._epoch
            with suppress(NotFound):
                await self._client.patch(REQUESTS, key[1], {"status": body}, key[0], sub="status")

    def wanted(self, state: RequestState) -> Object:
        """What the status of a request should say, the scheduler's part of it."""
        status = state.raw.get("status") or {}
        generation = int(state.raw["metadata"].get("generation") or 0)
        wanted: Object = {
            "observedGeneration": generation,
            "queue": state.queue,
            "granted": state.granted,
            "pending": state.pending,
            "grants": grants_status(state.allocations),
            "preempting": preempting_status(state.allocations),
            "avoidedNodes": node_backoffs_status(state.backoffs),
            "updates": updates_status(state, self._state.types),
            "conditions": conditions.updated(
                status.get("conditions"),
                _conditions(state, self._error(state)),
                generation,
                now(),
            ),
        }
        if state.applied is not None:
            priority, queue = state.applied
            spec = {} if priority is None else {"priority": priority}
            given = {} if state.priority is None else {"priorityInForce": state.priority}
            wanted["applied"] = {**spec, "queue": queue, **given}
        if state.size is not None:
            wanted["resources"] = shown(self._state.types.mapping(state.size))
        return wanted

    def _error(self, state: RequestState) -> ReconcileError | None:
        """What our code fails on: the request, or the application that its AM's request is for."""
        known = self._errors.get(Watched.REQUEST, state.key)
        if known is None and state.am:
            return self._errors.get(Watched.APPLICATION, state.application)
        return known


def unreadable_status(error: ReconcileError | None) -> Object:
    """What the status of a request that was never taken in should say and does not yet. Pure."""
    if error is None or error.raw is None:
        return {}
    status, metadata = error.raw.get("status") or {}, error.raw["metadata"]
    told = _refusal(error, am=False)
    generation = int(metadata.get("generation") or 0)
    wanted = conditions.updated(status.get("conditions"), told, generation, now())
    return changes(status, {"observedGeneration": generation, "conditions": wanted})


def _refusal(error: ReconcileError, *, am: bool) -> list[NewCondition]:
    # Unknown, not False, where it is no fault of the object's: what is refused is given up.
    accepted = False if error.reason == UNREADABLE and not am else None
    return [
        NewCondition("Accepted", accepted, error.reason, error.message),
        NewCondition("Satisfied", False, error.reason, error.message),
    ]


def _conditions(state: RequestState, error: ReconcileError | None) -> list[NewCondition]:
    told = [all_fields_acting.condition("ContainerRequest", state.raw)]
    if error is not None:
        accepted, satisfied = _refusal(error, am=state.am)
        # What was accepted once stays so: where it is placed after a restart hangs on it.
        return (
            [*told, satisfied] if accepted_before(state.request) else [*told, accepted, satisfied]
        )
    if state.accepted is not None:
        taken, reason, message = state.accepted
        told.append(NewCondition("Accepted", taken, reason, message))
        if not taken:
            told.append(NewCondition("Satisfied", False, reason, message))
            return told
    if state.moved is not None:
        told.append(NewCondition("Moved", *state.moved))
    if state.prioritized is not None:
        told.append(NewCondition("Prioritized", *state.prioritized))
    if state.over:
        message = f"{state.granted} of {state.count} were granted before the application ended"
        told.append(
            NewCondition("Satisfied", state.granted >= state.count, "ApplicationEnded", message)
        )
    elif state.superseded:
        message = f"{state.granted} of {state.count} were granted before its attempt ended"
        told.append(
            NewCondition("Satisfied", state.granted >= state.count, "AttemptEnded", message)
        )
    elif not state.pending:
        told.append(NewCondition("Satisfied", True, "AllGranted", f"all {state.count} granted"))
    elif state.waits is not None:
        told.append(NewCondition("Satisfied", False, *state.waits))
    else:
        message = f"{state.pending} of {state.count} containers are being scheduled"
        told.append(NewCondition("Satisfied", False, "Scheduling", message))
    return told


def grants_status(grants: Mapping[ContainerId, Allocation]) -> list[Object]:
    """Grants as status lists them: by attempt, epoch and node, numbers as ranges."""
    return ranges.grouped(grants, {container: one.node for container, one in grants.items()})


def preempting_status(grants: Mapping[ContainerId, Allocation]) -> list[Object]:
    """Containers that are being taken back, by id.

    One that is killed is listed as long as its grant: the ResourceManager must know why it ended.
    """
    return [
        {"id": str(container), "kill": one.preempting[0], "message": one.preempting[1][:512]}
        for container, one in sorted(grants.items())
        if one.preempting is not None and (one.killed or not one.released)
    ]


def node_backoffs_status(backoffs: Mapping[str, NodeBackoff]) -> list[Object]:
    """Node backoffs as status lists them, of very many the latest."""
    latest = sorted(backoffs.items(), key=lambda entry: (-entry[1].until_ms, entry[0]))[
        :MOST_LISTED
    ]
    return [
        {
            "node": node,
            "until": times.timestamp(known.until_ms),
            "refusals": known.refusals,
            "message": known.message,
        }
        for node, known in sorted(latest)
    ]


def updates_status(state: RequestState, types: ResourceTypes) -> list[Object]:
    """What is charged for the containers that have an update."""

    def shown(size: Vector) -> dict[str, str]:
        return {name: quantities.show(name, n) for name, n in types.mapping(size).items() if n}

    entries: list[Object] = []
    for container in sorted(state.updating & state.allocations.keys()):
        allocation = state.allocations[container]
        size = allocation.size or state.size
        if allocation.released or size is None:
            continue
        entry: Object = {
            "id": str(container),
            "resources": shown(size),
            "executionType": ExecutionType.of(allocation.opportunistic),
        }
        if allocation.wanted is not None:
            entry["wanted"] = shown(allocation.wanted)
        if allocation.refused:
            entry["message"] = allocation.refused[:512]
        if allocation.waits is not None:
            entry["waits"] = ": ".join(allocation.waits)[:512]
        entries.append(entry)
    return entries
