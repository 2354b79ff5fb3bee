"""What is written to YarnApplication.status, and the events that go with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import NotFound
from kubeyarn.cluster.events import NORMAL, WARNING, EventRecorder
from kubeyarn.cluster.merging import replacing
from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd import conditions
from kubeyarn.crd.conditions import NewCondition
from kubeyarn.crd.object import Key, Object
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.applications import lifetime, records
from kubeyarn.resourcemanager.applications.observed_state import ApplicationSnapshot
from kubeyarn.resourcemanager.cache import Cache, UnreadApplication
from kubeyarn.resourcemanager.requests import request_builder, usage
from kubeyarn.resourcemanager.requests.request_view import RequestView

# The parts of a record that its ApplicationMaster says.
_WORDS = ("trackingUrl", "diagnostics")


def changes(
    snapshot: ApplicationSnapshot,
    record: ApplicationRecord,
    views: list[RequestView],
    wanted_conditions: list[NewCondition],
    now_ms: int,
) -> Object:
    """The merge patch that brings the status up to date; empty when it is. Pure.

    *wanted_conditions* are its conditions at *now_ms*, *views* its requests.
    """
    status = snapshot.raw.get("status") or {}
    generation = snapshot.generation
    wanted = records.write(record) | _address(snapshot, record) | _priority(snapshot)
    wanted["allocated"] = _allocated(views)
    wanted["usage"] = usage.of_application(views, status.get("usage") or {})
    if record.queue:
        # Before that, its queue's word on lifetimes is not known.
        wanted["lifetime"] = lifetime.status(record, snapshot.lifetime.seconds)
    wanted["observedGeneration"] = generation or None
    wanted["conditions"] = conditions.updated(
        status.get("conditions"),
        wanted_conditions,
        generation,
        records.timestamp(now_ms) or "",
    )
    return {
        k: replacing(status.get(k), v) for k, v in wanted.items() if not _same(status.get(k), v)
    }


def unreadable(unread: UnreadApplication, condition: NewCondition, now_ms: int) -> Object:
    """The merge patch that tells an application that was never read why; empty when it does. Pure.

    The rest of its status is left alone: what its state is nobody knows.
    """
    status = unread.raw.get("status") or {}
    now = records.timestamp(now_ms) or ""
    told = conditions.updated(status.get("conditions"), [condition], unread.generation, now)
    if told == status.get("conditions"):
        return {}
    return {"observedGeneration": unread.generation, "conditions": told}


def state_alone(record: ApplicationRecord) -> Object:
    """What of the status has to be known to a new process, without a word of anybody else. Pure.

    It is what remains where the API server refuses the whole.
    """
    attempts = tuple(replace(attempt, diagnostics="") for attempt in record.attempts)
    state = records.write(replace(record, tracking_url="", diagnostics="", attempts=attempts))
    return {name: value for name, value in state.items() if name not in _WORDS}


def announce(
    events: EventRecorder,
    application: Object,
    before: ApplicationRecord | None,
    after: ApplicationRecord,
) -> None:
    """Post events for changes of state, and for failed attempts that another one follows."""
    if before is not None and before.attempt and before.attempt.id != after.attempt_id:
        failed = next((a for a in after.attempts if a.id == before.attempt.id), before.attempt)
        note = f"{failed.id} failed and is tried again: {failed.diagnostics}"
        events.record(application, WARNING, "AttemptFailed", "Reconcile", note)
    if before is not None and before.state is after.state:
        return
    level = WARNING if after.state is ApplicationState.FAILED else NORMAL
    reason = "Application" + after.state.value.title().replace("_", "")
    note = f"{after.id} is {after.state}"
    if after.queue:
        note += f" in queue {after.queue}"
    if after.ended and after.diagnostics:
        note += f": {after.diagnostics}"
    events.record(application, level, reason, "Reconcile", note)


async def write(client: KubeClient, cache: Cache, key: Key, status: Object, epoch: int) -> None:
    """Write a part of a YarnApplication's status, if it is there; the cache knows it at once.

    It says the *epoch* of this process: the API server lets none follow a later one.
    """
    body = {"status": {**status, "epoch": epoch}}
    try:
        written = await client.patch(APPLICATIONS, key[1], body, key[0], "status")
    except NotFound:
        return
    cache.put_application(written)


def _address(snapshot: ApplicationSnapshot, record: ApplicationRecord) -> Object:
    """Where the AM listens for clients. A process that has not heard it leaves it as it is."""
    # Another attempt begins: the address of the one before is nobody's.
    if record.state is ApplicationState.ACCEPTED:
        return {"host": None, "rpcPort": None}
    if record.state is ApplicationState.RUNNING and snapshot.session.registered:
        return {"host": snapshot.session.host, "rpcPort": snapshot.session.rpc_port}
    return {}


def _priority(snapshot: ApplicationSnapshot) -> Object:
    """The priority in force, once the scheduler has said it."""
    applied = snapshot.am_request.applied if snapshot.am_request is not None else None
    in_force = applied.priority_in_force if applied is not None else None
    return {} if in_force is None else {"priority": in_force}


def _allocated(views: list[RequestView]) -> Object:
    """What the application holds now."""
    total: dict[str, int] = {}
    count = 0
    for view in views:
        if not view.grants:
            continue
        live = [container for container in view.grants if container not in view.completed]
        count += len(live)
        changed = [view.size_of(c) for c in live if c in view.updated]
        for size, times in ((view.size, len(live) - len(changed)), *((s, 1) for s in changed)):
            for name, amount in size.items():
                total[name] = total.get(name, 0) + amount * times
    return {"containers": count, **request_builder.shown(total)}


def _same(before: Any, after: Any) -> bool:
    """Whether two values say the same: null and empty values do."""
    return before == after or (not before and not after and before in (None, "", [], {}, 0))
