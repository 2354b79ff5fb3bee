"""What applications ask for and hold (api.ContainerEvents)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY
from kubeyarn.schedulers.fair.ordering import place_attempt

if TYPE_CHECKING:
    from kubeyarn.model.asks import Ask
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.fair.app_scheduling_info import AppSchedulingInfo
    from kubeyarn.schedulers.fair.cluster_nodes import ClusterNodeTracker
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.container_update import ContainerUpdates
    from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.submission import FairSubmission


class FairContainerEvents:
    """Implements `api.ContainerEvents`."""

    def __init__(
        self,
        state: FairClusterState,
        accounts: FSAccounts,
        nodes: ClusterNodeTracker,
        submission: FairSubmission,
        asks: AppSchedulingInfo,
        updates: ContainerUpdates,
    ) -> None:
        self._state = state
        self._accounts = accounts
        self._nodes = nodes
        self._submission = submission
        self._asks = asks
        self._updates = updates

    def update_asks(self, application: ApplicationId, asks: Sequence[Ask], now_ms: int) -> None:
        """Replace the outstanding count of each ask's key (absolute; 0 cancels).

        Raises:
            Rejected: above the maximum allocation, negative, of a resource the queue has none of,
                or for a partition. Nothing of the call was applied.
        """
        self._nodes.bring_up_to_date()
        attempt = self._state.attempt_of(application)
        # All are checked before any is applied.
        for ask in asks:
            self._submission.check_ask(attempt, ask)
        for ask in asks:
            size = self._nodes.normalize(ask.size, attempt.queue)
            self._asks.update_ask(attempt, replace(ask, size=size))
        self._changed(attempt)

    def recover(self, application: ApplicationId, container: Container) -> None:
        """Count a container that an earlier scheduler process granted; never refused."""
        attempt = self._state.attempt_of(application)
        if container.id in attempt.containers:
            return
        accounts = self._accounts
        accounts.charge(attempt, container)
        self._state.dirty.demand_changed(attempt)
        # A container of a former attempt has a number of that attempt, which may come again.
        if container.id.attempt == attempt.id:
            attempt.skip_container_numbers(container.id.number)
        # It was granted, so it is not asked for any more.
        if container.am and not attempt.am_running:
            self._asks.remove_ask(attempt, AM_KEY)
            accounts.charge_am(attempt, container.size)
        accounts.update_available()
        self._changed(attempt)

    def skip_numbers(self, application: ApplicationId, last: int) -> None:
        """Container numbers up to *last* of this scheduler's epoch were given away before."""
        self._state.attempt_of(application).skip_container_numbers(last)

    def next_id(self, application: ApplicationId) -> ContainerId:
        """A new id for a container of the current attempt that somebody else grants."""
        return self._state.attempt_of(application).new_container_id(self._state.epoch)

    def decrease(self, container: ContainerId, size: Vector) -> None:
        """Charge a container for less, where it is; types that are more in *size* stay."""
        self._nodes.bring_up_to_date()
        attempt = self._state.attempts.get(container.attempt.application)
        charged = attempt.containers.get(container) if attempt is not None else None
        if attempt is not None and charged is not None:
            self._updates.decrease(attempt, charged, size)

    def request_increase(self, container: Container, more: Vector) -> None:
        """Ask for *more* for a container where it is; zero: nothing more.

        Raises:
            Rejected: its application is not known.
        """
        self._nodes.bring_up_to_date()
        attempt = self._state.attempt_of(container.id.attempt.application)
        self._updates.request_increase(attempt, container, more)
        self._changed(attempt)

    def release(self, container: ContainerId, now_ms: int) -> None:
        """A container ended or was given back; unknown ids are ignored (freed once)."""
        self._updates.completed_container(container)

    def _changed(self, attempt: FSAppAttempt) -> None:
        place_attempt(self._state, attempt)
        self._state.dirty.shares_changed()
