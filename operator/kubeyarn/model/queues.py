"""Queue trees and the settings of a whole scheduler.

YarnQueues and Hadoop's capacity-scheduler.xml both become these values. A field that is None is
not set: the scheduler's default or the parent's value holds. A template of an
auto-creating queue is a `QueueConfig` too, whose path is a pattern or "".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import ResourceTypes, Vector

if TYPE_CHECKING:
    from kubeyarn.model.fair_queues import FairClusterConfig, FairQueueConfig

Spelling = Callable[[str, str], str]
"""How a setting is called where it was read: by the queue's path and its name in this module."""

NO_PARTITION = ""
EVERY_PARTITION = "*"


class SchedulerKind(StrEnum):
    """Which of Hadoop's schedulers decides."""

    CAPACITY = "Capacity"
    FAIR = "Fair"


class Unit(StrEnum):
    """The unit of a share of the parent (Hadoop: QueueCapacityVector.ResourceUnitCapacityType)."""

    PERCENT = "Percent"
    WEIGHT = "Weight"
    ABSOLUTE = "Absolute"


@dataclass(frozen=True, slots=True)
class Share:
    """A share of one resource: percent 0..100, a weight, or an amount in base units."""

    unit: Unit
    amount: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """A queue's capacity or maximum capacity (Hadoop: `capacity`, `maximum-capacity`).

    Either one share for all resource types (*uniform*), or one for each type in the order of
    `ResourceTypes` (*by_resource*): all absolute, or mixed where legacy queue mode is off.
    """

    uniform: Share | None = None
    by_resource: tuple[Share, ...] = ()

    @property
    def unit(self) -> Unit | None:
        """The one unit in use; None when types are mixed."""
        if self.uniform is not None:
            return self.uniform.unit
        units = {share.unit for share in self.by_resource}
        return units.pop() if len(units) == 1 else None


def percent(amount: float) -> Capacity:
    """*amount* percent of the parent, in every type."""
    return Capacity(uniform=Share(Unit.PERCENT, amount))


def weight(amount: float) -> Capacity:
    """A weight among the siblings, in every type."""
    return Capacity(uniform=Share(Unit.WEIGHT, amount))


def absolute(amounts: Vector) -> Capacity:
    """Fixed amounts, in base units."""
    return Capacity(by_resource=tuple(Share(Unit.ABSOLUTE, float(x)) for x in amounts))


class ConfiguredState(StrEnum):
    """The states that an administrator may set; a queue gets to Draining by itself."""

    RUNNING = "Running"
    STOPPED = "Stopped"


class ApplicationOrdering(StrEnum):
    """How a leaf orders its applications (Hadoop: leaf `ordering-policy`)."""

    FIFO = "Fifo"
    FAIR = "Fair"
    FIFO_WITH_PARTITIONS = "FifoWithPartitions"
    FIFO_FOR_PENDING = "FifoForPending"


class ChildOrdering(StrEnum):
    """How a parent orders its children (Hadoop: parent `ordering-policy`)."""

    UTILIZATION = "Utilization"
    PRIORITY_UTILIZATION = "PriorityUtilization"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do something with a queue (Hadoop: an ACL string)."""

    everyone: bool = False
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def allows(self, user: str, groups: tuple[str, ...]) -> bool:
        """Whether *user*, a member of *groups*, is meant."""
        return self.everyone or user in self.users or not self.groups.isdisjoint(groups)


@dataclass(frozen=True, slots=True)
class PriorityAccess:
    """Application priorities of some users (Hadoop: `acl_application_max_priority`)."""

    users: Access
    maximum: int | None = None
    default: int | None = None


@dataclass(frozen=True, slots=True)
class QueuePartition:
    """What a queue has of one partition (Hadoop: `accessible-node-labels.<label>.*`)."""

    name: str
    capacity: Capacity | None = None
    maximum: Capacity | None = None
    maximum_am_share: float | None = None


class AutoCreateKind(StrEnum):
    """Hadoop's two ways of making queues on demand."""

    FLEXIBLE = "Flexible"
    MANAGED = "Managed"


@dataclass(frozen=True, slots=True)
class AutoCreate:
    """Auto-created queues under a parent.

    Hadoop: MANAGED is `auto-create-child-queue` with `leaf-queue-template` (v1), FLEXIBLE is
    `auto-queue-creation-v2` with its three templates, whose later ones win: *template*, then
    *leaf_template* or *parent_template*. *expiry_seconds* is how long an empty one stays; None is
    the cluster's setting, the only one in Hadoop.
    """

    kind: AutoCreateKind = AutoCreateKind.FLEXIBLE
    maximum_queues: int = 1000
    maximum_depth: int = 2
    removal: bool = True
    expiry_seconds: int | None = None
    fail_on_exceeding_parent: bool = False
    template: QueueConfig | None = None
    leaf_template: QueueConfig | None = None
    parent_template: QueueConfig | None = None


