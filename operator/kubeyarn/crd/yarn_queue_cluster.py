"""What root's YarnQueue says of the whole cluster."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from kubeyarn.crd import defaults
from kubeyarn.crd.fields import (
    AS_ONE,
    AMShare,
    Count,
    Extras,
    Factor,
    Field,
    Fields,
    MaximumByResource,
    PartitionName,
    Percentage,
    PositiveAmounts,
    QueueName,
    Seconds,
    UserLimitPercent,
    listed_by,
)
from kubeyarn.model.fair_queues import FairPolicy, FairRuleKind
from kubeyarn.model.queues import IntraQueueOrder, MatcherKind, PlacementFallback, SchedulerKind


class ResourceCalculator(StrEnum):
    """How amounts of several resources are compared."""

    DOMINANT = "Dominant"
    DEFAULT = "Default"


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


class QueueAccess(StrEnum):
    """Who may submit to queues and administer them (Hadoop: yarn.acl.enable)."""

    OPEN = "Open"
    BY_ROLE = "ByRole"


class Offers(Fields, frozen=True):
    """What one offer of a node may give, and how long asks wait for the places they named."""

    multiple_assignments: Annotated[
        bool, Field("Whether one offer of a node may give more than one container.")
    ] = True
    maximum_assignments: Annotated[
        int, Field("The most containers of one offer.", minimum=1, maximum=10000)
    ] = 100
    maximum_off_switch_assignments: Annotated[
        int,
        Field(
            "The most containers of one offer that may be anywhere. 1: nodes are offered "
            "in turn, one container each.",
            minimum=1,
            maximum=10000,
        ),
    ] = 1
    node_locality_delay: Annotated[
        Count,
        Field(
            "How many offers an ask passes up before it takes a node of the rack it named "
            "in place of the node."
        ),
    ] = 40
    rack_locality_additional_delay: Annotated[
        Count | None,
        Field(
            "How many more offers it passes up before it takes any node. Unset: as many as "
            "it wants containers, in proportion to the places it named."
        ),
    ] = None
    rack_locality_full_reset: Annotated[
        bool, Field("Whether the wait begins anew after a container in the rack.")
    ] = True
    reservations_continue_look: Annotated[
        bool,
        Field(
            "Whether an application that has room reserved may take another node and give "
            "the reservation up."
        ),
    ] = True
    skip_reserved_nodes: Annotated[
        bool,
        Field(
            "Whether nodes that are reserved are passed over where nodes are chosen among "
            "all (nodeOrdering Pack)."
        ),
    ] = False


class IntraQueuePreemption(Fields, frozen=True):
    """Preemption among the applications of one queue."""

    enabled: Annotated[bool, Field("Whether applications of one queue preempt each other.")] = False
    order: Annotated[
        IntraQueueOrder,
        Field(
            "Whose containers go first: those of users over their limit, or those of "
            "applications with lower priority."
        ),
    ] = IntraQueueOrder.USER_LIMIT_FIRST
    minimum_threshold: Annotated[
        Percentage, Field("How much of its guarantee a queue uses at least when this begins.")
    ] = "50%"
    maximum_allowable: Annotated[
        Percentage, Field("Part of a queue's guarantee that one round may preempt within it.")
    ] = "20%"
    conservative_drf: Annotated[
        bool, Field("Whether a container is spared of which some resource is not needed any more.")
    ] = True


class UnderutilizedPreemption(Fields, frozen=True):
    """Preemption for what is reserved by a queue of higher priority that is below its guarantee."""

    enabled: Annotated[
        bool,
        Field(
            "Whether containers of queues with lower priority make room where a queue of "
            "higher priority waits with a reservation. Needs ordering.children "
            "PriorityUtilization."
        ),
    ] = False
    delay_seconds: Annotated[
        Seconds, Field("How long a reservation waits before others make room for it.")
    ] = 60
    move_reservation: Annotated[
        bool, Field("Whether a reservation may go to a node where less has to make room.")
    ] = False


class ClusterPreemption(Fields, frozen=True):
    """How containers are taken back from queues that use more than they are guaranteed."""

    enabled: Annotated[
        bool,
        Field(
            "Whether queues below their guarantee get it back by preempting containers of "
            "queues above theirs."
        ),
    ] = False
    observe_only: Annotated[
        bool, Field("Whether it is only worked out what would be preempted.")
    ] = False
    lazy: Annotated[
        bool,
        Field(
            "Whether a container that has waited long enough is killed only when a queue "
            "below its guarantee needs its room."
        ),
    ] = False
    interval_seconds: Annotated[
        Seconds, Field("Seconds between two looks at what should be preempted.", minimum=1)
    ] = 3
    maximum_wait_before_kill_seconds: Annotated[
        Seconds,
        Field(
            "Seconds between telling an ApplicationMaster that a container will go and killing it."
        ),
    ] = 15
    total_per_round: Annotated[
        Percentage, Field("Part of the cluster that one round may preempt at most.")
    ] = "10%"
    maximum_ignored_over_capacity: Annotated[
        Percentage, Field("How far a queue may be over its guarantee before it is preempted.")
    ] = "10%"
    natural_termination: Annotated[
        Percentage,
        Field(
            "Part of what should be preempted that one round takes, because containers "
            "also end by themselves."
        ),
    ] = "20%"
    conservative_drf: Annotated[
        bool, Field("Whether a container is spared of which some resource is not needed any more.")
    ] = False
    for_reserved_containers: Annotated[
        bool, Field("Whether containers go first that stand where others have reserved room.")
    ] = False
    balance_reserved_containers: Annotated[
        bool, Field("Whether what is reserved is to be had by preemption in addition.")
    ] = False
    balance_after_satisfied: Annotated[
        bool,
        Field(
            "Whether queues that all have their guarantee share what is over evenly, by "
            "preemption, too."
        ),
    ] = False
    balance_maximum_wait_before_kill_seconds: Annotated[
        Seconds, Field("As maximumWaitBeforeKillSeconds, for balanceAfterSatisfied.")
    ] = 300
    intra_queue: Annotated[
        IntraQueuePreemption, Field("Preemption among the applications of one queue.")
    ] = IntraQueuePreemption()
    underutilized: Annotated[
        UnderutilizedPreemption,
        Field("Preemption for reservations of queues with higher priority."),
    ] = UnderutilizedPreemption()


class FairParentRule(Fields, frozen=True):
    """The rule that finds the queue in which another rule's queue is nested."""

    policy: Annotated[
        FairRuleKind, Field("Which queue: a group's, or by default the one that queue names.")
    ]
    create: Annotated[bool, Field("Whether the queue may be made when it is missing.")] = True
    queue: Annotated[QueueName, Field("The queue of the policy default, by its full path.")] = ""


