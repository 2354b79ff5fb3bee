"""Whether an application or an ask is taken, and where.

Hadoop: RMAppManager, FairScheduler.addApplication, SchedulerUtils.normalizeAndValidateRequest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.errors import AccessDenied, Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue
from kubeyarn.schedulers.fair.placement import PlacementSubject, default_rules, place

if TYPE_CHECKING:
    from kubeyarn.model.applications import Application
    from kubeyarn.model.asks import Ask
    from kubeyarn.model.resources import ResourceTypes, Vector
    from kubeyarn.schedulers.fair.cluster_nodes import ClusterNodeTracker
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.objects.queue import FSQueue
    from kubeyarn.schedulers.fair.queue_manager import QueueManager


class FairSubmission:
    """Checks what comes in; refuses before anything is changed but the queue made for it."""

    def __init__(
        self, state: FairClusterState, queue_manager: QueueManager, nodes: ClusterNodeTracker
    ) -> None:
        self._state = state
        self._queue_manager = queue_manager
        self._nodes = nodes

    def admit(self, application: Application, now_ms: int) -> FSLeafQueue:
        """The leaf that takes an application, made if need be.

        Access and the size of the ApplicationMaster are checked for the queue that a rule chose,
        before the leaf is made, and again for the leaf: in a queue for reservations it is another.

        Raises:
            Rejected: no rule takes it, the queue is no leaf, access, a partition that it asks for,
                or an AM that is too large.
        """
        # An earlier process placed it: after a restart rules and access are not asked again.
        placed = self._state.queues.get(application.placed)
        if isinstance(placed, FSLeafQueue):
            return placed
        self._check_partitions(application)
        # A user without access makes no queue: the nearest one above is asked before the leaf is
        # there.
        path = self._place(application)
        if self._state.check_access:
            self._check_access(application, self._nearest(path))
        if application.am_size is not None:
            maximum = self._nodes.maximum_allocation(self._queue_manager.get_queue(path))
            check_size(application.am_size, maximum, self._state.types, "AM container")
        leaf_path = self._queue_manager.default_queue_of(path)
        leaf = self._queue_manager.get_or_create_leaf(leaf_path, now_ms)
        if self._state.check_access:
            self._check_access(application, leaf)
        if application.am_size is not None:
            size = self._nodes.normalize(application.am_size, leaf)
            check_queue_has(size, leaf.max_share, self._state.types, leaf.path)
        return leaf

    def _check_partitions(self, application: Application) -> None:
        for partition in (application.partition, application.am_partition):
            if partition:
                raise Rejected(Reason.PARTITION_ACCESS, f"application: {_no_partition(partition)}")

    def _place(self, application: Application) -> str:
        config = self._state.config
        rules = config.rules or default_rules(
            allow_undeclared=config.allow_undeclared, user_as_default=config.user_as_default
        )
        subject = PlacementSubject(application.queue, application.user, _groups(application))
        return place(rules, subject, self._queue_manager)

    def _nearest(self, path: str) -> FSQueue:
        """The queue of that path, or the nearest existing one above it."""
        while path not in self._state.queues:
            path = path.rpartition(".")[0] or "root"
        return self._state.queues[path]

    def _check_access(self, application: Application, queue: FSQueue) -> None:
        groups = _groups(application)
        for above in queue.path_up():
            if above.path in application.allowed:
                return
            if any(access.allows(application.user, groups) for access in above.access):
                return
        raise AccessDenied(
            queue.path,
            f"user {application.user} may neither submit to queue {queue.path} nor administer "
            "it, nor any queue above it; ask for the right to submit",
        )

    def check_ask(self, attempt: FSAppAttempt, ask: Ask) -> None:
        """Refuse an ask that can never be served as it is.

        Raises:
            Rejected: negative, too large, of a resource the queue has none of, or for a partition.
        """
        types = self._state.types
        what = f"{attempt.application.id}, priority {ask.key.priority}"
        if ask.count < 0:
            raise Rejected(
                Reason.INVALID_REQUEST, f"{what}: count is {ask.count}, it must not be negative"
            )
        if ask.partition:
            raise Rejected(Reason.PARTITION_ACCESS, f"{what}: {_no_partition(ask.partition)}")
        nodes, queue = self._nodes, attempt.queue
        maximum = (
            nodes.configured_maximum_allocation(queue)
            if ask.admitted
            else nodes.maximum_allocation(queue)
        )
        check_size(ask.size, maximum, types, what)
        check_queue_has(ask.size, attempt.queue.max_share, types, attempt.queue.path)


def _groups(application: Application) -> tuple[str, ...]:
    """The user's groups; a user without groups is the only member of a group of its name."""
    return application.groups or (application.user,)


def check_size(size: Vector, maximum: Vector, types: ResourceTypes, what: str) -> None:
    """Refuse a size beyond the maximum allocation.

    Raises:
        Rejected: a component is negative or above *maximum*.
    """
    for amount, limit, name in zip(size, maximum, types.names, strict=True):
        asked = types.amount(name, amount)
        if amount < 0:
            raise Rejected(
                Reason.INVALID_REQUEST, f"{what}: {asked} is asked for, it must not be negative"
            )
        if amount > limit:
            raise Rejected(
                Reason.MAXIMUM_ALLOCATION,
                f"{what}: {asked} is asked for, the maximum allocation is "
                f"{types.amount(name, limit)}; ask for smaller containers",
            )


def check_queue_has(size: Vector, maximum: Vector, types: ResourceTypes, queue: str) -> None:
    """Refuse a size that needs a resource of which the queue's maximum is 0.

    Raises:
        Rejected: *queue* can never have what *size* needs.
    """
    for amount, limit, name in zip(size, maximum, types.names, strict=True):
        if amount > 0 and limit == 0:
            raise Rejected(
                Reason.QUEUE_MAXIMUM,
                f"queue {queue}: its maximum of {name} is 0 and {types.amount(name, amount)} is "
                "asked for; use a queue that has some",
            )


def _no_partition(partition: str) -> str:
    return (
        f"partition {partition!r} is asked for; the Fair Scheduler has no partitions, leave it out"
    )
