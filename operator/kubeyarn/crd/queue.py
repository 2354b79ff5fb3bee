"""YarnQueue: one queue of the tree, and at root what holds for the whole cluster."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from kubeyarn.crd import defaults
from kubeyarn.crd.fields import (
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
    QueueName,
    Seconds,
    Share,
    ShownAmounts,
    Weight,
    camel,
    listed_by,
    rule,
    rules,
)
from kubeyarn.crd.status import Condition, ObservedGeneration, conditions
from kubeyarn.crd.structural import MAKE


class SchedulerKind(StrEnum):
    """Which of Hadoop's schedulers decides."""

    CAPACITY = "Capacity"
    FAIR = "Fair"


class ResourceCalculator(StrEnum):
    """How amounts of several resources are compared."""

    DOMINANT = "Dominant"
    DEFAULT = "Default"


class State(StrEnum):
    """What an administrator may say of a queue."""

    RUNNING = "Running"
    STOPPED = "Stopped"


class ShownState(StrEnum):
    """What a queue's state may be."""

    RUNNING = "Running"
    DRAINING = "Draining"
    STOPPED = "Stopped"


class ApplicationOrdering(StrEnum):
    """How a leaf orders its applications."""

    FIFO = "Fifo"
    FAIR = "Fair"
    FIFO_WITH_PARTITIONS = "FifoWithPartitions"
    FIFO_FOR_PENDING = "FifoForPending"


class ChildOrdering(StrEnum):
    """How a parent orders its children."""

    UTILIZATION = "Utilization"
    PRIORITY_UTILIZATION = "PriorityUtilization"


class IntraQueueOrder(StrEnum):
    """Whose containers go first within a queue."""

    USER_LIMIT_FIRST = "UserLimitFirst"
    PRIORITY_FIRST = "PriorityFirst"


class NodeOrdering(StrEnum):
    """Which of the nodes that fit is taken."""

    SPREAD = "Spread"
    PACK = "Pack"


class FairPolicy(StrEnum):
    """How the Fair Scheduler shares within a queue."""

    FAIR = "Fair"
    FIFO = "Fifo"
    DRF = "Drf"


class AutoCreateKind(StrEnum):
    """Hadoop's two ways of making queues on demand."""

    FLEXIBLE = "Flexible"
    MANAGED = "Managed"


class RuleType(StrEnum):
    """What a placement rule looks at, spelled as in Hadoop's JSON rules."""

    USER = "user"
    GROUP = "group"
    APPLICATION = "application"


class RuleFallback(StrEnum):
    """What happens when a rule's queue cannot be had, spelled as in Hadoop's JSON rules."""

    SKIP = "skip"
    PLACE_DEFAULT = "placeDefault"
    REJECT = "reject"


class RulePolicy(StrEnum):
    """Where a rule puts an application, spelled as in Hadoop's JSON rules."""

    SPECIFIED = "specified"
    REJECT = "reject"
    DEFAULT_QUEUE = "defaultQueue"
    USER = "user"
    PRIMARY_GROUP = "primaryGroup"
    SECONDARY_GROUP = "secondaryGroup"
    PRIMARY_GROUP_USER = "primaryGroupUser"
    SECONDARY_GROUP_USER = "secondaryGroupUser"
    APPLICATION_NAME = "applicationName"
    SET_DEFAULT_QUEUE = "setDefaultQueue"
    CUSTOM = "custom"


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


class ClusterPreemption(Fields):
    """How containers are taken back from queues that use more than they are guaranteed."""

    enabled: bool = Field(
        False,
        description="Whether queues below their guarantee get it back by preempting containers "
        "of queues above theirs.",
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
    intra_queue: IntraQueuePreemption = Field(
        default_factory=lambda: IntraQueuePreemption.model_validate({}),
        description="Preemption among the applications of one queue.",
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
    maximum_application_priority: Count = Field(
        defaults.MAXIMUM_APPLICATION_PRIORITY,
        description="The highest priority an application may have; higher ones are lowered to it.",
    )
    preemption: ClusterPreemption = Field(
        default_factory=lambda: ClusterPreemption.model_validate({}),
        description="How containers are taken back from queues above their guarantee.",
    )
    placement_rules: list[PlacementRule] = Field(
        default=[],
        max_length=256,
        description="Rules that put applications into queues; the first that places wins.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )


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
        description="Running takes applications. Stopped takes no new ones, also below it; what "
        "runs goes on, and until it ends status.state says Draining.",
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
