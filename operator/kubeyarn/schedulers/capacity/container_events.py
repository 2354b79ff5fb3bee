"""Asks and containers: asked for, recovered, resized, released.

Hadoop: CapacityScheduler.allocate, AbstractYarnScheduler.recoverContainersOnNode,
handleDecreaseRequests and completedContainer; resizing itself is `allocator.container_update`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, ANYWHERE
from kubeyarn.model.resources import component_min
from kubeyarn.schedulers.capacity.allocator import container_update as resizing
from kubeyarn.schedulers.capacity.allocator.commit import new_container_id
from kubeyarn.schedulers.capacity.attempt_lifecycle import put_outstanding
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.submission import (
    check_asks,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.asks import Ask
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.cluster_state import ClusterState


class CapacityContainerEvents:
    """What applications ask for and hold; a `ContainerEvents`."""

    def __init__(self, state: ClusterState) -> None:
        self._state = state

    def update_asks(self, application: ApplicationId, asks: Sequence[Ask], now_ms: int) -> None:
        """Replace the outstanding count of each ask's key (absolute; 0 cancels).

        Raises:
            Rejected: above the maximum allocation, negative, or a partition without access.
                Nothing of the call was applied.
        """
        self._state.bring_up_to_date()
        app = self._state.app(application)
        for one in check_asks(app, asks, self._state.config_in_force(), self._state.types):
            ask = one.ask
            put_outstanding(app, ask.key, one.count, one.size, one.partition, ask.locality)
            outstanding = app.asks.get(ask.key)
            if outstanding is not None:
                outstanding.set_constraint(ask.constraint, ask.tags)
        if not app.waiting_for_am:
            app.queue.needs_reordering(app, demand_only=True)
        self._state.dirty.asks_changed()

    def recover(self, application: ApplicationId, container: Container) -> None:
        """Count a container that an earlier scheduler process granted; never refused."""
        self._state.bring_up_to_date()
        app = self._state.apps.get(application)
        node = self._state.cluster.nodes.get(container.node)
        if app is None or node is None or container.id in app.containers:
            return
        # Ids of an earlier epoch cannot meet ours, so only our own numbers are skipped.
        if container.id.epoch == app.epoch and container.id.attempt == app.attempt_id:
            app.next_number = max(app.next_number, container.id.number + 1)
        # The AM was granted before the restart; it is not asked for a second time.
        if container.am and app.waiting_for_am:
            app.waiting_for_am = False
            app.am_container = container.id
            put_outstanding(app, AM_KEY, 0, app.am_size, app.am_partition, ANYWHERE)
            self._state.dirty.asks_changed()
        # The record says what was asked for; it is charged where its node is now.
        asked, container = container.partition, container._replace(partition=node.partition)
        accounts.charge(app, container, node)
        if node.partition and not asked:
            app.queue.add_ignore_exclusivity_container(container)
        app.queue.needs_reordering(app)
        self._state.dirty.use_changed()

    def skip_numbers(self, application: ApplicationId, last: int) -> None:
        """Container numbers up to *last* of this scheduler's epoch were given away before."""
        app = self._state.app(application)
        app.next_number = max(app.next_number, last + 1)

    def next_id(self, application: ApplicationId) -> ContainerId:
        """A new id for a container of the current attempt that somebody else grants."""
        return new_container_id(self._state.app(application))

    def decrease(self, container: ContainerId, size: Vector) -> None:
        """Charge a container for less, where it is; types that are more in *size* stay."""
        self._state.bring_up_to_date()
        app = self._state.apps.get(container.attempt.application)
        held = app.containers.get(container) if app is not None else None
        if app is None or held is None:
            return
        # A decrease never grows a container: what is more in *size* has an ask of its own.
        less = component_min(held.size, size)
        if less != held.size:
            resizing.shrink(app, held, self._state.cluster.nodes[held.node], less)
            self._state.dirty.use_changed()

    def request_increase(self, container: Container, more: Vector) -> None:
        """Want *more* for a container where it is; zero: nothing more.

        Raises:
            Rejected: its application is not known.
        """
        self._state.bring_up_to_date()
        app = self._state.app(container.id.attempt.application)
        lent = [p.name for p in self._state.config_in_force().partitions if not p.exclusive]
        resizing.want(app, container, more, self._state.cluster, lent)
        if not app.waiting_for_am:
            app.queue.needs_reordering(app, demand_only=True)
        self._state.dirty.asks_changed()

    def release(self, container: ContainerId, now_ms: int) -> None:
        """A container ended or was given back; unknown ids are ignored (freed once)."""
        self._state.bring_up_to_date()
        app = self._state.apps.get(container.attempt.application)
        held = app.containers.get(container) if app is not None else None
        if app is None or held is None:
            return
        resizing.release(app, held, self._state.cluster.nodes[held.node], self._state.cluster)
        self._state.dirty.use_changed()
