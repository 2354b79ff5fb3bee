"""Steps of one reconciliation that do not wait for each other's success.

What one object of an application makes our code raise must not keep the rest of the application
from being served, and least of all from being taken back. So each step has a try of its own, and
the reconciliation fails at its end with the first thing that went wrong in any of them: the work
queue then tries it again, later each time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kubeyarn.cluster.errors import NotLeading
from kubeyarn.crd.object import Key
from kubeyarn.model.errors import KubeYarnError

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ReconcileStep:
    """One step; *error* is what it raised."""

    error: Exception | None = None


class ReconcileSteps:
    """The steps of reconciling the application *key*."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._first: Exception | None = None

    @contextmanager
    def step(self, what: str) -> Iterator[ReconcileStep]:
        """Do something whose failure is kept for the end.

        Raises:
            NotLeading: this process may not write now, so that no other step could either.
        """
        done = ReconcileStep()
        try:
            yield done
        except NotLeading:
            raise
        except Exception as error:  # noqa: BLE001 - the other steps must go on
            done.error = error
            self._first = self._first or error
            # The work queue logs the first one; what is a bug it logs with where it was raised.
            if self._first is not error:
                bug = not isinstance(error, KubeYarnError)
                _log.warning("%s/%s: %s: %s", *self._key, what, error, exc_info=bug)

    def finish(self) -> None:
        """Raise what went wrong first, if anything did."""
        if self._first is not None:
            raise self._first
