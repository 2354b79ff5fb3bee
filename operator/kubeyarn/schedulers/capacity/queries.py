"""Questions about the Capacity Scheduler's state; no answer changes a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY
from kubeyarn.schedulers.api import SchedulerNodeReport
from kubeyarn.schedulers.capacity.explain import explain
from kubeyarn.schedulers.capacity.headroom import headroom_of
from kubeyarn.schedulers.capacity.status import effective_maximum_of, queue_statuses
from kubeyarn.schedulers.capacity.submission import (
    check_partition,
    check_size,
    maximum_allocation,
    normalize,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.reasons import Verdict
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.api import QueueStatus
    from kubeyarn.schedulers.capacity.cluster_state import ClusterState


class CapacityQueries:
    """Looks up what is asked; a `SchedulerQueries`."""

    def __init__(self, state: ClusterState) -> None:
        self._state = state

    def node_reports(self) -> Sequence[SchedulerNodeReport]:
        """Every node with what its containers leave of it."""
        return [
            SchedulerNodeReport(
                node.name,
                node.rack,
                node.partition,
                node.free,
                node.node.schedulable,
                node.reservation is not None,
                node.free_slots,
                node.node.node_class,
                node.dedicated,
            )
            for node in self._state.cluster.nodes.values()
        ]

    def queue_status(self) -> Sequence[QueueStatus]:
        """Every queue, parents before children, in configured order."""
        self._state.bring_up_to_date()
        partitions = [one.name for one in self._state.config_in_force().partitions]
        return queue_statuses(self._state.root_in_force(), partitions)

    def why(self, application: ApplicationId, key: AskKey | None, now_ms: int) -> Verdict | None:
        """What stops an ask (None: the application's AM) now; None when nothing waits."""
        self._state.bring_up_to_date()
        app = self._state.apps.get(application)
        if app is None:
            return None
        asked = AM_KEY if key is None else key
        return explain(app, asked, self._state.cluster, self._state.config_in_force())

    def priority(self, application: ApplicationId) -> int:
        """The priority that an application has, after limits.

        Raises:
            Rejected: it is not known.
        """
        return self._state.app(application).priority

    def rounded(
        self,
        application: ApplicationId,
        size: Vector,
        *,
        admitted: bool = False,
        partition: str = "",
    ) -> Vector:
        """The size that a container of the application gets when it wants *size*.

        Raises:
            Rejected: above the maximum allocation, negative, or in a partition without access.
        """
        self._state.bring_up_to_date()
        leaf = self._state.app(application).queue
        maximum = maximum_allocation(leaf, admitted=admitted)
        check_size(size, maximum, self._state.types, "resize")
        config = self._state.config_in_force()
        check_partition(leaf, partition, config, "request")
        return normalize(size, leaf, config)

    def maximum_allocation(self, application: ApplicationId) -> Vector:
        """The largest container that the application may ask for.

        Raises:
            Rejected: it is not known.
        """
        self._state.bring_up_to_date()
        return maximum_allocation(self._state.app(application).queue)

    def effective_maximum(self, queue: str, partition: str) -> Vector | None:
        """What a queue may hold at most on nodes of *partition*; None: there is no such queue."""
        self._state.bring_up_to_date()
        found = self._state.queues.get(queue)
        if found is None:
            return None
        return effective_maximum_of(found, partition, self._state.config_in_force())

    def user_over_cap(self, application: ApplicationId, held: Vector, partition: str) -> bool:
        """Whether an application's user holds more than its limit could ever be."""
        state = self._state
        state.bring_up_to_date()
        app = state.apps.get(application)
        if app is None or state.config is None:
            return False
        shared = any(p.name == partition and not p.exclusive for p in state.config.partitions)
        # The cap that holds however few users there are: the limit itself falls when others become
        # active, and what was granted before may be more.
        cap = app.queue.users.cap(app.user, partition, whole=shared)
        return state.calc.compare(state.cluster.total, held, cap) > 0

    def headroom(self, application: ApplicationId) -> Vector:
        """What the application may still get (Hadoop: AllocateResponse.limit)."""
        self._state.bring_up_to_date()
        app = self._state.apps.get(application)
        return self._state.types.zero() if app is None else headroom_of(app)

    def containers(self) -> Sequence[Container]:
        """Every container that is charged, in order of id."""
        # By id, so that two schedulers that hold the same say the same.
        held = [c for app in self._state.apps.values() for c in app.containers.values()]
        return sorted(held, key=lambda container: container.id)
