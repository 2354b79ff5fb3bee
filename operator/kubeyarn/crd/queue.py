"""YarnQueue: one queue of the tree, and at root what holds for the whole cluster."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from kubeyarn.crd.fields import (
    AS_ONE,
    AS_SET,
    Amounts,
    AMShare,
    CapacityByResource,
    Count,
    Factor,
    Fields,
    FreeForm,
    MaximumByResource,
    PartitionName,
    Percentage,
    PositiveAmounts,
    Seconds,
    Share,
    Weight,
    camel,
    listed_by,
    rule,
    rules,
)
from kubeyarn.crd.queue_cluster import Cluster
from kubeyarn.crd.queue_status import YarnQueueStatus
from kubeyarn.crd.queue_words import (
    ApplicationOrdering,
    AutoCreateKind,
    ChildOrdering,
    FairPolicy,
    NodeOrdering,
    State,
)
from kubeyarn.crd.structural import MAKE


class QueuePartition(Fields):
    """What a queue has of one partition."""

    name: Annotated[PartitionName, Field(min_length=1)] = Field(
        description="The partition's name, as root's cluster.partitions declares it."
    )
    capacity: Share = Field(
        "0%", description="Guaranteed part of what the parent has of this partition."
    )
    maximum_capacity: Percentage = Field(
        "100%", description="The most it may use of what the parent may use of this partition."
    )
    maximum_am_share: Percentage | None = Field(
        None,
        description="Part that ApplicationMasters may take here. Unset: the queue's "
        "maximumAMShare.",
    )


class Ordering(Fields):
    """Who is served first."""

    applications: ApplicationOrdering | None = Field(
        None,
        description="How a leaf orders its applications: Fifo by priority and submission; Fair "
        "by what they use; FifoWithPartitions and FifoForPending as in Hadoop. Unset: Fifo.",
    )
    size_based_weight: bool = Field(
        False, description="Under Fair: larger applications weigh more."
    )
    children: ChildOrdering | None = Field(
        None,
        description="How a parent orders its children: Utilization serves the most under-used "
        "first; PriorityUtilization looks at priority too. Unset: as the parent, at root "
        "Utilization.",
    )
    enforced_partitions: list[PartitionName] = Field(
        default=[],
        max_length=64,
        description="Under FifoWithPartitions: partitions whose nodes serve only applications "
        "whose ApplicationMasters run there.",
        json_schema_extra=AS_SET,
    )


class PriorityAccess(Fields):
    """Which priorities some users may give their applications (Hadoop: AppPriorityACL)."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    users: list[Annotated[str, Field(max_length=253)]] = Field(
        default=[],
        max_length=256,
        description='These users; "*" is everybody.',
        json_schema_extra=AS_ONE,
    )
    groups: list[Annotated[str, Field(max_length=253)]] = Field(
        default=[],
        max_length=256,
        description="The members of these groups.",
        json_schema_extra=AS_ONE,
    )
    maximum_priority: Count | None = Field(
        None, description="The highest priority that they may have. Unset: any."
    )
    default_priority: Count | None = Field(
        None,
        description="The priority of their applications that say none. Unset: as "
        "defaultApplicationPriority says.",
    )


class QueuePreemption(Fields):
    """Whether this queue is spared from preemption."""

    disabled: bool | None = Field(
        None,
        description="True: no container of this queue is preempted for another queue. Unset: as "
        "the parent, at root false.",
    )
    intra_queue_disabled: bool | None = Field(
        None,
        description="True: no container is preempted for another application of this queue. "
        "Unset: as the parent, at root false.",
    )


class Lifetime(Fields):
    """How long applications of this queue may run."""

    default_seconds: Seconds = Field(
        0, description="Lifetime of applications that say none, in seconds; 0: none."
    )
    maximum_seconds: Seconds = Field(
        0, description="The longest lifetime an application may have, in seconds; 0: none."
    )


_TEMPLATE = "It may say what a YarnQueue's spec says, except cluster and autoCreate."


class AutoCreate(Fields):
    """Queues made on demand under this one."""

    enabled: bool = Field(False, description="Whether missing queues under this one are made.")
    kind: AutoCreateKind = Field(
        AutoCreateKind.FLEXIBLE,
        description="Flexible makes parents and leaves of any depth (Hadoop's v2); Managed makes "
        "leaves from leafTemplate only (v1).",
    )
    maximum_queues: Count = Field(1000, description="Made queues there may be at a time.")
    maximum_depth: Annotated[int, Field(ge=1, le=32)] = Field(
        2, description="Levels that may be made below this queue."
    )
    expiry_seconds: Seconds = Field(
        300, description="Seconds after which an unused made queue is removed; 0: never."
    )
    template: FreeForm = Field(default={}, description=f"What every made queue says. {_TEMPLATE}")
    leaf_template: FreeForm = Field(
        default={}, description=f"What made leaves say, over template. {_TEMPLATE}"
    )
    parent_template: FreeForm = Field(
        default={}, description=f"What made parents say, over template. {_TEMPLATE}"
    )


