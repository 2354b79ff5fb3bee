"""Applications that come, change and go, and their attempts (api.ApplicationEvents)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, Ask, Locality
from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.fair.ordering import place_attempt
from kubeyarn.schedulers.fair.placement import with_root

if TYPE_CHECKING:
    from kubeyarn.model.applications import Application
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.schedulers.fair.app_scheduling_info import AppSchedulingInfo
    from kubeyarn.schedulers.fair.attempt_lifecycle import AttemptLifecycle
    from kubeyarn.schedulers.fair.cluster_nodes import ClusterNodeTracker
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
    from kubeyarn.schedulers.fair.queue_manager import QueueManager
    from kubeyarn.schedulers.fair.submission import FairSubmission


class FairApplicationEvents:
    """Implements `api.ApplicationEvents`, and `restart_attempts` of the stepped scheduler."""

    def __init__(
        self,
        state: FairClusterState,
        accounts: FSAccounts,
        queue_manager: QueueManager,
        nodes: ClusterNodeTracker,
        submission: FairSubmission,
        asks: AppSchedulingInfo,
        lifecycle: AttemptLifecycle,
    ) -> None:
        self._state = state
        self._accounts = accounts
        self._queue_manager = queue_manager
        self._nodes = nodes
        self._submission = submission
        self._asks = asks
        self._lifecycle = lifecycle

    def submit(self, application: Application, now_ms: int) -> str:
        """Take an application; returns the leaf's full path it was placed in.

        Raises:
            Rejected: no rule takes it, the queue is no leaf, access, or an AM that is too large.
        """
        # The allocation loop may tell an application again; it stays where it is.
        known = self._state.attempts.get(application.id)
        if known is not None:
            return known.queue.path
        if not self._state.queues:
            raise Rejected(Reason.QUEUE_NOT_FOUND, "there is no configuration yet; try again")
        self._nodes.bring_up_to_date()
        leaf = self._submission.admit(application, now_ms)
        self._lifecycle.add(application, 1, leaf, application.submitted_ms or now_ms)
        return leaf.path

    def start_attempt(self, application: ApplicationId, number: int, now_ms: int) -> None:
        """A further attempt replaces the one before, whose containers are gone; it asks for an AM.

        Others may run in its place first, as in Hadoop.
        """
        self.restart_attempts({application: number}, now_ms)

    def restart_attempts(self, numbers: Mapping[ApplicationId, int], now_ms: int) -> None:
        """Several attempts ended at once: all leave before any of their successors joins."""
        state = self._state
        ended = [(state.attempt_of(application), n) for application, n in numbers.items()]
        # Hadoop handles the ends of all attempts before the starts, so others may run in between.
        for before, _ in ended:
            self._lifecycle.remove(before)
        for before, number in ended:
            self._lifecycle.add(before.application, number, before.queue, now_ms)

    def locate_master(
        self,
        application: ApplicationId,
        excluded: frozenset[str],
        classes: frozenset[int] | None,
    ) -> None:
        """Where the current attempt's AM is not granted, and on which nodes it may be."""
        attempt = self._state.attempt_of(application)
        attempt.am_locality = Locality(excluded=excluded, classes=classes)
        pending = attempt.asks.get(AM_KEY)
        if pending is not None:
            self._asks.update_ask(attempt, replace(pending.ask, locality=attempt.am_locality))
            self._state.dirty.shares_changed()

    def exclude(self, application: ApplicationId, places: frozenset[str]) -> None:
        """Nodes and racks where the current attempt is granted nothing but its AM."""
        self._asks.exclude(self._state.attempt_of(application), places)
        self._state.dirty.shares_changed()

    def master_gone(self, application: ApplicationId) -> None:
        """The current attempt's AM was granted and has ended: it is not asked for."""
        self._nodes.bring_up_to_date()
        attempt = self._state.attempt_of(application)
        pending = attempt.asks.get(AM_KEY)
        if attempt.am_running or pending is None:
            return
        self._asks.remove_ask(attempt, AM_KEY)
        self._accounts.charge_am(attempt, pending.ask.size)
        place_attempt(self._state, attempt)
        self._state.dirty.shares_changed()

    def ask_for_master(self, application: ApplicationId, now_ms: int) -> None:
        """The current attempt asks for its AM again: the grant was taken back before it started."""
        self._nodes.bring_up_to_date()
        attempt = self._state.attempt_of(application)
        if not attempt.am_running:
            return
        self._accounts.discharge_am(attempt)
        self._asks.update_ask(
            attempt, Ask(AM_KEY, 1, attempt.am_resource, locality=attempt.am_locality)
        )
        place_attempt(self._state, attempt)
        self._state.dirty.shares_changed()

    def finish(self, application: ApplicationId, now_ms: int) -> None:
        """An application ended; everything it holds or asks for is given up."""
        state = self._state
        attempt = state.attempts.get(application)
        if attempt is not None:
            self._lifecycle.remove(attempt)
            del state.attempts[application]
            state.allocation_tags.remove_application(application)

    def move(self, application: ApplicationId, queue: str, now_ms: int) -> str:
        """Move an application with its containers; returns the leaf's full path.

        Raises:
            Rejected: the target does not take it; nothing changed.
        """
        self._nodes.bring_up_to_date()
        attempt = self._state.attempt_of(application)
        manager = self._queue_manager
        # A queue for reservations means its default child, as when an application is submitted.
        old, target = attempt.queue, manager.get_leaf_queue(manager.default_queue_of(queue))
        if target is None:
            raise Rejected(
                Reason.QUEUE_NOT_LEAF,
                f"queue {with_root(queue)} does not exist or is not a leaf; "
                "move to a leaf that exists",
            )
        if target is old:
            return old.path
        self._lifecycle.check_move(attempt, target)
        self._lifecycle.move(attempt, target)
        return target.path

    def set_priority(self, application: ApplicationId, priority: int, now_ms: int) -> int:
        """Applications have no priorities here (Hadoop: updateApplicationPriority).

        Raises:
            Rejected: always.
        """
        self._state.attempt_of(application)
        raise Rejected(
            Reason.INVALID_REQUEST,
            f"{application}: the Fair Scheduler does not order applications by priority; "
            "leave the priority out, or use weights of queues",
        )
