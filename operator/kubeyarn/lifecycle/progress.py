"""How an application moves on: from what is recorded and what is seen to what is recorded next.

`advance` is a level, not an edge: called again with the same facts it changes nothing, and called
after a restart with facts that piled up meanwhile it walks through all the states between. It
decides; making pods and writing status is its caller's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kubeyarn.lifecycle import retry
from kubeyarn.lifecycle.application import (
    APPLICATION,
    ApplicationEvent,
    ApplicationState,
    FinalStatus,
)
from kubeyarn.lifecycle.attempt import ATTEMPT, ENDED, AttemptEvent, AttemptState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.records import ApplicationRecord, AttemptRecord
from kubeyarn.lifecycle.retry import RetryRule
from kubeyarn.model.ids import ContainerId


@dataclass(frozen=True, slots=True)
class Admission:
    """The scheduler's answer to a submission: the leaf it was placed in, or why it was refused."""

    queue: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class ContainerExit:
    """How a container ended."""

    exit_status: int
    diagnostics: str = ""


@dataclass(frozen=True, slots=True)
class Unregistration:
    """What an AM said when it unregistered."""

    final_status: FinalStatus
    diagnostics: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, slots=True)
class ObservedState:
    """What is seen of an application now; everything that is not known has its default.

    *attempt* is the attempt that all facts about an AM are of. *outlived* says why the application
    is killed though its user does not ask for it; *fail* why its attempt is failed by its user.
    *unmanaged*: its AM runs elsewhere and has no container. *invalid* names what is wrong with the
    application's spec; *unlaunched* what the API server had against the AM's pod. *expired* says
    why the AM is given up: it did not start or did not call for too long.
    """

    attempt: int = 1
    retry: RetryRule = field(default_factory=RetryRule)
    saved: bool = False
    invalid: str = ""
    kill: bool = False
    outlived: str = ""
    fail: str = ""
    unmanaged: bool = False
    admission: Admission | None = None
    am_container: ContainerId | None = None
    am_node: str = ""
    am_pod: str = ""
    am_running: bool = False
    am_ending: ContainerExit | None = None
    unlaunched: str = ""
    am_revoked: bool = False
    registered: bool = False
    tracking_url: str = ""
    progress: int | None = None
    unregistration: Unregistration | None = None
    expired: str = ""


def advance(record: ApplicationRecord, observed: ObservedState, now_ms: int) -> ApplicationRecord:
    """The record after everything that *observed* lets happen has happened."""
    while True:
        # One step at a time until nothing changes: what happened while nobody looked is walked
        # through in its order, and no state is skipped.
        after = _step(record, observed, now_ms)
        if after == record:
            return record
        record = after


def _step(record: ApplicationRecord, observed: ObservedState, now_ms: int) -> ApplicationRecord:
    state = record.state
    if record.ended:
        return record
    if state in (ApplicationState.NEW, ApplicationState.NEW_SAVING, ApplicationState.SUBMITTED):
        return _before_acceptance(record, observed, now_ms)
    if (observed.kill or observed.outlived) and state in (
        ApplicationState.ACCEPTED,
        ApplicationState.RUNNING,
    ):
        return replace(_to(record, ApplicationEvent.KILL), before_kill=state)
    return _with_attempt(record, _of_current_attempt(observed, record), now_ms)


def _of_current_attempt(observed: ObservedState, record: ApplicationRecord) -> ObservedState:
    """*observed* without its facts about the AM of a former attempt."""
    if record.attempt is None or record.attempt.id.number == observed.attempt:
        return observed
    return ObservedState(
        retry=observed.retry,
        saved=observed.saved,
        invalid=observed.invalid,
        kill=observed.kill,
        outlived=observed.outlived,
        unmanaged=observed.unmanaged,
        admission=observed.admission,
    )


def _before_acceptance(
    record: ApplicationRecord, observed: ObservedState, now_ms: int
) -> ApplicationRecord:
    # First of all: what cannot be run is refused whatever else is wanted of it.
    if observed.invalid:
        return _refuse(record, observed.invalid, now_ms)
    if observed.kill or observed.outlived:
        killed = replace(_to(record, ApplicationEvent.KILL), final_status=FinalStatus.KILLED)
        return replace(killed, finish_ms=now_ms, diagnostics=_why_killed(observed))
    if record.state is ApplicationState.NEW:
        return _to(record, ApplicationEvent.START)
    if record.state is ApplicationState.NEW_SAVING:
        return _to(record, ApplicationEvent.SAVED) if observed.saved else record
    if observed.admission is None:
        return record
    if observed.admission.refused:
        return _refuse(record, observed.admission.refused, now_ms)
    accepted = _to(record, ApplicationEvent.ACCEPTED)
    begun = accepted.with_another_attempt(now_ms, unmanaged=observed.unmanaged)
    return replace(begun, queue=observed.admission.queue)


