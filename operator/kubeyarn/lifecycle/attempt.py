"""The states of an application attempt (Hadoop: RMAppAttemptImpl)."""

from __future__ import annotations

from enum import StrEnum

from kubeyarn.lifecycle.machine import Machine


class AttemptState(StrEnum):
    """Hadoop's YarnApplicationAttemptState, without the saving states."""

    NEW = "NEW"
    SUBMITTED = "SUBMITTED"
    SCHEDULED = "SCHEDULED"
    ALLOCATED = "ALLOCATED"
    LAUNCHED = "LAUNCHED"
    RUNNING = "RUNNING"
    FINISHING = "FINISHING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class AttemptEvent(StrEnum):
    """What happens to an attempt.

    The two of an unmanaged AM are Hadoop's ATTEMPT_ADDED and UNREGISTERED where its transition asks
    whether the AM is unmanaged. FAIL is the user's word, LAUNCH_FAILED the API server's.
    """

    START = "START"
    ADDED = "ATTEMPT_ADDED"
    ADDED_UNMANAGED = "ATTEMPT_ADDED_UNMANAGED"
    ALLOCATED = "CONTAINER_ALLOCATED"
    REVOKED = "CONTAINER_REVOKED"
    LAUNCHED = "LAUNCHED"
    LAUNCH_FAILED = "LAUNCH_FAILED"
    REGISTERED = "REGISTERED"
    UNREGISTERED = "UNREGISTERED"
    UNREGISTERED_UNMANAGED = "UNREGISTERED_UNMANAGED"
    CONTAINER_FINISHED = "CONTAINER_FINISHED"
    EXPIRE = "EXPIRE"
    FAIL = "FAIL"
    KILL = "KILL"


_S = AttemptState
_E = AttemptEvent

ENDED = frozenset({_S.FINISHED, _S.FAILED, _S.KILLED})

ATTEMPT: Machine[AttemptState, AttemptEvent] = Machine(
    name="attempt",
    initial=_S.NEW,
    terminal=ENDED,
    transitions={
        # Nobody can have registered as an AM that is not there.
        _S.NEW: {
            _E.START: _S.SUBMITTED,
            _E.REGISTERED: _S.FAILED,
            _E.FAIL: _S.FAILED,
            _E.KILL: _S.KILLED,
        },
        _S.SUBMITTED: {
            _E.ADDED: _S.SCHEDULED,
            _E.ADDED_UNMANAGED: _S.LAUNCHED,
            _E.REGISTERED: _S.FAILED,
            _E.FAIL: _S.FAILED,
            _E.KILL: _S.KILLED,
        },
        _S.SCHEDULED: {
            _E.ALLOCATED: _S.ALLOCATED,
            _E.CONTAINER_FINISHED: _S.FAILED,
            _E.FAIL: _S.FAILED,
            _E.KILL: _S.KILLED,
        },
        # An AM may register before anybody saw its pod run. Unlike in Hadoop, a grant can go back:
        # kube-scheduler may refuse the pod for what the ledger does not know, such as a volume.
        _S.ALLOCATED: {
            _E.REVOKED: _S.SCHEDULED,
            _E.LAUNCHED: _S.LAUNCHED,
            _E.LAUNCH_FAILED: _S.FAILED,
            _E.REGISTERED: _S.RUNNING,
            _E.CONTAINER_FINISHED: _S.FAILED,
            _E.EXPIRE: _S.FAILED,
            _E.FAIL: _S.FAILED,
            _E.KILL: _S.KILLED,
        },
        _S.LAUNCHED: {
            _E.REGISTERED: _S.RUNNING,
            _E.CONTAINER_FINISHED: _S.FAILED,
            _E.EXPIRE: _S.FAILED,
            _E.FAIL: _S.FAILED,
            _E.KILL: _S.KILLED,
        },
        # An AM that exits without unregistering failed, whatever its exit code.
        _S.RUNNING: {
            _E.UNREGISTERED: _S.FINISHING,
            _E.UNREGISTERED_UNMANAGED: _S.FINISHED,
            _E.CONTAINER_FINISHED: _S.FAILED,
            _E.EXPIRE: _S.FAILED,
            _E.FAIL: _S.FAILED,
            _E.KILL: _S.KILLED,
        },
        _S.FINISHING: {_E.CONTAINER_FINISHED: _S.FINISHED, _E.EXPIRE: _S.FINISHED},
    },
    ignored={
        _S.FINISHING: frozenset({_E.FAIL, _E.KILL, _E.UNREGISTERED}),
        _S.RUNNING: frozenset({_E.LAUNCHED}),
        **{state: frozenset(_E) for state in ENDED},
    },
)
