"""From what a user submits or asks for to what the ledger holds: sizes, partition, priority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication
from kubeyarn.schedulers.capacity.priority import default_of, may_have
from kubeyarn.schedulers.capacity.rejections import check_partition, check_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.applications import Application
    from kubeyarn.model.asks import Ask, Locality
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import ResourceTypes, Vector
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import Cluster

_MASTER = "ApplicationMaster"


@dataclass(frozen=True, slots=True)
class CheckedAsk:
    """An ask as it is served: rounded, its partition known."""

    ask: Ask
    size: Vector
    partition: str

    @property
    def count(self) -> int:
        """How many are to be served; opportunistic ones are not this scheduler's."""
        return 0 if self.ask.opportunistic else self.ask.count


def make_application(
    app: Application, leaf: LeafQueue, config: SchedulerConfig, types: ResourceTypes, now_ms: int
) -> LedgerApplication:
    """What the ledger holds of an application in *leaf*; one placed before is not checked again.

    Raises:
        Rejected: its AM is too big or in a partition out of reach, or its priority is not allowed.
    """
    made = LedgerApplication(app, leaf, leaf.zero, now_ms)
    made.am_partition = _am_partition(app, leaf, config)
    if not app.placed:
        check_partition(leaf, made.am_partition, config, _MASTER)
        check_size(app.am_size or leaf.zero, leaf.settings.maximum_allocation, types, _MASTER)
    if app.am_size is None:
        made.am_size = config.minimum_allocation
    else:
        made.am_size = normalize(app.am_size, leaf, config)
    made.priority = allowed_priority(app, leaf, config, app.priority)
    return made


def allowed_priority(
    app: Application, leaf: LeafQueue, config: SchedulerConfig, said: int | None
) -> int:
    """The priority in force when *said* is asked for.

    Raises:
        Rejected: AccessDenied; never for an application that was placed before.
    """
    access = leaf.settings.priority_access if config.check_access else ()
    if said is None:
        said = default_of(access, app.user, app.groups)
    if said is None:
        said = leaf.settings.default_priority
    priority = min(said, config.maximum_application_priority)
    if not app.placed and not may_have(access, app.user, app.groups, priority):
        raise Rejected(
            Reason.ACCESS_DENIED,
            f"user {app.user} may not run {app.id} at priority {priority} in queue {leaf.path}",
        )
    return priority


def _am_partition(app: Application, leaf: LeafQueue, config: SchedulerConfig) -> str:
    """The AM's own word, the cluster's for AMs, the application's, the queue's; "" is no AM's word.

    Hadoop: RMAppManager.validateAndCreateResourceRequest.
    """
    if app.am_partition or config.am_default_partition:
        return app.am_partition or config.am_default_partition or ""
    if app.partition is not None:
        return app.partition
    return leaf.settings.default_partition or ""


def normalize(size: Vector, leaf: LeafQueue, config: SchedulerConfig) -> Vector:
    """*size* rounded up to the minimum allocation's multiples."""
    minimum = config.minimum_allocation
    return leaf.calc.normalize(size, minimum, leaf.settings.maximum_allocation, minimum)


def in_force(size: Vector, leaf: LeafQueue, config: SchedulerConfig) -> Vector:
    """What is asked of the scheduler for a normalized *size*.

    Hadoop's scheduler rounds once more, and there caps by the cluster's maximum, not the queue's.
    """
    minimum = config.minimum_allocation
    return leaf.calc.normalize(size, minimum, config.maximum_allocation, minimum)


def check_asks(
    app: LedgerApplication, asks: Sequence[Ask], config: SchedulerConfig, types: ResourceTypes
) -> list[CheckedAsk]:
    """The asks as they are served.

    Raises:
        Rejected: above the maximum allocation, negative, or a partition without access.
    """
    return [_check_ask(app, ask, config, types) for ask in asks]


def _check_ask(
    app: LedgerApplication, ask: Ask, config: SchedulerConfig, types: ResourceTypes
) -> CheckedAsk:
    leaf = app.queue
    where = f"request of priority {ask.key.priority}"
    check_size(ask.size, leaf.settings.maximum_allocation, types, where)
    if ask.count < 0:
        raise Rejected(Reason.INVALID_REQUEST, f"{where}: count {ask.count} is negative")
    partition = ask.partition
    if partition is None:
        partition = app.app.partition
    if partition is None:
        partition = leaf.settings.default_partition or ""
    check_partition(leaf, partition, config, where)
    size = in_force(normalize(ask.size, leaf, config), leaf, config)
    return CheckedAsk(ask, size, partition)


def racks_of(locality: Locality, cluster: Cluster) -> dict[str, int]:
    """How many are wanted in each rack, by name or because of a node in it."""
    named = dict(locality.racks)
    racks = dict(named)
    for name, wanted in locality.nodes:
        node = cluster.nodes.get(name)
        if node is not None and node.rack not in named:
            racks[node.rack] = racks.get(node.rack, 0) + wanted
    return racks
