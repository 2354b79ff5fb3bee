"""What a user asks of an application that lives, and whether it was refused. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.crd.conditions import Saying
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.applications import annotation_protocol, signals
from kubeyarn.resourcemanager.requests.request_view import RequestView

if TYPE_CHECKING:
    from kubeyarn.resourcemanager.applications.observed_state import Seen


CONDITION = "ChangesApplied"
# What the scheduler says of changes, on the request for the AM.
_OF_THE_SCHEDULER = ("Moved", "Prioritized")


def fail(application: Object, record: ApplicationRecord) -> str:
    """Why the current attempt is failed though its AM lives; "" when nobody wants that.

    Source: Hadoop ClientRMService.failApplicationAttempt.
    """
    wanted = application["spec"].get("failAttempt") or ""
    return "Attempt failed by its user." if wanted == str(record.attempt_id) else ""


def saying(seen: Seen, record: ApplicationRecord) -> Saying:
    """Whether everything that was changed while the application lived is in force."""
    application, request = seen.application, seen.am_request
    refused = [
        ("InvalidAnnotation", m)
        for m in annotation_protocol.mistakes(application, record.attempt_id)
    ]
    if seen.lifetime.refused:
        refused.append(("LifetimeOver", seen.lifetime.refused))
    refused += [("SignalRefused", message) for message in signals.refusals(application)]
    refused += [*_no_such_attempt(application, record), *_refused_by_the_scheduler(request)]
    if not refused:
        return Saying(CONDITION, True, "NothingRefused", "")
    message = "; ".join(message for _, message in refused)
    return Saying(CONDITION, False, refused[0][0], message)


def _no_such_attempt(application: Object, record: ApplicationRecord) -> list[tuple[str, str]]:
    wanted = application["spec"].get("failAttempt") or ""
    known = [str(attempt.id) for attempt in record.attempts]
    if not wanted or wanted in known:
        return []
    allowed = ", ".join(known) or "nothing yet, it has no attempt"
    message = f"spec.failAttempt: found {wanted}, which is no attempt of it, allowed: {allowed}"
    return [("AttemptNotFound", message)]


def _refused_by_the_scheduler(request: RequestView | None) -> list[tuple[str, str]]:
    said = request.status.get("conditions") or () if request is not None else ()
    return [
        (str(c["reason"]), str(c.get("message") or ""))
        for c in said
        if c.get("type") in _OF_THE_SCHEDULER and c.get("status") == "False"
    ]
