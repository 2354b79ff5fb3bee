"""YarnQueue: one queue of the tree, and at root what holds for the whole cluster.

These are the fields as they are written. What the spec amounts to for the schedulers, with its
defaults, units and faults, is read by `scheduler_config`, from an `UncheckedQueue`. The status
is the scheduler's alone; `inForce` is its memory of the spec that it acts on while a newer one is
refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from kubeyarn.crd.conditions import Condition, conditions_of
from kubeyarn.crd.decoding import Resource
from kubeyarn.crd.fields import (
    AS_ONE,
    AS_SET,
    NOTHING,
    Amounts,
    AMShare,
    CapacityByResource,
    Count,
    Extras,
    Factor,
    Field,
    Fields,
    FreeForm,
    ManyCapacitiesByResource,
    ManyMaximaByResource,
    MaximumByResource,
    ObservedGeneration,
    PartitionName,
    Percentage,
    PositiveAmounts,
    Reported,
    Seconds,
    Share,
    ShownAmounts,
    UserLimitPercent,
    Weight,
    listed_by,
    rule,
    rules,
)
from kubeyarn.crd.yarn_queue_cluster import ClusterSpec
from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.queues import (
    ApplicationOrdering,
    AutoCreateKind,
    ChildOrdering,
    ConfiguredState,
    NodeOrdering,
)


class ShownQueueState(StrEnum):
    """What a queue's state may be (Hadoop: QueueState)."""

    RUNNING = "Running"
    DRAINING = "Draining"
    STOPPED = "Stopped"


class FairQueueType(StrEnum):
    """What a queue may be declared to be (Hadoop: the attribute `type` of a queue element)."""

    PARENT = "Parent"


class Effective(Fields, frozen=True):
    """What the queue's words amount to on the cluster as it is now."""

    minimum: Annotated[ShownAmounts, Reported("What it is guaranteed.")] = NOTHING
    maximum: Annotated[ShownAmounts, Reported("The most it may use.")] = NOTHING


class AMUse(Fields, frozen=True):
    """What ApplicationMasters take of the queue."""

    used: Annotated[ShownAmounts, Reported("What they use.")] = NOTHING
    limit: Annotated[ShownAmounts, Reported("What they may use.")] = NOTHING


class ApplicationCounts(Fields, frozen=True):
    """Applications of the queue that have not ended."""

    active: Annotated[Count, Reported("Those whose ApplicationMaster may run.")] = 0
    pending: Annotated[Count, Reported("Those that wait for that.")] = 0
    total: Annotated[Count, Reported("Both together.")] = 0


class FairShare(Fields, frozen=True):
    """What the Fair scheduler computes for the queue."""

    steady: Annotated[ShownAmounts, Reported("Its share if all queues were in use.")] = NOTHING
    instantaneous: Annotated[ShownAmounts, Reported("Its share among the queues in use now.")] = (
        NOTHING
    )
    demand: Annotated[
        ShownAmounts, Reported("What its applications hold and ask for, up to its maximum.")
    ] = NOTHING


class UserUse(Fields, frozen=True):
    """One user in this leaf."""

    name: Annotated[str, Field("The user's name.", maxLength=253)]
    used: Annotated[ShownAmounts, Reported("What the user's containers hold.")] = NOTHING
    limit: Annotated[ShownAmounts, Reported("What the user may hold.")] = NOTHING
    active_applications: Annotated[Count, Reported("The user's applications that may run.")] = 0
    pending_applications: Annotated[
        Count, Reported("The user's applications that wait for that.")
    ] = 0


class UserPartitionUse(Fields, frozen=True):
    """What one user holds of a partition in this leaf."""

    name: Annotated[str, Field("The user's name.", maxLength=253)]
    used: Annotated[ShownAmounts, Reported("What the user's containers hold there.")] = NOTHING
    limit: Annotated[ShownAmounts, Reported("What the user may hold there.")] = NOTHING


