"""Selects containers of queues of lower priority that stand in the way of an old reservation.

Hadoop: QueuePriorityContainerCandidateSelector (`underutilized-preemption`). A leaf is *above*
another when, where their paths part, its side has the higher priority. A reservation counts when it
is older than `underutilized_delay_ms` and its leaf, with what this pass has obtained for it, is
below its guarantee. On one node room is made for one reservation in a pass.
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, subtract

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.schedulers.capacity.objects.app_attempt import Reservation
    from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.preemption.context import PreemptionContext
    from kubeyarn.schedulers.capacity.preemption.ideal_assignment import TempQueuePerPartition

Above = set[tuple[str, str]]
"""Pairs of leaves' paths: the first has the higher priority where their paths part."""


def select_candidates(context: PreemptionContext, now_ms: int, wait_ms: int) -> None:
    """Select for old reservations of queues of higher priority that are below their guarantee."""
    above = _priority_digraph(context)
    if not above:
        return
    zero = context.cluster.zero
    obtained: dict[tuple[str, str], Vector] = {}
    touched_nodes: set[str] = set()
    for reservation, node in _old_reservations(context, above, now_ms):
        path = reservation.app.queue.path
        queue = context.temp_queue(path, node.partition)
        so_far = obtained.get((path, node.partition), zero)
        # Reservations hold nothing yet, so they do not make a queue satisfied; what this pass found
        # for it does.
        promised = add(subtract(queue.used, queue.reserved), so_far)
        if context.calc.compare(context.cluster.total, promised, queue.guaranteed) >= 0:
            continue
        if node.name in touched_nodes:
            continue
        victims = _victims(context, reservation, node, above)
        if victims is None:
            continue
        # One reservation for each node: the next one there would count on the same containers.
        touched_nodes.add(node.name)
        obtained[path, node.partition] = add(so_far, reservation.size)
        for container in victims:
            context.select(container, wait_ms)
            context.spend(container.size)


def _priority_digraph(context: PreemptionContext) -> Above:
    above: Above = set()
    leaves = [context.temp_queue(leaf.path, "") for leaf in context.leaves]
    for one in leaves:
        for other in leaves:
            if one is not other and _priority_at_parting(one, other) > 0:
                above.add((one.path, other.path))
    return above


def _priority_at_parting(one: TempQueuePerPartition, other: TempQueuePerPartition) -> int:
    mine, theirs = one.path_down(), other.path_down()
    # It ends: two leaves part somewhere, because neither is above the other.
    place = 0
    while mine[place] is theirs[place]:
        place += 1
    return mine[place].priority - theirs[place].priority


def _old_reservations(
    context: PreemptionContext, above: Above, now_ms: int
) -> list[tuple[Reservation, FiCaSchedulerNode]]:
    """Reservations that may take of others; higher queues first, then the older first."""
    superior = {path for path, _ in above}
    found = [
        (node.reservation, node)
        for node in context.cluster.nodes.values()
        if node.reservation is not None
        and node.reservation.app.queue.path in superior
        and now_ms - node.reservation.made_ms >= context.config.underutilized_delay_ms
    ]

    def compare(
        a: tuple[Reservation, FiCaSchedulerNode], b: tuple[Reservation, FiCaSchedulerNode]
    ) -> int:
        mine, theirs = a[0].app.queue.path, b[0].app.queue.path
        if (mine, theirs) in above:
            return -1
        if (theirs, mine) in above:
            return 1
        return (a[0].made_ms > b[0].made_ms) - (a[0].made_ms < b[0].made_ms)

    return sorted(found, key=cmp_to_key(compare))


def _victims(
    context: PreemptionContext, reservation: Reservation, node: FiCaSchedulerNode, above: Above
) -> list[Container] | None:
    """Oldest containers of lower queues whose room suffices; None when it does not."""
    lacking = subtract(reservation.size, node.free)
    zero = context.cluster.zero
    containers = list(node.containers.values())
    for container in containers:
        # It goes anyway, so its room is as good as free.
        if container.id in context.selected:
            lacking = subtract(lacking, container.size)
    victims: list[Container] = []
    if context.calc.fits(lacking, zero):
        return victims
    allowed = context.total_preemption_allowed
    for container in containers:
        leaf = context.leaf_of(container)
        if container.id in context.selected or container.am or leaf is None:
            continue
        if (reservation.app.queue.path, leaf.path) not in above:
            continue
        if context.calc.compare(context.cluster.total, allowed, container.size) >= 0:
            allowed = subtract(allowed, container.size)
            lacking = subtract(lacking, container.size)
            victims.append(container)
        if context.calc.fits(lacking, zero):
            return victims
    return None
