"""What root's YarnQueue says to the Fair Scheduler beyond its queues."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from kubeyarn.crd.fields import (
    AS_ONE,
    AMShare,
    Count,
    Fields,
    MaximumByResource,
    Percentage,
    QueueName,
    Seconds,
)
from kubeyarn.crd.queue_words import FairPolicy, FairRulePolicy


class FairParentRule(Fields):
    """The rule that finds the queue in which another rule's queue is nested."""

    policy: FairRulePolicy = Field(
        description="Which queue: a group's, or by default the one that queue names."
    )
    create: bool = Field(True, description="Whether the queue may be made when it is missing.")
    queue: QueueName = Field("", description="The queue of the policy default, by its full path.")


class FairPlacementRule(Fields):
    """One of Hadoop's queue placement rules."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    policy: FairRulePolicy = Field(
        description="Where the application goes: specified is the queue it names; "
        "nestedUserQueue is the user's below the queue that parent finds; reject refuses it."
    )
    create: bool = Field(
        True,
        description="Whether the queue may be made when it is missing. If not, and it is missing, "
        "the next rule is tried.",
    )
    queue: QueueName = Field(
        "", description="The queue of the policy default, by its full path. Empty: root.default."
    )
    parent: FairParentRule | None = Field(
        None, description="Finds the queue in which this rule's is nested. Unset: root."
    )


class FairDefaults(Fields):
    """What holds for queues whose own `fair` does not say it."""

    policy: FairPolicy | None = Field(None, description="Unset: Fair.")
    max_running_applications: Count | None = Field(None, description="Unset: no limit.")
    max_am_share: AMShare | None = Field(None, description="Unset: 50%.")
    max_resources: MaximumByResource | None = Field(None, description="Unset: no limit.")


class FairCluster(Fields):
    """The Fair Scheduler's settings for the whole cluster; not read under Capacity."""

    placement_rules: list[FairPlacementRule] = Field(
        default=[],
        max_length=32,
        description="Where applications go; the first rule that has an answer wins, and the last "
        "must always have one. Empty: the queue they name, else as userAsDefaultQueue says.",
        json_schema_extra=AS_ONE,
    )
    allow_undeclared_queues: bool = Field(
        True,
        description="Without placementRules: whether queues that are no YarnQueue are made when "
        "applications name them. Made ones go when they are empty.",
    )
    user_as_default_queue: bool = Field(
        True,
        description="Without placementRules: whether applications that name no queue go to one "
        "with their user's name, or to root.default.",
    )
    defaults: FairDefaults | None = Field(
        None, description="What holds for queues that do not say it themselves."
    )
    max_running_applications_per_user: Count | None = Field(
        None, description="Applications of one user that may run at a time. Unset: no limit."
    )
    max_running_applications_of: dict[Annotated[str, Field(max_length=253)], Count] = Field(
        default={}, max_length=256, description="The same for single users, by name."
    )
    size_based_weight: bool = Field(
        False, description="Whether applications that want more weigh more."
    )
    node_locality_threshold: Percentage | None = Field(
        None,
        description="Part of the nodes that an ask for a certain node lets pass before it takes "
        "another in its rack. Unset: it does not wait.",
    )
    rack_locality_threshold: Percentage | None = Field(
        None,
        description="Part of the nodes that an ask for a certain rack lets pass before it takes "
        "another. Unset: it does not wait.",
    )
    preemption_utilization_threshold: Percentage = Field(
        "80%", description="Part of the cluster that must be in use before anything is preempted."
    )
    preempt_masters: bool = Field(
        True, description="Whether ApplicationMasters may be preempted when nothing else helps."
    )
    preempt_masters_of: dict[Annotated[str, Field(max_length=253)], bool] = Field(
        default={}, max_length=256, description="The same for single queues, by full path."
    )
    wait_before_next_starvation_check_seconds: Seconds = Field(
        10, description="How long an application that preempted is left alone after that."
    )
    assign_multiple: bool = Field(
        False, description="Whether one offer of a node may give more than one container."
    )
    dynamic_maximum_assign: bool = Field(
        True, description="With assignMultiple: whether one offer gives half of what is free."
    )
    maximum_assign: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None,
        description="With assignMultiple and without dynamicMaximumAssign: the most containers of "
        "one offer. Unset: as many as fit.",
    )
    reservable_nodes: Percentage = Field(
        "5%", description="Part of the nodes on which one application may reserve room."
    )
    reservation_threshold_increments: Count = Field(
        2, description="How many times incrementAllocation an ask must be large to reserve room."
    )
