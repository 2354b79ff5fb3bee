"""Why containers that have not ended are ended: by their application, attempt, or its AM. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.cluster import names
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.requests.request_view import RequestView, UnreadRequest


@dataclass(frozen=True, slots=True)
class TerminationReason:
    """Why containers that have not ended are ended, and whether those that run are spared."""

    ending: ContainerExit
    spares_running: bool = False


APPLICATION_OVER = TerminationReason(
    ContainerExit(ExitStatus.KILLED_AFTER_APP_COMPLETION, "The application has ended.")
)
_ATTEMPT_OVER = ContainerExit(
    ExitStatus.KILLED_BY_RESOURCEMANAGER, "The attempt that asked for it has ended."
)
ATTEMPT_OVER = TerminationReason(_ATTEMPT_OVER)
ATTEMPT_OVER_KEEPING = TerminationReason(_ATTEMPT_OVER, spares_running=True)

BY_APPLICATION_MASTER = {
    ExitStatus.ABORTED: ContainerExit(ExitStatus.ABORTED, "Container released by the application."),
    ExitStatus.KILLED_BY_APPMASTER: ContainerExit(
        ExitStatus.KILLED_BY_APPMASTER, "Stopped by the ApplicationMaster."
    ),
}
"""How containers end that their ApplicationMaster releases or stops."""


def termination_reason(
    application: YarnApplication, record: ApplicationRecord, view: RequestView | UnreadRequest
) -> TerminationReason | None:
    """Why the containers of a request are ended; None: they are not.

    Source: Hadoop RMAppImpl (containers of an ended application), RMAppAttemptImpl and
    keepContainersAcrossApplicationAttempts (those of an ended attempt).
    """
    if record.ended or record.state is ApplicationState.KILLING:
        return APPLICATION_OVER
    current = record.attempt.id.number if record.attempt else 1
    # Attempt 0 stands for requests that were written by hand: they are of the application.
    former = 0 < view.attempt < current
    if record.state is ApplicationState.FINISHING:
        # The AM that has unregistered may still clean up; its containers may not.
        is_the_am = view.role == names.ROLE_AM and not former
        return None if is_the_am else APPLICATION_OVER
    if not former:
        return None
    keeps = application.spec.keep_containers_across_attempts
    return ATTEMPT_OVER_KEEPING if keeps and view.role == names.ROLE_ASK else ATTEMPT_OVER
