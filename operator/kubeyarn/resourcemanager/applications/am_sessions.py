"""The sessions of ApplicationMasters: one for each application, of its current attempt."""

from __future__ import annotations

from collections.abc import Callable

from kubeyarn.crd.object import Key
from kubeyarn.lifecycle.am_session import AMSession
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import AttemptId


class AMSessions:
    """Sessions by application, in memory alone: an AM says everything again when it registers."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._sessions: dict[Key, AMSession] = {}

    def of(self, key: Key, record: ApplicationRecord) -> AMSession:
        """The session of the current attempt's AM; a new attempt has a new one."""
        attempt = record.attempt.id if record.attempt else AttemptId(record.id, 1)
        session = self._sessions.get(key)
        if session is None or session.attempt != attempt:
            # Its silence counts from now: what it said to a process before this one is not known.
            session = AMSession(attempt, last_heard_ms=self._clock_ms())
            self._sessions[key] = session
        return session

    def forget(self, key: Key) -> None:
        """The application is gone."""
        self._sessions.pop(key, None)
