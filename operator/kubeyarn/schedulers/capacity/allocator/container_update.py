"""Containers that change their size where they are (Hadoop: ContainerUpdateContext).

What wants more has an ask under a key of its own, on its node alone. It is served as any other;
what was granted for it is then swapped for the container, grown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import Locality, update_key
from kubeyarn.model.resources import add, fits
from kubeyarn.schedulers.api import Increase
from kubeyarn.schedulers.capacity.allocator.commit import complete_container
from kubeyarn.schedulers.capacity.attempt_lifecycle import put_outstanding
from kubeyarn.schedulers.capacity.objects import accounts

if TYPE_CHECKING:
    from collections.abc import Collection

    from kubeyarn.model.containers import Container
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker, FiCaSchedulerNode


def shrink(app: FiCaSchedulerApp, held: Container, node: FiCaSchedulerNode, size: Vector) -> None:
    """Charge a container for less."""
    _recount(app, held, node, size)


def want(
    app: FiCaSchedulerApp,
    container: Container,
    more: Vector,
    cluster: CapacityNodeTracker,
    lent: Collection[str] = (),
) -> None:
    """Ask for *more* for a container where it is, in place of what was asked; zero: for nothing.

    *lent* are partitions whose nodes are lent to who asked for none. Hadoop:
    ContainerUpdateContext.checkAndAddToOutstandingIncreases.
    """
    name = str(container.id)
    wanted = int(any(more))
    if not wanted and name not in app.updates:
        return
    # An AM's container has another key here than in its request.
    known = app.updates.pop(name, container).key
    key = update_key(known, name)
    place = Locality(nodes=((container.node, 1),), relax=False)
    partition = _partition(app, container, cluster.nodes.get(container.node), lent)
    put_outstanding(app, key, wanted, more, partition, place)
    if wanted:
        app.updates[name] = container._replace(key=known)


def _partition(
    app: FiCaSchedulerApp,
    container: Container,
    node: FiCaSchedulerNode | None,
    lent: Collection[str],
) -> str:
    """The partition that a container was asked for in."""
    if node is None:
        return container.partition
    if container.id in app.containers:
        return "" if _is_borrowed(app, container, node) else node.partition
    return container.partition if node.partition in lent else node.partition


def _is_borrowed(app: FiCaSchedulerApp, container: Container, node: FiCaSchedulerNode) -> bool:
    return container.id in app.queue.ignore_exclusivity_containers.get(node.partition, {})


def release(
    app: FiCaSchedulerApp, held: Container, node: FiCaSchedulerNode, cluster: CapacityNodeTracker
) -> None:
    """A container is gone, and wants nothing more."""
    complete_container(app, held, node)
    if app.updates:
        want(app, held, app.zero, cluster)


def swap_container(app: FiCaSchedulerApp, granted: Container, node: FiCaSchedulerNode) -> Increase:
    """Count what was granted for an update as its container's (Hadoop: swapContainer)."""
    wanted = app.updates.pop(granted.key.name)
    borrowed = _is_borrowed(app, granted, node)
    # Out with what was granted under the update's key; then its size is charged to the container
    # itself, so that at no moment both count.
    complete_container(app, granted, node)
    held = app.containers.get(wanted.id)
    if held is not None:
        return Increase(_recount(app, held, node, add(held.size, granted.size)))
    # No container of that id is charged here: it was opportunistic, and is guaranteed from now on.
    promoted = wanted._replace(size=granted.size, partition=granted.partition)
    _count(app, promoted, node)
    if borrowed:
        app.queue.add_ignore_exclusivity_container(promoted)
    return Increase(promoted)


def grant_without_offer(
    app: FiCaSchedulerApp, cluster: CapacityNodeTracker, step: Vector
) -> list[Increase]:
    """Grant an increase at once when it needs none of the types that its node has run out of.

    Hadoop does not look at nodes without room for the minimum allocation (*step*), nor are nodes
    without a free pod slot offered, so that no other ask could have what is left there, and this
    one would wait for ever.
    """
    made = []
    # The list, because `want` below takes entries out.
    for name, wanted in list(app.updates.items()):
        held, node = app.containers.get(wanted.id), cluster.nodes.get(wanted.node)
        if held is None or node is None or not _is_passed_over(node, app, step):
            continue
        more = app.asks[update_key(wanted.key, name)].size
        if not _may_grow(app, held, node, more):
            continue
        want(app, wanted, app.zero, cluster)
        made.append(Increase(_recount(app, held, node, add(held.size, more))))
    return made


def _is_passed_over(node: FiCaSchedulerNode, app: FiCaSchedulerApp, step: Vector) -> bool:
    open_to_all = node.node.schedulable and node.reservation is None
    return open_to_all and (node.free_slots <= 0 or app.queue.calc.available(node.free, step) <= 0)


def _may_grow(
    app: FiCaSchedulerApp, held: Container, node: FiCaSchedulerNode, more: Vector
) -> bool:
    if not fits(more, node.free):
        return False
    leaf, partition = app.queue, held.partition
    # Each type by itself, as `commit` does, and not what the calculator of offers counts.
    for queue in leaf.chain:
        if not fits(add(queue.use(partition), more), queue.maximum(partition)):
            return False
    used = leaf.users.get(app.user).used.get(partition, leaf.zero)
    limit = leaf.users.limit(app.user, partition, whole=False)
    return leaf.calc.compare(leaf.cluster.total, used, limit) <= 0


def _recount(
    app: FiCaSchedulerApp, held: Container, node: FiCaSchedulerNode, size: Vector
) -> Container:
    # Asked before the container is gone, which forgets it.
    borrowed = _is_borrowed(app, held, node)
    complete_container(app, held, node)
    held = held._replace(size=size)
    _count(app, held, node)
    if borrowed:
        app.queue.add_ignore_exclusivity_container(held)
    return held


def _count(app: FiCaSchedulerApp, container: Container, node: FiCaSchedulerNode) -> None:
    accounts.charge(app, container, node)
    app.queue.needs_reordering(app)
