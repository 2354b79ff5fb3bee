"""The states of a container (Hadoop: RMContainerImpl), and what a user is shown of them.

ALLOCATED is granted, ACQUIRED is told to whoever launches it, RUNNING has a pod. How a container
ended is its exit status; which of the four last states that is follows from it.
"""

from __future__ import annotations

from enum import StrEnum

from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.machine import Machine


class ContainerState(StrEnum):
    """Hadoop's RMContainerState."""

    NEW = "NEW"
    RESERVED = "RESERVED"
    ALLOCATED = "ALLOCATED"
    ACQUIRED = "ACQUIRED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    EXPIRED = "EXPIRED"
    RELEASED = "RELEASED"
    KILLED = "KILLED"


class ContainerEvent(StrEnum):
    """What happens to a container (Hadoop: RMContainerEventType)."""

    RESERVED = "RESERVED"
    START = "START"
    ACQUIRED = "ACQUIRED"
    LAUNCHED = "LAUNCHED"
    FINISHED = "FINISHED"
    EXPIRE = "EXPIRE"
    RELEASED = "RELEASED"
    KILL = "KILL"


_S = ContainerState
_E = ContainerEvent

ENDED = frozenset({_S.COMPLETED, _S.EXPIRED, _S.RELEASED, _S.KILLED})

_LATE = frozenset({_E.FINISHED, _E.EXPIRE, _E.RELEASED, _E.KILL, _E.LAUNCHED, _E.ACQUIRED})

CONTAINER: Machine[ContainerState, ContainerEvent] = Machine(
    name="container",
    initial=_S.NEW,
    terminal=ENDED,
    transitions={
        _S.NEW: {
            _E.START: _S.ALLOCATED,
            _E.RESERVED: _S.RESERVED,
            _E.RELEASED: _S.RELEASED,
            _E.KILL: _S.KILLED,
        },
        _S.RESERVED: {
            _E.START: _S.ALLOCATED,
            _E.RELEASED: _S.RELEASED,
            _E.KILL: _S.KILLED,
        },
        # An AM may launch and lose a container before the answer that tells it is confirmed.
        _S.ALLOCATED: {
            _E.ACQUIRED: _S.ACQUIRED,
            _E.LAUNCHED: _S.RUNNING,
            _E.FINISHED: _S.COMPLETED,
            _E.EXPIRE: _S.EXPIRED,
            _E.RELEASED: _S.RELEASED,
            _E.KILL: _S.KILLED,
        },
        _S.ACQUIRED: {
            _E.LAUNCHED: _S.RUNNING,
            _E.FINISHED: _S.COMPLETED,
            _E.EXPIRE: _S.EXPIRED,
            _E.RELEASED: _S.RELEASED,
            _E.KILL: _S.KILLED,
        },
        _S.RUNNING: {
            _E.FINISHED: _S.COMPLETED,
            _E.RELEASED: _S.RELEASED,
            _E.KILL: _S.KILLED,
        },
    },
    ignored={
        # Reserved again on the same node, and told again after a restart.
        _S.RESERVED: frozenset({_E.RESERVED}),
        _S.ACQUIRED: frozenset({_E.ACQUIRED}),
        # What runs was used: its launch is not late any more.
        _S.RUNNING: frozenset({_E.ACQUIRED, _E.LAUNCHED, _E.EXPIRE}),
        # The last word on a container is the first one that ended it.
        **dict.fromkeys(ENDED, _LATE),
    },
)

_PUBLIC = {
    _S.NEW: "NEW",
    _S.RESERVED: "NEW",
    _S.ALLOCATED: "NEW",
    _S.ACQUIRED: "NEW",
    _S.RUNNING: "RUNNING",
}

_KILLS = frozenset(
    {
        ExitStatus.PREEMPTED,
        ExitStatus.DISKS_FAILED,
        ExitStatus.KILLED_BY_APPMASTER,
        ExitStatus.KILLED_BY_RESOURCEMANAGER,
        ExitStatus.KILLED_AFTER_APP_COMPLETION,
        ExitStatus.KILLED_BY_CONTAINER_SCHEDULER,
    }
)


def public(state: ContainerState) -> str:
    """What YARN shows of a container: NEW, RUNNING or COMPLETE (Hadoop: ContainerState)."""
    return _PUBLIC.get(state, "COMPLETE")


def ending(exit_status: int) -> ContainerEvent:
    """The event that ended a container with *exit_status*.

    What nobody gave an exit code, because it was taken away or stopped, was killed.
    """
    return _E.KILL if exit_status in _KILLS or exit_status == ExitStatus.ABORTED else _E.FINISHED


def state(*, told: bool, launched: bool, exit_status: int | None) -> ContainerState:
    """The state of a granted container by what is recorded of it.

    *told*: whoever launches it knows of it; *launched*: its pod was seen; *exit_status*: how it
    ended, None while it has not.
    """
    events = [_E.START]
    events += [_E.ACQUIRED] * told + [_E.LAUNCHED] * launched
    if exit_status is not None:
        events.append(ending(exit_status))
    reached = CONTAINER.initial
    for event in events:
        reached = CONTAINER.after(reached, event)
    return reached
