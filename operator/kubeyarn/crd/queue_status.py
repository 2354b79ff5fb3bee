"""What is true of a queue now: YarnQueue.status."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubeyarn.crd.fields import (
    Count,
    Fields,
    FreeForm,
    ShownAmounts,
    listed_by,
)
from kubeyarn.crd.queue_words import (
    ShownState,
)
from kubeyarn.crd.status import Condition, ObservedGeneration, conditions


class Effective(Fields):
    """What the queue's words amount to on the cluster as it is now."""

    minimum: ShownAmounts | None = Field(None, description="What it is guaranteed.")
    maximum: ShownAmounts | None = Field(None, description="The most it may use.")


class AMUse(Fields):
    """What ApplicationMasters take of the queue."""

    used: ShownAmounts | None = Field(None, description="What they use.")
    limit: ShownAmounts | None = Field(None, description="What they may use.")


class ApplicationCounts(Fields):
    """Applications of the queue that have not ended."""

    active: Count | None = Field(None, description="Those whose ApplicationMaster may run.")
    pending: Count | None = Field(None, description="Those that wait for that.")
    total: Count | None = Field(None, description="Both together.")


class FairShare(Fields):
    """What the Fair scheduler computes for the queue."""

    steady: ShownAmounts | None = Field(None, description="Its share if all queues were in use.")
    instantaneous: ShownAmounts | None = Field(
        None, description="Its share among the queues in use now."
    )


class UserUse(Fields):
    """One user in this leaf."""

    name: Annotated[str, Field(max_length=253)] = Field(description="The user's name.")
    used: ShownAmounts | None = Field(None, description="What the user's containers hold.")
    limit: ShownAmounts | None = Field(None, description="What the user may hold.")
    active_applications: Count | None = Field(
        None, description="The user's applications that may run."
    )
    pending_applications: Count | None = Field(
        None, description="The user's applications that wait for that."
    )


class MadeQueue(Fields):
    """A queue that was made on demand; it has no object of its own."""

    name: Annotated[str, Field(max_length=1024)] = Field(description="Its full path.")
    leaf: bool | None = Field(None, description="Whether it takes applications.")
    used: ShownAmounts | None = Field(None, description="What its containers hold.")
    containers: Count | None = Field(None, description="Containers it holds.")
    applications: Count | None = Field(
        None, description="Its applications that have not ended, and those below it."
    )


class YarnQueueStatus(Fields):
    """What is true of a queue now; the scheduler writes it."""

    observed_generation: ObservedGeneration = None
    leaf: bool | None = Field(
        None, description="Whether it has no children and so takes applications."
    )
    state: ShownState | None = Field(
        None,
        description="Running, Stopped, or Draining: stopped with applications that still run.",
    )
    effective: Effective | None = Field(
        None, description="What its capacities amount to on the cluster as it is now."
    )
    used: ShownAmounts | None = Field(None, description="What its containers hold.")
    pending: ShownAmounts | None = Field(None, description="What is asked for and not granted.")
    reserved: ShownAmounts | None = Field(
        None, description="Room held on nodes for asks that do not fit yet; part of used."
    )
    containers: Count | None = Field(None, description="Containers it holds.")
    used_capacity: Annotated[str, Field(max_length=32)] | None = Field(
        None, description="What it uses, in percent of its effective minimum."
    )
    absolute_used_capacity: Annotated[str, Field(max_length=32)] | None = Field(
        None, description="What it uses, in percent of the partition."
    )
    am: AMUse | None = Field(None, description="What ApplicationMasters take of it.")
    applications: ApplicationCounts | None = Field(
        None, description="Its applications that have not ended."
    )
    fair_share: FairShare | None = Field(
        None, description="Its fair shares, when the Fair scheduler decides."
    )
    in_force: FreeForm | None = Field(
        None,
        description="The spec that is in force: what the queue says now, or what it said before "
        "when that does not add up.",
    )
    nodes: Count | None = Field(
        None, description="At root: nodes of the cluster that may take containers."
    )
    made_queues: list[MadeQueue] | None = Field(
        None,
        max_length=1000,
        description="The queues below this one that were made on demand and are no objects.",
        json_schema_extra=listed_by("name"),
    )
    users: list[UserUse] | None = Field(
        None,
        max_length=1000,
        description="The users who hold or ask for something in this leaf.",
        json_schema_extra=listed_by("name"),
    )
    conditions: list[Condition] | None = conditions(  # type: ignore[assignment]
        "Accepted: the tree it stands in is in force. Ready: it takes applications. "
        "AllFieldsActing: everything it says is acted on."
    )
