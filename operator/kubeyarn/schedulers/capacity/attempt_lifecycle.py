"""Attempts come and go: their place in the leaf, their asks, all they hold.

Hadoop: AbstractLeafQueue.addApplicationAttempt and removeApplicationAttempt, AppSchedulingInfo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AskKey
from kubeyarn.model.resources import scale, subtract
from kubeyarn.schedulers.capacity.allocator.commit import (
    charge,
    complete,
    discharge,
    drop_reservation,
)
from kubeyarn.schedulers.capacity.am_limits import admit_applications
from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication, OutstandingAsk

if TYPE_CHECKING:
    from kubeyarn.model.asks import Locality
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import Cluster

AM_KEY = AskKey(priority=0, allocation_request_id=-2)


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
        admit_applications(queue)


def leave(queue: LeafQueue, app: LedgerApplication) -> None:
    """An attempt is no longer the leaf's; who waited may be admitted."""
    queue.users.about_to_count()
    user = queue.users.get(app.user)
    queue.runnable_apps.pop(app.app.id, None)
    partition = app.am_partition
    if app in queue.parked:
        queue.parked.remove(app)
    if queue.remove(app):
        queue.am_used[partition] = subtract(queue.am_used[partition], app.am_size)
        user.am_used[partition] = subtract(user.am_used.get(partition, queue.zero), app.am_size)
        user.active_apps -= 1
    elif app.runnable or queue.cluster.hadoop_compatible:
        # A parked one was never counted as waiting.
        user.pending_apps -= 1
    if user.applications == 0:
        queue.users.forget(app.user)
    admit_applications(queue)


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
    queue = app.queue
    before = app.asks.get(key)
    if before is not None:
        change = app.change_pending(before.partition, before.size, -before.count)
        queue.change_pending(before.partition, change)
    if count <= 0:
        if before is not None:
            app.drop_ask(key)
        if not app.keys:
            queue.users.deactivate(app.user, app.app.id)
        return
    if before is None:
        before = OutstandingAsk(key, count, size, partition)
        app.put_ask(before)
        queue.users.activate(app.user, app.app.id)
    before.count, before.size, before.partition = count, size, partition
    before.relocate(locality, racks)
    queue.change_pending(partition, app.change_pending(partition, size, count))


def clear(app: LedgerApplication, cluster: Cluster) -> None:
    """Give back everything an attempt holds, reserves and asks for."""
    for container in list(app.containers.values()):
        complete(app, container, cluster.nodes[container.node])
    for held in list(app.reservations.values()):
        for reservation in list(held.values()):
            drop_reservation(reservation, cluster.nodes[reservation.node])
    for ask in app.asks.values():
        change = app.change_pending(ask.partition, ask.size, -ask.count)
        app.queue.change_pending(ask.partition, change)
    for key in list(app.keys):
        app.drop_ask(key)


def change_queue(app: LedgerApplication, target: LeafQueue) -> None:
    """Let an application's containers, place in line and asks change the leaf.

    Hadoop: CapacityScheduler.moveApplication. The application still names its old leaf.
    """
    source = app.queue
    for container in app.containers.values():
        discharge(source, app, container.size, container.partition)
        source.forget_borrowed(container)
        charge(target, app, container.size, container.partition)
    for held in app.reservations.values():
        for reservation in held.values():
            discharge(source, app, reservation.size, reservation.partition)
            source.change_reserved(reservation.partition, tuple(-x for x in reservation.size))
            charge(target, app, reservation.size, reservation.partition)
            target.change_reserved(reservation.partition, reservation.size)
    leave(source, app)
    join(target, app)
    for ask in app.asks.values():
        amount = scale(ask.size, ask.count)
        source.change_pending(ask.partition, tuple(-x for x in amount))
        target.change_pending(ask.partition, amount)
    source.users.deactivate(app.user, app.app.id)
    if app.keys:
        target.users.activate(app.user, app.app.id)
