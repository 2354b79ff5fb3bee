"""A queue's settings with defaults and inheritance resolved.

What a `QueueConfig` leaves unset comes from the parent or from the cluster, as in Hadoop's
CapacitySchedulerConfiguration and AbstractCSQueue.setupQueueConfigs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from kubeyarn.model.errors import ConfigRefused, Problem
from kubeyarn.model.queues import (
    EVERY_PARTITION,
    NO_PARTITION,
    Access,
    ApplicationOrdering,
    ChildOrdering,
    NodeOrdering,
    PriorityAccess,
    QueueConfig,
    QueuePartition,
    SchedulerConfig,
)
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.resources import Vector

T = TypeVar("T")

UNLIMITED = 2**31 - 1
ROOT = "root"
NOBODY = Access()
EVERYBODY = Access(everyone=True)


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What holds for one queue.

    *labels* are the partitions that the queue configures, the default partition among them;
    *accessible* are those whose nodes it may use ("*": all).
    """

    config: QueueConfig
    labels: tuple[str, ...]
    accessible: frozenset[str]
    default_partition: str | None
    minimum_user_limit_percent: float
    user_limit_factor: float
    user_weights: Mapping[str, float]
    maximum_am_share: float
    maximum_applications: int
    maximum_parallel_applications: int
    maximum_parallel_applications_per_user: int
    maximum_allocation: Vector
    application_ordering: ApplicationOrdering
    size_based_weight: bool
    child_ordering: ChildOrdering
    node_ordering: NodeOrdering
    priority: int
    default_application_priority: int
    preemption_disabled: bool
    intra_disabled_here: bool
    maximum_lifetime_seconds: int
    default_lifetime_seconds: int
    submit: Access
    administer: Access
    priority_access: tuple[PriorityAccess, ...]
    partitions: Mapping[str, QueuePartition] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def intra_queue_preemption_disabled(self) -> bool:
        """Whether containers are safe from their own queue's applications."""
        return self.intra_disabled_here or self.preemption_disabled


def settle(
    config: QueueConfig, cluster: SchedulerConfig, parent: QueueSettings | None
) -> QueueSettings:
    """The settings of a queue below *parent* (None for root).

    Raises:
        ConfigRefused: a value is not allowed here.
    """
    # The default partition is a queue's own settings; those of the others stand beside them.
    partitions = {p.name: p for p in config.partitions if p.name != NO_PARTITION}
    if parent is None:
        # Root has each partition that any queue configures: shares below are fractions of its own.
        for label in {p.name for queue in cluster.queues for p in queue.partitions}:
            partitions.setdefault(label, QueuePartition(label))
    accessible = _accessible(config, cluster, parent)
    preempting = cluster.preemption.enabled
    intra = cluster.preemption.intra_queue
    maximum_lifetime, default_lifetime = _lifetimes(config, cluster, parent)
    return QueueSettings(
        config=config,
        labels=(NO_PARTITION, *sorted(partitions)),
        accessible=accessible,
        default_partition=_default_partition(config, accessible, cluster, parent),
        minimum_user_limit_percent=single(
            _first(config.minimum_user_limit_percent, cluster.minimum_user_limit_percent)
        ),
        user_limit_factor=single(_first(config.user_limit_factor, cluster.user_limit_factor)),
        user_weights=_weights(config, parent),
        maximum_am_share=single(_first(config.maximum_am_share, cluster.maximum_am_share)),
        maximum_applications=_first(config.maximum_applications, -1),
        maximum_parallel_applications=_first(
            config.maximum_parallel_applications,
            _first(cluster.maximum_parallel_applications, UNLIMITED),
        ),
        maximum_parallel_applications_per_user=_first(
            config.maximum_parallel_applications_per_user, UNLIMITED
        ),
        maximum_allocation=_maximum_allocation(config, cluster, parent),
        application_ordering=_first(config.application_ordering, ApplicationOrdering.FIFO),
        size_based_weight=bool(config.size_based_weight),
        child_ordering=_first(
            config.child_ordering,
            parent.child_ordering if parent else ChildOrdering.UTILIZATION,
        ),
        node_ordering=_first(config.node_ordering, NodeOrdering.SPREAD),
        # Of priorities only an application's default is a leaf's; neither is inherited.
        priority=_first(config.priority, 0),
        default_application_priority=_first(config.default_application_priority, 0),
        preemption_disabled=not preempting
        or _first(config.preemption_disabled, bool(parent and parent.preemption_disabled)),
        intra_disabled_here=not intra
        or _first(
            config.intra_queue_preemption_disabled, bool(parent and parent.intra_disabled_here)
        ),
        maximum_lifetime_seconds=maximum_lifetime,
        default_lifetime_seconds=default_lifetime,
        submit=_first(config.submit, NOBODY if parent else EVERYBODY),
        administer=_first(config.administer, NOBODY if parent else EVERYBODY),
        priority_access=_first(config.priority_access, ()),
        partitions=MappingProxyType(partitions),
    )


def _first(value: T | None, default: T) -> T:
    return default if value is None else value


