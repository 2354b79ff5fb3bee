"""What root's YarnQueue says of preemption in the whole cluster."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubeyarn.crd.fields import Fields, Percentage, Seconds
from kubeyarn.crd.queue_words import IntraQueueOrder


class IntraQueuePreemption(Fields):
    """Preemption among the applications of one queue."""

    enabled: bool = Field(
        False, description="Whether applications of one queue preempt each other."
    )
    order: IntraQueueOrder = Field(
        IntraQueueOrder.USER_LIMIT_FIRST,
        description="Whose containers go first: those of users over their limit, or those of "
        "applications with lower priority.",
    )
    minimum_threshold: Percentage = Field(
        "50%", description="How much of its guarantee a queue uses at least when this begins."
    )
    maximum_allowable: Percentage = Field(
        "20%", description="Part of a queue's guarantee that one round may preempt within it."
    )
    conservative_drf: bool = Field(
        True,
        description="Whether a container is spared of which some resource is not needed any more.",
    )


class UnderutilizedPreemption(Fields):
    """Preemption for what is reserved by a queue of higher priority that is below its guarantee."""

    enabled: bool = Field(
        False,
        description="Whether containers of queues with lower priority make room where a queue of "
        "higher priority waits with a reservation. Needs ordering.children PriorityUtilization.",
    )
    delay_seconds: Seconds = Field(
        60, description="How long a reservation waits before others make room for it."
    )
    move_reservation: bool = Field(
        False,
        description="Whether a reservation may go to a node where less has to make room.",
    )


class ClusterPreemption(Fields):
    """How containers are taken back from queues that use more than they are guaranteed."""

    enabled: bool = Field(
        False,
        description="Whether queues below their guarantee get it back by preempting containers "
        "of queues above theirs.",
    )
    observe_only: bool = Field(
        False, description="Whether it is only worked out what would be preempted."
    )
    lazy: bool = Field(
        False,
        description="Whether a container that has waited long enough is killed only when a queue "
        "below its guarantee needs its room.",
    )
    interval_seconds: Annotated[Seconds, Field(ge=1)] = Field(
        3, description="Seconds between two looks at what should be preempted."
    )
    maximum_wait_before_kill_seconds: Seconds = Field(
        15,
        description="Seconds between telling an ApplicationMaster that a container will go and "
        "killing it.",
    )
    total_per_round: Percentage = Field(
        "10%", description="Part of the cluster that one round may preempt at most."
    )
    maximum_ignored_over_capacity: Percentage = Field(
        "10%", description="How far a queue may be over its guarantee before it is preempted."
    )
    natural_termination: Percentage = Field(
        "20%",
        description="Part of what should be preempted that one round takes, because containers "
        "also end by themselves.",
    )
    conservative_drf: bool = Field(
        False,
        description="Whether a container is spared of which some resource is not needed any more.",
    )
    for_reserved_containers: bool = Field(
        False,
        description="Whether containers go first that stand where others have reserved room.",
    )
    balance_reserved_containers: bool = Field(
        False, description="Whether what is reserved is to be had by preemption in addition."
    )
    balance_after_satisfied: bool = Field(
        False,
        description="Whether queues that all have their guarantee share what is over evenly, by "
        "preemption, too.",
    )
    balance_maximum_wait_before_kill_seconds: Seconds = Field(
        300, description="As maximumWaitBeforeKillSeconds, for balanceAfterSatisfied."
    )
    intra_queue: IntraQueuePreemption = Field(
        default_factory=lambda: IntraQueuePreemption.model_validate({}),
        description="Preemption among the applications of one queue.",
    )
    underutilized: UnderutilizedPreemption = Field(
        default_factory=lambda: UnderutilizedPreemption.model_validate({}),
        description="Preemption for reservations of queues with higher priority.",
    )
