"""Setting conditions of a status. Pure: the time is an argument, the lists are new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from kubeyarn.crd.fields import Field, Fields, Reported, Time, listed_by
from kubeyarn.crd.object import Object

LONGEST_MESSAGE = 32768


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Fields, frozen=True, kw_only=True):
    """One aspect of the object's state, in the form that kubectl wait and GitOps tools read."""

    type: Annotated[
        str, Field("What the condition is about.", maxLength=316, pattern="^[A-Za-z][A-Za-z0-9]*$")
    ]
    status: Annotated[ConditionStatus, Field("Whether it holds: True, False or Unknown.")]
    observed_generation: Annotated[
        int | None, Field("The metadata.generation this was said of.", minimum=0)
    ] = None
    last_transition_time: Annotated[Time, Field("When status last changed.")]
    reason: Annotated[
        str,
        Field(
            "Why, as one CamelCase word from a fixed list.",
            maxLength=1024,
            pattern="^[A-Za-z][A-Za-z0-9]*$",
        ),
    ]
    message: Annotated[
        str, Field("Why, in a sentence with the numbers.", maxLength=LONGEST_MESSAGE)
    ] = ""


def conditions_of(about: str) -> Reported:
    """The field of a status' conditions."""
    return Reported(f"What is true of it now. {about}", maxItems=32, **listed_by("type"))


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
) -> list[Object]:
    """*conditions* with *sayings* said of *generation* at the time *now* (RFC 3339).

    A condition's lastTransitionTime changes only when its status does. Others stay as they are and
    where they are; new ones come last. The result equals *conditions* when nothing changed, so
    comparing the two tells whether a write is needed.
    """
    known = {str(found["type"]): dict(found) for found in conditions or ()}
    for saying in sayings:
        known[saying.type] = _said(known.get(saying.type), saying, generation, now)
    return list(known.values())


def _said(before: Object | None, saying: Saying, generation: int, now: str) -> Object:
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


def holds(conditions: Iterable[Condition], kind: str) -> bool:
    """Whether the condition of that type is set and True."""
    return any(one.type == kind and one.status is ConditionStatus.TRUE for one in conditions)
