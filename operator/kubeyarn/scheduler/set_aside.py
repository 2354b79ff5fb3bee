"""Objects that decisions are made without, because our code failed while it decided on them.

A scheduling cycle, or a pass of preemption, is about all objects at once, so what it raises cannot
be caught for one of them as in `reconcile_errors`. But it goes from step to step, each of which is
about one application, queue or node: `failed_step` finds it in the calls that the error came from.
From then on the scheduler decides without it. An application keeps what it holds and is granted
nothing more, those of a queue likewise, and a node takes nothing.

It is tried again after 1 s, then after twice as long each time, up to five minutes. Unlike the rest
of an object that cannot be taken in, this one is not cut short by a change of the object: each
failure costs everybody a scheduler that is built anew, so whoever causes it must not choose how
often that happens. For the same reason failures are forgotten only after ten minutes without any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubeyarn.crd.object import Key
from kubeyarn.scheduler.extender.bound_usage import parents_and_self
from kubeyarn.scheduler.reconcile_errors import (
    ReconcileErrors,
    Watched,
    internal_error,
    rest_ms,
)

Subject = tuple[Watched, Key]

_WORK = "deciding"
_REMEMBERED_MS = 600_000


@dataclass(frozen=True, slots=True)
class _Rest:
    """The step that failed on an object, how often, until when it is out, and whether it is."""

    step: str
    failures: int
    until_ms: int
    out: bool = True


class SetAside:
    """The objects that decisions are made without now."""

    def __init__(self, errors: ReconcileErrors) -> None:
        self._errors = errors
        self._rests: dict[Subject, _Rest] = {}
        # Those that are back and have not been decided on yet.
        self._on_trial: set[Subject] = set()

    def put(self, subject: Subject, step: str, error: Exception, now_ms: int) -> None:
        """Leave an object out from now on, because a step of the loop failed on it; it is told."""
        known = self._rests.get(subject)
        failures = 1 if known is None else known.failures + 1
        rest = rest_ms(failures)
        self._rests[subject] = _Rest(step, failures, now_ms + rest)
        self._on_trial.discard(subject)
        kind, key = subject
        what = f"failed in {step} and leaves this out, for {rest // 1000} s"
        self._errors.tell(kind, key, internal_error(error, what, failures), _WORK)

    def has(self, kind: Watched, key: Key) -> bool:
        """Whether an object is left out."""
        rest = self._rests.get((kind, key))
        return rest is not None and rest.out

    def holds(self, application: Key, queue: str) -> bool:
        """Whether an application is granted nothing, because it or a queue above is left out."""
        if not self._rests:
            return False
        above = (self.has(Watched.QUEUE, ("", path)) for path in parents_and_self(queue))
        return self.has(Watched.APPLICATION, application) or any(above)

    def take_rested(self, now_ms: int) -> list[Subject]:
        """The objects that are to be tried again, in order, each handed out once a rest."""
        if not self._rests:
            return []
        rested = [one for one, rest in self._rests.items() if rest.out and rest.until_ms <= now_ms]
        for subject in rested:
            self._rests[subject] = replace(self._rests[subject], out=False)
            self._on_trial.add(subject)
        forgotten = now_ms - _REMEMBERED_MS
        for subject, rest in list(self._rests.items()):
            if not rest.out and rest.until_ms < forgotten and subject not in self._on_trial:
                del self._rests[subject]
        return sorted(rested)

    def decided(self, step: str) -> None:
        """A step went well: nothing is wrong any more with those that were tried again."""
        if not self._on_trial:
            return
        for subject in [one for one in self._on_trial if self._rests[one].step == step]:
            kind, key = subject
            self._errors.forget(kind, key, _WORK)
            self._on_trial.discard(subject)
