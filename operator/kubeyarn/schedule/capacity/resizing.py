"""Containers that change their size where they are (Hadoop: ContainerUpdateContext)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import add, fits, subtract
from kubeyarn.schedule.capacity.commit import charge, complete

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedule.capacity.application import LedgerApplication
    from kubeyarn.schedule.capacity.nodes import LedgerNode


def resize(app: LedgerApplication, held: Container, node: LedgerNode, size: Vector) -> bool:
    """Charge a container for another size; False, and nothing changed, where more is not to be had.

    More is had within the room of its node, which must not be kept for others, and within the
    limits of its queues and user; less always.
    """
    more = tuple(max(0, x) for x in subtract(size, held.size))
    if any(more) and not _may_grow(app, held, node, more):
        return False
    borrowed = held.id in app.queue.borrowed.get(held.partition, {})
    complete(app, held, node)
    held = held._replace(size=size)
    app.hold(held)
    node.hold(held)
    charge(app.queue, app, size, held.partition)
    if borrowed:
        app.queue.note_borrowed(held)
    app.queue.needs_reordering(app)
    return True


def _may_grow(app: LedgerApplication, held: Container, node: LedgerNode, more: Vector) -> bool:
    if node.reservation is not None and node.reservation.app is not app:
        return False
    if not fits(more, node.free):
        return False
    leaf, partition = app.queue, held.partition
    for queue in leaf.chain:
        if not fits(add(queue.use(partition), more), queue.maximum(partition)):
            return False
    used = leaf.users.get(app.user).used.get(partition, leaf.zero)
    limit = leaf.users.limit(app.user, partition, whole=False)
    return leaf.calc.compare(leaf.cluster.total, used, limit) <= 0
