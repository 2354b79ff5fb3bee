"""The errors an ApplicationMaster can meet, split by what can be done about them.

AmError
├── SettingsError                the environment lacks what the RM gives to every ApplicationMaster
├── InvalidAskError              an ask, launch or report that is refused before it is sent
├── UnavailableError             nobody answered, or 429 and 5xx: tried again with backoff
├── ProtocolError                an answer that is not what the AM service promises
├── LaunchError                  the RM did not launch one container
├── TaskReportError              a task could not speak with its AM (see `kubeyarn.am.task`)
├── TasksFailedError             tasks that ran out of attempts (see `kubeyarn.am.runner`)
└── RefusedError                 the RM answered no; `code`, `field` and `status` say why
    ├── InvalidRequestError      400 InvalidJson, InvalidRequest and whatever else is not below
    ├── UnauthorizedError        401 Unauthorized
    ├── NotAnApplicationMasterError  403 NotAnApplicationMaster
    ├── ApplicationNotFoundError     404 ApplicationNotFound
    ├── NotRegisteredError       409 ApplicationMasterNotRegistered: register again
    ├── AlreadyRegisteredError   409 AlreadyRegistered
    ├── InvalidResponseIdError   409 InvalidResponseId
    ├── AttemptEndedError        409 AttemptEnded
    └── TooLargeError            413 TooLarge
"""

from __future__ import annotations

from kubeyarn.model.errors import KubeYarnError


class AmError(KubeYarnError):
    """The root of everything that `kubeyarn.am` raises on purpose."""


class SettingsError(AmError):
    """The environment lacks what the ResourceManager sets in an ApplicationMaster's container."""


class InvalidAskError(AmError):
    """Something the ApplicationMaster wants that cannot be said; nothing was sent."""


class UnavailableError(AmError):
    """Nobody answered in time, or the answer was "later"; the same call again is right."""


class ProtocolError(AmError):
    """An answer that is not what the AM service promises."""


class LaunchError(AmError):
    """The ResourceManager did not launch the container *container_id*."""

    def __init__(self, container_id: str, message: str) -> None:
        super().__init__(f"{container_id}: {message}")
        self.container_id = container_id


class TaskReportError(AmError):
    """A task inside a container could not speak with its ApplicationMaster."""


class TasksFailedError(AmError):
    """Tasks that ended badly more often than they may."""


class RefusedError(AmError):
    """The ResourceManager answered no.

    *status* is the HTTP status, *code* the wire's CamelCase word, *field* the place in the body
    that is at fault, or empty.
    """

    def __init__(self, status: int, code: str, field: str, message: str) -> None:
        place = f" ({field})" if field else ""
        super().__init__(f"{code}{place}: {message}")
        self.status = status
        self.code = code
        self.field = field


class InvalidRequestError(RefusedError):
    """The body was refused (Hadoop: InvalidResourceRequestException and its kin)."""


class UnauthorizedError(RefusedError):
    """The service-account token was not accepted."""


class NotAnApplicationMasterError(RefusedError):
    """The token is good, but its pod is not a live ApplicationMaster."""


class ApplicationNotFoundError(RefusedError):
    """The application is gone (Hadoop: ApplicationAttemptNotFoundException)."""


class NotRegisteredError(RefusedError):
    """The RM does not know this AM (Hadoop: ApplicationMasterNotRegisteredException)."""


class AlreadyRegisteredError(RefusedError):
    """A second registration (Hadoop: InvalidApplicationMasterRequestException)."""


class InvalidResponseIdError(RefusedError):
    """The response id is neither the last one nor the one before."""


class AttemptEndedError(RefusedError):
    """This attempt is over, whatever its process still does."""


class TooLargeError(RefusedError):
    """The body is larger than the AM service reads."""


_BY_CODE: dict[str, type[RefusedError]] = {
    "InvalidJson": InvalidRequestError,
    "InvalidRequest": InvalidRequestError,
    "Unauthorized": UnauthorizedError,
    "NotAnApplicationMaster": NotAnApplicationMasterError,
    "ApplicationNotFound": ApplicationNotFoundError,
    "ApplicationMasterNotRegistered": NotRegisteredError,
    "AlreadyRegistered": AlreadyRegisteredError,
    "InvalidResponseId": InvalidResponseIdError,
    "AttemptEnded": AttemptEndedError,
    "TooLarge": TooLargeError,
}
_BY_STATUS: dict[int, type[RefusedError]] = {
    401: UnauthorizedError,
    403: NotAnApplicationMasterError,
    404: ApplicationNotFoundError,
    413: TooLargeError,
}


def from_wire(status: int, code: str, field: str, message: str) -> AmError:
    """The error that an answer with HTTP *status* and error word *code* stands for."""
    if status == 429 or status >= 500 or code == "Unavailable":
        return UnavailableError(f"the ResourceManager answered {status} {code}: {message}")
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status, InvalidRequestError)
    return kind(status, code, field, message)
