"""Choosing containers that stand in the way of reservations.

Hadoop: ReservedContainerCandidatesSelector and QueuePriorityContainerCandidateSelector.
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.capacity.objects.preemptable_containers import size_of
from kubeyarn.schedulers.capacity.preemption.claims import Claim

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.schedulers.capacity.objects.app_attempt import Reservation
    from kubeyarn.schedulers.capacity.objects.node import LedgerNode
    from kubeyarn.schedulers.capacity.preemption.context import Pass


def take_by_reservation(state: Pass, wait_ms: int) -> None:
    """Choose, on nodes with reservations, what lets these be fulfilled; cheapest nodes first."""
    state.compute(reserved=True)
    quota = {leaf.path: state.wanted_of(leaf) for leaf in state.leaves}
    priced: list[tuple[float, int, LedgerNode]] = []
    for node in state.cluster.nodes.values():
        if node.reservation is None:
            continue
        found = _on_node(state, node, quota, read_only=True)
        if found is not None:
            priced.append((found[0], node.position, node))
    for _, _, node in sorted(priced, key=lambda entry: entry[:2]):
        found = _on_node(state, node, quota, read_only=False)
        for container in found[1] if found is not None else ():
            state.choose(container, wait_ms)


def _on_node(
    state: Pass, node: LedgerNode, quota: dict[str, dict[str, Vector]], *, read_only: bool
) -> tuple[float, list[Container]] | None:
    """The cost of a node and its victims; None when they would not suffice."""
    reservation = node.reservation
    free, selected_size = node.free, state.cluster.zero
    if node.killable:
        free = add(free, size_of(node.killable, state.cluster.zero))
    if reservation is None or state.calc.fits(reservation.size, free):
        return None
    selected: list[Container] = []
    for container in sorted(node.containers.values(), key=lambda c: c.id, reverse=True):
        if container.id in node.killable:
            continue
        if container.am or not _within_quota(state, container, quota, read_only=read_only):
            continue
        if container.id not in state.chosen:
            if not read_only:
                selected.append(container)
            selected_size = add(selected_size, container.size)
        free = add(free, container.size)
        if state.calc.fits(reservation.size, free):
            return state.calc.ratio(selected_size, reservation.size), selected
    for container in selected:
        _give_back(state, container, quota)
    return None


def _within_quota(
    state: Pass, container: Container, quota: dict[str, dict[str, Vector]], *, read_only: bool
) -> bool:
    queue = state.queue_of(container)
    left = quota.get(queue.path, {}) if queue is not None else {}
    size = container.size
    if container.partition not in left or not _within(size, left[container.partition]):
        return False
    if not _within(size, state.budget.left):
        return False
    if not read_only:
        left[container.partition] = subtract(left[container.partition], size)
        state.budget.left = subtract(state.budget.left, size)
    return True


def _give_back(state: Pass, container: Container, quota: dict[str, dict[str, Vector]]) -> None:
    queue = state.queue_of(container)
    if queue is not None:
        left = quota[queue.path]
        left[container.partition] = add(left[container.partition], container.size)


def _within(size: Vector, room: Vector) -> bool:
    return all(x <= y for x, y in zip(size, room, strict=True))


def take_by_priority(state: Pass, now_ms: int, wait_ms: int) -> None:
    """Choose for old reservations of queues of higher priority that are below their guarantee."""
    above = _priority_edges(state)
    if not above:
        return
    marked: dict[tuple[str, str], Vector] = {}
    touched: set[str] = set()
    for reservation, node in _old_reservations(state, above, now_ms):
        path = reservation.app.queue.path
        claim = state.claim(path, node.partition)
        held = subtract(claim.used, claim.reserved)
        promised = add(held, marked.get((path, node.partition), state.cluster.zero))
        if state.calc.compare(state.cluster.total, promised, claim.guaranteed) >= 0:
            continue
        victims = None if node.name in touched else _victims(state, reservation, node, above)
        if victims is None:
            continue
        touched.add(node.name)
        so_far = marked.get((path, node.partition), state.cluster.zero)
        marked[path, node.partition] = add(so_far, reservation.size)
        for container in victims:
            state.choose(container, wait_ms)
            state.budget.left = subtract(state.budget.left, container.size)


def _priority_edges(state: Pass) -> set[tuple[str, str]]:
    """Pairs of leaves of which the first has the higher priority where their paths part."""
    edges: set[tuple[str, str]] = set()
    claims = [state.claim(leaf.path, "") for leaf in state.leaves]
    for one in claims:
        for other in claims:
            if one is not other and _priority_at_parting(one, other) > 0:
                edges.add((one.path, other.path))
    return edges


def _priority_at_parting(one: Claim, other: Claim) -> int:
    mine, theirs = _path(one), _path(other)
    place = 0
    while mine[place] is theirs[place]:
        place += 1
    return mine[place].priority - theirs[place].priority


def _path(claim: Claim) -> list[Claim]:
    path = [claim]
    while path[-1].parent is not None:
        path.append(path[-1].parent)
    return path[::-1]


def _old_reservations(
    state: Pass, above: set[tuple[str, str]], now_ms: int
) -> list[tuple[Reservation, LedgerNode]]:
    superior = {path for path, _ in above}
    found = [
        (node.reservation, node)
        for node in state.cluster.nodes.values()
        if node.reservation is not None
        and node.reservation.app.queue.path in superior
        and now_ms - node.reservation.made_ms >= state.config.underutilized_delay_ms
    ]

    def compare(a: tuple[Reservation, LedgerNode], b: tuple[Reservation, LedgerNode]) -> int:
        mine, theirs = a[0].app.queue.path, b[0].app.queue.path
        if (mine, theirs) in above:
            return -1
        if (theirs, mine) in above:
            return 1
        return (a[0].made_ms > b[0].made_ms) - (a[0].made_ms < b[0].made_ms)

    return sorted(found, key=cmp_to_key(compare))


def _victims(
    state: Pass, reservation: Reservation, node: LedgerNode, above: set[tuple[str, str]]
) -> list[Container] | None:
    """Oldest containers of lower queues that make room; None when they do not suffice."""
    lacking = subtract(reservation.size, node.free)
    zero = state.cluster.zero
    containers = list(node.containers.values())
    for container in containers:
        if container.id in state.chosen:
            lacking = subtract(lacking, container.size)
    victims: list[Container] = []
    if state.calc.fits(lacking, zero):
        return victims
    allowed = state.budget.left
    for container in containers:
        queue = state.queue_of(container)
        if container.id in state.chosen or container.am or queue is None:
            continue
        if (reservation.app.queue.path, queue.path) not in above:
            continue
        if state.calc.compare(state.cluster.total, allowed, container.size) >= 0:
            allowed = subtract(allowed, container.size)
            lacking = subtract(lacking, container.size)
            victims.append(container)
        if state.calc.fits(lacking, zero):
            return victims
    return None
