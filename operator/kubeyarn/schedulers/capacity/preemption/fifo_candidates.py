"""Choosing containers of queues that hold too much (Hadoop: FifoCandidatesSelector)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.capacity.preemption.demand import try_take

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.preemption.context import Pass


def take_by_queue(state: Pass, wait_ms: int, *, balance: bool = False) -> None:
    """Choose, leaf by leaf, what the ideal assignment says is too much.

    Borrowed containers go first, then newest applications' reservations and containers, AMs last.
    """
    reserved = state.config.additional_balance_on_reserved and not balance
    state.compute(reserved=reserved, balance=balance)
    state.deduct_chosen()
    for leaf in state.leaves:
        if not leaf.settings.preemption_disabled:
            _take_of(state, leaf, wait_ms)


def _take_of(state: Pass, leaf: LeafQueue, wait_ms: int) -> None:
    wanted = state.wanted_of(leaf)
    for partition in list(wanted):
        borrowed = leaf.borrowed.get(partition, {})
        for container in sorted(borrowed.values(), key=lambda c: c.id, reverse=True):
            _take(state, wanted, container, wait_ms)
    skipped: list[Container] = []
    skipped_size = leaf.zero
    leaf.settle_order()
    for app in reversed(leaf.active):
        if not wanted:
            break
        skipped_size = add(skipped_size, _take_of_app(state, app, wanted, skipped, wait_ms))
    most = multiply(leaf.minimum(""), leaf.settings.am_share)
    for container in skipped:
        if not wanted:
            break
        if state.calc.compare(state.cluster.total, skipped_size, most) <= 0:
            break
        if _take(state, wanted, container, wait_ms):
            skipped_size = subtract(skipped_size, container.size)


def _take_of_app(
    state: Pass,
    app: LedgerApplication,
    wanted: dict[str, Vector],
    skipped: list[Container],
    wait_ms: int,
) -> Vector:
    """Choose of one application; AMs are put aside, their size is returned."""
    put_aside = app.zero
    for held in app.reservations.values():
        for reservation in held.values():
            if not wanted:
                return put_aside
            try_take(
                state.calc,
                state.cluster.total,
                wanted,
                reservation.partition,
                reservation.size,
                state.budget,
                conservative=state.config.conservative_drf,
            )
            state.dropped.append(reservation)
    for container in victims_in_order(app):
        if not wanted:
            return put_aside
        if container.id in state.chosen or state.may_be_killed(container):
            continue
        if container.am:
            skipped.append(container)
            put_aside = add(put_aside, container.size)
            continue
        _take(state, wanted, container, wait_ms)
    return put_aside


def victims_in_order(app: LedgerApplication) -> list[Container]:
    """An application's containers: least important request first, of these the newest first."""
    return sorted(app.containers.values(), key=lambda c: (c.key, c.id), reverse=True)


def _take(state: Pass, wanted: dict[str, Vector], container: Container, wait_ms: int) -> bool:
    if container.id in state.chosen:
        return False
    taken = try_take(
        state.calc,
        state.cluster.total,
        wanted,
        container.partition,
        container.size,
        state.budget,
        conservative=state.config.conservative_drf,
    )
    if taken:
        state.choose(container, wait_ms)
    return taken
