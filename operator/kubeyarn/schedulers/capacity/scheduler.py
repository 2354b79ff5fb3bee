"""The Capacity Scheduler: decisions, and questions about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, is_update
from kubeyarn.schedulers.api import Decision, Grant
from kubeyarn.schedulers.capacity.allocator import container_update as resizing
from kubeyarn.schedulers.capacity.allocator.node_update import offer_node
from kubeyarn.schedulers.capacity.allocator.rounds import Rounds, anything_wanted
from kubeyarn.schedulers.capacity.auto_created_queues import (
    is_inactive,
    manage_leaves,
    managed,
    remove_dynamic,
)
from kubeyarn.schedulers.capacity.containers import ContainerLedger
from kubeyarn.schedulers.capacity.explain import explain
from kubeyarn.schedulers.capacity.objects.app_attempt import OutstandingAsk
from kubeyarn.schedulers.capacity.preemption.policy import ProportionalCapacityPreemptionPolicy
from kubeyarn.schedulers.capacity.status import effective_maximum_of, headroom_of, queue_statuses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.reasons import Verdict
    from kubeyarn.model.resources import ResourceTypes, Vector
    from kubeyarn.schedulers.api import QueueStatus


# Hadoop: queue-management.monitoring-interval.
_QUEUE_MANAGEMENT_MS = 1500


class CapacityScheduler(ContainerLedger):
    """Ledger and decisions of the Capacity Scheduler (Hadoop: CapacityScheduler)."""

    def __init__(
        self,
        types: ResourceTypes,
        *,
        epoch: int = 0,
        quick_lane: bool = True,
        hadoop_compatible: bool = False,
    ) -> None:
        super().__init__(
            types, epoch=epoch, quick_lane=quick_lane, hadoop_compatible=hadoop_compatible
        )
        self.preemption = ProportionalCapacityPreemptionPolicy()
        self._rounds = Rounds()
        self._queues_managed_ms = 0

    def node_update(self, node: str, now_ms: int) -> Sequence[Decision]:
        """One scheduling opportunity of one node (Hadoop: nodeUpdate)."""
        self.settle()
        ledger = self.cluster.nodes.get(node)
        if ledger is None or self.root is None or self.config is None:
            return ()
        return self._swapped(
            offer_node(self.root, ledger, self.cluster, self.config, now_ms, quick=self._quick)
        )

    def cycle(self, now_ms: int, limit: int) -> Sequence[Decision]:
        """Offer all nodes until nothing changes or *limit* grants were made.

        A node that is like one which took nothing since the last change is not offered again.
        Queues made on demand are seen to every now and then.
        """
        self.settle()
        self._run_queue_management(now_ms)
        if self._idle or self.root is None or self.config is None:
            return ()
        if not anything_wanted(self.root):
            self._idle = True
            return ()
        choosy = [] if self._all_plain else self._choosy_asks()
        self._all_plain = not choosy
        # Where passed-up offers are counted, a later cycle may decide otherwise.
        counting = len(self.cluster.partitions) > 1 or any(
            ask.locations > 1 and not ask.fixed for ask in choosy
        )
        plain = not counting and not choosy
        decisions = self._rounds.run(
            self.root, self.cluster, self.config, now_ms, limit, quick=self._quick, plain=plain
        )
        self._idle = not counting and len(decisions) < limit
        return self._swapped(decisions) + self._grown_beside() if choosy else decisions

    def _swapped(self, decisions: list[Decision]) -> list[Decision]:
        """What was granted for updates of containers, as these containers."""
        return [
            resizing.swap(
                self.apps[decision.container.id.attempt.application],
                decision.container,
                self.cluster.nodes[decision.container.node],
            )
            if isinstance(decision, Grant) and is_update(decision.container.key)
            else decision
            for decision in decisions
        ]

    def _grown_beside(self) -> list[Decision]:
        step = self._tree().step
        growing = [app for app in self.apps.values() if app.updates]
        return [one for app in growing for one in resizing.grow_beside(app, self.cluster, step)]

    def _choosy_asks(self) -> list[OutstandingAsk]:
        return [ask for app in self.apps.values() for ask in app.asks.values() if not ask.plain]

    def _run_queue_management(self, now_ms: int) -> None:
        """Run the monitors of queues created on demand, at their interval."""
        if not self.index.on_demand or now_ms - self._queues_managed_ms < _QUEUE_MANAGEMENT_MS:
            return
        self._queues_managed_ms = now_ms
        self._idle = False
        self.manage_queues(now_ms)
        self.expire_queues(now_ms)

    def manage_queues(self, now_ms: int) -> None:
        """Let leaves made on demand under managed parents take or give up guarantees."""
        self.settle()
        config = self._settings()
        for queue in list(self.queues.values()):
            auto = managed(queue)
            if auto is not None and not auto.fail_on_exceeding_parent:
                manage_leaves(queue, config)

    def expire_queues(self, now_ms: int) -> None:
        """Take away queues made on demand that stood empty for too long."""
        self.settle()
        config = self._settings()
        found = True
        while found:
            found = False
            for queue in list(self.queues.values()):
                if is_inactive(queue, config.queue_expiry_seconds, now_ms):
                    remove_dynamic(queue, config)
                    self.index.rebuild(self._tree())
                    found = True

    def preempt(self, now_ms: int) -> Sequence[Decision]:
        """One pass of the preemption policy, if the configuration turns it on."""
        self.settle()
        if self.root is None or self.config is None:
            return ()
        self._idle = False
        return self.preemption.edit_schedule(
            self.root, self.cluster, self.calc, self.config, self.apps, now_ms
        )

    # -- questions -------------------------------------------------------------------------------

    def queue_status(self) -> Sequence[QueueStatus]:
        """Every queue, parents before children, in configured order."""
        self.settle()
        return queue_statuses(self._tree())

    def why(self, application: ApplicationId, key: AskKey | None, now_ms: int) -> Verdict | None:
        """What stops an ask (None: the application's AM) now; None when nothing waits."""
        self.settle()
        app = self.apps.get(application)
        if app is None:
            return None
        return explain(app, AM_KEY if key is None else key, self.cluster, self._settings())

    def effective_maximum(self, queue: str, partition: str) -> Vector | None:
        """What a queue may hold at most on nodes of *partition*; None: there is no such queue."""
        self.settle()
        found = self.queues.get(queue)
        return None if found is None else effective_maximum_of(found, partition, self._settings())

    def user_over_cap(self, application: ApplicationId, held: Vector, partition: str) -> bool:
        """Whether an application's user holds more than its limit could ever be."""
        self.settle()
        app = self.apps.get(application)
        if app is None or self.config is None:
            return False
        shared = any(p.name == partition and not p.exclusive for p in self.config.partitions)
        cap = app.queue.users.cap(app.user, partition, whole=shared)
        return self.calc.compare(self.cluster.total, held, cap) > 0

    def headroom(self, application: ApplicationId) -> Vector:
        """What the application may still get (Hadoop: AllocateResponse.limit)."""
        self.settle()
        app = self.apps.get(application)
        return self.zero if app is None else headroom_of(app)

    def containers(self) -> Sequence[Container]:
        """Every container in the ledger, in order of id."""
        held = [c for app in self.apps.values() for c in app.containers.values()]
        return sorted(held, key=lambda container: container.id)
