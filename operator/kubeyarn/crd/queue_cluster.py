"""What root's YarnQueue says of the whole cluster."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from kubeyarn.crd import defaults
from kubeyarn.crd.fields import (
    AS_ONE,
    Count,
    Fields,
    PartitionName,
    PositiveAmounts,
    QueueName,
    listed_by,
)
from kubeyarn.crd.queue_cluster_fair import FairCluster
from kubeyarn.crd.queue_cluster_offers import Offers
from kubeyarn.crd.queue_cluster_preemption import ClusterPreemption
from kubeyarn.crd.queue_words import (
    QueueAccess,
    ResourceCalculator,
    RuleFallback,
    RulePolicy,
    RuleType,
    SchedulerKind,
)


class Partition(Fields):
    """A partition of the cluster: the nodes that carry the label kubeyarn.io/partition=NAME."""

    name: Annotated[PartitionName, Field(min_length=1)] = Field(
        description="The partition's name, the value of the nodes' label kubeyarn.io/partition."
    )
    exclusive: bool = Field(
        True,
        description="Only applications that ask for this partition run there. When false, its "
        "idle room is lent to applications that ask for none, and taken back when needed.",
    )


class PlacementRule(Fields):
    """One rule that puts applications into queues, in the words of Hadoop's JSON mapping rules."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    type: RuleType = Field(
        description="What is looked at: the user, a group of the user, or the application's name."
    )
    matches: Annotated[str, Field(max_length=253)] = Field(
        "*", description="The name it must have; * matches every user or application."
    )
    policy: RulePolicy = Field(description="Where the application goes when the rule matches.")
    parent_queue: QueueName = Field(
        "", description="The parent under which the queue is looked for, by its full path."
    )
    fallback_result: RuleFallback = Field(
        RuleFallback.SKIP,
        description="What happens when the queue cannot be had: try the next rule, place into "
        "the default queue, or reject the application.",
    )
    create: bool = Field(True, description="Whether the queue may be made when it is missing.")
    value: QueueName = Field("", description="The queue that setDefaultQueue sets.")
    custom_placement: Annotated[str, Field(max_length=1024)] = Field(
        "", description="A path with %user, %primary_group, %application and the like, for custom."
    )


class Cluster(Fields):
    """What holds for the whole cluster; only root says it."""

    scheduler: SchedulerKind = Field(
        SchedulerKind.CAPACITY,
        description="Which scheduler decides: Capacity shares by guaranteed capacities, Fair by "
        "weights and demand.",
    )
    resource_calculator: ResourceCalculator = Field(
        ResourceCalculator.DOMINANT,
        description="How queues are compared: Dominant looks at each one's scarcest resource "
        "(DRF), Default at memory only, as Hadoop does unless told otherwise.",
    )
    legacy_queue_mode: bool = Field(
        True,
        description="Whether the percentages of a parent's children must add up to 100% and "
        "capacityByResource may not mix kinds, as in Hadoop's legacy-queue-mode.",
    )
    minimum_allocation: PositiveAmounts = Field(
        dict(defaults.MINIMUM_ALLOCATION),
        description="The smallest container. Smaller asks are raised to it, and the Capacity "
        "scheduler rounds asks up to a multiple of it.",
    )
    increment_allocation: PositiveAmounts = Field(
        dict(defaults.INCREMENT_ALLOCATION),
        description="The step that the Fair scheduler rounds asks up to.",
    )
    maximum_allocation: PositiveAmounts = Field(
        dict(defaults.MAXIMUM_ALLOCATION),
        description="The largest container. A larger ask is refused.",
    )
    partitions: list[Partition] = Field(
        default=[],
        max_length=64,
        description="The partitions (node labels) of the cluster.",
        json_schema_extra=listed_by("name"),
    )
    maximum_applications: Count = Field(
        10_000,
        description="The most applications that have not ended. Queues that do not say "
        "maximumApplications have their part of it.",
    )
    maximum_applications_per_queue: Count | None = Field(
        None,
        description="maximumApplications of queues that do not say it. Unset: their part of the "
        "cluster's.",
    )
    maximum_application_priority: Count = Field(
        defaults.MAXIMUM_APPLICATION_PRIORITY,
        description="The highest priority an application may have; higher ones are lowered to it.",
    )
    preemption: ClusterPreemption = Field(
        default_factory=lambda: ClusterPreemption.model_validate({}),
        description="How containers are taken back from queues above their guarantee.",
    )
    offers: Offers = Field(
        default_factory=lambda: Offers.model_validate({}),
        description="What one offer of a node may give, and how long asks wait for their places.",
    )
    maximum_parallel_applications_per_user: Count | None = Field(
        None,
        description="Applications of one user that may run at a time in all queues together. "
        "Unset: no limit.",
    )
    maximum_parallel_applications_of: dict[Annotated[str, Field(max_length=253)], Count] = Field(
        default={}, max_length=256, description="The same for single users, by name."
    )
    master_partition: PartitionName | None = Field(
        None,
        description="The partition of ApplicationMasters that ask for none. Unset: that of their "
        "applications.",
    )
    masters_in_shared_partitions: bool = Field(
        False,
        description="Whether ApplicationMasters may run on nodes that are lent to applications "
        "that ask for no partition.",
    )
    queue_access: QueueAccess = Field(
        QueueAccess.OPEN,
        description="Who may use queues. Open: whoever may make applications may submit to every "
        "queue. ByRole: a user needs the verb submit or administer on the YarnQueue or on one "
        "above it, and to change or delete somebody else's application the verb administer.",
    )
    user_groups: dict[
        Annotated[str, Field(max_length=253)],
        Annotated[
            list[Annotated[str, Field(min_length=1, max_length=253)]],
            Field(max_length=64, json_schema_extra=AS_ONE),
        ],
    ] = Field(
        default={},
        max_length=4096,
        description="The groups of users, the primary one first. A user who is not listed has "
        "the groups the API server knows, without those that begin with system:, and where there "
        "are none, one with the user's own name.",
    )
    fair: FairCluster | None = Field(
        None, description="The Fair Scheduler's settings. Unset: Hadoop's defaults."
    )
    placement_rules_override: bool = Field(
        False,
        description="Whether the rules also have a say when an application names a queue.",
    )
    placement_rules: list[PlacementRule] = Field(
        default=[],
        max_length=256,
        description="Rules that put applications into queues; the first that places wins.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