def _refuse(record: ApplicationRecord, why: str, now_ms: int) -> ApplicationRecord:
    refused = _to(record, ApplicationEvent.REJECTED)
    return replace(refused, final_status=FinalStatus.FAILED, diagnostics=why, finish_ms=now_ms)


def _with_attempt(
    record: ApplicationRecord, observed: ObservedState, now_ms: int
) -> ApplicationRecord:
    before = record.attempt
    if before is None:
        return record
    if observed.admission is not None and observed.admission.queue:
        # It may have been moved since.
        record = replace(record, queue=observed.admission.queue)
    # What the AM said last, when it unregistered, stays.
    if observed.tracking_url and record.state is not ApplicationState.FINISHING:
        record = replace(record, tracking_url=observed.tracking_url)
    if observed.progress is not None and record.state is not ApplicationState.FINISHING:
        record = replace(record, progress=observed.progress)
    attempt = _advance_attempt(before, observed, now_ms, killing=_killing(record))
    record = record.with_attempt(attempt)
    if attempt.state is before.state:
        return record
    return _follow(record, attempt, observed, now_ms)


def _killing(record: ApplicationRecord) -> bool:
    return record.state is ApplicationState.KILLING


def _advance_attempt(
    attempt: AttemptRecord, observed: ObservedState, now_ms: int, *, killing: bool
) -> AttemptRecord:
    """One step of the attempt: the first event that the facts give and its state takes.

    The order of the questions is the order of a life. After a restart many facts come at once: an
    AM that registered, unregistered and exited meanwhile is walked through all three, because an
    end that was asked for first would lose its final status.
    """
    state = attempt.state
    if state in ENDED:
        return attempt
    # 1. The container is granted.
    if state is AttemptState.SCHEDULED and observed.am_container and not observed.am_revoked:
        allocated = _event(attempt, AttemptEvent.ALLOCATED)
        return replace(
            allocated, container=observed.am_container, node=observed.am_node, pod=observed.am_pod
        )
    # 2. The AM registers. Its first call may be seen before its pod's state.
    if state in (AttemptState.ALLOCATED, AttemptState.LAUNCHED) and observed.registered:
        return _event(attempt, AttemptEvent.REGISTERED)
    # 3. The grant was taken back before anything ran: the same attempt waits for another one.
    if state is AttemptState.ALLOCATED and observed.am_revoked:
        scheduled = _event(attempt, AttemptEvent.REVOKED)
        return replace(scheduled, container=None, node="", pod="")
    # 4. The AM unregisters. This goes before a kill: what the AM says of its end holds.
    if state is AttemptState.RUNNING and observed.unregistration is not None:
        return _unregister(attempt, observed, now_ms)
    # 5. The ways in which it ends. A killed attempt ends when its container has, as in Hadoop.
    if killing and state is not AttemptState.FINISHING:
        nothing_runs = state is AttemptState.SCHEDULED or observed.unmanaged
        gone = observed.am_ending is not None or nothing_runs
        return _end(attempt, AttemptEvent.KILL, observed, now_ms) if gone else attempt
    if state is AttemptState.ALLOCATED and observed.unlaunched:
        return _end(attempt, AttemptEvent.LAUNCH_FAILED, observed, now_ms)
    if observed.am_ending is not None:
        return _end(attempt, AttemptEvent.CONTAINER_FINISHED, observed, now_ms)
    if observed.fail and state is not AttemptState.FINISHING:
        return _end(attempt, AttemptEvent.FAIL, observed, now_ms)
    if observed.expired and state is not AttemptState.SCHEDULED:
        return _end(attempt, AttemptEvent.EXPIRE, observed, now_ms)
    # 6. The pod runs. An end goes before it: the pod of an AM that has exited is still seen.
    if state is AttemptState.ALLOCATED and observed.am_running:
        return _event(attempt, AttemptEvent.LAUNCHED)
    return attempt


def _event(attempt: AttemptRecord, event: AttemptEvent) -> AttemptRecord:
    return replace(attempt, state=ATTEMPT.after(attempt.state, event))


def _unregister(attempt: AttemptRecord, observed: ObservedState, now_ms: int) -> AttemptRecord:
    """Without a container of its own to wait for, the attempt is over at once."""
    if not observed.unmanaged:
        return _event(attempt, AttemptEvent.UNREGISTERED)
    return replace(_event(attempt, AttemptEvent.UNREGISTERED_UNMANAGED), finish_ms=now_ms)


