"""What ends the containers of a request before they end themselves."""

from __future__ import annotations

from kubeyarn.cluster import names
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.requests import request_view
from kubeyarn.resourcemanager.requests.request_view import Doom, RequestView


def fate(application: Object, record: ApplicationRecord, view: RequestView) -> Doom | None:
    """Why the containers of a request are ended; None: they are not."""
    if record.ended or record.state is ApplicationState.KILLING:
        return request_view.APPLICATION_OVER
    current = record.attempt.id.number if record.attempt else 1
    former = 0 < view.attempt < current
    if record.state is ApplicationState.FINISHING:
        # The AM that has unregistered may still clean up; its containers may not.
        lives = view.role == names.ROLE_AM and not former
        return None if lives else request_view.APPLICATION_OVER
    if not former:
        return None
    keeping = view.role == names.ROLE_ASK and application["spec"].get(
        "keepContainersAcrossAttempts"
    )
    return request_view.ATTEMPT_OVER_KEEPING if keeping else request_view.ATTEMPT_OVER
