"""Selects containers of queues that hold more than their ideal assignment.

Hadoop: FifoCandidatesSelector. In a leaf, containers in a shared partition that it has borrowed go
first, then application by application, the least important first: its reservations, then its
containers, the newest first. AM containers go last of all, and only as long as the leaf's AMs hold
more than its AM share: an application without AM starts over, so it is the dearest to lose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.capacity.preemption.context import containers_to_preempt

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.preemption.context import PreemptionContext


def select_candidates(context: PreemptionContext, wait_ms: int, *, balance: bool = False) -> None:
    """Select, leaf by leaf, what the ideal assignment says is too much.

    With *balance* queues that are satisfied are balanced among each other, too (Hadoop:
    `preemption-to-balance-queue-after-satisfied`).
    """
    reserved = context.config.additional_balance_on_reserved and not balance
    # Anew for each selector, and less what those before it selected: otherwise the same need would
    # be met twice.
    context.compute_ideal_allocation(consider_reserved=reserved, balance=balance)
    context.deduct_selected()
    for leaf in context.leaves:
        if not leaf.settings.preemption_disabled:
            _select_of_leaf(context, leaf, wait_ms)


def _select_of_leaf(context: PreemptionContext, leaf: LeafQueue, wait_ms: int) -> None:
    """Select of one leaf until as much is obtained as it has too much of."""
    to_obtain = context.to_obtain(leaf)
    # Containers in a partition that they did not ask for go first: nobody was promised that room.
    for partition in list(to_obtain):
        borrowed = leaf.ignore_exclusivity_containers.get(partition, {})
        for container in sorted(borrowed.values(), key=lambda c: c.id, reverse=True):
            _try_container(context, to_obtain, container, wait_ms)
    am_containers: list[Container] = []
    am_size = leaf.zero
    # The order that scheduling would see now; a stale one could take from who comes first.
    leaf.reorder_changed()
    for app in reversed(leaf.active):
        if not to_obtain:
            break
        am_size = add(am_size, _select_of_app(context, app, to_obtain, am_containers, wait_ms))
    # Of the default partition, whichever partition is to be obtained (Hadoop does so).
    am_limit = multiply(leaf.minimum(""), leaf.settings.maximum_am_share)
    for container in am_containers:
        if not to_obtain:
            break
        if context.calc.compare(context.cluster.total, am_size, am_limit) <= 0:
            break
        if _try_container(context, to_obtain, container, wait_ms):
            am_size = subtract(am_size, container.size)


def _select_of_app(
    context: PreemptionContext,
    app: FiCaSchedulerApp,
    to_obtain: dict[str, Vector],
    am_containers: list[Container],
    wait_ms: int,
) -> Vector:
    """Select of one application; its AM is put into *am_containers*, and its size is returned."""
    am_size = app.zero
    for held in app.reservations.values():
        for reservation in held.values():
            if not to_obtain:
                return am_size
            context.try_to_obtain(
                to_obtain,
                reservation.partition,
                reservation.size,
                conservative=context.config.conservative_drf,
            )
            # Hadoop gives it up whether or not it counts for what is to be obtained.
            context.unreserved.append(reservation)
    for container in containers_to_preempt(app):
        if not to_obtain:
            return am_size
        if container.id in context.selected or context.is_killable(container):
            continue
        if container.am:
            am_containers.append(container)
            am_size = add(am_size, container.size)
            continue
        _try_container(context, to_obtain, container, wait_ms)
    return am_size


def _try_container(
    context: PreemptionContext,
    to_obtain: dict[str, Vector],
    container: Container,
    wait_ms: int,
) -> bool:
    if container.id in context.selected:
        return False
    taken = context.try_to_obtain(
        to_obtain,
        container.partition,
        container.size,
        conservative=context.config.conservative_drf,
    )
    if taken:
        context.select(container, wait_ms)
    return taken
