"""The conditions of a YarnApplication: what its states mean to kubectl and GitOps tools. Pure."""

from __future__ import annotations

from kubeyarn.crd import not_yet
from kubeyarn.crd.conditions import Saying
from kubeyarn.lifecycle.application import ApplicationState, FinalStatus
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.applications import observed_state, spec_changes
from kubeyarn.resourcemanager.applications.observed_state import Seen

_NOT_YET = (ApplicationState.NEW, ApplicationState.NEW_SAVING, ApplicationState.SUBMITTED)


def conditions(seen: Seen, record: ApplicationRecord, most_attempts: int = 0) -> list[Saying]:
    """Every condition of an application; *most_attempts* is what the cluster allows, if it does."""
    asked = int(seen.application["spec"].get("maxAttempts") or 0)
    fewer = f" The cluster allows {most_attempts} attempts." if 0 < most_attempts < asked else ""
    return [
        _accepted(record, fewer),
        _running(seen, record),
        _finished(record),
        spec_changes.saying(seen, record),
        not_yet.saying("YarnApplication", seen.application),
    ]


def _accepted(record: ApplicationRecord, fewer: str) -> Saying:
    if record.state in _NOT_YET:
        return Saying("Accepted", None, "Submitted", "The scheduler has not answered yet.")
    if record.attempt is None and record.state is ApplicationState.FAILED:
        reason, _, message = record.diagnostics.partition(": ")
        if message and reason.isalpha():
            return Saying("Accepted", False, reason, message)
        return Saying("Accepted", False, "InvalidSpec", record.diagnostics)
    if record.attempt is None:
        return Saying("Accepted", False, "Killed", record.diagnostics)
    return Saying("Accepted", True, "Accepted", f"Placed in queue {record.queue}.{fewer}")


def _running(seen: Seen, record: ApplicationRecord) -> Saying:
    if record.ended or record.state is ApplicationState.FINISHING:
        return Saying("Running", False, "Ended", "")
    if record.state is ApplicationState.RUNNING:
        return Saying("Running", True, "Registered", "The ApplicationMaster has registered.")
    if record.state is ApplicationState.KILLING:
        return Saying("Running", False, "Killing", "The application is being killed.")
    if seen.am_pod is not None and record.attempt is not None:
        former, now = seen.am_pod.container.attempt, record.attempt.id
        if former != now:
            return Saying("Running", False, "Retrying", f"{former} failed; {now} begins.")
    reason, message = waiting(seen)
    return Saying("Running", False, reason, message)


def waiting(seen: Seen) -> tuple[str, str]:
    """What an application that does not run yet waits for: (reason, sentence)."""
    pod = seen.am_pod
    if observed_state.unmanaged(seen.application):
        status = seen.application.get("status") or {}
        where = (status.get("unmanagedAM") or {}).get("secret") or "that is being made"
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
    satisfied = observed_state.condition(seen.am_request, "Satisfied")
    if satisfied is not None and satisfied["status"] == "False":
        return str(satisfied["reason"]), str(satisfied.get("message") or "")
    return "Scheduling", "The ApplicationMaster's container is being scheduled."


def _finished(record: ApplicationRecord) -> Saying:
    if not record.ended and record.state is not ApplicationState.FINISHING:
        return Saying("Finished", False, "NotEnded", "")
    if record.state is ApplicationState.FAILED:
        return Saying("Finished", True, "Failed", record.diagnostics[:1024])
    if record.state is ApplicationState.KILLED:
        return Saying("Finished", True, "Killed", record.diagnostics[:1024])
    reason = {
        FinalStatus.SUCCEEDED: "Succeeded",
        FinalStatus.FAILED: "Failed",
        FinalStatus.KILLED: "Killed",
    }.get(record.final_status, "Ended")
    return Saying("Finished", True, reason, record.diagnostics[:1024])
