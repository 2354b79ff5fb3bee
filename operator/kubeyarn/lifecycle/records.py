"""What is stored of an application and its attempts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubeyarn.lifecycle.application import TERMINAL, ApplicationState, FinalStatus
from kubeyarn.lifecycle.attempt import ATTEMPT, AttemptEvent, AttemptState
from kubeyarn.lifecycle.exit_status import NOT_COUNTED
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId

# As many as the status of a YarnApplication holds.
MOST_ATTEMPTS = 100
# Characters of what an application says of its end that are stored; of an attempt a fourth of that,
# because there may be so many of them.
MOST_DIAGNOSTICS = 4096
MOST_ATTEMPT_DIAGNOSTICS = 1024


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """What is stored of an attempt."""

    id: AttemptId
    state: AttemptState = AttemptState.NEW
    container: ContainerId | None = None
    node: str = ""
    pod: str = ""
    start_ms: int = 0
    finish_ms: int = 0
    exit_status: int | None = None
    diagnostics: str = ""


@dataclass(frozen=True, slots=True)
class ApplicationRecord:
    """What is stored of an application; *before_kill* is what is shown while it is being killed."""

    id: ApplicationId
    user: str
    start_ms: int
    state: ApplicationState = ApplicationState.NEW
    before_kill: ApplicationState = ApplicationState.NEW
    final_status: FinalStatus = FinalStatus.UNDEFINED
    queue: str = ""
    progress: int = 0
    tracking_url: str = ""
    diagnostics: str = ""
    launch_ms: int = 0
    finish_ms: int = 0
    attempts: tuple[AttemptRecord, ...] = ()

    @property
    def attempt(self) -> AttemptRecord | None:
        """The current attempt, which is the last one; None before the application is accepted."""
        return self.attempts[-1] if self.attempts else None

    @property
    def attempt_id(self) -> AttemptId | None:
        """The current attempt's id; None before the application is accepted."""
        return self.attempts[-1].id if self.attempts else None

    def with_attempt(self, attempt: AttemptRecord) -> ApplicationRecord:
        """This record with *attempt* in the place of its current one."""
        return replace(self, attempts=(*self.attempts[:-1], attempt))

    def with_another_attempt(self, start_ms: int, *, unmanaged: bool = False) -> ApplicationRecord:
        """This record with a new attempt, the next by number, which waits for its AM.

        An *unmanaged* AM is waited for to register, any other to be granted its container.

        Of very many attempts the oldest are forgotten, those that do not count as failures first:
        their counting is what the record is kept for.
        """
        number = self.attempt.id.number + 1 if self.attempt else 1
        attempt = AttemptRecord(AttemptId(self.id, number), start_ms=start_ms)
        added = AttemptEvent.ADDED_UNMANAGED if unmanaged else AttemptEvent.ADDED
        for event in (AttemptEvent.START, added):
            attempt = replace(attempt, state=ATTEMPT.after(attempt.state, event))
        return replace(self, attempts=(*_remembered(self.attempts), attempt))

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state in TERMINAL


def _remembered(attempts: tuple[AttemptRecord, ...]) -> tuple[AttemptRecord, ...]:
    if len(attempts) < MOST_ATTEMPTS:
        return attempts
    idle = (i for i, attempt in enumerate(attempts) if attempt.exit_status in NOT_COUNTED)
    drop = next(idle, 0)
    return attempts[:drop] + attempts[drop + 1 :]