def _end(
    attempt: AttemptRecord, event: AttemptEvent, observed: ObservedState, now_ms: int
) -> AttemptRecord:
    # An AM that is given up has no exit status, and so counts as a failure, as in Hadoop.
    given_up = observed.unlaunched or observed.fail or observed.expired
    unknown = ExitStatus.INVALID if given_up else ExitStatus.KILLED_BY_RESOURCEMANAGER
    ending = observed.am_ending or ContainerExit(unknown, given_up)
    why = ending.diagnostics
    if event is AttemptEvent.CONTAINER_FINISHED and attempt.state is not AttemptState.FINISHING:
        registered = attempt.state is AttemptState.RUNNING
        why = _am_exit(ending, registered=registered)
    return replace(
        _event(attempt, event),
        exit_status=int(ending.exit_status),
        diagnostics=why,
        finish_ms=now_ms,
    )


def _am_exit(ending: ContainerExit, *, registered: bool) -> str:
    what = "without unregistering" if registered else "without registering"
    detail = f": {ending.diagnostics}" if ending.diagnostics else ""
    return f"The ApplicationMaster exited with status {ending.exit_status} {what}{detail}"


def _follow(
    record: ApplicationRecord, attempt: AttemptRecord, observed: ObservedState, now_ms: int
) -> ApplicationRecord:
    """The application after its attempt changed its state."""
    match attempt.state:
        case AttemptState.LAUNCHED:
            # The first attempt's launch is the application's, as in Hadoop's report.
            return replace(record, launch_ms=record.launch_ms or now_ms)
        case AttemptState.RUNNING:
            running = _to(record, ApplicationEvent.ATTEMPT_REGISTERED)
            return replace(running, launch_ms=record.launch_ms or now_ms)
        case AttemptState.FINISHING:
            return _unregistered(record, ApplicationEvent.ATTEMPT_UNREGISTERED, observed, now_ms)
        case AttemptState.FINISHED if record.state is not ApplicationState.FINISHING:
            return _unregistered(record, ApplicationEvent.ATTEMPT_FINISHED, observed, now_ms)
        case AttemptState.FINISHED:
            return _to(record, ApplicationEvent.ATTEMPT_FINISHED)
        case AttemptState.KILLED:
            return _killed(record, observed, now_ms)
        # An AM that was being killed may have failed first; the application was to end in any case.
        case AttemptState.FAILED if _killing(record):
            return _killed(record, observed, now_ms)
        case AttemptState.FAILED:
            return _failed(record, attempt, observed, now_ms)
        case _:
            return record


def _failed(
    record: ApplicationRecord, attempt: AttemptRecord, observed: ObservedState, now_ms: int
) -> ApplicationRecord:
    """Another attempt begins, or there is none left and the application failed."""
    if retry.another(record.attempts, observed.retry, now_ms):
        replaced = _to(record, ApplicationEvent.ATTEMPT_REPLACED).with_another_attempt(
            now_ms, unmanaged=observed.unmanaged
        )
        # They were the former AM's.
        return replace(replaced, tracking_url="", progress=0)
    failed = _to(record, ApplicationEvent.ATTEMPT_FAILED)
    return replace(
        failed,
        final_status=FinalStatus.FAILED,
        diagnostics=f"Application attempt {attempt.id} failed. {attempt.diagnostics}",
        finish_ms=now_ms,
    )


def _unregistered(
    record: ApplicationRecord, event: ApplicationEvent, observed: ObservedState, now_ms: int
) -> ApplicationRecord:
    unregistration = observed.unregistration
    finishing = _to(record, event)
    if unregistration is None:
        return finishing
    return replace(
        finishing,
        final_status=unregistration.final_status,
        diagnostics=unregistration.diagnostics,
        tracking_url=unregistration.tracking_url or record.tracking_url,
        # Whatever the final status is (Hadoop: RMAppAttemptImpl.updateInfoOnAMUnregister).
        progress=100,
        finish_ms=now_ms,
    )


def _why_killed(observed: ObservedState) -> str:
    return "Application killed by its user." if observed.kill else observed.outlived


def _killed(record: ApplicationRecord, observed: ObservedState, now_ms: int) -> ApplicationRecord:
    killed = _to(record, ApplicationEvent.ATTEMPT_KILLED)
    return replace(
        killed,
        final_status=FinalStatus.KILLED,
        diagnostics=_why_killed(observed),
        finish_ms=now_ms,
    )


def _to(record: ApplicationRecord, event: ApplicationEvent) -> ApplicationRecord:
    return replace(record, state=APPLICATION.after(record.state, event))
