"""Questions that change no decision (api.SchedulerQueries)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, Ask
from kubeyarn.schedulers.api import QueueStatus, Reserve, SchedulerNodeReport
from kubeyarn.schedulers.fair.explain import explain
from kubeyarn.schedulers.fair.headroom import headroom_of
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue
from kubeyarn.schedulers.fair.status import queue_statuses

if TYPE_CHECKING:
    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.reasons import Verdict
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.fair.cluster_nodes import ClusterNodeTracker
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.max_running_apps import MaxRunningAppsEnforcer
    from kubeyarn.schedulers.fair.submission import FairSubmission


class FairQueries:
    """Implements `api.SchedulerQueries`, and what the simulator asks beyond it."""

    def __init__(
        self,
        state: FairClusterState,
        nodes: ClusterNodeTracker,
        submission: FairSubmission,
        enforcer: MaxRunningAppsEnforcer,
    ) -> None:
        self._state = state
        self._nodes = nodes
        self._submission = submission
        self._enforcer = enforcer

    def node_reports(self) -> Sequence[SchedulerNodeReport]:
        """Every node with what its containers leave of it."""
        return [
            SchedulerNodeReport(
                node.rm_node.name,
                node.rm_node.rack,
                node.rm_node.partition,
                node.available,
                node.rm_node.schedulable,
                node.reserved_container is not None,
                node.free_slots,
                node.rm_node.node_class,
                node.rm_node.dedicated,
            )
            for node in self._state.nodes.values()
        ]

    def queue_status(self) -> Sequence[QueueStatus]:
        """Every queue, parents before children, in configured order."""
        if not self._state.queues:
            return []
        self._nodes.bring_up_to_date()
        return queue_statuses(self._state)

    def why(self, application: ApplicationId, key: AskKey | None, now_ms: int) -> Verdict | None:
        """What stops an ask (None: the application's AM) now; None when nothing waits."""
        attempt = self._state.attempt_of(application)
        return explain(self._state, self._enforcer, attempt, key or AM_KEY)

    def priority(self, application: ApplicationId) -> int:
        """Applications have no priorities here: 0, as in Hadoop.

        Raises:
            Rejected: it is not known.
        """
        self._state.attempt_of(application)
        return 0

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
            Rejected: above the maximum allocation, negative, or of what the queue has none of.
        """
        attempt = self._state.attempt_of(application)
        # As an ask for one container of that size would be: the key is only named where it is
        # refused.
        self._submission.check_ask(attempt, Ask(AM_KEY, 1, size, admitted=admitted))
        return self._nodes.normalize(size, attempt.queue)

    def maximum_allocation(self, application: ApplicationId) -> Vector:
        """The largest container that the application may ask for.

        Raises:
            Rejected: it is not known.
        """
        return self._nodes.maximum_allocation(self._state.attempt_of(application).queue)

    def effective_maximum(self, queue: str, partition: str) -> Vector | None:
        """What a queue may hold at most; the Fair Scheduler has no partitions."""
        self._nodes.bring_up_to_date()
        found = self._state.queues.get(queue)
        return None if found is None else found.max_share

    def user_over_cap(self, application: ApplicationId, held: Vector, partition: str) -> bool:
        """Never: the Fair Scheduler limits what users run, not what they hold."""
        return False

    def headroom(self, application: ApplicationId) -> Vector:
        """What the application may still get (Hadoop: AllocateResponse.limit)."""
        self._nodes.bring_up_to_date()
        return headroom_of(self._state, self._state.attempt_of(application))

    def containers(self) -> Sequence[Container]:
        """Every container that is charged, in order of id."""
        charged = [
            container
            for attempt in self._state.attempts.values()
            for container in attempt.containers.values()
        ]
        return sorted(charged, key=lambda container: container.id)

    def outstanding(self, application: ApplicationId) -> Sequence[Ask]:
        """What an application still asks for, in order of key; the AM's ask included."""
        attempt = self._state.attempts.get(application)
        if attempt is None:
            return []
        return [
            replace(attempt.asks[key].ask, count=attempt.asks[key].count)
            for key in attempt.ask_keys
        ]

    def reservations(self, application: ApplicationId) -> Sequence[Reserve]:
        """What is reserved for an application."""
        attempt = self._state.attempts.get(application)
        if attempt is None:
            return []
        return [
            Reserve(application, reserved.key, node, reserved.size)
            for node, reserved in attempt.reservations.items()
        ]

    def queue_of(self, application: ApplicationId) -> str | None:
        """The leaf an application is in; None when it is not known."""
        attempt = self._state.attempts.get(application)
        return None if attempt is None else attempt.queue.path

    def demand(self, queue: str) -> Vector:
        """What a queue holds and wants, as of the last update, no more than its maximum."""
        return self._state.queues[queue].demand

    def runnable_apps(self, queue: str) -> int:
        """How many applications of a leaf may run."""
        found = self._state.queues[queue]
        return len(found.runnable_apps) if isinstance(found, FSLeafQueue) else 0
