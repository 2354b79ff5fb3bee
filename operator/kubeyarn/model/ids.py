"""YARN's identifiers: application, attempt, container. Parsing and printing, nothing else.

They are named tuples because schedulers keep, look up and sort many thousands of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kubeyarn.model.errors import SpecError

# Digits are ASCII's, and no more of them than a 64-bit number has: `int` refuses thousands.
_APPLICATION = re.compile(r"application_(\d{1,19})_(\d{4,19})", re.ASCII)
_ATTEMPT = re.compile(r"appattempt_(\d{1,19})_(\d{4,19})_(\d{6,19})", re.ASCII)
_CONTAINER = re.compile(
    r"container_(?:e(\d{2,19})_)?(\d{1,19})_(\d{4,19})_(\d{2,19})_(\d{6,19})", re.ASCII
)


class ApplicationId(NamedTuple):
    """`application_<clusterTimestamp>_<number>` (Hadoop: ApplicationId)."""

    cluster_timestamp: int
    number: int

    def __str__(self) -> str:
        return f"application_{self.cluster_timestamp}_{self.number:04d}"

    @classmethod
    def parse(cls, text: str) -> ApplicationId:
        """Read an id as YARN prints it.

        Raises:
            SpecError: *text* is no application id.
        """
        match = _APPLICATION.fullmatch(text)
        if match is None:
            raise SpecError(
                f"application id: found {text!r}, expected application_<timestamp>_<number>"
            )
        return cls(int(match[1]), int(match[2]))


class AttemptId(NamedTuple):
    """`appattempt_<clusterTimestamp>_<application>_<attempt>` (Hadoop: ApplicationAttemptId)."""

    application: ApplicationId
    number: int

    def __str__(self) -> str:
        app = self.application
        return f"appattempt_{app.cluster_timestamp}_{app.number:04d}_{self.number:06d}"

    @classmethod
    def parse(cls, text: str) -> AttemptId:
        """Read an id as YARN prints it.

        Raises:
            SpecError: *text* is no attempt id.
        """
        match = _ATTEMPT.fullmatch(text)
        if match is None:
            raise SpecError(
                f"attempt id: found {text!r}, expected appattempt_<timestamp>_<app>_<attempt>"
            )
        return cls(ApplicationId(int(match[1]), int(match[2])), int(match[3]))


class ContainerId(NamedTuple):
    """`container_[e<epoch>_]<clusterTimestamp>_<application>_<attempt>_<number>`.

    Ordered by attempt, then epoch and number, as Hadoop orders its 64-bit container ids
    (ContainerId: epoch in the high bits). The epoch grows whenever a scheduler takes over.
    """

    attempt: AttemptId
    epoch: int
    number: int

    def __str__(self) -> str:
        app = self.attempt.application
        # As Hadoop prints it: a first epoch of 0 is left out, so ids look as they did before a
        # restart.
        epoch = f"e{self.epoch:02d}_" if self.epoch else ""
        return (
            f"container_{epoch}{app.cluster_timestamp}_{app.number:04d}"
            f"_{self.attempt.number:02d}_{self.number:06d}"
        )

    @classmethod
    def parse(cls, text: str) -> ContainerId:
        """Read an id as YARN prints it.

        Raises:
            SpecError: *text* is no container id.
        """
        match = _CONTAINER.fullmatch(text)
        if match is None:
            raise SpecError(
                f"container id: found {text!r}, expected container_<timestamp>_<app>_<attempt>_<n>"
            )
        application = ApplicationId(int(match[2]), int(match[3]))
        return cls(AttemptId(application, int(match[4])), int(match[1] or 0), int(match[5]))