LONGEST_PATH = 253
"""Characters of a queue's full path: it is the name of an object (Kubernetes: DNS subdomain)."""


def check_path_length(path: str) -> None:
    """Refuse to make a queue on demand whose path no object could have as its name.

    Raises:
        Rejected: PlacementRejected.
    """
    if len(path) > LONGEST_PATH:
        raise Rejected(
            Reason.PLACEMENT_REJECTED,
            f"queue {path[:60]}...: found a path of {len(path)} characters, allowed: "
            f"{LONGEST_PATH}, because it is the name of an object",
        )


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """All settings of a queue, from a YarnQueue or from Hadoop's properties; None is: not set.

    *path* is the full path, starting with `root`. *order* places the queue among its siblings.
    Shares (`maximum_am_share`) are fractions; times are seconds. *maximum_opportunistic* is how
    many opportunistic containers the queue's applications and all below it have together.
    """

    path: str
    order: int = 0
    state: ConfiguredState | None = None
    capacity: Capacity | None = None
    maximum_capacity: Capacity | None = None
    partitions: tuple[QueuePartition, ...] = ()
    accessible_partitions: frozenset[str] | None = None
    default_partition: str | None = None
    minimum_user_limit_percent: float | None = None
    user_limit_factor: float | None = None
    user_weights: tuple[tuple[str, float], ...] = ()
    maximum_am_share: float | None = None
    maximum_applications: int | None = None
    maximum_parallel_applications: int | None = None
    maximum_parallel_applications_per_user: int | None = None
    maximum_allocation: Mapping[int, int] | None = None
    application_ordering: ApplicationOrdering | None = None
    size_based_weight: bool | None = None
    enforced_partitions: frozenset[str] | None = None
    node_ordering: NodeOrdering | None = None
    child_ordering: ChildOrdering | None = None
    priority: int | None = None
    default_application_priority: int | None = None
    preemption_disabled: bool | None = None
    intra_queue_preemption_disabled: bool | None = None
    default_lifetime_seconds: int | None = None
    maximum_lifetime_seconds: int | None = None
    submit: Access | None = None
    administer: Access | None = None
    priority_access: tuple[PriorityAccess, ...] | None = None
    allow_zero_capacity_sum: bool | None = None
    auto_create: AutoCreate | None = None
    fair: FairQueueConfig | None = None
    maximum_opportunistic: int | None = None

    @property
    def name(self) -> str:
        """The short name, the path's last part."""
        return self.path.rpartition(".")[2]

    @property
    def parent(self) -> str:
        """The parent's full path, "" for root."""
        return self.path.rpartition(".")[0]

    def over(self, under: QueueConfig) -> QueueConfig:
        """This queue's settings, and *under*'s where this one has none."""
        silent = {
            f.name: getattr(under, f.name)
            for f in fields(self)
            if f.name not in ("path", "order") and getattr(self, f.name) in (None, ())
        }
        return replace(self, **silent)


@dataclass(frozen=True, slots=True)
class BranchTemplates:
    """Templates for what is auto-created below a queue that is not declared itself (v2)."""

    template: QueueConfig | None = None
    leaf_template: QueueConfig | None = None
    parent_template: QueueConfig | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """A node label (Hadoop: NodeLabel); a shared one lends its idle room to everybody."""

    name: str
    exclusive: bool = True


class NodeOrdering(StrEnum):
    """Which of the nodes that fit is taken: the least used, or the most.

    Spread is Hadoop's ResourceUsageMultiNodeLookupPolicy, Pack its reverse.
    """

    SPREAD = "Spread"
    PACK = "Pack"


class IntraQueueOrder(StrEnum):
    """Whose containers go first within a queue (Hadoop: `preemption-order-policy`)."""

    USER_LIMIT_FIRST = "UserLimitFirst"
    PRIORITY_FIRST = "PriorityFirst"


@dataclass(frozen=True, slots=True)
class PreemptionConfig:
    """Hadoop: `yarn.resourcemanager.monitor.capacity.preemption.*`; shares are fractions."""

    enabled: bool = False
    observe_only: bool = False
    interval_ms: int = 3000
    maximum_wait_before_kill_ms: int = 15000
    total_per_round: float = 0.1
    maximum_ignored_over_capacity: float = 0.1
    natural_termination: float = 0.2
    select_on_reserved: bool = False
    conservative_drf: bool = False
    balance_after_satisfied: bool = False
    balance_wait_before_kill_ms: int = 300000
    additional_balance_on_reserved: bool = False
    intra_queue: bool = False
    intra_queue_minimum_threshold: float = 0.5
    intra_queue_maximum_allowable: float = 0.2
    intra_queue_order: IntraQueueOrder = IntraQueueOrder.USER_LIMIT_FIRST
    intra_queue_conservative_drf: bool = True
    underutilized: bool = False
    underutilized_delay_ms: int = 60000
    underutilized_move_reservation: bool = False