class QueuePartitionUse(Fields, frozen=True):
    """What the queue has and holds of one partition."""

    name: Annotated[
        str, Field("The partition's name; empty: the nodes without a partition.", maxLength=63)
    ]
    effective: Annotated[
        Effective, Reported("What its capacities amount to there on the cluster as it is now.")
    ] = Effective()
    used: Annotated[ShownAmounts, Reported("What its containers hold there.")] = NOTHING
    pending: Annotated[ShownAmounts, Reported("What is asked for there and not granted.")] = NOTHING
    reserved: Annotated[
        ShownAmounts, Reported("Room held there for asks that do not fit yet; part of used.")
    ] = NOTHING
    am: Annotated[AMUse, Reported("What ApplicationMasters take of it there.")] = AMUse()
    users: Annotated[
        tuple[UserPartitionUse, ...],
        Reported(
            "The users who hold something there in this leaf.",
            maxItems=1000,
            **listed_by("name"),
        ),
    ] = ()


class MadeQueue(Fields, frozen=True):
    """An auto-created queue; it has no object of its own."""

    name: Annotated[str, Field("Its full path.", maxLength=1024)]
    leaf: Annotated[bool | None, Field("Whether it takes applications.")] = None
    used: Annotated[ShownAmounts, Reported("What its containers hold.")] = NOTHING
    containers: Annotated[Count, Reported("Containers it holds.")] = 0
    applications: Annotated[
        Count, Reported("Its applications that have not ended, and those below it.")
    ] = 0


class UnusableNodes(Fields, frozen=True):
    """Nodes that take no containers and are no part of the cluster that is shared."""

    reason: Annotated[
        str,
        Field(
            "NotReady, Cordoned, TaintedByCondition by Kubernetes, or Tainted by somebody with a "
            "taint that nobody who asks tolerates.",
            maxLength=64,
        ),
    ]
    nodes: Annotated[Count, Reported("How many there are.")] = 0
    resources: Annotated[ShownAmounts, Reported("What they would add to the cluster.")] = NOTHING


class YarnQueueStatus(Fields, frozen=True):
    """What is true of a queue now; the scheduler writes it."""

    observed_generation: ObservedGeneration = None
    leaf: Annotated[bool | None, Field("Whether it has no children and so takes applications.")] = (
        None
    )
    state: Annotated[
        ShownQueueState | None,
        Field("Running, Stopped, or Draining: stopped with applications that still run."),
    ] = None
    effective: Annotated[
        Effective, Reported("What its capacities amount to on the cluster as it is now.")
    ] = Effective()
    used: Annotated[ShownAmounts, Reported("What its containers hold.")] = NOTHING
    pending: Annotated[ShownAmounts, Reported("What is asked for and not granted.")] = NOTHING
    reserved: Annotated[
        ShownAmounts, Reported("Room held on nodes for asks that do not fit yet; part of used.")
    ] = NOTHING
    containers: Annotated[Count, Reported("Containers it holds.")] = 0
    used_capacity: Annotated[
        str, Reported("What it uses, in percent of its effective minimum.", maxLength=32)
    ] = ""
    absolute_used_capacity: Annotated[
        str, Reported("What it uses, in percent of the partition.", maxLength=32)
    ] = ""
    am: Annotated[AMUse, Reported("What ApplicationMasters take of it.")] = AMUse()
    applications: Annotated[
        ApplicationCounts, Reported("Its applications that have not ended.")
    ] = ApplicationCounts()
    fair_share: Annotated[
        FairShare, Reported("Its fair shares, when the Fair scheduler decides.")
    ] = FairShare()
    in_force: Annotated[
        FreeForm | None,
        Field(
            "The spec that is in force: what the queue says now, or what it said before "
            "when that does not add up."
        ),
    ] = None
    nodes: Annotated[Count, Reported("At root: nodes of the cluster that may take containers.")] = 0
    unusable_nodes: Annotated[
        tuple[UnusableNodes, ...],
        Reported(
            "At root: what shares, percentages and thresholds leave out, because it takes no "
            "containers now.",
            maxItems=16,
            **listed_by("reason"),
        ),
    ] = ()
    made_queues: Annotated[
        tuple[MadeQueue, ...],
        Reported(
            "The auto-created queues below this one, which are no objects.",
            maxItems=1000,
            **listed_by("name"),
        ),
    ] = ()
    users: Annotated[
        tuple[UserUse, ...],
        Reported(
            "The users who hold or ask for something in this leaf.",
            maxItems=1000,
            **listed_by("name"),
        ),
    ] = ()
    partitions: Annotated[
        tuple[QueuePartitionUse, ...],
        Reported(
            "Where the cluster has partitions: what the queue has and holds of each that it may "
            "use. The figures beside this list sum up what is held in all of them, and have the "
            "guarantees and limits of the nodes without a partition.",
            maxItems=65,
            **listed_by("name"),
        ),
    ] = ()
    conditions: Annotated[
        tuple[Condition, ...],
        conditions_of(
            "Accepted: the tree it stands in is in force. Ready: it takes applications. "
            "AllFieldsActing: everything it says is acted on."
        ),
    ] = ()