class FairPlacementRule(Fields, frozen=True):
    """One of Hadoop's queue placement rules."""

    extras: ClassVar[Extras] = {"x-kubernetes-map-type": "atomic"}
    policy: Annotated[
        FairRuleKind,
        Field(
            "Where the application goes: specified is the queue it names; nestedUserQueue "
            "is the user's below the queue that parent finds; reject refuses it."
        ),
    ]
    create: Annotated[
        bool,
        Field(
            "Whether the queue may be made when it is missing. If not, and it is missing, "
            "the next rule is tried."
        ),
    ] = True
    queue: Annotated[
        QueueName, Field("The queue of the policy default, by its full path. Empty: root.default.")
    ] = ""
    parent: Annotated[
        FairParentRule | None, Field("Finds the queue in which this rule's is nested. Unset: root.")
    ] = None


class FairDefaults(Fields, frozen=True):
    """What holds for queues whose own `fair` does not say it."""

    policy: Annotated[FairPolicy | None, Field("Unset: Fair.")] = None
    max_running_applications: Annotated[Count | None, Field("Unset: no limit.")] = None
    max_am_share: Annotated[AMShare | None, Field("Unset: 50%.")] = None
    max_resources: Annotated[MaximumByResource | None, Field("Unset: no limit.")] = None


