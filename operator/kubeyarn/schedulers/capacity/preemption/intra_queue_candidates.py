"""Choosing containers within a queue, for more important applications or underserved users.

Hadoop: IntraQueueCandidatesSelector and FifoIntraQueuePreemptionPlugin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key
from typing import TYPE_CHECKING

from kubeyarn.model.queues import ApplicationOrdering, IntraQueueOrder
from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.calculator import at_least, at_most, multiply
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.preemption.context import Pass, applications
from kubeyarn.schedulers.capacity.preemption.demand import try_take
from kubeyarn.schedulers.capacity.preemption.fifo_candidates import victims_in_order
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication
    from kubeyarn.schedulers.capacity.preemption.claims import Claim


@dataclass(slots=True)
class UserClaim:
    """One user in one leaf: *limit* leaves out what its AMs hold."""

    used: Vector
    am_used: Vector
    limit: Vector
    ideal: Vector
    selected: Vector
    delta_done: bool = False

    def limit_reached(self, state: Pass) -> bool:
        """Whether the user holds more than its limit, AMs left out on both sides."""
        held = subtract(self.used, self.am_used)
        return state.calc.compare(state.cluster.total, held, self.limit) > 0


@dataclass(slots=True)
class AppClaim:
    """One application in one leaf: *from_others* is what it should get, *actual* what it gives."""

    app: LedgerApplication
    used: Vector
    am_used: Vector
    pending: Vector
    ideal: Vector
    selected: Vector
    to_take: Vector
    from_others: Vector
    actual: Vector

    def used_but_am(self) -> Vector:
        """What is held apart from the AM."""
        return subtract(self.used, self.am_used)


def take_in_queue(state: Pass, wait_ms: int) -> None:
    """Choose within every underserved leaf that is used enough."""
    claims: dict[tuple[str, str], tuple[list[AppClaim], dict[str, UserClaim]]] = {}
    by_path = {leaf.path: leaf for leaf in state.leaves}
    for partition in state.claims:
        for path in list(state.underserved.get(partition, ())):
            leaf = by_path.get(path)
            if leaf is None:
                continue
            used = leaf.used_capacity(partition)
            if used < single(state.config.intra_queue_minimum_threshold):
                continue
            claims[partition, path] = _demand(state, leaf, partition)
    _deduct(state, claims)
    for partition in state.claims:
        for path in list(state.underserved.get(partition, ())):
            leaf = by_path.get(path)
            if leaf is None or leaf.settings.intra_queue_preemption_disabled:
                continue
            apps, users = claims.get((partition, path), ([], {}))
            _take(state, leaf, partition, apps, users, wait_ms)


def _deduct(
    state: Pass, claims: dict[tuple[str, str], tuple[list[AppClaim], dict[str, UserClaim]]]
) -> None:
    """Count what was chosen before against what applications give."""
    for container, _ in state.chosen.values():
        queue = state.queue_of(container)
        if queue is None:
            continue
        claim = state.claim(queue.path, container.partition)
        claim.deduct(state.calc, container.size)
        for app in claims.get((container.partition, queue.path), ([], {}))[0]:
            if state.calc.compare(claim.total, app.actual, container.size) > 0:
                app.actual = subtract(app.actual, container.size)


def _demand(
    state: Pass, leaf: LeafQueue, partition: str
) -> tuple[list[AppClaim], dict[str, UserClaim]]:
    """What each application should have, and what it gives; least important first."""
    apps = applications(leaf)
    claim = state.claim(leaf.path, partition)
    users: dict[str, UserClaim] = {}
    am_of: dict[str, Vector] = {}
    am_total = leaf.zero
    for app in leaf.active:
        am_size = _am_size(app, partition)
        am_of[app.user] = add(am_of.get(app.user, leaf.zero), am_size)
        am_total = add(am_total, am_size)
    if len(apps) == 1:
        return [], users
    reassignable = subtract(subtract(claim.used, claim.taken), am_total)
    claimed = [_app_claim(leaf, app, partition) for app in apps]
    for one in claimed:
        if one.app.user not in users:
            users[one.app.user] = _user_claim(leaf, one.app.user, partition, am_of)
    ordered = _by_importance(state, leaf, claimed, users)
    _set_ideal(state, ordered, users, reassignable, partition)
    ordered.reverse()
    _set_to_take(state, leaf, ordered, claim)
    _match(state, ordered, users)
    return ordered, users


def _am_size(app: LedgerApplication, partition: str) -> Vector:
    return app.am_size if app.am_partition == partition else app.zero


def _app_claim(leaf: LeafQueue, app: LedgerApplication, partition: str) -> AppClaim:
    zero = leaf.zero
    return AppClaim(
        app=app,
        used=app.used.get(partition, zero),
        am_used=zero if app.waiting_for_am else _am_size(app, partition),
        pending=app.pending.get(partition, zero),
        ideal=zero,
        selected=zero,
        to_take=zero,
        from_others=zero,
        actual=zero,
    )


def _user_claim(leaf: LeafQueue, name: str, partition: str, am_of: dict[str, Vector]) -> UserClaim:
    zero = leaf.zero
    am_used = am_of.get(name, zero)
    limit = leaf.users.limit(name, partition, whole=False, everyone=True)
    used = leaf.users.get(name).used.get(partition, zero)
    return UserClaim(used, am_used, subtract(limit, am_used), zero, zero)


def _by_importance(
    state: Pass, leaf: LeafQueue, claims: list[AppClaim], users: dict[str, UserClaim]
) -> list[AppClaim]:
    fair = leaf.settings.application_ordering is ApplicationOrdering.FAIR
    users_first = state.config.intra_queue_order is IntraQueueOrder.USER_LIMIT_FIRST
    if not (fair and users_first):
        return sorted(claims, key=lambda c: (-c.app.priority, c.app.app.order, c.app.app.id))

    def compare(a: AppClaim, b: AppClaim) -> int:
        if a.app.user == b.app.user:
            return 1 if leaf.active_key(a.app) > leaf.active_key(b.app) else -1
        mine, theirs = users[a.app.user], users[b.app.user]
        by_user = state.calc.compare(
            state.cluster.total,
            subtract(mine.used, mine.am_used),
            subtract(theirs.used, theirs.am_used),
        )
        return by_user or (1 if a.app.app.id > b.app.app.id else -1)

    return sorted(claims, key=cmp_to_key(compare))


def _set_ideal(
    state: Pass,
    ordered: list[AppClaim],
    users: dict[str, UserClaim],
    reassignable: Vector,
    partition: str,
) -> None:
    calc, total = state.calc, state.cluster.total
    zero = (0,) * len(reassignable)
    for one in ordered:
        if calc.compare(total, reassignable, zero) <= 0 or calc.any_zero_or_below(reassignable):
            continue
        user = users[one.app.user]
        _count_selected(state, one, user, partition)
        if calc.compare(total, user.ideal, user.limit) >= 0:
            continue
        wanted = subtract(add(one.used_but_am(), one.pending), one.selected)
        allowed = at_most(calc, total, wanted, subtract(user.limit, user.ideal))
        one.ideal = at_most(calc, total, reassignable, allowed)
        user.ideal = add(user.ideal, one.ideal)
        held = subtract(one.used_but_am(), one.selected)
        if calc.compare(total, one.ideal, held) > 0:
            one.from_others = subtract(one.ideal, held)
        reassignable = tuple(max(0, x) for x in subtract(reassignable, one.ideal))


def _count_selected(state: Pass, one: AppClaim, user: UserClaim, partition: str) -> None:
    for container, _ in state.chosen.values():
        if container.id in one.app.containers and container.partition == partition:
            one.selected = add(one.selected, container.size)
            user.selected = add(user.selected, container.size)


def _set_to_take(state: Pass, leaf: LeafQueue, ordered: list[AppClaim], claim: Claim) -> None:
    calc, total, zero = state.calc, state.cluster.total, leaf.zero
    share = single(state.config.intra_queue_maximum_allowable)
    most = multiply(claim.guaranteed, share)
    more = calc.compare(total, most, claim.taken) > 0
    most = subtract(most, claim.taken) if more else zero
    left = at_most(calc, total, most, state.budget.left)
    for one in ordered:
        if calc.compare(total, left, zero) <= 0 or calc.compare(total, one.used, zero) <= 0:
            continue
        given = subtract(one.used, one.ideal)
        given = _less(_less(given, one.selected), one.am_used)
        if state.config.intra_queue_order is IntraQueueOrder.USER_LIMIT_FIRST:
            given = _less(given, leaf.step)
        one.to_take = at_most(calc, total, at_least(calc, total, given, zero), left)
        left = _less(left, one.to_take)


def _less(a: Vector, b: Vector) -> Vector:
    return tuple(max(0, x - y) for x, y in zip(a, b, strict=True))


def _match(state: Pass, ordered: list[AppClaim], users: dict[str, UserClaim]) -> None:
    """Let the most important that want more take of the least important that hold too much."""
    zero = state.cluster.zero
    for taker in reversed(ordered):
        if state.calc.compare(state.cluster.total, taker.from_others, zero) <= 0:
            continue
        for giver in ordered:
            if state.calc.compare(state.cluster.total, giver.to_take, zero) > 0:
                _match_two(state, taker, giver, users[giver.app.user])


def _match_two(state: Pass, taker: AppClaim, giver: AppClaim, user: UserClaim) -> None:
    calc, total, zero = state.calc, state.cluster.total, state.cluster.zero
    same_user = taker.app.user == giver.app.user
    if same_user and giver.app.priority >= taker.app.priority:
        return
    if calc.compare(total, giver.to_take, giver.actual) <= 0 or taker.from_others == zero:
        return
    users_first = state.config.intra_queue_order is IntraQueueOrder.USER_LIMIT_FIRST
    reached = user.limit_reached(state)
    if not same_user and not reached and users_first:
        return
    available = subtract(giver.to_take, giver.actual)
    if not same_user and giver.app.priority == taker.app.priority and reached:
        delta = subtract(subtract(subtract(user.used, user.am_used), user.selected), user.limit)
        if user.delta_done:
            delta = zero
        if calc.compare(total, delta, available) < 0:
            user.delta_done = True
            available = delta
    if calc.compare(total, available, zero) > 0:
        amount = at_most(calc, total, taker.from_others, available)
        taker.from_others = subtract(taker.from_others, amount)
        giver.actual = add(giver.actual, amount)


def _take(
    state: Pass,
    leaf: LeafQueue,
    partition: str,
    apps: list[AppClaim],
    users: dict[str, UserClaim],
    wait_ms: int,
) -> None:
    wanted = {partition: leaf.zero}
    for one in apps:
        wanted[partition] = add(wanted[partition], one.actual)
    rolling = {
        name: user.used.get(partition, leaf.zero) for name, user in leaf.users.by_name.items()
    }
    for one in apps:
        if any(one.actual):
            _take_of_app(state, one.app, wanted, users, rolling, wait_ms)


def _take_of_app(
    state: Pass,
    app: LedgerApplication,
    wanted: dict[str, Vector],
    users: dict[str, UserClaim],
    rolling: dict[str, Vector],
    wait_ms: int,
) -> None:
    calc, total = state.calc, state.cluster.total
    users_first = state.config.intra_queue_order is IntraQueueOrder.USER_LIMIT_FIRST
    for container in victims_in_order(app):
        if not wanted:
            return
        if container.id in state.chosen or container.am or state.may_be_killed(container):
            continue
        user = users.get(app.user)
        if user is not None and users_first:
            left = subtract(rolling[app.user], container.size)
            if calc.compare(total, left, add(user.limit, user.am_used)) <= 0:
                break
        taken = try_take(
            calc,
            total,
            wanted,
            container.partition,
            container.size,
            state.budget,
            conservative=state.config.intra_queue_conservative_drf,
        )
        if taken:
            state.choose(container, wait_ms)
            if users_first:
                rolling[app.user] = subtract(rolling[app.user], container.size)