def _accessible(
    config: QueueConfig, cluster: SchedulerConfig, parent: QueueSettings | None
) -> frozenset[str]:
    """The partitions a queue's applications may ask for (`accessible-node-labels`)."""
    # Root reaches all of them, whatever is configured for it.
    if parent is None:
        return frozenset({EVERY_PARTITION})
    if config.accessible_partitions is None:
        return parent.accessible
    partitions = config.accessible_partitions
    if parent.config.path != ROOT and EVERY_PARTITION not in parent.accessible:
        beyond = partitions - parent.accessible
        if beyond:
            raise refused(
                cluster,
                config.path,
                "accessible_partitions",
                "PartitionAccess",
                f"accessible partitions {sorted(beyond)} are not accessible to the parent, "
                f"which has {sorted(parent.accessible)}; remove them or add them to the parent",
            )
    return partitions


def _default_partition(
    config: QueueConfig,
    accessible: frozenset[str],
    cluster: SchedulerConfig,
    parent: QueueSettings | None,
) -> str | None:
    """The partition of requests that name none (`default-node-label-expression`)."""
    partition = config.default_partition
    # Hadoop inherits it only where the queue reaches all that its parent reaches.
    if partition is None and parent is not None and parent.accessible <= accessible:
        partition = parent.default_partition
    if partition and EVERY_PARTITION not in accessible and partition not in accessible:
        raise refused(
            cluster,
            config.path,
            "default_partition",
            "PartitionAccess",
            f"default partition {partition!r} is not among the accessible {sorted(accessible)}",
        )
    return partition


def _weights(config: QueueConfig, parent: QueueSettings | None) -> Mapping[str, float]:
    # A user's own weight in a queue wins over one from above; each is inherited by itself.
    inherited = dict(parent.user_weights) if parent else {}
    inherited.update((user, single(weight)) for user, weight in config.user_weights)
    return MappingProxyType(inherited)


def check_weights(settings: QueueSettings, cluster: SchedulerConfig) -> None:
    """Refuse weights a leaf's minimum user limit does not allow (Hadoop: UserWeights).

    Raises:
        ConfigRefused: a weight is negative or above 100 / minimum-user-limit-percent.
    """
    # So many users are guaranteed a part each; who counted for more would be guaranteed more than
    # there is.
    percent = min(100.0, settings.minimum_user_limit_percent)
    most = 100.0 / percent if percent else float("inf")
    for user, weight in settings.user_weights.items():
        if weight < 0 or weight > most:
            raise refused(
                cluster,
                settings.config.path,
                "user_weights",
                "InvalidField",
                f"weight {weight} of user {user!r} must be between 0 and 100 / {percent} "
                f"(= {most}, the number of users the minimum user limit guarantees)",
            )


def _maximum_allocation(
    config: QueueConfig, cluster: SchedulerConfig, parent: QueueSettings | None
) -> Vector:
    """The largest container: each resource as the queue says, or else as its parent has it."""
    amounts = list(parent.maximum_allocation if parent else cluster.maximum_allocation)
    for place, amount in (config.maximum_allocation or {}).items():
        # Measured against the cluster's, not the parent's: Hadoop lets a child have more.
        allowed = cluster.maximum_allocation[place]
        if amount > allowed:
            raise refused(
                cluster,
                config.path,
                "maximum_allocation",
                "InvalidField",
                f"{cluster.spelling(config.path, 'maximum_allocation')}: found "
                f"{_amount(cluster, place, amount)}, allowed: at most the cluster's "
                f"{_amount(cluster, place, allowed)}; lower it, or raise root's "
                f"{cluster.spelling(ROOT, 'maximum_allocation')}",
            )
        amounts[place] = amount
    return tuple(amounts)


def _amount(cluster: SchedulerConfig, place: int, amount: int) -> str:
    return cluster.types.amount(cluster.types.names[place], amount)


def _lifetimes(
    config: QueueConfig, cluster: SchedulerConfig, parent: QueueSettings | None
) -> tuple[int, int]:
    """The maximum and the default lifetime in seconds; 0 or less is none."""
    above = (
        (parent.maximum_lifetime_seconds, parent.default_lifetime_seconds) if parent else (-1, -1)
    )
    maximum = _first(config.maximum_lifetime_seconds, above[0])
    default = _first(config.default_lifetime_seconds, above[1])
    if maximum > 0 and config.default_lifetime_seconds is not None and default > maximum:
        raise refused(
            cluster,
            config.path,
            "lifetime",
            "InvalidField",
            f"default lifetime {default} s is above the maximum lifetime {maximum} s",
        )
    # A maximum of 0 takes off the one of the queue above, and with it the default from there.
    inherited = config.default_lifetime_seconds is None
    if default <= 0 or 0 < maximum < default or (inherited and maximum == 0):
        default = maximum
    return maximum, default


def refused(
    config: SchedulerConfig, queue: str, setting: str, reason: str, message: str
) -> ConfigRefused:
    """The error for one thing wrong with one queue; *setting* is a name of `model.queues`."""
    return ConfigRefused((Problem(queue, config.spelling(queue, setting), reason, message),))