_EITHER_CAPACITY = [
    rule(
        "!(has(self.capacity) && has(self.capacityByResource))",
        "capacity and capacityByResource: found both, allowed: one of them",
    ),
    rule(
        "!(has(self.maximumCapacity) && has(self.maximumCapacityByResource))",
        "maximumCapacity and maximumCapacityByResource: found both, allowed: one of them",
    ),
]


class QueuePartitionSpec(Fields, frozen=True):
    """What a queue has of one partition."""

    extras: ClassVar[Extras] = rules(*_EITHER_CAPACITY)
    name: Annotated[
        PartitionName,
        Field("The partition's name, as root's cluster.partitions declares it.", minLength=1),
    ]
    capacity: Annotated[
        Share | None,
        Field("Guaranteed part of what the parent has of this partition. Unset: 0%."),
    ] = None
    capacity_by_resource: Annotated[
        ManyCapacitiesByResource | None,
        Field(
            "Instead of capacity: what is guaranteed of each resource, as amounts (memory: "
            "160Gi), percentages or weights. Unset: capacity says it."
        ),
    ] = None
    maximum_capacity: Annotated[
        Percentage | None,
        Field("The most it may use of what the parent may use of this partition. Unset: 100%."),
    ] = None
    maximum_capacity_by_resource: Annotated[
        ManyMaximaByResource | None,
        Field(
            "Instead of maximumCapacity: the most it may use of each resource. Unset: "
            "maximumCapacity says it."
        ),
    ] = None
    maximum_am_share: Annotated[
        Percentage | None,
        Field("Part that ApplicationMasters may take here. Unset: the queue's maximumAMShare."),
    ] = None


class OrderingSpec(Fields, frozen=True):
    """Who is served first."""

    applications: Annotated[
        ApplicationOrdering | None,
        Field(
            "How a leaf orders its applications: Fifo by priority and submission; Fair by "
            "what they use; FifoWithPartitions and FifoForPending as in Hadoop. Unset: "
            "Fifo."
        ),
    ] = None
    size_based_weight: Annotated[bool, Field("Under Fair: larger applications weigh more.")] = False
    children: Annotated[
        ChildOrdering | None,
        Field(
            "How a parent orders its children: Utilization serves the most under-used "
            "first; PriorityUtilization looks at priority too. Unset: as the parent, at "
            "root Utilization."
        ),
    ] = None
    enforced_partitions: Annotated[
        tuple[PartitionName, ...],
        Field(
            "Under FifoWithPartitions: partitions whose nodes serve only applications "
            "whose ApplicationMasters run there.",
            maxItems=64,
            **AS_SET,
        ),
    ] = ()


class PriorityAccessSpec(Fields, frozen=True):
    """Which priorities some users may give their applications (Hadoop: AppPriorityACL)."""

    extras: ClassVar[Extras] = {"x-kubernetes-map-type": "atomic"}
    users: Annotated[
        tuple[Annotated[str, Field(maxLength=253)], ...],
        Field('These users; "*" is everybody.', maxItems=256, **AS_ONE),
    ] = ()
    groups: Annotated[
        tuple[Annotated[str, Field(maxLength=253)], ...],
        Field("The members of these groups.", maxItems=256, **AS_ONE),
    ] = ()
    maximum_priority: Annotated[
        Count | None, Field("The highest priority that they may have. Unset: any.")
    ] = None
    default_priority: Annotated[
        Count | None,
        Field(
            "The priority of their applications that say none. Unset: as "
            "defaultApplicationPriority says."
        ),
    ] = None


