"""Containers that change their size where they are (Hadoop: ContainerUpdateContext).

What wants more has an ask under a key of its own, on its node alone. It is served as any other;
what was granted for it is then swapped for the container, grown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import Locality, update_key
from kubeyarn.model.resources import add, fits
from kubeyarn.schedulers.api import Increase
from kubeyarn.schedulers.capacity.allocator.commit import complete
from kubeyarn.schedulers.capacity.attempt_lifecycle import put_outstanding
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.submission import racks_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from kubeyarn.model.containers import Container
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication
    from kubeyarn.schedulers.capacity.objects.node import Cluster, LedgerNode


def shrink(app: LedgerApplication, held: Container, node: LedgerNode, size: Vector) -> None:
    """Charge a container for less."""
    _recount(app, held, node, size)


def want(
    app: LedgerApplication,
    container: Container,
    more: Vector,
    cluster: Cluster,
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
    # An AM's container has another key in the ledger than in its request.
    known = app.updates.pop(name, container).key
    key = update_key(known, name)
    place = Locality(nodes=((container.node, 1),), relax=False)
    partition = _partition(app, container, cluster.nodes.get(container.node), lent)
    put_outstanding(app, key, wanted, more, partition, place, racks_of(place, cluster))
    if wanted:
        app.updates[name] = container._replace(key=known)


def _partition(
    app: LedgerApplication, container: Container, node: LedgerNode | None, lent: Collection[str]
) -> str:
    """The partition that a container was asked for in."""
    if node is None:
        return container.partition
    if container.id in app.containers:
        return "" if _is_borrowed(app, container, node) else node.partition
    return container.partition if node.partition in lent else node.partition


def _is_borrowed(app: LedgerApplication, container: Container, node: LedgerNode) -> bool:
    return container.id in app.queue.borrowed.get(node.partition, {})


def release(app: LedgerApplication, held: Container, node: LedgerNode, cluster: Cluster) -> None:
    """A container is gone, and wants nothing more."""
    complete(app, held, node)
    if app.updates:
        want(app, held, app.zero, cluster)


def swap(app: LedgerApplication, granted: Container, node: LedgerNode) -> Increase:
    """Count what was granted for an update as its container's (Hadoop: swapContainer)."""
    wanted = app.updates.pop(granted.key.name)
    borrowed = _is_borrowed(app, granted, node)
    complete(app, granted, node)
    held = app.containers.get(wanted.id)
    if held is not None:
        return Increase(_recount(app, held, node, add(held.size, granted.size)))
    promoted = wanted._replace(size=granted.size, partition=granted.partition)
    _count(app, promoted, node)
    if borrowed:
        app.queue.note_borrowed(promoted)
    return Increase(promoted)


def grow_beside(app: LedgerApplication, cluster: Cluster, step: Vector) -> list[Increase]:
    """What wants nothing of that of which its node has no *step* left, has it without an offer.

    Hadoop does not look at nodes without room for the minimum allocation, so that no other ask
    could have it, and this one would wait for ever.
    """
    made = []
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


def _is_passed_over(node: LedgerNode, app: LedgerApplication, step: Vector) -> bool:
    open_to_all = node.node.schedulable and node.reservation is None
    return open_to_all and app.queue.calc.available(node.free, step) <= 0


def _may_grow(app: LedgerApplication, held: Container, node: LedgerNode, more: Vector) -> bool:
    if not fits(more, node.free):
        return False
    leaf, partition = app.queue, held.partition
    for queue in leaf.chain:
        if not fits(add(queue.use(partition), more), queue.maximum(partition)):
            return False
    used = leaf.users.get(app.user).used.get(partition, leaf.zero)
    limit = leaf.users.limit(app.user, partition, whole=False)
    return leaf.calc.compare(leaf.cluster.total, used, limit) <= 0


def _recount(app: LedgerApplication, held: Container, node: LedgerNode, size: Vector) -> Container:
    borrowed = _is_borrowed(app, held, node)
    complete(app, held, node)
    held = held._replace(size=size)
    _count(app, held, node)
    if borrowed:
        app.queue.note_borrowed(held)
    return held


def _count(app: LedgerApplication, container: Container, node: LedgerNode) -> None:
    accounts.charge(app, container, node)
    app.queue.needs_reordering(app)
