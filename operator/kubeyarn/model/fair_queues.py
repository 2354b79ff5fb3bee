"""The Fair Scheduler's settings of queues and of the cluster.

A YarnQueue's `fair:` field and Hadoop's fair-scheduler.xml and yarn-site.xml both become these
values. A queue's field that is None is not set: the cluster's default or the parent's value holds.
Times are milliseconds, shares fractions, amounts in the scheduler's base units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kubeyarn.model.errors import SpecError
from kubeyarn.model.resources import Vector

NEVER_MS = 2**63 - 1
UNBOUNDED = 2**63 - 1
UNLIMITED_APPLICATIONS = 2**31 - 1


class FairPolicy(StrEnum):
    """How a queue shares among its children (Hadoop: `schedulingPolicy`)."""

    FAIR = "Fair"
    FIFO = "Fifo"
    DRF = "Drf"


@dataclass(frozen=True, slots=True)
class ResourceLimit:
    """A limit per resource type (Hadoop: ConfigurableResource).

    Each place has a fraction of the cluster, or else an amount; a place with neither is unbounded.
    """

    amounts: tuple[int | None, ...] = ()
    fractions: tuple[float | None, ...] = ()

    def of(self, cluster: Vector) -> Vector:
        """The limit in a cluster of this size; a fraction's amount is rounded down."""
        return tuple(self._place(place, total) for place, total in enumerate(cluster))

    def _place(self, place: int, total: int) -> int:
        fraction = self.fractions[place] if place < len(self.fractions) else None
        if fraction is not None:
            return int(total * fraction)
        amount = self.amounts[place] if place < len(self.amounts) else None
        return UNBOUNDED if amount is None else amount


NO_LIMIT = ResourceLimit()


@dataclass(frozen=True, slots=True)
class FairQueueConfig:
    """A queue's settings (Hadoop: a `<queue>` element); None is: not set.

    *parent* declares a queue without children a parent (`type="parent"`). *maximum_am_share* -1
    switches the check off. A place of *maximum_container* that is None is unbounded. A
    *reservable* queue takes applications in a leaf of its own, `<name>-default` (`<reservation>`).
    """

    weight: float | None = None
    minimum: Vector | None = None
    maximum: ResourceLimit | None = None
    child_maximum: ResourceLimit | None = None
    maximum_container: tuple[int | None, ...] | None = None
    policy: FairPolicy | None = None
    maximum_running_applications: int | None = None
    maximum_am_share: float | None = None
    min_share_preemption_timeout_ms: int | None = None
    fair_share_preemption_timeout_ms: int | None = None
    fair_share_preemption_threshold: float | None = None
    allow_preemption_from: bool = True
    parent: bool = False
    reservable: bool = False


class FairRuleKind(StrEnum):
    """Hadoop's queue placement rules, by the names fair-scheduler.xml has for them."""

    SPECIFIED = "specified"
    USER = "user"
    PRIMARY_GROUP = "primaryGroup"
    SECONDARY_GROUP = "secondaryGroupExistingQueue"
    NESTED_USER = "nestedUserQueue"
    DEFAULT = "default"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class FairRule:
    """One queue placement rule; *parent* finds the queue that the rule's own is nested in."""

    kind: FairRuleKind
    create: bool = True
    queue: str = ""
    parent: FairRule | None = None


_NEVER_FINAL = (FairRuleKind.SPECIFIED, FairRuleKind.SECONDARY_GROUP)
_NO_PARENT = (FairRuleKind.REJECT, FairRuleKind.NESTED_USER)
_NOT_NESTED = (FairRuleKind.SPECIFIED, FairRuleKind.DEFAULT, FairRuleKind.REJECT)


def check_fair_rules(rules: Sequence[FairRule]) -> None:
    """Check that every rule can be reached and that the list always ends in an answer.

    Hadoop: QueuePlacementPolicy.updateRules, PlacementFactory and the rules' own `initialize`.

    Raises:
        SpecError: with the place of the rule at fault.
    """
    for rule in rules:
        _check_parent(rule)
    for place, rule in enumerate(rules[:-1], start=1):
        if _is_final(rule):
            raise SpecError(
                f"rule {place} ({rule.kind}) always decides, so the rules after it are never "
                "reached; give it create=false or put it last"
            )
    if rules and not _is_final(rules[-1]):
        raise SpecError(
            f"the last rule ({rules[-1].kind}) may leave an application without a queue; "
            "end with default or reject"
        )


def _check_parent(rule: FairRule) -> None:
    parent = rule.parent
    if parent is None:
        if rule.kind is FairRuleKind.NESTED_USER:
            raise SpecError("rule nestedUserQueue needs a rule inside it that finds the parent")
        return
    if parent.kind in _NO_PARENT:
        raise SpecError(f"rule {parent.kind} must not stand inside another rule")
    if rule.kind in _NOT_NESTED or _family(parent.kind) == _family(rule.kind):
        raise SpecError(f"rule {rule.kind} must not have a rule {parent.kind} inside it")


def _family(kind: FairRuleKind) -> FairRuleKind:
    return FairRuleKind.USER if kind is FairRuleKind.NESTED_USER else kind


def _is_final(rule: FairRule) -> bool:
    if rule.kind is FairRuleKind.REJECT:
        return True
    if rule.kind in _NEVER_FINAL or not rule.create:
        return False
    return rule.parent is None or _is_final(rule.parent)


@dataclass(frozen=True, slots=True)
class FairQueueDefaults:
    """The values of queues that do not set their own (Hadoop: `queueMaxAppsDefault`, ...)."""

    policy: FairPolicy = FairPolicy.FAIR
    maximum: ResourceLimit = NO_LIMIT
    maximum_running_applications: int = UNLIMITED_APPLICATIONS
    maximum_am_share: float = 0.5
    min_share_preemption_timeout_ms: int = NEVER_MS
    fair_share_preemption_timeout_ms: int = NEVER_MS
    fair_share_preemption_threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class FairPreemption:
    """Hadoop: `yarn.scheduler.fair.preemption` and its companions."""

    enabled: bool = False
    utilization_threshold: float = 0.8
    masters: bool = True
    masters_of: tuple[tuple[str, bool], ...] = ()
    wait_before_kill_ms: int = 15000
    wait_before_next_check_ms: int = 10000
    allocation_delay_ms: int = 4000


@dataclass(frozen=True, slots=True)
class FairOffers:
    """What one node update may assign (Hadoop: `yarn.scheduler.fair.assignmultiple`, ...).

    A locality threshold is a fraction of the nodes that an ask lets pass; -1 switches waiting off.
    *reservation_multiple* increments is the least size that reserves room, on at most
    *reservable_nodes* of the nodes for one application.
    """

    multiple: bool = False
    dynamic_maximum: bool = True
    maximum: int = -1
    node_locality_threshold: float = -1.0
    rack_locality_threshold: float = -1.0
    reservable_nodes: float = 0.05
    reservation_multiple: float = 2.0


@dataclass(frozen=True, slots=True)
class FairClusterConfig:
    """The Fair Scheduler's settings of the whole cluster.

    Without *rules*, *allow_undeclared* and *user_as_default* make them.
    """

    defaults: FairQueueDefaults = FairQueueDefaults()
    user_maximum_default: int = UNLIMITED_APPLICATIONS
    user_maximum: tuple[tuple[str, int], ...] = ()
    rules: tuple[FairRule, ...] = ()
    allow_undeclared: bool = True
    user_as_default: bool = True
    size_based_weight: bool = False
    offers: FairOffers = FairOffers()
    preemption: FairPreemption = FairPreemption()
