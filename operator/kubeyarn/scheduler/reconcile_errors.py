"""Objects that our code fails on: each costs itself alone, is told so, and is tried again later.

Theory of operation. Whatever one object makes us raise, in a watch's handler, in a reconciler or
while a scheduler is built anew, must not reach any other object. So each piece of work that is
about one object is called through `ReconcileErrors.attempt`, the one place that catches everything
(controller-runtime: a reconciler's error is the request's, not the manager's).

- *Told once.* A failure is logged when its text is new, with its traceback unless it says only that
  the object cannot be read. It is kept until the same work succeeds or the object is gone. The
  status writers read it from here, so it is said on the object like any other condition.
- *Tried again with backoff.* While an object rests, `attempt` fails at once with what is known. The
  rest ends with the next watch event of the object, because that may have mended it, and else after
  1 s, then twice as long each time, up to 5 minutes (`due`).
- *What was taken in stays.* Work that failed half way is not undone. Each reconciler compares what
  is seen with what was told, so the next attempt goes on from there.

A cancelled task is no failure: only `Exception` is caught.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec

from prometheus_client import Counter

from kubeyarn.crd.object import Key, Object
from kubeyarn.model.errors import SpecError

_log = logging.getLogger(__name__)

FAILURES = Counter(
    "kubeyarn_reconcile_errors", "Objects that the scheduler failed on, by kind.", ["kind"]
)

UNREADABLE = "Unreadable"
INTERNAL_ERROR = "InternalError"

_FIRST_MS = 1_000
_LONGEST_MS = 300_000
_MOST_CHARACTERS = 1_000

P = ParamSpec("P")


class Watched(StrEnum):
    """The kinds of objects that the scheduler reads."""

    QUEUE = "YarnQueue"
    NODE = "Node"
    APPLICATION = "YarnApplication"
    REQUEST = "ContainerRequest"
    POD = "Pod"


@dataclass(frozen=True, slots=True)
class ReconcileError:
    """Why our code failed on an object, how often in a row, and until when it is left alone.

    *raw* is the object as it came where it could not be taken in.
    """

    reason: str
    message: str
    failures: int
    until_ms: int
    raw: Object | None = None


class ReconcileErrors:
    """The objects that our code fails on now, by kind and key and by the work that failed."""

    def __init__(self) -> None:
        self._errors: dict[tuple[Watched, Key], dict[str, ReconcileError]] = {}
        self._now_ms: Callable[[], int] = lambda: 0
        self._on_change: Callable[[Watched, Key], None] = lambda _, __: None

    def follow(self, now_ms: Callable[[], int], on_change: Callable[[Watched, Key], None]) -> None:
        """Go by this clock, and have *on_change* told whose condition is another one now."""
        self._now_ms, self._on_change = now_ms, on_change

    def get(self, kind: Watched, key: Key) -> ReconcileError | None:
        """What is wrong with an object; None: nothing that we know of."""
        return next(iter(self._errors.get((kind, key), {}).values()), None)

    def known(self) -> list[tuple[Watched, Key]]:
        """The objects that our code fails on, in order."""
        return sorted(self._errors)

    def attempt(
        self, kind: Watched, key: Key, work: Callable[P, object], *args: P.args, **more: P.kwargs
    ) -> ReconcileError | None:
        """Do work that is about one object; what went wrong, or None when it was done."""
        resting = self._resting(kind, key, work)
        if resting is not None:
            return resting
        try:
            work(*args, **more)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this object's alone
            return self._failed(kind, key, _name(work), error, None)
        if self._errors:
            self._done(kind, key, _name(work))
        return None

    def attempt_event(
        self, kind: Watched, key: Key, handler: Callable[[str, Object], None], what: str,
        item: Object,
    ) -> ReconcileError | None:  # fmt: skip
        """Have a watch event handled: it ends the object's rest, and a deletion its errors."""
        if what == "DELETED":
            self._errors.pop((kind, key), None)
        elif self._errors:
            self.end_rest(kind, key)
        try:
            handler(what, item)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this object's alone
            return self._failed(kind, key, _name(handler), error, item)
        if self._errors:
            self._done(kind, key, _name(handler))
        return None

    def tell(self, kind: Watched, key: Key, error: ReconcileError, work: str) -> None:
        """Say of an object what was found of it while others were worked on, too."""
        self._keep(kind, key, work, _until(error, 0))

    def forget(self, kind: Watched, key: Key, work: str) -> None:
        """Take back what `tell` said."""
        self._done(kind, key, work)

    def end_rest(self, kind: Watched, key: Key) -> None:
        """The object has changed: it is tried at the next chance."""
        known = self._errors.get((kind, key), {})
        for work, error in known.items():
            known[work] = _until(error, 0)

    def due(self) -> list[tuple[Watched, Key]]:
        """The objects that are to be tried again, in order; each is handed out once a rest."""
        now_ms = self._now_ms()
        due_now = []
        for subject, errors in self._errors.items():
            late = [work for work, error in errors.items() if 0 < error.until_ms <= now_ms]
            if late:
                due_now.append(subject)
            for work in late:
                errors[work] = _until(errors[work], 0)
        return sorted(due_now)

    def _resting(self, kind: Watched, key: Key, work: object) -> ReconcileError | None:
        if not self._errors:
            return None
        known = self._errors.get((kind, key), {}).get(_name(work))
        return known if known is not None and known.until_ms > self._now_ms() else None

    def _failed(
        self, kind: Watched, key: Key, work: str, error: Exception, item: Object | None
    ) -> ReconcileError:
        FAILURES.labels(kind.value).inc()
        before = self._errors.get((kind, key), {}).get(work)
        failures = 1 if before is None else before.failures + 1
        reason, message = _words(error)
        # What could not be taken in is not tried again before it changes.
        until_ms = 0 if item is not None else self._now_ms() + rest_ms(failures)
        told = ReconcileError(reason, message, failures, until_ms, item)
        if before is None or before.message != message:
            name = "/".join(part for part in key if part)
            traceback = error if reason == INTERNAL_ERROR else None
            _log.warning("%s %s: passed over: %s", kind.value, name, message, exc_info=traceback)
        self._keep(kind, key, work, told)
        return told

    def _keep(self, kind: Watched, key: Key, work: str, error: ReconcileError) -> None:
        before = self.get(kind, key)
        self._errors.setdefault((kind, key), {})[work] = error
        self._tell_change(kind, key, before)

    def _done(self, kind: Watched, key: Key, work: str) -> None:
        errors = self._errors.get((kind, key))
        if errors is None or work not in errors:
            return
        before = self.get(kind, key)
        del errors[work]
        if not errors:
            del self._errors[kind, key]
        self._tell_change(kind, key, before)

    def _tell_change(self, kind: Watched, key: Key, before: ReconcileError | None) -> None:
        after = self.get(kind, key)
        was = None if before is None else (before.reason, before.message)
        if was != (None if after is None else (after.reason, after.message)):
            self._on_change(kind, key)


def rest_ms(failures: int) -> int:
    """For how long what failed so often in a row is left alone."""
    return min(_FIRST_MS << min(failures - 1, 10), _LONGEST_MS)


def internal_error(error: Exception, what: str, failures: int) -> ReconcileError:
    """What is told of an object on which our code fails: *what* the scheduler does about it."""
    return ReconcileError(INTERNAL_ERROR, _internal_words(error, what), failures, 0)


def _name(work: object) -> str:
    return str(getattr(work, "__qualname__", work))


def _until(error: ReconcileError, until_ms: int) -> ReconcileError:
    return ReconcileError(error.reason, error.message, error.failures, until_ms, error.raw)


def _words(error: Exception) -> tuple[str, str]:
    if isinstance(error, SpecError):
        return UNREADABLE, str(error)[:_MOST_CHARACTERS]
    what = "failed on this object; it is tried again after each change and every few minutes"
    return INTERNAL_ERROR, _internal_words(error, what)


def _internal_words(error: Exception, what: str) -> str:
    return (
        f"the scheduler {what}. All others are served. Change what is unusual about it or delete "
        f"it, and report it with the scheduler's log. {type(error).__name__}: {error}"
    )[:_MOST_CHARACTERS]