class Fair(Fields):
    """What the Fair scheduler reads; ignored under Capacity."""

    weight: Weight = Field("1", description="The queue's weight among its siblings.")
    min_resources: Amounts | None = Field(
        None, description="The least it should get when it needs it. Unset: nothing."
    )
    max_resources: MaximumByResource | None = Field(
        None, description="The most it may use. Unset: no limit of its own."
    )
    max_child_resources: MaximumByResource | None = Field(
        None,
        description="The most that each queue made on demand below it may use. Unset: no limit.",
    )
    policy: FairPolicy | None = Field(
        None,
        description="How it shares among its children or applications: Fair by memory, Drf by "
        "each one's scarcest resource, Fifo by submission (leaves only). Unset: Fair.",
    )
    max_running_applications: Count | None = Field(
        None, description="Applications that may run at a time. Unset: no limit."
    )
    max_am_share: AMShare | None = Field(
        None,
        description='Part of its fair share that ApplicationMasters may take; "-1" switches the '
        "limit off. Unset: 50%.",
    )
    min_share_preemption_timeout_seconds: Seconds | None = Field(
        None,
        description="Seconds below its least share after which it preempts. Unset: as the "
        "parent, at root never.",
    )
    fair_share_preemption_timeout_seconds: Seconds | None = Field(
        None,
        description="Seconds below its threshold after which it preempts. Unset: as the parent, "
        "at root never.",
    )
    fair_share_preemption_threshold: Percentage | None = Field(
        None,
        description="Part of its fair share below which it counts as starved. Unset: as the "
        "parent, at root 50%.",
    )
    allow_preemption_from: bool = Field(
        True, description="Whether containers of this queue may be preempted for others."
    )
    max_container_allocation: PositiveAmounts | None = Field(
        None, description="The largest container of this queue. Unset: as the parent."
    )


_EITHER = [
    rule(
        "!(has(self.capacity) && has(self.capacityByResource))",
        "capacity and capacityByResource: found both, allowed: one of them",
    ),
    rule(
        "!(has(self.maximumCapacity) && has(self.maximumCapacityByResource))",
        "maximumCapacity and maximumCapacityByResource: found both, allowed: one of them",
    ),
    rule(
        "!has(self.lifetime) || self.lifetime.maximumSeconds == 0 || "
        "self.lifetime.defaultSeconds <= self.lifetime.maximumSeconds",
        "lifetime.defaultSeconds: found more than lifetime.maximumSeconds, allowed: at most that",
    ),
]


