"""Attempts come and go: their place in the leaf, their asks, all they hold.

Hadoop: AbstractLeafQueue.addApplicationAttempt and removeApplicationAttempt, AppSchedulingInfo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, NOWHERE
from kubeyarn.schedulers.capacity.allocator.commit import (
    complete_container,
    unreserve,
)
from kubeyarn.schedulers.capacity.am_limits import activate_applications
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp, PendingAsk

if TYPE_CHECKING:
    from kubeyarn.model.asks import AskKey, Locality
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker


def join(queue: LeafQueue, app: FiCaSchedulerApp) -> None:
    """An attempt is pending in its leaf, and becomes active if the AM limits let it."""
    queue.users.get(app.user)
    if not app.runnable:
        queue.non_runnable_applications.append(app)
        return
    queue.runnable_apps[app.app.id] = app
    wait(queue, app)


def wait(queue: LeafQueue, app: FiCaSchedulerApp) -> None:
    """Let a runnable attempt wait for admission."""
    queue.users.about_to_count()
    queue.users.get(app.user).pending_apps += 1
    queue.add_pending(app)
    # In an empty cluster every limit is nothing, and the first application of each queue would
    # start all the same; Hadoop waits for a node.
    if queue.calc.any_above_zero(queue.cluster.total):
        activate_applications(queue)


def leave(queue: LeafQueue, app: FiCaSchedulerApp) -> None:
    """An attempt leaves its leaf; pending ones may become active."""
    queue.users.about_to_count()
    user = queue.users.get(app.user)
    # Looked for everywhere, not where its flags say: it may have become runnable since it joined.
    queue.runnable_apps.pop(app.app.id, None)
    if app in queue.non_runnable_applications:
        queue.non_runnable_applications.remove(app)
    if queue.remove(app):
        accounts.discharge_am(queue, app)
        user.active_apps -= 1
    elif app.runnable or queue.cluster.hadoop_compatible:
        # A non-runnable one was never counted as pending.
        user.pending_apps -= 1
    # Before others are activated: weights of users who are gone would make their limits smaller.
    if user.applications == 0:
        queue.users.forget(app.user)
    activate_applications(queue)


def put_outstanding(
    app: FiCaSchedulerApp,
    key: AskKey,
    count: int,
    size: Vector,
    partition: str,
    locality: Locality,
) -> None:
    """Replace what is outstanding under *key* (Hadoop: updatePendingResources)."""
    # The ask stays the same object, with the opportunities it has counted.
    ask = app.asks.get(key) or PendingAsk(key, count, size, partition)
    accounts.set_pending(app, ask, count, size, partition)
    if count > 0:
        racks = racks_of(locality, app.queue.cluster)
        ask.set_locality(locality, racks, app.excluded if key != AM_KEY else NOWHERE)
        app.request_partition(partition)


def racks_of(locality: Locality, cluster: CapacityNodeTracker) -> dict[str, int]:
    """How many are wanted in each rack, which is named itself or has a node that is."""
    named = dict(locality.racks)
    racks = dict(named)
    for name, wanted in locality.nodes:
        node = cluster.nodes.get(name)
        if node is not None and node.rack not in named:
            racks[node.rack] = racks.get(node.rack, 0) + wanted
    return racks


def clear(app: FiCaSchedulerApp, cluster: CapacityNodeTracker) -> None:
    """Give back everything an attempt holds, reserves and asks for."""
    # Containers, then reservations, then asks, as Hadoop does: the ratio of users is rounded with
    # each of the former.
    for container in list(app.containers.values()):
        complete_container(app, container, cluster.nodes[container.node])
    for held in list(app.reservations.values()):
        for reservation in list(held.values()):
            unreserve(reservation, cluster.nodes[reservation.node])
    accounts.forget_asks(app)


def change_queue(app: FiCaSchedulerApp, target: LeafQueue) -> None:
    """Let an application's containers, place in line and asks change the leaf.

    Hadoop: CapacityScheduler.moveApplication. The application still names its old leaf.
    """
    source = app.queue
    for container in app.containers.values():
        source.remove_ignore_exclusivity_container(container)
    accounts.move_used(app, source, target)
    leave(source, app)
    join(target, app)
    accounts.move_pending(app, source, target)
    source.users.deactivate(app.user, app.app.id)
    if app.keys:
        target.users.activate(app.user, app.app.id)
