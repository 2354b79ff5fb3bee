"""The parts of a status that all three resources share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kubeyarn.crd.fields import Fields, Time, listed_by


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Fields):
    """One aspect of the object's state, in the form that kubectl wait and GitOps tools read."""

    type: Annotated[str, Field(max_length=316, pattern=r"^[A-Za-z][A-Za-z0-9]*$")] = Field(
        description="What the condition is about."
    )
    status: ConditionStatus = Field(description="Whether it holds: True, False or Unknown.")
    observed_generation: int | None = Field(
        None, ge=0, description="The metadata.generation this was said of."
    )
    last_transition_time: Time = Field(description="When status last changed.")
    reason: Annotated[str, Field(max_length=1024, pattern=r"^[A-Za-z][A-Za-z0-9]*$")] = Field(
        description="Why, as one CamelCase word from a fixed list."
    )
    message: Annotated[str, Field(max_length=32768)] = Field(
        "", description="Why, in a sentence with the numbers."
    )


def conditions(about: str) -> object:
    """The field definition of a status' conditions."""
    return Field(
        None,
        max_length=32,
        description=f"What is true of it now. {about}",
        json_schema_extra=listed_by("type"),
    )


ObservedGeneration = Annotated[
    int | None,
    Field(ge=0, description="The metadata.generation this status speaks of."),
]
