"""Steps of a turn that fail on no object that could be named: each rests, and the others go on."""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.scheduler.reconcile_errors import rest_ms


@dataclass(frozen=True, slots=True)
class _Failed:
    failures: int
    until_ms: int


class StepRests:
    """How long each step of a turn is left out; a step is named by what it does."""

    def __init__(self) -> None:
        self._failed: dict[str, _Failed] = {}

    def rests(self, step: str, now_ms: int) -> bool:
        """Whether a step is left out now."""
        known = self._failed.get(step)
        return known is not None and known.until_ms > now_ms

    def failed(self, step: str, now_ms: int) -> None:
        """A step failed: it rests for 1 s, then for twice as long each time, up to 5 minutes."""
        known = self._failed.get(step)
        failures = 1 if known is None else known.failures + 1
        self._failed[step] = _Failed(failures, now_ms + rest_ms(failures))

    def done(self, step: str) -> None:
        """A step went well."""
        self._failed.pop(step, None)
