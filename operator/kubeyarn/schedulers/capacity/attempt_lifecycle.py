"""Attempts come and go: their place in the leaf, their asks, all they hold.

Hadoop: AbstractLeafQueue.addApplicationAttempt and removeApplicationAttempt, AppSchedulingInfo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.capacity.allocator.commit import (
    complete,
    drop_reservation,
)
from kubeyarn.schedulers.capacity.am_limits import activate_applications
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication, OutstandingAsk

if TYPE_CHECKING:
    from kubeyarn.model.asks import AskKey, Locality
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import Cluster


def join(queue: LeafQueue, app: LedgerApplication) -> None:
    """An attempt waits in the leaf, and is admitted if the limits allow."""
    queue.users.get(app.user)
    if not app.runnable:
        queue.parked.append(app)
        return
    queue.runnable_apps[app.app.id] = app
    wait(queue, app)


def wait(queue: LeafQueue, app: LedgerApplication) -> None:
    """Let a runnable attempt wait for admission."""
    queue.users.about_to_count()
    queue.users.get(app.user).pending_apps += 1
    queue.enqueue(app)
    if queue.calc.any_above_zero(queue.cluster.total):
        activate_applications(queue)


def leave(queue: LeafQueue, app: LedgerApplication) -> None:
    """An attempt is no longer the leaf's; who waited may be admitted."""
    queue.users.about_to_count()
    user = queue.users.get(app.user)
    queue.runnable_apps.pop(app.app.id, None)
    if app in queue.parked:
        queue.parked.remove(app)
    if queue.remove(app):
        accounts.discharge_am(queue, app)
        user.active_apps -= 1
    elif app.runnable or queue.cluster.hadoop_compatible:
        # A parked one was never counted as waiting.
        user.pending_apps -= 1
    if user.applications == 0:
        queue.users.forget(app.user)
    activate_applications(queue)


def put_outstanding(
    app: LedgerApplication,
    key: AskKey,
    count: int,
    size: Vector,
    partition: str,
    locality: Locality,
    racks: dict[str, int],
) -> None:
    """Replace what is outstanding under *key* (Hadoop: updatePendingResources)."""
    ask = app.asks.get(key) or OutstandingAsk(key, count, size, partition)
    accounts.set_pending(app, ask, count, size, partition)
    if count > 0:
        ask.relocate(locality, racks)


def clear(app: LedgerApplication, cluster: Cluster) -> None:
    """Give back everything an attempt holds, reserves and asks for."""
    for container in list(app.containers.values()):
        complete(app, container, cluster.nodes[container.node])
    for held in list(app.reservations.values()):
        for reservation in list(held.values()):
            drop_reservation(reservation, cluster.nodes[reservation.node])
    accounts.forget_asks(app)


def change_queue(app: LedgerApplication, target: LeafQueue) -> None:
    """Let an application's containers, place in line and asks change the leaf.

    Hadoop: CapacityScheduler.moveApplication. The application still names its old leaf.
    """
    source = app.queue
    for container in app.containers.values():
        source.forget_borrowed(container)
    accounts.move_used(app, source, target)
    leave(source, app)
    join(target, app)
    accounts.move_pending(app, source, target)
    source.users.deactivate(app.user, app.app.id)
    if app.keys:
        target.users.activate(app.user, app.app.id)
