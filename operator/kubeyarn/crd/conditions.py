"""Setting conditions of a status. Pure: the time is an argument, the lists are new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Condition = dict[str, Any]
"""One entry of `status.conditions` as JSON."""

LONGEST_MESSAGE = 32768


@dataclass(frozen=True, slots=True)
class Saying:
    """What is to be said by one condition; *status* None is Unknown."""

    type: str
    status: bool | None
    reason: str
    message: str = ""

    @property
    def word(self) -> str:
        """True, False or Unknown, as Kubernetes spells it."""
        return "Unknown" if self.status is None else str(self.status)


def merged(
    conditions: Iterable[Mapping[str, Any]] | None,
    sayings: Iterable[Saying],
    generation: int,
    now: str,
) -> list[Condition]:
    """*conditions* with *sayings* said of *generation* at the time *now* (RFC 3339).

    A condition's lastTransitionTime changes only when its status does. Others stay as they are and
    where they are; new ones come last. The result equals *conditions* when nothing changed, so
    comparing the two tells whether a write is needed.
    """
    known = {str(found["type"]): dict(found) for found in conditions or ()}
    for saying in sayings:
        known[saying.type] = _said(known.get(saying.type), saying, generation, now)
    return list(known.values())


def _said(before: Condition | None, saying: Saying, generation: int, now: str) -> Condition:
    same = before is not None and before.get("status") == saying.word
    since = before.get("lastTransitionTime", now) if same and before is not None else now
    return {
        "type": saying.type,
        "status": saying.word,
        "observedGeneration": generation,
        "lastTransitionTime": since,
        "reason": saying.reason,
        "message": saying.message[:LONGEST_MESSAGE],
    }


def find(conditions: Iterable[Mapping[str, Any]] | None, type: str) -> Mapping[str, Any] | None:  # noqa: A002 - Kubernetes' own word
    """The condition of that type; None when nothing is said of it."""
    return next((found for found in conditions or () if found["type"] == type), None)


def holds(conditions: Iterable[Mapping[str, Any]] | None, type: str) -> bool:  # noqa: A002 - Kubernetes' own word
    """Whether the condition of that type is said and True."""
    found = find(conditions, type)
    return found is not None and found.get("status") == "True"
