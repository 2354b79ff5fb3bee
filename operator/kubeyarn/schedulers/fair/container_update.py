"""Containers that change their size where they are (Hadoop: ContainerUpdateContext).

A decrease is charged at once. An increase is an ask like any other, for the difference, on the
container's node alone; when it is granted, the granted container is swapped with the one it is for.
An opportunistic container that is promoted was not charged before: its ask is for all it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import Ask, Locality, is_update, update_key
from kubeyarn.model.resources import Vector, add, component_min
from kubeyarn.schedulers.api import Decision, Grant, Increase
from kubeyarn.schedulers.fair.ordering import place_attempt

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ContainerId
    from kubeyarn.schedulers.fair.app_scheduling_info import AppSchedulingInfo
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt


class ContainerUpdates:
    """Changes the sizes of containers that are charged."""

    def __init__(
        self, state: FairClusterState, accounts: FSAccounts, asks: AppSchedulingInfo
    ) -> None:
        self._state = state
        self._accounts = accounts
        self._asks = asks

    def decrease(self, attempt: FSAppAttempt, container: Container, size: Vector) -> None:
        """Charge *container* for less; types of which *size* has more stay."""
        smaller = component_min(container.size, size)
        if smaller != container.size:
            self._accounts.replace(attempt, container, container._replace(size=smaller))
            place_attempt(self._state, attempt)

    def request_increase(self, attempt: FSAppAttempt, container: Container, more: Vector) -> None:
        """Ask for *more* for a container, in place of what was asked; zero: nothing.

        Hadoop: checkAndAddToOutstandingIncreases.
        """
        name = str(container.id)
        before = attempt.outstanding_increases.pop(name, None)
        # An AM's container is charged under another key than its request has.
        key = update_key((before or container).key, name)
        if any(more):
            place = Locality(nodes=((container.node, 1),), relax=False)
            self._asks.update_ask(attempt, Ask(key, 1, more, locality=place))
            waiting = container._replace(key=(before or container).key)
            attempt.outstanding_increases[name] = waiting
        elif before is not None:
            self._asks.remove_ask(attempt, key)
            attempt.allowed_locality.pop(key, None)

    def completed_container(self, container: ContainerId) -> None:
        """Count a container out that ended, and forget the increase that was asked for it.

        One that is not charged is ignored. Hadoop: FSAppAttempt.containerCompleted.
        """
        attempt = self._state.attempts.get(container.attempt.application)
        charged = attempt.containers.get(container) if attempt is not None else None
        if attempt is None or charged is None:
            return
        self._accounts.discharge(attempt, charged)
        if attempt.outstanding_increases:
            self.request_increase(attempt, charged, self._state.zero)
        place_attempt(self._state, attempt)

    def swap(self, decision: Decision) -> Decision:
        """A grant for an update as the container it is for; other decisions as they are.

        Hadoop: ContainerUpdateContext.swapContainer.
        """
        if not isinstance(decision, Grant) or not is_update(decision.container.key):
            return decision
        granted = decision.container
        attempt = self._state.attempt_of(granted.id.attempt.application)
        waiting = attempt.outstanding_increases.pop(granted.key.name)
        attempt.allowed_locality.pop(granted.key, None)
        charged = attempt.containers.get(waiting.id)
        if charged is None:
            after = waiting._replace(size=granted.size, partition=granted.partition)
            self._accounts.replace(attempt, granted, after)
        else:
            after = charged._replace(size=add(charged.size, granted.size))
            self._accounts.discharge(attempt, granted)
            self._accounts.replace(attempt, charged, after)
        place_attempt(self._state, attempt)
        return Increase(after)
