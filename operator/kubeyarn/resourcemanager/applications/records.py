"""YarnApplication.status and the record of an application: one is the other, written down."""

from __future__ import annotations

from kubeyarn.crd import times
from kubeyarn.crd.object import Object
from kubeyarn.crd.times import milliseconds
from kubeyarn.lifecycle.application import ApplicationState, FinalStatus, public
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.records import ApplicationRecord, AttemptRecord
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId


def read(application: Object) -> ApplicationRecord | None:
    """The record in an application's status; None before it has an id."""
    status = application.get("status") or {}
    if not status.get("applicationId"):
        return None
    attempts = tuple(_read_attempt(a) for a in status.get("attempts") or ())
    state = ApplicationState(status.get("state") or "NEW")
    if attempts and attempts[-1].state is AttemptState.FINISHING:
        state = ApplicationState.FINISHING
    return ApplicationRecord(
        id=ApplicationId.parse(status["applicationId"]),
        user=status.get("user") or "",
        start_ms=milliseconds(status.get("startTime")),
        state=state,
        before_kill=state,
        final_status=FinalStatus(status.get("finalStatus") or "UNDEFINED"),
        queue=status.get("queue") or "",
        progress=int(status.get("progress") or 0),
        tracking_url=status.get("trackingUrl") or "",
        diagnostics=status.get("diagnostics") or "",
        launch_ms=milliseconds(status.get("launchTime")),
        finish_ms=milliseconds(status.get("finishTime")),
        attempts=attempts,
    )


def write(record: ApplicationRecord) -> Object:
    """The part of the status that says *record*."""
    return {
        "applicationId": str(record.id),
        "state": public(record.state, record.before_kill),
        "finalStatus": record.final_status.value,
        "progress": record.progress,
        "queue": record.queue,
        "user": record.user,
        "trackingUrl": record.tracking_url,
        "diagnostics": record.diagnostics[:4096],
        "startTime": timestamp(record.start_ms),
        "launchTime": timestamp(record.launch_ms),
        "finishTime": timestamp(record.finish_ms),
        "attempts": [_write_attempt(attempt) for attempt in record.attempts],
    }


def timestamp(at_ms: int) -> str | None:
    """Milliseconds since 1970 as Kubernetes writes time; None for 0."""
    if not at_ms:
        return None
    return times.timestamp(at_ms)


def _read_attempt(said: Object) -> AttemptRecord:
    container = said.get("containerId")
    exit_status = said.get("exitStatus")
    return AttemptRecord(
        id=AttemptId.parse(said["id"]),
        state=AttemptState(said.get("state") or "NEW"),
        container=ContainerId.parse(container) if container else None,
        node=said.get("node") or "",
        pod=said.get("pod") or "",
        start_ms=milliseconds(said.get("startTime")),
        finish_ms=milliseconds(said.get("finishTime")),
        exit_status=int(exit_status) if exit_status is not None else None,
        diagnostics=said.get("diagnostics") or "",
    )


def _write_attempt(attempt: AttemptRecord) -> Object:
    said: Object = {
        "id": str(attempt.id),
        "number": attempt.id.number,
        "state": attempt.state.value,
        "containerId": str(attempt.container) if attempt.container else None,
        "pod": attempt.pod or None,
        "node": attempt.node or None,
        "startTime": timestamp(attempt.start_ms),
        "finishTime": timestamp(attempt.finish_ms),
        "exitStatus": attempt.exit_status,
        "diagnostics": attempt.diagnostics[:1024] or None,
    }
    return {key: value for key, value in said.items() if value is not None}
