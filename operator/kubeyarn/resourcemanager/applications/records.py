"""YarnApplication.status and the record of an application: one is the other, written down."""

from __future__ import annotations

from kubeyarn.crd import times
from kubeyarn.crd.object import Object
from kubeyarn.crd.times import milliseconds
from kubeyarn.crd.yarn_application import AttemptStatus, YarnApplication
from kubeyarn.lifecycle.application import ApplicationState, public
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.records import (
    MOST_ATTEMPT_DIAGNOSTICS,
    MOST_DIAGNOSTICS,
    ApplicationRecord,
    AttemptRecord,
)
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId


def read(application: YarnApplication) -> ApplicationRecord | None:
    """The record in an application's status; None before it has an id."""
    status = application.status
    if not status.application_id:
        return None
    attempts = tuple(_read_attempt(attempt) for attempt in status.attempts)
    state = status.state
    # An application's public state does not tell FINISHING apart; its attempt's does.
    if attempts and attempts[-1].state is AttemptState.FINISHING:
        state = ApplicationState.FINISHING
    return ApplicationRecord(
        id=ApplicationId.parse(status.application_id),
        user=status.user,
        start_ms=milliseconds(status.start_time),
        state=state,
        before_kill=state,
        final_status=status.final_status,
        queue=status.queue,
        progress=status.progress,
        tracking_url=status.tracking_url,
        diagnostics=status.diagnostics,
        launch_ms=milliseconds(status.launch_time),
        finish_ms=milliseconds(status.finish_time),
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
        "diagnostics": record.diagnostics[:MOST_DIAGNOSTICS],
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


def _read_attempt(attempt: AttemptStatus) -> AttemptRecord:
    return AttemptRecord(
        id=AttemptId.parse(attempt.id),
        state=attempt.state,
        container=ContainerId.parse(attempt.container_id) if attempt.container_id else None,
        node=attempt.node,
        pod=attempt.pod,
        start_ms=milliseconds(attempt.start_time),
        finish_ms=milliseconds(attempt.finish_time),
        exit_status=attempt.exit_status,
        diagnostics=attempt.diagnostics,
    )


def _write_attempt(attempt: AttemptRecord) -> Object:
    status: Object = {
        "id": str(attempt.id),
        "number": attempt.id.number,
        "state": attempt.state.value,
        "containerId": str(attempt.container) if attempt.container else None,
        "pod": attempt.pod or None,
        "node": attempt.node or None,
        "startTime": timestamp(attempt.start_ms),
        "finishTime": timestamp(attempt.finish_ms),
        "exitStatus": attempt.exit_status,
        "diagnostics": attempt.diagnostics[:MOST_ATTEMPT_DIAGNOSTICS] or None,
    }
    return {key: value for key, value in status.items() if value is not None}
