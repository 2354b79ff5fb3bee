"""The conditions of a YarnApplication: what its states mean to kubectl and GitOps tools. Pure."""

from __future__ import annotations

from kubeyarn.crd import all_fields_acting
from kubeyarn.crd.conditions import ConditionStatus, NewCondition
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.application import ApplicationState, FinalStatus
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.applications import annotation_protocol, signals
from kubeyarn.resourcemanager.applications.observed_state import ApplicationSnapshot
from kubeyarn.resourcemanager.requests.request_view import RequestView

CHANGES_APPLIED = "ChangesApplied"
UNREADABLE = "Unreadable"
# What the scheduler says of changes, on the request for the AM.
_OF_THE_SCHEDULER = ("Moved", "Prioritized")
_NOT_YET = (ApplicationState.NEW, ApplicationState.NEW_SAVING, ApplicationState.SUBMITTED)


def conditions(
    snapshot: ApplicationSnapshot, record: ApplicationRecord, most_attempts: int = 0
) -> list[NewCondition]:
    """Every condition of an application; *most_attempts* is what the cluster allows, if it does."""
    asked = snapshot.application.spec.max_attempts
    fewer = f" The cluster allows {most_attempts} attempts." if 0 < most_attempts < asked else ""
    return [
        _accepted(record, fewer),
        _running(snapshot, record),
        _finished(record),
        _changes_applied(snapshot, record),
        all_fields_acting.condition("YarnApplication", snapshot.raw),
    ]


def never_read(why: str) -> NewCondition:
    """The condition of an application of which no version could be decoded."""
    return NewCondition("Accepted", False, UNREADABLE, why)


def _accepted(record: ApplicationRecord, fewer: str) -> NewCondition:
    if record.state in _NOT_YET:
        return NewCondition("Accepted", None, "Submitted", "The scheduler has not answered yet.")
    # Failed before it had an attempt: the scheduler refused it, with "Reason: message", or its spec
    # cannot be run.
    if record.attempt is None and record.state is ApplicationState.FAILED:
        reason, _, message = record.diagnostics.partition(": ")
        if message and reason.isalpha():
            return NewCondition("Accepted", False, reason, message)
        return NewCondition("Accepted", False, "InvalidSpec", record.diagnostics)
    if record.attempt is None:
        return NewCondition("Accepted", False, "Killed", record.diagnostics)
    return NewCondition("Accepted", True, "Accepted", f"Placed in queue {record.queue}.{fewer}")


def _running(snapshot: ApplicationSnapshot, record: ApplicationRecord) -> NewCondition:
    if record.ended or record.state is ApplicationState.FINISHING:
        return NewCondition("Running", False, "Ended", "")
    if record.state is ApplicationState.RUNNING:
        return NewCondition("Running", True, "Registered", "The ApplicationMaster has registered.")
    if record.state is ApplicationState.KILLING:
        return NewCondition("Running", False, "Killing", "The application is being killed.")
    if snapshot.am_pod is not None and record.attempt is not None:
        former, now = snapshot.am_pod.container.attempt, record.attempt.id
        # The pod of the attempt that failed is still there, and the next one has none yet.
        if former != now:
            return NewCondition("Running", False, "Retrying", f"{former} failed; {now} begins.")
    reason, message = waiting(snapshot)
    return NewCondition("Running", False, reason, message)


def waiting(snapshot: ApplicationSnapshot) -> tuple[str, str]:
    """What an application that does not run yet waits for: (reason, sentence)."""
    pod = snapshot.am_pod
    if snapshot.application.spec.unmanaged_am:
        token = snapshot.application.status.unmanaged_am
        where = (token.secret if token is not None else "") or "that is being made"
        return (
            "Unregistered",
            f"Waits for an ApplicationMaster to register with the token in Secret {where}.",
        )
    if pod is not None and pod.waiting is not None:
        reason, message = pod.waiting
        return reason, f"The ApplicationMaster's pod {pod.name} waits: {message}"
    if pod is not None and pod.unschedulable:
        return "PodUnschedulable", f"Pod {pod.name}: {pod.unschedulable}"
    if pod is not None:
        return "Launching", f"The ApplicationMaster's pod {pod.name} starts on node {pod.node}."
    satisfied = snapshot.am_request.condition("Satisfied") if snapshot.am_request else None
    if satisfied is not None and satisfied.status is ConditionStatus.FALSE:
        return satisfied.reason, satisfied.message
    return "Scheduling", "The ApplicationMaster's container is being scheduled."


def _finished(record: ApplicationRecord) -> NewCondition:
    if not record.ended and record.state is not ApplicationState.FINISHING:
        return NewCondition("Finished", False, "NotEnded", "")
    if record.state is ApplicationState.FAILED:
        return NewCondition("Finished", True, "Failed", record.diagnostics[:1024])
    if record.state is ApplicationState.KILLED:
        return NewCondition("Finished", True, "Killed", record.diagnostics[:1024])
    reason = {
        FinalStatus.SUCCEEDED: "Succeeded",
        FinalStatus.FAILED: "Failed",
        FinalStatus.KILLED: "Killed",
    }.get(record.final_status, "Ended")
    return NewCondition("Finished", True, reason, record.diagnostics[:1024])


def _changes_applied(snapshot: ApplicationSnapshot, record: ApplicationRecord) -> NewCondition:
    """Whether everything that was changed while the application lived is in force."""
    application, request = snapshot.application, snapshot.am_request
    refused = [] if snapshot.unread is None else [(UNREADABLE, snapshot.unread.why)]
    refused += [
        ("InvalidAnnotation", m)
        for m in annotation_protocol.mistakes(application, record.attempt_id)
    ]
    if snapshot.lifetime.refused:
        refused.append(("LifetimeOver", snapshot.lifetime.refused))
    refused += [("SignalRefused", message) for message in signals.refusals(application)]
    refused += [*_no_such_attempt(application, record), *_refused_by_the_scheduler(request)]
    if not refused:
        return NewCondition(CHANGES_APPLIED, True, "NothingRefused", "")
    message = "; ".join(message for _, message in refused)
    return NewCondition(CHANGES_APPLIED, False, refused[0][0], message)


def _no_such_attempt(
    application: YarnApplication, record: ApplicationRecord
) -> list[tuple[str, str]]:
    wanted = application.spec.fail_attempt
    known = [str(attempt.id) for attempt in record.attempts]
    if not wanted or wanted in known:
        return []
    allowed = ", ".join(known) or "nothing yet, it has no attempt"
    message = f"spec.failAttempt: found {wanted}, which is no attempt of it, allowed: {allowed}"
    return [("AttemptNotFound", message)]


def _refused_by_the_scheduler(request: RequestView | None) -> list[tuple[str, str]]:
    return [
        (condition.reason, condition.message)
        for condition in (request.conditions if request is not None else ())
        if condition.type in _OF_THE_SCHEDULER and condition.status is ConditionStatus.FALSE
    ]
