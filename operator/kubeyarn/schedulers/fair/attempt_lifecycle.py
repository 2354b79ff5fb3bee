"""Attempts start, end, and move from leaf to leaf (Hadoop: FairScheduler, FSLeafQueue)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, Ask
from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import add, fits
from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
from kubeyarn.schedulers.fair.ordering import place_attempt, place_queue

if TYPE_CHECKING:
    from kubeyarn.model.applications import Application
    from kubeyarn.schedulers.fair.app_scheduling_info import AppSchedulingInfo
    from kubeyarn.schedulers.fair.cluster_nodes import ClusterNodeTracker
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.max_running_apps import MaxRunningAppsEnforcer
    from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
    from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue


class AttemptLifecycle:
    """Takes attempts into leaves and out of them, with all they hold."""

    def __init__(
        self,
        state: FairClusterState,
        accounts: FSAccounts,
        asks: AppSchedulingInfo,
        enforcer: MaxRunningAppsEnforcer,
        nodes: ClusterNodeTracker,
    ) -> None:
        self._state = state
        self._accounts = accounts
        self._asks = asks
        self._enforcer = enforcer
        self._nodes = nodes

    def add(self, application: Application, number: int, leaf: FSLeafQueue, start_ms: int) -> None:
        """Let an attempt enter its leaf and ask for its ApplicationMaster.

        Hadoop: addApplicationAttempt.
        """
        state = self._state
        attempt = FSAppAttempt(application, number, leaf, state.zero, start_ms)
        state.attempts[application.id] = attempt
        state.allocation_tags.add_application(application.id, application.tags)
        self._enforcer.track(attempt, leaf)
        if application.am_size is not None:
            size = self._nodes.normalize(application.am_size, leaf)
            self._asks.update_ask(attempt, Ask(AM_KEY, 1, size))
        place_attempt(state, attempt)
        state.dirty.shares_changed()

    def remove(self, attempt: FSAppAttempt) -> None:
        """Take an attempt out with all it holds and asks for; others may run in its place.

        Hadoop: removeApplicationAttempt.
        """
        state, accounts, leaf = self._state, self._accounts, attempt.queue
        for container in tuple(attempt.containers.values()):
            accounts.discharge(attempt, container)
        for name in tuple(attempt.reservations):
            accounts.unreserve(state.nodes[name])
        for key in tuple(attempt.ask_keys):
            self._asks.remove_ask(attempt, key)
        attempt.stopped = True
        # Out of the order before others are let in, who take a place in it.
        leaf.schedulables.remove(attempt)
        if self._enforcer.untrack(attempt, leaf):
            accounts.leave_am(attempt, leaf)
            self._enforcer.update_on_removal(attempt, leaf)
        place_queue(state, leaf)
        state.dirty.shares_changed()

    def check_move(self, attempt: FSAppAttempt, target: FSLeafQueue) -> None:
        """Refuse a move that would break a limit of a queue the attempt newly counts in.

        Raises:
            Rejected: a limit of applications or of resources. A non-runnable attempt may always
                move.
        """
        if not attempt.is_runnable:
            return
        shared = {queue.path for queue in attempt.queue.path_up()}
        for queue in target.path_up():
            if queue.path in shared:
                break
            if queue.num_runnable_apps == queue.max_running_apps:
                raise Rejected(
                    Reason.PARALLEL_LIMIT,
                    f"queue {queue.path} runs {queue.num_runnable_apps} applications, "
                    f"as many as it may ({queue.max_running_apps}); wait or raise its limit",
                )
            used = add(queue.used, attempt.used)
            if not fits(used, queue.max_share):
                text = self._state.types.text
                raise Rejected(
                    Reason.QUEUE_MAXIMUM,
                    f"queue {queue.path} holds {text(queue.used)} and would hold {text(used)}, "
                    f"its maximum is {text(queue.max_share)}; free some of it or move to another "
                    "queue",
                )
        if not self._enforcer.can_be_runnable(target, attempt):
            raise Rejected(
                Reason.PARALLEL_LIMIT,
                f"queue {target.path} or user {attempt.application.user} already runs as many "
                "applications as they may",
            )

    def move(self, attempt: FSAppAttempt, target: FSLeafQueue) -> None:
        """Take an attempt from its leaf to another with all it holds (executeMove)."""
        state, old, was_runnable = self._state, attempt.queue, attempt.is_runnable
        # While its key is still the one it was filed under.
        old.schedulables.remove(attempt)
        self._enforcer.move(attempt, old, target)
        if was_runnable:
            # The new leaf never counts this ApplicationMaster: Hadoop leaves it out of a move.
            self._accounts.leave_am(attempt, old)
        self._accounts.move(attempt, target)
        if was_runnable:
            self._enforcer.update_on_removal(attempt, old)
        place_queue(state, old)
        place_attempt(state, attempt)
        state.dirty.shares_changed()
