"""Selects containers on nodes where the room they leave fulfils the node's reservation.

Hadoop: ReservedContainerCandidatesSelector. Nodes are tried in order of cost: what would have to be
preempted over what is reserved. First all nodes are priced without counting anything, then they
are gone through again, and what is selected on one is no more there to be taken on the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, fits, subtract
from kubeyarn.schedulers.capacity.objects.preemptable_containers import total_size

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.preemption.context import PreemptionContext

ToObtain = dict[str, dict[str, Vector]]
"""What may still be taken, by leaf and partition."""


def select_candidates(context: PreemptionContext, wait_ms: int) -> None:
    """Select, the cheapest nodes first, what lets nodes' reservations be fulfilled."""
    context.compute_ideal_allocation(consider_reserved=True)
    to_obtain = {leaf.path: context.to_obtain(leaf) for leaf in context.leaves}
    priced: list[tuple[float, int, FiCaSchedulerNode]] = []
    for node in context.cluster.nodes.values():
        if node.reservation is None:
            continue
        # A look at the price: nothing is counted against leaves or the budget yet.
        found = _select_on_node(context, node, to_obtain, read_only=True)
        if found is not None:
            priced.append((found[0], node.position, node))
    for _, _, node in sorted(priced, key=lambda entry: entry[:2]):
        # Looked at anew, since cheaper nodes may have used up what a leaf or the budget had left.
        found = _select_on_node(context, node, to_obtain, read_only=False)
        for container in found[1] if found is not None else ():
            context.select(container, wait_ms)


def _select_on_node(
    context: PreemptionContext, node: FiCaSchedulerNode, to_obtain: ToObtain, *, read_only: bool
) -> tuple[float, list[Container]] | None:
    """The cost of a node and its victims; None when they would not suffice."""
    reservation = node.reservation
    free, selected_size = node.free, context.cluster.zero
    if node.killable:
        free = add(free, total_size(node.killable, context.cluster.zero))
    if reservation is None or context.calc.holds(free, reservation.size):
        return None
    selected: list[Container] = []
    # The newest first: they have done the least work.
    for container in sorted(node.containers.values(), key=lambda c: c.id, reverse=True):
        if container.id in node.killable:
            continue
        if container.am or not _may_take(context, container, to_obtain, read_only=read_only):
            continue
        # What another selector chose costs nothing here, and makes room all the same.
        if container.id not in context.selected:
            if not read_only:
                selected.append(container)
            selected_size = add(selected_size, container.size)
        free = add(free, container.size)
        if context.calc.holds(free, reservation.size):
            return context.calc.ratio(selected_size, reservation.size), selected
    for container in selected:
        _give_back(context, container, to_obtain)
    return None


def _may_take(
    context: PreemptionContext, container: Container, to_obtain: ToObtain, *, read_only: bool
) -> bool:
    """Whether the leaf and the budget have the container's size left; counts it if so."""
    leaf = context.leaf_of(container)
    left = to_obtain.get(leaf.path, {}) if leaf is not None else {}
    size = container.size
    if container.partition not in left or not fits(size, left[container.partition]):
        return False
    if not fits(size, context.total_preemption_allowed):
        return False
    if not read_only:
        left[container.partition] = subtract(left[container.partition], size)
        context.spend(size)
    return True


def _give_back(context: PreemptionContext, container: Container, to_obtain: ToObtain) -> None:
    """Let the leaf lose as much as before. The budget stays spent, as in Hadoop."""
    leaf = context.leaf_of(container)
    if leaf is not None:
        left = to_obtain[leaf.path]
        left[container.partition] = add(left[container.partition], container.size)