class QueuePreemption(Fields, frozen=True):
    """Whether this queue is spared from preemption."""

    disabled: Annotated[
        bool | None,
        Field(
            "True: no container of this queue is preempted for another queue. Unset: as "
            "the parent, at root false."
        ),
    ] = None
    intra_queue_disabled: Annotated[
        bool | None,
        Field(
            "True: no container is preempted for another application of this queue. Unset: "
            "as the parent, at root false."
        ),
    ] = None


class LifetimeSpec(Fields, frozen=True):
    """How long applications of this queue may run."""

    default_seconds: Annotated[
        Seconds, Field("Lifetime of applications that say none, in seconds; 0: none.")
    ] = 0
    maximum_seconds: Annotated[
        Seconds, Field("The longest lifetime an application may have, in seconds; 0: none.")
    ] = 0


_TEMPLATE = "It may say what a YarnQueue's spec says, except cluster and autoCreate."


class AutoCreateSpec(Fields, frozen=True):
    """Auto-created queues under this one."""

    enabled: Annotated[bool, Field("Whether missing queues under this one are made.")] = False
    kind: Annotated[
        AutoCreateKind,
        Field(
            "Flexible makes parents and leaves of any depth (Hadoop's v2); Managed makes "
            "leaves from leafTemplate only (v1)."
        ),
    ] = AutoCreateKind.FLEXIBLE
    maximum_queues: Annotated[Count, Field("Made queues there may be at a time.")] = 1000
    maximum_depth: Annotated[
        int, Field("Levels that may be made below this queue.", minimum=1, maximum=32)
    ] = 2
    expiry_seconds: Annotated[
        Seconds, Field("Seconds after which an unused made queue is removed; 0: never.")
    ] = 300
    fail_on_exceeding_parent_capacity: Annotated[
        bool,
        Field(
            "Under Managed: whether no queue is made that would have its leafTemplate's capacity "
            "only when others have none. Otherwise it is made, and waits for its capacity."
        ),
    ] = False
    template: Annotated[FreeForm, Field(f"What every made queue says. {_TEMPLATE}")] = NOTHING
    leaf_template: Annotated[
        FreeForm, Field(f"What made leaves say, over template. {_TEMPLATE}")
    ] = NOTHING
    parent_template: Annotated[
        FreeForm, Field(f"What made parents say, over template. {_TEMPLATE}")
    ] = NOTHING


class FairSpec(Fields, frozen=True):
    """What the Fair scheduler reads; ignored under Capacity."""

    type: Annotated[
        FairQueueType | None,
        Field(
            "Parent: it takes no applications itself, even while it has no children; queues "
            "are made below it. Unset: a queue without children is a leaf."
        ),
    ] = None
    weight: Annotated[Weight, Field("The queue's weight among its siblings.")] = "1"
    min_resources: Annotated[
        Amounts | None, Field("The least it should get when it needs it. Unset: nothing.")
    ] = None
    max_resources: Annotated[
        MaximumByResource | None, Field("The most it may use. Unset: no limit of its own.")
    ] = None
    max_child_resources: Annotated[
        MaximumByResource | None,
        Field("The most that each auto-created queue below it may use. Unset: no limit."),
    ] = None
    policy: Annotated[
        FairPolicy | None,
        Field(
            "How it shares among its children or applications: Fair by memory, Drf by each "
            "one's scarcest resource, Fifo by submission (leaves only). Unset: Fair."
        ),
    ] = None
    max_running_applications: Annotated[
        Count | None, Field("Applications that may run at a time. Unset: no limit.")
    ] = None
    max_am_share: Annotated[
        AMShare | None,
        Field(
            'Part of its fair share that ApplicationMasters may take; "-1" switches the '
            "limit off. Unset: 50%."
        ),
    ] = None
    min_share_preemption_timeout_seconds: Annotated[
        Seconds | None,
        Field(
            "Seconds below its least share after which it preempts. Unset: as the parent, "
            "at root never."
        ),
    ] = None
    fair_share_preemption_timeout_seconds: Annotated[
        Seconds | None,
        Field(
            "Seconds below its threshold after which it preempts. Unset: as the parent, at "
            "root never."
        ),
    ] = None
    fair_share_preemption_threshold: Annotated[
        Percentage | None,
        Field(
            "Part of its fair share below which it counts as starved. Unset: as the "
            "parent, at root 50%."
        ),
    ] = None
    allow_preemption_from: Annotated[
        bool, Field("Whether containers of this queue may be preempted for others.")
    ] = True
    max_container_allocation: Annotated[
        PositiveAmounts | None, Field("The largest container of this queue. Unset: as the parent.")
    ] = None