class YarnQueueSpec(Fields):
    """What an administrator says of a queue."""

    model_config = ConfigDict(json_schema_extra=rules(*_EITHER))

    cluster: Cluster | None = Field(
        None, description="What holds for the whole cluster. Only the queue root may say it."
    )
    state: State = Field(
        State.RUNNING,
        description="Running takes applications, unless a queue above is stopped. Stopped takes "
        "no new ones, also below it; what runs goes on, and until it ends status.state says "
        "Draining.",
    )
    capacity: Share | None = Field(
        None,
        description='What the queue is guaranteed: a percentage of its parent ("60%"), or a '
        'weight among its siblings ("3w"). Siblings that say percentages add up to 100%. Unset: '
        "0%, and root has 100%.",
    )
    capacity_by_resource: CapacityByResource | None = Field(
        None,
        description="Instead of capacity: what is guaranteed of each resource, as amounts "
        "(memory: 160Gi), percentages or weights. Unset: capacity says it.",
    )
    maximum_capacity: Percentage | None = Field(
        None,
        description="The most the queue may use of what its parent may use, when others leave "
        "room. Unset: 100%.",
    )
    maximum_capacity_by_resource: MaximumByResource | None = Field(
        None,
        description="Instead of maximumCapacity: the most it may use of each resource. Unset: "
        "maximumCapacity says it.",
    )
    partitions: list[QueuePartition] = Field(
        default=[],
        max_length=64,
        description="What the queue has of each partition.",
        json_schema_extra=listed_by("name"),
    )
    accessible_partitions: (
        list[Annotated[str, Field(max_length=63, pattern=r"^(\*|[A-Za-z0-9][-A-Za-z0-9_.]*)$")]]
        | None
    ) = Field(
        None,
        max_length=64,
        description='The partitions its applications may ask for; "*" means all, an empty list '
        "none. Unset: as the parent, at root all.",
        json_schema_extra=AS_SET,
    )
    default_partition: PartitionName | None = Field(
        None,
        description="The partition of applications that ask for none. Unset: as the parent, at "
        "root the nodes without a partition.",
    )
    minimum_user_limit_percent: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None,
        description="The least part of the queue, in percent, that each of its active users can "
        "count on: with 25, up to four users share equally and a fifth waits. Unset: 100.",
    )
    user_limit_factor: Factor | None = Field(
        None,
        description="How many times the queue's guaranteed capacity one user may use at most; "
        '"-1" switches the limit off. Unset: 1.',
    )
    user_weights: dict[Annotated[str, Field(max_length=253)], Weight] = Field(
        default={},
        max_length=256,
        description="Users whose share is not the usual one, with their weights.",
    )
    maximum_am_share: Percentage | None = Field(
        None,
        description="Part of the queue that ApplicationMasters may take, so that room is left "
        "for their containers. Unset: 10%.",
    )
    maximum_applications: Count | None = Field(
        None,
        description="Applications that may wait and run in the queue at a time; further ones are "
        "refused. Unset: the queue's share of 10000.",
    )
    maximum_parallel_applications: Count | None = Field(
        None, description="Applications that may run at a time; further ones wait. Unset: no limit."
    )
    maximum_parallel_applications_per_user: Count | None = Field(
        None,
        description="Applications of one user that may run at a time; further ones wait. Unset: "
        "no limit.",
    )
    maximum_allocation: PositiveAmounts | None = Field(
        None,
        description="The largest container of this queue, at most the cluster's. Unset: as the "
        "parent.",
    )
    ordering: Ordering = Field(
        default_factory=lambda: Ordering.model_validate({}),
        description="Who is served first in this queue.",
    )
    priority: Annotated[int, Field(ge=-(2**31), le=2**31 - 1)] = Field(
        0,
        description="The queue's priority among its siblings when the parent orders by "
        "PriorityUtilization; higher is served first.",
    )
    default_application_priority: Count = Field(
        0, description="Priority of applications that say none."
    )
    priority_access: list[PriorityAccess] = Field(
        default=[],
        max_length=64,
        description="Who may have which priority, where root says queueAccess ByRole. Empty: "
        "everybody may have any; else only who is named may submit, up to the maximum there.",
        json_schema_extra=AS_ONE,
    )
    allow_zero_capacity_sum: bool = Field(
        False, description="Whether the children's capacities may add up to 0% instead of 100%."
    )
    preemption: QueuePreemption = Field(
        default_factory=lambda: QueuePreemption.model_validate({}),
        description="Whether this queue is spared from preemption.",
    )
    lifetime: Lifetime | None = Field(
        None, description="How long applications may run. Unset: as the parent, at root for ever."
    )
    node_ordering: NodeOrdering = Field(
        NodeOrdering.SPREAD,
        description="Which of the nodes that fit is taken: Spread the least used, Pack the most.",
    )
    auto_create: AutoCreate | None = Field(
        None, description="Queues made on demand under this one. Unset: none are made."
    )
    fair: Fair | None = Field(
        None,
        description="What the Fair scheduler reads, when root's cluster.scheduler is Fair. "
        "Unset: a weight of 1 and no limits.",
    )


_PATH = r"^root(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

_NAMED = [
    rule(
        f"self.metadata.name.matches(r'{_PATH}')",
        "'metadata.name: found \"' + self.metadata.name + '\", allowed: the queue\\'s full path, "
        "such as root.engineering.etl, in lower case letters, digits and -'",
    ),
    rule(
        "self.metadata.name == 'root' || !has(self.spec) || !has(self.spec.cluster)",
        "'found on ' + self.metadata.name + ', allowed: only on the queue root'",
        ".spec.cluster",
    ),
    rule(
        "self.metadata.name != 'root' || !has(self.spec) || "
        "((!has(self.spec.capacity) || self.spec.capacity == '100%') && "
        "!has(self.spec.capacityByResource))",
        "root has the whole cluster; allowed: 100% or nothing, and no capacityByResource",
        ".spec.capacity",
    ),
]


class YarnQueue(Fields):
    """A queue of the tree. Its name is its full path: the parent of root.engineering.etl is
    root.engineering. Queues without children (leaves) take applications; what a queue is
    guaranteed and does not use is lent to others.
    """

    model_config = ConfigDict(
        alias_generator=camel, extra="allow", json_schema_extra=rules(*_NAMED)
    )

    spec: YarnQueueSpec = Field(
        default_factory=lambda: YarnQueueSpec.model_validate({}),
        description="What an administrator says of the queue.",
        json_schema_extra={MAKE: True},
    )
    status: YarnQueueStatus | None = Field(
        None, description="What is true of the queue now. The scheduler writes it."
    )