class FairCluster(Fields, frozen=True):
    """The Fair Scheduler's settings for the whole cluster; not read under Capacity."""

    placement_rules: Annotated[
        tuple[FairPlacementRule, ...],
        Field(
            "Where applications go; the first rule that has an answer wins, and the last "
            "must always have one. Empty: the queue they name, else as userAsDefaultQueue "
            "says.",
            maxItems=32,
            **AS_ONE,
        ),
    ] = ()
    allow_undeclared_queues: Annotated[
        bool,
        Field(
            "Without placementRules: whether queues that are no YarnQueue are made when "
            "applications name them. Made ones go when they are empty."
        ),
    ] = True
    user_as_default_queue: Annotated[
        bool,
        Field(
            "Without placementRules: whether applications that name no queue go to one "
            "with their user's name, or to root.default."
        ),
    ] = True
    defaults: Annotated[
        FairDefaults | None, Field("What holds for queues that do not say it themselves.")
    ] = None
    max_running_applications_per_user: Annotated[
        Count | None, Field("Applications of one user that may run at a time. Unset: no limit.")
    ] = None
    max_running_applications_of: Annotated[
        Mapping[Annotated[str, Field(maxLength=253)], Count],
        Field("The same for single users, by name.", maxProperties=256),
    ] = {}
    size_based_weight: Annotated[bool, Field("Whether applications that want more weigh more.")] = (
        False
    )
    node_locality_threshold: Annotated[
        Percentage | None,
        Field(
            "Part of the nodes that an ask for a certain node lets pass before it takes "
            "another in its rack. Unset: it does not wait."
        ),
    ] = None
    rack_locality_threshold: Annotated[
        Percentage | None,
        Field(
            "Part of the nodes that an ask for a certain rack lets pass before it takes "
            "another. Unset: it does not wait."
        ),
    ] = None
    preemption_utilization_threshold: Annotated[
        Percentage, Field("Part of the cluster that must be in use before anything is preempted.")
    ] = "80%"
    preempt_masters: Annotated[
        bool, Field("Whether ApplicationMasters may be preempted when nothing else helps.")
    ] = True
    preempt_masters_of: Annotated[
        Mapping[Annotated[str, Field(maxLength=253)], bool],
        Field("The same for single queues, by full path.", maxProperties=256),
    ] = {}
    wait_before_next_starvation_check_seconds: Annotated[
        Seconds, Field("How long an application that preempted is left alone after that.")
    ] = 10
    assign_multiple: Annotated[
        bool, Field("Whether one offer of a node may give more than one container.")
    ] = False
    dynamic_maximum_assign: Annotated[
        bool, Field("With assignMultiple: whether one offer gives half of what is free.")
    ] = True
    maximum_assign: Annotated[
        int | None,
        Field(
            "With assignMultiple and without dynamicMaximumAssign: the most containers of "
            "one offer. Unset: as many as fit.",
            minimum=1,
            maximum=10000,
        ),
    ] = None
    reservable_nodes: Annotated[
        Percentage, Field("Part of the nodes on which one application may reserve room.")
    ] = "5%"
    reservation_threshold_increments: Annotated[
        Count, Field("How many times incrementAllocation an ask must be large to reserve room.")
    ] = 2


class PartitionSpec(Fields, frozen=True):
    """A partition of the cluster: the nodes that carry the label kubeyarn.io/partition=NAME."""

    name: Annotated[
        PartitionName,
        Field(
            "The partition's name, the value of the nodes' label kubeyarn.io/partition.",
            minLength=1,
        ),
    ]
    exclusive: Annotated[
        bool,
        Field(
            "Only applications that ask for this partition run there. When false, its idle "
            "room is lent to applications that ask for none, and taken back when needed."
        ),
    ] = True


class PlacementRuleSpec(Fields, frozen=True, kw_only=True):
    """One rule that puts applications into queues, in the words of Hadoop's JSON mapping rules."""

    extras: ClassVar[Extras] = {"x-kubernetes-map-type": "atomic"}
    type: Annotated[
        MatcherKind,
        Field("What is looked at: the user, a group of the user, or the application's name."),
    ]
    matches: Annotated[
        str, Field("The name it must have; * matches every user or application.", maxLength=253)
    ] = "*"
    policy: Annotated[RulePolicy, Field("Where the application goes when the rule matches.")]
    parent_queue: Annotated[
        QueueName, Field("The parent under which the queue is looked for, by its full path.")
    ] = ""
    fallback_result: Annotated[
        PlacementFallback,
        Field(
            "What happens when the queue cannot be had: try the next rule, place into the "
            "default queue, or reject the application."
        ),
    ] = PlacementFallback.SKIP
    create: Annotated[bool, Field("Whether the queue may be made when it is missing.")] = True
    value: Annotated[QueueName, Field("The queue that setDefaultQueue sets.")] = ""
    custom_placement: Annotated[
        str,
        Field(
            "A path with %user, %primary_group, %application and the like, for custom.",
            maxLength=1024,
        ),
    ] = ""