_EITHER = [
    *_EITHER_CAPACITY,
    rule(
        "!has(self.lifetime) || self.lifetime.maximumSeconds == 0 || "
        "self.lifetime.defaultSeconds <= self.lifetime.maximumSeconds",
        "lifetime.defaultSeconds: found more than lifetime.maximumSeconds, allowed: at most that",
    ),
]


class YarnQueueSpec(Fields, frozen=True):
    """What an administrator says of a queue."""

    extras: ClassVar[Extras] = rules(*_EITHER)
    cluster: Annotated[
        ClusterSpec | None,
        Field("What holds for the whole cluster. Only the queue root may say it."),
    ] = None
    state: Annotated[
        ConfiguredState,
        Field(
            "Running takes applications, unless a queue above is stopped. Stopped takes no "
            "new ones, also below it; what runs goes on, and until it ends status.state "
            "says Draining."
        ),
    ] = ConfiguredState.RUNNING
    capacity: Annotated[
        Share | None,
        Field(
            'What the queue is guaranteed: a percentage of its parent ("60%"), or a weight '
            'among its siblings ("3w"). Siblings that say percentages add up to 100%. '
            "Unset: 0%, and root has 100%."
        ),
    ] = None
    capacity_by_resource: Annotated[
        CapacityByResource | None,
        Field(
            "Instead of capacity: what is guaranteed of each resource, as amounts (memory: "
            "160Gi), percentages or weights. Unset: capacity says it."
        ),
    ] = None
    maximum_capacity: Annotated[
        Percentage | None,
        Field(
            "The most the queue may use of what its parent may use, when others leave "
            "room. Unset: 100%."
        ),
    ] = None
    maximum_capacity_by_resource: Annotated[
        MaximumByResource | None,
        Field(
            "Instead of maximumCapacity: the most it may use of each resource. Unset: "
            "maximumCapacity says it."
        ),
    ] = None
    partitions: Annotated[
        tuple[QueuePartitionSpec, ...],
        Field("What the queue has of each partition.", maxItems=64, **listed_by("name")),
    ] = ()
    accessible_partitions: Annotated[
        tuple[
            Annotated[str, Field(maxLength=63, pattern="^(\\*|[A-Za-z0-9][-A-Za-z0-9_.]*)$")], ...
        ]
        | None,
        Field(
            'The partitions its applications may ask for; "*" means all, an empty list '
            "none. Unset: as the parent, at root all.",
            maxItems=64,
            **AS_SET,
        ),
    ] = None
    default_partition: Annotated[
        PartitionName | None,
        Field(
            "The partition of applications that ask for none. Unset: as the parent, at "
            "root the nodes without a partition."
        ),
    ] = None
    minimum_user_limit_percent: Annotated[
        UserLimitPercent | None,
        Field(
            "The least part of the queue, in percent, that each of its active users can "
            "count on: with 25, up to four users share equally and a fifth waits. Unset: "
            "what root's cluster.minimumUserLimitPercent says."
        ),
    ] = None
    user_limit_factor: Annotated[
        Factor | None,
        Field(
            'How many times the queue\'s guaranteed capacity one user may use at most; "-1" '
            "switches the limit off. Unset: what root's cluster.userLimitFactor says."
        ),
    ] = None
    user_weights: Annotated[
        Mapping[Annotated[str, Field(maxLength=253)], Weight],
        Field("Users whose share is not the usual one, with their weights.", maxProperties=256),
    ] = NOTHING
    maximum_am_share: Annotated[
        Percentage | None,
        Field(
            "Part of the queue that ApplicationMasters may take, so that room is left for "
            "their containers. Unset: what root's cluster.maximumAMShare says."
        ),
    ] = None
    maximum_applications: Annotated[
        Count | None,
        Field(
            "Applications that may wait and run in the queue at a time; further ones are "
            "refused. Unset: the queue's share of 10000."
        ),
    ] = None
    maximum_parallel_applications: Annotated[
        Count | None,
        Field(
            "Applications that may run at a time; further ones wait. Unset: what root's "
            "cluster.maximumParallelApplications says."
        ),
    ] = None
    maximum_parallel_applications_per_user: Annotated[
        Count | None,
        Field(
            "Applications of one user that may run at a time; further ones wait. Unset: no limit."
        ),
    ] = None
    maximum_allocation: Annotated[
        PositiveAmounts | None,
        Field("The largest container of this queue, at most the cluster's. Unset: as the parent."),
    ] = None
    ordering: Annotated[OrderingSpec, Field("Who is served first in this queue.")] = OrderingSpec()
    priority: Annotated[
        int,
        Field(
            "The queue's priority among its siblings when the parent orders by "
            "PriorityUtilization; higher is served first.",
            minimum=-(2**31),
            maximum=2**31 - 1,
        ),
    ] = 0
    default_application_priority: Annotated[
        Count, Field("Priority of applications that say none.")
    ] = 0
    priority_access: Annotated[
        tuple[PriorityAccessSpec, ...],
        Field(
            "Who may have which priority, where root says queueAccess ByRole. Empty: "
            "everybody may have any; else only who is named may submit, up to the maximum "
            "there.",
            maxItems=64,
            **AS_ONE,
        ),
    ] = ()
    maximum_opportunistic_containers: Annotated[
        Count | None,
        Field(
            "How many opportunistic containers the applications of this queue and of all below it "
            "may have together, where root allows any; 0: none. Unset: as many as there is room "
            "for."
        ),
    ] = None
    allow_zero_capacity_sum: Annotated[
        bool, Field("Whether the children's capacities may add up to 0% instead of 100%.")
    ] = False
    preemption: Annotated[
        QueuePreemption, Field("Whether this queue is spared from preemption.")
    ] = QueuePreemption()
    lifetime: Annotated[
        LifetimeSpec | None,
        Field("How long applications may run. Unset: as the parent, at root for ever."),
    ] = None
    node_ordering: Annotated[
        NodeOrdering,
        Field("Which of the nodes that fit is taken: Spread the least used, Pack the most."),
    ] = NodeOrdering.SPREAD
    auto_create: Annotated[
        AutoCreateSpec | None, Field("Auto-created queues under this one. Unset: none are made.")
    ] = None
    fair: Annotated[
        FairSpec | None,
        Field(
            "What the Fair scheduler reads, when root's cluster.scheduler is Fair. Unset: "
            "a weight of 1 and no limits."
        ),
    ] = None