class MatcherKind(StrEnum):
    """What a placement rule looks at (Hadoop JSON rules: `type`)."""

    USER = "user"
    GROUP = "group"
    APPLICATION = "application"


class PlacementFallback(StrEnum):
    """What happens when a rule matched and its queue cannot be had (JSON: `fallbackResult`)."""

    SKIP = "skip"
    PLACE_DEFAULT = "placeDefault"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class PlacementRule:
    """One placement rule in the words of Hadoop's JSON mapping rules (`mapping-rule-json`).

    *policy* is one of specified, reject, defaultQueue, user, primaryGroup, secondaryGroup,
    primaryGroupUser, secondaryGroupUser, applicationName, setDefaultQueue, custom.
    """

    kind: MatcherKind
    matches: str
    policy: str
    parent_queue: str = ""
    fallback: PlacementFallback = PlacementFallback.SKIP
    create: bool = True
    value: str = ""
    custom_placement: str = ""


@dataclass(frozen=True, slots=True)
class OfferConfig:
    """What one node update may assign (Hadoop: `per-node-heartbeat.*` and locality delays)."""

    multiple_assignments: bool = True
    maximum_assignments: int = 100
    maximum_offswitch: int = 1
    node_locality_delay: int = 40
    rack_additional_delay: int = -1
    rack_full_reset: bool = True
    continue_look_at_reservations: bool = True
    skip_reserved_nodes: bool = False


def plain_spelling(_: str, setting: str) -> str:
    """The setting's own name, in words."""
    return setting.replace("_", " ")


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """A whole tree and its cluster-wide settings, ready for `ResourceScheduler.configure`.

    *queues* holds every declared queue, root included, in any order. The Capacity Scheduler rounds
    sizes up to multiples of *minimum_allocation*, the Fair Scheduler to multiples of
    *increment_allocation*. *types* and *spelling* are how messages write amounts and the names of
    settings. *user_groups* has users' groups, the primary one first (Hadoop:
    `hadoop.user.group.static.mapping.overrides`). Queues in *removable* are declared no more and
    stopped: they go even while they drain. *undeclared* are settings of queues that may be made on
    demand, by path; they win over templates. With *choose_nodes* a node update offers all nodes of
    its partition, in each queue's own order (Hadoop: `multi-node-placement-enabled`). With
    *fit_every_resource* a container must fit its node in every type, even where queues count memory
    alone (not *dominant*): kube-scheduler and the kubelet count all of them, Hadoop does not.
    *opportunistic*: whether there are opportunistic containers (Hadoop:
    `yarn.resourcemanager.opportunistic-container-allocation.enabled`).
    *memory_per_mib* is how many base units one MiB is: Hadoop counts whole MiB, and rounds to them.
    With *corrections* what Hadoop's users complain of is decided otherwise.
    """

    queues: tuple[QueueConfig, ...]
    minimum_allocation: Vector
    maximum_allocation: Vector
    increment_allocation: Vector | None = None
    kind: SchedulerKind = SchedulerKind.CAPACITY
    dominant: bool = False
    fit_every_resource: bool = False
    memory_per_mib: int = 1
    corrections: bool = False
    legacy_queue_mode: bool = True
    branch_templates: Mapping[str, BranchTemplates] = field(default_factory=dict)
    undeclared: Mapping[str, QueueConfig] = field(default_factory=lambda: MappingProxyType({}))
    partitions: tuple[Partition, ...] = ()
    am_default_partition: str | None = None
    am_in_shared_partitions: bool = False
    maximum_application_priority: int = 0
    maximum_applications: int = 10000
    maximum_applications_per_queue: int = -1
    maximum_am_share: float = 0.1
    user_limit_factor: float = 1.0
    minimum_user_limit_percent: float = 100.0
    maximum_parallel_applications: int | None = None
    user_maximum_parallel_applications: int | None = None
    maximum_parallel_applications_of: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({})
    )
    opportunistic: bool = False
    check_access: bool = False
    administrators: Access = Access(everyone=True)
    user_groups: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    placement_rules: tuple[PlacementRule, ...] = ()
    placement_override: bool = False
    queue_expiry_seconds: int = 300
    offers: OfferConfig = OfferConfig()
    lazy_preemption: bool = False
    choose_nodes: bool = False
    preemption: PreemptionConfig = PreemptionConfig()
    fair: FairClusterConfig | None = None
    removable: frozenset[str] = frozenset()
    types: ResourceTypes = field(default_factory=ResourceTypes)
    spelling: Spelling = plain_spelling
