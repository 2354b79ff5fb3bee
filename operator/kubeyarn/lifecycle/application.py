"""The states of an application (Hadoop: RMAppImpl, its StateMachineFactory block).

Hadoop's saving states have no place here: a state is in force once the object's status is written,
so NEW_SAVING is the time between giving the id and having it stored, and FINAL_SAVING is none.
"""

from __future__ import annotations

from enum import StrEnum

from kubeyarn.lifecycle.machine import Machine


class ApplicationState(StrEnum):
    """Hadoop's RMAppState."""

    NEW = "NEW"
    NEW_SAVING = "NEW_SAVING"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    RUNNING = "RUNNING"
    FINISHING = "FINISHING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLING = "KILLING"
    KILLED = "KILLED"


class ApplicationEvent(StrEnum):
    """What happens to an application.

    ATTEMPT_REPLACED is Hadoop's ATTEMPT_FAILED where another attempt follows.
    """

    START = "START"
    SAVED = "SAVED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    KILL = "KILL"
    ATTEMPT_REGISTERED = "ATTEMPT_REGISTERED"
    ATTEMPT_UNREGISTERED = "ATTEMPT_UNREGISTERED"
    ATTEMPT_FINISHED = "ATTEMPT_FINISHED"
    ATTEMPT_FAILED = "ATTEMPT_FAILED"
    ATTEMPT_REPLACED = "ATTEMPT_REPLACED"
    ATTEMPT_KILLED = "ATTEMPT_KILLED"


class FinalStatus(StrEnum):
    """Hadoop's FinalApplicationStatus."""

    UNDEFINED = "UNDEFINED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    KILLED = "KILLED"
    ENDED = "ENDED"


_S = ApplicationState
_E = ApplicationEvent

TERMINAL = frozenset({_S.FINISHED, _S.FAILED, _S.KILLED})

PUBLIC_STATES = tuple(s for s in ApplicationState if s not in (_S.FINISHING, _S.KILLING))
"""The states that YARN shows (Hadoop: YarnApplicationState)."""

APPLICATION: Machine[ApplicationState, ApplicationEvent] = Machine(
    name="application",
    initial=_S.NEW,
    terminal=TERMINAL,
    transitions={
        _S.NEW: {_E.START: _S.NEW_SAVING, _E.REJECTED: _S.FAILED, _E.KILL: _S.KILLED},
        _S.NEW_SAVING: {_E.SAVED: _S.SUBMITTED, _E.REJECTED: _S.FAILED, _E.KILL: _S.KILLED},
        _S.SUBMITTED: {_E.ACCEPTED: _S.ACCEPTED, _E.REJECTED: _S.FAILED, _E.KILL: _S.KILLED},
        _S.ACCEPTED: {
            _E.ATTEMPT_REGISTERED: _S.RUNNING,
            _E.ATTEMPT_REPLACED: _S.ACCEPTED,
            _E.ATTEMPT_FAILED: _S.FAILED,
            _E.ATTEMPT_FINISHED: _S.FINISHED,
            _E.KILL: _S.KILLING,
        },
        # The attempt of an unmanaged AM finishes as soon as it unregisters.
        _S.RUNNING: {
            _E.ATTEMPT_UNREGISTERED: _S.FINISHING,
            _E.ATTEMPT_FINISHED: _S.FINISHED,
            _E.ATTEMPT_REPLACED: _S.ACCEPTED,
            _E.ATTEMPT_FAILED: _S.FAILED,
            _E.KILL: _S.KILLING,
        },
        # An AM that unregisters in time wins over the kill.
        _S.KILLING: {
            _E.ATTEMPT_KILLED: _S.KILLED,
            _E.ATTEMPT_UNREGISTERED: _S.FINISHING,
            _E.ATTEMPT_FINISHED: _S.FINISHED,
            _E.ATTEMPT_FAILED: _S.KILLED,
        },
        _S.FINISHING: {_E.ATTEMPT_FINISHED: _S.FINISHED},
    },
    ignored={
        _S.FINISHING: frozenset({_E.KILL}),
        _S.KILLING: frozenset({_E.KILL, _E.ATTEMPT_REGISTERED}),
        **{state: frozenset(_E) for state in TERMINAL},
    },
)


def public(state: ApplicationState, before_kill: ApplicationState) -> str:
    """What YARN shows for a state (Hadoop: RMServerUtils.createApplicationState).

    FINISHING is shown as FINISHED, KILLING as the state *before_kill*.
    """
    if state is _S.FINISHING:
        return _S.FINISHED.value
    return (before_kill if state is _S.KILLING else state).value