_PATH = r"^root(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"


_NAMED = [
    rule(
        f"self.metadata.name.matches(r'{_PATH}')",
        "'metadata.name: found \"' + self.metadata.name + '\", allowed: the queue\\'s full path, "
        "such as root.engineering.etl, in lower case letters, digits and -'",
    ),
    rule(
        # The spec may be left out: every rule asks for it first, or CEL fails on a queue of a name
        # alone.
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


class YarnQueue(Resource, frozen=True):
    """A queue of the tree. Its name is its full path: the parent of root.engineering.etl is
    root.engineering. Queues without children (leaves) take applications; what a queue is
    guaranteed and does not use is lent to others.
    """

    extras: ClassVar[Extras] = rules(*_NAMED)
    spec: Annotated[
        YarnQueueSpec, Field("What an administrator says of the queue.", default={})
    ] = YarnQueueSpec()
    status: Annotated[
        YarnQueueStatus, Reported("What is true of the queue now. The scheduler writes it.")
    ] = YarnQueueStatus()


class UncheckedQueue(Resource, frozen=True):
    """A YarnQueue whose spec is not decoded: what the scheduler keeps of it.

    `scheduler_config` reads the spec instead, because it finds every fault of it at once; one that
    has faults is still needed, to say so on it and to compare it with the spec in force.
    """

    spec: FreeForm = NOTHING
    status: YarnQueueStatus = YarnQueueStatus()

    @classmethod
    def kind(cls) -> str:
        """The kind, as the API names it."""
        return YarnQueue.kind()

    @property
    def deleted(self) -> bool:
        """Whether it was deleted, and stays only while it is used."""
        return bool(self.metadata.deletion_timestamp)

    def with_spec(self, spec: Mapping[str, Any]) -> UncheckedQueue:
        """The same queue with another spec, such as the one in force."""
        return UncheckedQueue(self.metadata, spec, self.status)
