"""The ledger's asks and containers: wanted, counted again, resized, given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, ANYWHERE
from kubeyarn.model.resources import component_min
from kubeyarn.schedulers.api import SchedulerNodeReport
from kubeyarn.schedulers.capacity.allocator import container_update as resizing
from kubeyarn.schedulers.capacity.allocator.commit import new_container_id
from kubeyarn.schedulers.capacity.applications import ApplicationLedger
from kubeyarn.schedulers.capacity.attempt_lifecycle import AM_KEY
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.submission import (
    check_asks,
    check_size,
)
from kubeyarn.schedulers.capacity.submission import (
    normalize as normalize_size,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.asks import Ask
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.model.resources import Vector


class ContainerLedger(ApplicationLedger):
    """What applications want and hold (Hadoop: CapacityScheduler.allocate)."""

    def update_asks(self, application: ApplicationId, asks: Sequence[Ask], now_ms: int) -> None:
        """Replace the outstanding count of each ask's key (absolute; 0 cancels).

        Raises:
            Rejected: above the maximum allocation, negative, or a partition without access.
                Nothing of the call was applied.
        """
        self.settle()
        app = self._known(application)
        for one in check_asks(app, asks, self._settings(), self.types):
            ask = one.ask
            self._put(app, ask.key, one.count, one.size, one.partition, ask.locality)
            outstanding = app.asks.get(ask.key)
            if outstanding is not None:
                outstanding.constrain(ask.constraint, ask.tags)
        if not app.waiting_for_am:
            app.queue.needs_reordering(app, demand_only=True)
        self._idle = False

    def recover(self, application: ApplicationId, container: Container) -> None:
        """Count a container that was granted before this ledger was built; never refused."""
        self.settle()
        app = self.apps.get(application)
        node = self.cluster.nodes.get(container.node)
        if app is None or node is None or container.id in app.containers:
            return
        if container.id.epoch == app.epoch and container.id.attempt == app.attempt_id:
            app.next_number = max(app.next_number, container.id.number + 1)
        if container.am and app.waiting_for_am:
            app.waiting_for_am = False
            app.am_container = container.id
            self._put(app, AM_KEY, 0, app.am_size, app.am_partition, ANYWHERE)
        asked, container = container.partition, container._replace(partition=node.partition)
        accounts.charge(app, container, node)
        if node.partition and not asked:
            app.queue.note_borrowed(container)
        app.queue.needs_reordering(app)
        self._idle = False

    def skip_numbers(self, application: ApplicationId, last: int) -> None:
        """Container numbers up to *last* of this ledger's epoch were given away before."""
        app = self._known(application)
        app.next_number = max(app.next_number, last + 1)

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
            )
            for node in self.cluster.nodes.values()
        ]

    def next_id(self, application: ApplicationId) -> ContainerId:
        """A new id for a container of the current attempt that somebody else grants."""
        return new_container_id(self._known(application))

    def rounded(self, application: ApplicationId, size: Vector) -> Vector:
        """The size that a container of the application gets when it wants *size*.

        Raises:
            Rejected: above the maximum allocation or negative.
        """
        self.settle()
        leaf = self._known(application).queue
        check_size(size, leaf.settings.maximum_allocation, self.types, "resize")
        return normalize_size(size, leaf, self._settings())

    def decrease(self, container: ContainerId, size: Vector) -> None:
        """Charge a container for less, where it is; types that are more in *size* stay."""
        self.settle()
        app = self.apps.get(container.attempt.application)
        held = app.containers.get(container) if app is not None else None
        if app is None or held is None:
            return
        less = component_min(held.size, size)
        if less != held.size:
            resizing.shrink(app, held, self.cluster.nodes[held.node], less)
            self._idle = False

    def request_increase(self, container: Container, more: Vector) -> None:
        """Want *more* for a container where it is; zero: nothing more.

        Raises:
            Rejected: its application is not known.
        """
        self.settle()
        app = self._known(container.id.attempt.application)
        lent = [p.name for p in self._settings().partitions if not p.exclusive]
        resizing.want(app, container, more, self.cluster, lent)
        if not app.waiting_for_am:
            app.queue.needs_reordering(app, demand_only=True)
        self._idle = self._all_plain = False

    def release(self, container: ContainerId, now_ms: int) -> None:
        """A container ended or was given back; unknown ids are ignored (freed once)."""
        self.settle()
        app = self.apps.get(container.attempt.application)
        held = app.containers.get(container) if app is not None else None
        if app is None or held is None:
            return
        resizing.release(app, held, self.cluster.nodes[held.node], self.cluster)
        self._idle = False