class ClusterSpec(Fields, frozen=True):
    """What holds for the whole cluster; only root says it."""

    scheduler: Annotated[
        SchedulerKind,
        Field(
            "Which scheduler decides: Capacity shares by guaranteed capacities, Fair by "
            "weights and demand."
        ),
    ] = SchedulerKind.CAPACITY
    resource_calculator: Annotated[
        ResourceCalculator,
        Field(
            "How queues are compared: Dominant looks at each one's scarcest resource "
            "(DRF), Default at memory only, as Hadoop does unless told otherwise."
        ),
    ] = ResourceCalculator.DOMINANT
    legacy_queue_mode: Annotated[
        bool,
        Field(
            "Whether the percentages of a parent's children must add up to 100% and "
            "capacityByResource may not mix kinds, as in Hadoop's legacy-queue-mode."
        ),
    ] = True
    corrections: Annotated[
        bool,
        Field(
            "Whether the Capacity scheduler decides otherwise where Hadoop's users complain of "
            "what it does: a queue of 0% takes applications as long as it may borrow."
        ),
    ] = True
    minimum_allocation: Annotated[
        PositiveAmounts,
        Field(
            "The smallest container. Smaller asks are raised to it, and the Capacity "
            "scheduler rounds asks up to a multiple of it."
        ),
    ] = defaults.MINIMUM_ALLOCATION
    increment_allocation: Annotated[
        PositiveAmounts, Field("The step that the Fair scheduler rounds asks up to.")
    ] = defaults.INCREMENT_ALLOCATION
    maximum_allocation: Annotated[
        PositiveAmounts, Field("The largest container. A larger ask is refused.")
    ] = defaults.MAXIMUM_ALLOCATION
    partitions: Annotated[
        tuple[PartitionSpec, ...],
        Field("The partitions (node labels) of the cluster.", maxItems=64, **listed_by("name")),
    ] = ()
    maximum_applications: Annotated[
        Count,
        Field(
            "The most applications that have not ended. Queues that do not say "
            "maximumApplications have their part of it."
        ),
    ] = 10000
    maximum_applications_per_queue: Annotated[
        Count | None,
        Field(
            "maximumApplications of queues that do not say it. Unset: their part of the cluster's."
        ),
    ] = None
    maximum_am_share: Annotated[
        Percentage, Field("maximumAMShare of queues that do not say it.")
    ] = "10%"
    user_limit_factor: Annotated[Factor, Field("userLimitFactor of queues that do not say it.")] = (
        "1"
    )
    minimum_user_limit_percent: Annotated[
        UserLimitPercent, Field("minimumUserLimitPercent of queues that do not say it.")
    ] = 100
    maximum_parallel_applications: Annotated[
        Count | None,
        Field("maximumParallelApplications of queues that do not say it. Unset: no limit."),
    ] = None
    maximum_application_priority: Annotated[
        Count, Field("The highest priority an application may have; higher ones are lowered to it.")
    ] = defaults.MAXIMUM_APPLICATION_PRIORITY
    preemption: Annotated[
        ClusterPreemption, Field("How containers are taken back from queues above their guarantee.")
    ] = ClusterPreemption()
    offers: Annotated[
        Offers, Field("What one offer of a node may give, and how long asks wait for their places.")
    ] = Offers()
    maximum_parallel_applications_per_user: Annotated[
        Count | None,
        Field(
            "Applications of one user that may run at a time in all queues together. "
            "Unset: no limit."
        ),
    ] = None
    maximum_parallel_applications_of: Annotated[
        Mapping[Annotated[str, Field(maxLength=253)], Count],
        Field("The same for single users, by name.", maxProperties=256),
    ] = {}
    master_partition: Annotated[
        PartitionName | None,
        Field(
            "The partition of ApplicationMasters that ask for none. Unset: that of their "
            "applications."
        ),
    ] = None
    masters_in_shared_partitions: Annotated[
        bool,
        Field(
            "Whether ApplicationMasters may run on nodes that are lent to applications "
            "that ask for no partition."
        ),
    ] = False
    opportunistic_containers: Annotated[
        bool,
        Field(
            "Whether there are opportunistic containers, which run in room that nobody holds and "
            "count against no queue. Queues bound theirs by maximumOpportunisticContainers."
        ),
    ] = False
    queue_access: Annotated[
        QueueAccess,
        Field(
            "Who may use queues. Open: whoever may make applications may submit to every "
            "queue. ByRole: a user needs the verb submit or administer on the YarnQueue or "
            "on one above it, and to change or delete somebody else's application the verb "
            "administer."
        ),
    ] = QueueAccess.OPEN
    user_groups: Annotated[
        Mapping[
            Annotated[str, Field(maxLength=253)],
            Annotated[
                tuple[Annotated[str, Field(minLength=1, maxLength=253)], ...],
                Field(maxItems=64, **AS_ONE),
            ],
        ],
        Field(
            "The groups of users, the primary one first. A user who is not listed has the "
            "groups the API server knows, without those that begin with system:, and where "
            "there are none, one with the user's own name.",
            maxProperties=4096,
        ),
    ] = {}
    fair: Annotated[
        FairCluster | None, Field("The Fair Scheduler's settings. Unset: Hadoop's defaults.")
    ] = None
    placement_rules_override: Annotated[
        bool, Field("Whether the rules also have a say when an application names a queue.")
    ] = False
    placement_rules: Annotated[
        tuple[PlacementRuleSpec, ...],
        Field(
            "Rules that put applications into queues; the first that places wins.",
            maxItems=256,
            **{"x-kubernetes-list-type": "atomic"},
        ),
    ] = ()
