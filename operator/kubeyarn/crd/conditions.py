"""Conditions of a status: how they are read, and the one place where they are made.

Those who know a kind find its conditions, as `NewCondition`s: `scheduler/status/queues.py` for a
YarnQueue, `scheduler/status/requests.py` for a ContainerRequest, and
`resourcemanager/applications/conditions.py` for a YarnApplication. `updated` turns them into the
entries of a status, with the generation that they are true of and the time when their status last
changed (Kubernetes: meta.SetStatusCondition). Pure: the time is an argument.
"""

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
class NewCondition:
    """What a condition is to be from now on; *status* None is Unknown."""

    type: str
    status: bool | None
    reason: str
    message: str = ""

    @property
    def shown_status(self) -> ConditionStatus:
        """Its status as Kubernetes spells it."""
        if self.status is None:
            return ConditionStatus.UNKNOWN
        return ConditionStatus.TRUE if self.status else ConditionStatus.FALSE


def updated(
    conditions: Iterable[Mapping[str, Any]] | None,
    new: Iterable[NewCondition],
    generation: int,
    now: str,
) -> list[Object]:
    """The conditions of a status after *new* ones were found true of *generation* at *now*.

    A condition's lastTransitionTime changes only when its status does. Others stay as they are and
    where they are; new ones come last. The result equals *conditions* when nothing changed, so
    comparing the two tells whether a write is needed. *now* is a time as Kubernetes writes it.
    """
    # What cannot be a condition is dropped: an object that cannot be read is told so all the same.
    known = conditions if isinstance(conditions, list | tuple) else ()
    by_type = {
        str(entry["type"]): dict(entry)
        for entry in known
        if isinstance(entry, Mapping) and "type" in entry
    }
    for one in new:
        by_type[one.type] = _entry(by_type.get(one.type), one, generation, now)
    return list(by_type.values())


def _entry(before: Object | None, new: NewCondition, generation: int, now: str) -> Object:
    same = before is not None and before.get("status") == new.shown_status
    since = before.get("lastTransitionTime", now) if same and before is not None else now
    return {
        "type": new.type,
        "status": new.shown_status.value,
        "observedGeneration": generation,
        "lastTransitionTime": since,
        "reason": new.reason,
        # A longer one would have the API server refuse the whole status, and so every other
        # condition.
        "message": new.message[:LONGEST_MESSAGE],
    }


def holds(conditions: Iterable[Condition], kind: str) -> bool:
    """Whether the condition of that type is set and True."""
    return any(one.type == kind and one.status is ConditionStatus.TRUE for one in conditions)
