"""The errors of KubeYARN, split by whose fault they are.

KubeYarnError
├── SpecError            the user's: bad input, reported on its own object, never retried
│   ├── ConfigRefused    a queue tree that cannot be, with one problem per queue and field
│   ├── Rejected         an application or request that the scheduler does not take
│   │   └── AccessDenied its user has no right to submit there
│   └── IllegalEvent     something the state machine does not allow now
└── Unavailable          the world's: retried with backoff
"""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.model.reasons import Reason


class KubeYarnError(Exception):
    """The root of all errors that KubeYARN raises on purpose."""


class SpecError(KubeYarnError):
    """Input that cannot be acted on; the message says what, where, what was found and allowed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one queue.

    *queue* is the full path, *field* the YarnQueue field (or Hadoop property) at fault, *reason*
    a CamelCase word for conditions (`CapacitySum`, `ParentNotFound`, `InvalidField`, ...).
    """

    queue: str
    field: str
    reason: str
    message: str


class ConfigRefused(SpecError):
    """A scheduler configuration that is not put in force; the last good one stays."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.queue}: {p.message}" for p in problems))
        self.problems = problems


class Rejected(SpecError):
    """An application or a request that is refused; *reason* is one of `model.reasons`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class AccessDenied(Rejected):
    """A user without the right to submit to *queue*, or to any queue above it."""

    def __init__(self, queue: str, message: str) -> None:
        super().__init__(Reason.ACCESS_DENIED, message)
        self.queue = queue


class IllegalEvent(SpecError):
    """An event that the state it met does not know; the state is unchanged."""


class Unavailable(KubeYarnError):
    """Something outside did not answer; trying again later is right."""
