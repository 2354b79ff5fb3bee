"""What the API server can answer, as exceptions.

ApiError
├── NotFound (404)   ├── Conflict (409)   ├── AlreadyExists (409)
├── Gone (410)       ├── Refused (other 4xx: sending it again cannot help)
└── also `Unavailable` of the model: no answer, 429 or 5xx after all retries
    └── NotLeading: nothing was asked, because this process may not write now
"""

from __future__ import annotations

from kubeyarn.model.errors import KubeYarnError, Unavailable


class ApiError(KubeYarnError):
    """The API server said no; *status* is HTTP's, *reason* Kubernetes' Status.reason."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class NotFound(ApiError):
    """The object is not there."""


class Conflict(ApiError):
    """The object is not in the state that the request wants."""


class AlreadyExists(Conflict):
    """An object of that name is there already."""


class Gone(ApiError):
    """The resourceVersion is too old; list again."""


class Refused(ApiError):
    """The request is wrong or not allowed."""


class NotLeading(Unavailable):
    """This process may not write before it has renewed its Lease; the write itself may be fine."""


def error_of(status: int, reason: str, message: str) -> ApiError | Unavailable:
    """The exception for an answer of HTTP *status* with Kubernetes *reason*."""
    if status == 404:
        return NotFound(status, reason, message)
    if status == 409:
        kind = AlreadyExists if reason == "AlreadyExists" else Conflict
        return kind(status, reason, message)
    if status == 410:
        return Gone(status, reason, message)
    if status == 429 or status >= 500:
        return Unavailable(f"{status} {reason}: {message}")
    return Refused(status, reason, message)
