"""Selects containers within a queue, for more important applications or users below their limit.

Hadoop: IntraQueueCandidatesSelector and FifoIntraQueuePreemptionPlugin.

Theory of operation: only leaves that an earlier computation found underserved are looked at, and
only while they use more than `intra_queue_minimum_threshold` of their guarantee: below it there is
room elsewhere. For each, three steps on copies of its applications (`TempAppPerPartition`):

1. `_set_ideal` gives out what the leaf holds, less its AMs and what other selectors take of it, the
   most important application first, each as far as its user's limit goes. An application that
   should have more than it has wants the rest *from others*.
2. `_set_to_be_preempted` says what each could lose: what it holds beyond its ideal. With user
   limits first, one step (minimum allocation) stays with it, so that a user is never pushed below
   its limit by a rounding.
3. `_match` lets the most important that want something take of the least important that can lose
   something. Applications of one user trade by priority only; those of different users, with user
   limits first, only if the one who loses is over its limit.

Then containers are selected application by application, the least important first, never its AM.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import TYPE_CHECKING

from kubeyarn.model.queues import ApplicationOrdering, IntraQueueOrder
from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.capacity.preemption.context import containers_to_preempt
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.preemption.context import PreemptionContext
    from kubeyarn.schedulers.capacity.preemption.ideal_assignment import TempQueuePerPartition


@dataclass(slots=True)
class TempUserPerPartition:
    """One user in one leaf. *user_limit* leaves out what its AMs hold.

    *quota_for_delta_done*: what the user held beyond its limit was taken for users of the same
    priority already (Hadoop: isPreemptionQuotaForULDeltaDone).
    """

    used: Vector
    am_used: Vector
    user_limit: Vector
    ideal_assigned: Vector = field(init=False)
    selected: Vector = field(init=False)
    quota_for_delta_done: bool = False

    def __post_init__(self) -> None:
        self.ideal_assigned = self.selected = (0,) * len(self.used)

    def used_deduct_am(self) -> Vector:
        """What is held apart from AMs."""
        return subtract(self.used, self.am_used)


@dataclass(slots=True)
class TempAppPerPartition:
    """One application in one leaf.

    *to_be_preempted* is what it could lose, *to_be_preempted_from_other* what it should get and
    *actually_to_be_preempted* what it loses to others.
    """

    app: FiCaSchedulerApp
    used: Vector
    am_used: Vector
    pending: Vector
    ideal_assigned: Vector = field(init=False)
    selected: Vector = field(init=False)
    to_be_preempted: Vector = field(init=False)
    to_be_preempted_from_other: Vector = field(init=False)
    actually_to_be_preempted: Vector = field(init=False)

    def __post_init__(self) -> None:
        zero = (0,) * len(self.used)
        self.ideal_assigned = self.selected = self.to_be_preempted = zero
        self.to_be_preempted_from_other = self.actually_to_be_preempted = zero

    def used_deduct_am(self) -> Vector:
        """What is held apart from the AM."""
        return subtract(self.used, self.am_used)


TempLeaf = tuple[list[TempAppPerPartition], dict[str, TempUserPerPartition]]
"""A leaf's applications, the least important first, and its users by name."""


def select_candidates(context: PreemptionContext, wait_ms: int) -> None:
    """Select within every underserved leaf that is used enough."""
    # In two passes over the same queues: what any application should have is computed before
    # anything is selected, since a selection in one partition counts in all.
    temp_leaves: dict[tuple[str, str], TempLeaf] = {}
    by_path = {leaf.path: leaf for leaf in context.leaves}
    for partition in context.temp_queues:
        for path in list(context.underserved.get(partition, ())):
            leaf = by_path.get(path)
            if leaf is None:
                continue
            # In a leaf that is hardly used whoever waits will be served without taking anything.
            used = leaf.used_capacity(partition)
            if used < single(context.config.intra_queue_minimum_threshold):
                continue
            temp_leaves[partition, path] = compute_apps_ideal_allocation(context, leaf, partition)
    _deduct_selected(context, temp_leaves)
    for partition in context.temp_queues:
        for path in list(context.underserved.get(partition, ())):
            leaf = by_path.get(path)
            if leaf is None or leaf.settings.intra_queue_preemption_disabled:
                continue
            apps, users = temp_leaves.get((partition, path), ([], {}))
            _select_of_leaf(context, leaf, partition, apps, users, wait_ms)


def _deduct_selected(
    context: PreemptionContext, temp_leaves: dict[tuple[str, str], TempLeaf]
) -> None:
    """Count what was selected before against what applications lose."""
    for container, _ in context.selected.values():
        leaf = context.leaf_of(container)
        if leaf is None:
            continue
        # By the leaf and by the application: either may have lost it to another selector before.
        queue = context.temp_queue(leaf.path, container.partition)
        queue.deduct_actually_to_be_preempted(context.calc, container.size)
        for app in temp_leaves.get((container.partition, leaf.path), ([], {}))[0]:
            if context.calc.compare(queue.total, app.actually_to_be_preempted, container.size) > 0:
                app.actually_to_be_preempted = subtract(
                    app.actually_to_be_preempted, container.size
                )


def compute_apps_ideal_allocation(
    context: PreemptionContext, leaf: LeafQueue, partition: str
) -> TempLeaf:
    """What each application of a leaf should have, and what it loses (computeAppsIdealAllocation).

    A leaf with one application has nobody to take from.
    """
    apps = [*leaf.active, *leaf.pending_applications]
    queue = context.temp_queue(leaf.path, partition)
    users: dict[str, TempUserPerPartition] = {}
    am_used_by: dict[str, Vector] = {}
    am_used = leaf.zero
    for app in leaf.active:
        am_size = _am_size(app, partition)
        am_used_by[app.user] = add(am_used_by.get(app.user, leaf.zero), am_size)
        am_used = add(am_used, am_size)
    if len(apps) == 1:
        return [], users
    # What applications hold now, apart from AMs, which are never given to another. Free room is
    # none of it: it goes to whoever asks, without preemption.
    reassignable = subtract(subtract(queue.used, queue.actually_to_be_preempted), am_used)
    temp_apps = [_temp_app(leaf, app, partition) for app in apps]
    for one in temp_apps:
        if one.app.user not in users:
            users[one.app.user] = _temp_user(leaf, one.app.user, partition, am_used_by)
    ordered = _by_importance(context, leaf, temp_apps, users)
    _set_ideal(context, ordered, users, reassignable, partition)
    # Given out from the most important down, taken from the least important up.
    ordered.reverse()
    _set_to_be_preempted(context, leaf, ordered, queue)
    _match(context, ordered, users)
    return ordered, users


def _am_size(app: FiCaSchedulerApp, partition: str) -> Vector:
    return app.am_size if app.am_partition == partition else app.zero


def _temp_app(leaf: LeafQueue, app: FiCaSchedulerApp, partition: str) -> TempAppPerPartition:
    return TempAppPerPartition(
        app=app,
        used=app.used.get(partition, leaf.zero),
        # An AM that is not granted yet holds nothing that could be spared.
        am_used=leaf.zero if app.waiting_for_am else _am_size(app, partition),
        pending=app.pending.get(partition, leaf.zero),
    )


def _temp_user(
    leaf: LeafQueue, name: str, partition: str, am_used_by: dict[str, Vector]
) -> TempUserPerPartition:
    am_used = am_used_by.get(name, leaf.zero)
    limit = leaf.users.limit(name, partition, whole=False, everyone=True)
    used = leaf.users.get(name).used.get(partition, leaf.zero)
    return TempUserPerPartition(used, am_used, subtract(limit, am_used))


def _by_importance(
    context: PreemptionContext,
    leaf: LeafQueue,
    apps: list[TempAppPerPartition],
    users: dict[str, TempUserPerPartition],
) -> list[TempAppPerPartition]:
    """The most important first: by priority, or by what users hold where the leaf is fair."""
    fair = leaf.settings.application_ordering is ApplicationOrdering.FAIR
    users_first = context.config.intra_queue_order is IntraQueueOrder.USER_LIMIT_FIRST
    if not (fair and users_first):
        return sorted(apps, key=lambda one: (-one.app.priority, one.app.app.order, one.app.app.id))

    def compare(a: TempAppPerPartition, b: TempAppPerPartition) -> int:
        # Of one user by the leaf's own order, so that preemption and scheduling agree on who comes
        # first; keys of two applications are never equal.
        if a.app.user == b.app.user:
            return 1 if leaf.active_key(a.app) > leaf.active_key(b.app) else -1
        mine, theirs = users[a.app.user], users[b.app.user]
        by_user = context.calc.compare(
            context.cluster.total, mine.used_deduct_am(), theirs.used_deduct_am()
        )
        return by_user or (1 if a.app.app.id > b.app.app.id else -1)

    return sorted(apps, key=cmp_to_key(compare))


def _set_ideal(
    context: PreemptionContext,
    ordered: list[TempAppPerPartition],
    users: dict[str, TempUserPerPartition],
    reassignable: Vector,
    partition: str,
) -> None:
    """Give out what may be reassigned, the most important application first.

    Hadoop: calculateIdealAssignedResourcePerApp. What other selectors took of an application is
    neither wanted back nor counted as held.
    """
    calc, total = context.calc, context.cluster.total
    zero = (0,) * len(reassignable)
    for one in ordered:
        if calc.compare(total, reassignable, zero) <= 0 or calc.any_zero_or_below(reassignable):
            continue
        user = users[one.app.user]
        # Before the user is looked at: what is selected of it already makes room below its limit.
        _count_selected(context, one, user, partition)
        # Nobody is given beyond its user's limit, or the scheduler would refuse what was taken for
        # it.
        if calc.compare(total, user.ideal_assigned, user.user_limit) >= 0:
            continue
        wanted = subtract(add(one.used_deduct_am(), one.pending), one.selected)
        allowed = calc.min(total, wanted, subtract(user.user_limit, user.ideal_assigned))
        one.ideal_assigned = calc.min(total, reassignable, allowed)
        user.ideal_assigned = add(user.ideal_assigned, one.ideal_assigned)
        held = subtract(one.used_deduct_am(), one.selected)
        if calc.compare(total, one.ideal_assigned, held) > 0:
            one.to_be_preempted_from_other = subtract(one.ideal_assigned, held)
        reassignable = _positive(subtract(reassignable, one.ideal_assigned))


def _count_selected(
    context: PreemptionContext,
    one: TempAppPerPartition,
    user: TempUserPerPartition,
    partition: str,
) -> None:
    for container, _ in context.selected.values():
        if container.id in one.app.containers and container.partition == partition:
            one.selected = add(one.selected, container.size)
            user.selected = add(user.selected, container.size)


def _set_to_be_preempted(
    context: PreemptionContext,
    leaf: LeafQueue,
    ordered: list[TempAppPerPartition],
    queue: TempQueuePerPartition,
) -> None:
    """What each application could lose, the least important first, as far as the budgets go.

    All of a leaf together lose at most `intra_queue_maximum_allowable` of its guarantee, less what
    other selectors take of it, and at most what is left for the pass.
    """
    calc, total, zero = context.calc, context.cluster.total, leaf.zero
    # A bound of its own, because here queues are within their rights: only who is served inside
    # changes.
    most = multiply(queue.guaranteed, single(context.config.intra_queue_maximum_allowable))
    taken = queue.actually_to_be_preempted
    most = subtract(most, taken) if calc.compare(total, most, taken) > 0 else zero
    left = calc.min(total, most, context.total_preemption_allowed)
    for one in ordered:
        if calc.compare(total, left, zero) <= 0 or calc.compare(total, one.used, zero) <= 0:
            continue
        # Cut at nothing after each step, as in Hadoop: what one type has too little takes nothing
        # from another.
        amount = subtract(one.used, one.ideal_assigned)
        amount = _positive(subtract(amount, one.selected))
        amount = _positive(subtract(amount, one.am_used))
        # One minimum allocation stays: a user may overshoot its limit by one container, and would
        # else lose each time what it was just granted.
        if context.config.intra_queue_order is IntraQueueOrder.USER_LIMIT_FIRST:
            amount = _positive(subtract(amount, leaf.minimum_allocation))
        one.to_be_preempted = calc.min(total, calc.max(total, amount, zero), left)
        left = _positive(subtract(left, one.to_be_preempted))


def _positive(vector: Vector) -> Vector:
    return tuple(max(0, x) for x in vector)


def _match(
    context: PreemptionContext,
    ordered: list[TempAppPerPartition],
    users: dict[str, TempUserPerPartition],
) -> None:
    """Let the most important that want something take of the least important that can lose it.

    Hadoop: FifoIntraQueuePreemptionPlugin.preemptFromLeastStarvedApp.
    """
    calc, total, zero = context.calc, context.cluster.total, context.cluster.zero
    for taker in reversed(ordered):
        if calc.compare(total, taker.to_be_preempted_from_other, zero) <= 0:
            continue
        for giver in ordered:
            if calc.compare(total, giver.to_be_preempted, zero) > 0:
                _match_two(context, taker, giver, users[giver.app.user])


def _match_two(
    context: PreemptionContext,
    taker: TempAppPerPartition,
    giver: TempAppPerPartition,
    user: TempUserPerPartition,
) -> None:
    """Let *taker* have what *giver*, whose user is *user*, can lose and has not lost yet.

    Between users of one priority only the excess over the user's limit may change hands, and only
    once: otherwise the two would take the same containers from each other pass by pass.
    """
    calc, total, zero = context.calc, context.cluster.total, context.cluster.zero
    # Within one user only a higher priority takes: its limit is the same for all of its
    # applications, so among equals nobody has a better right.
    same_user = taker.app.user == giver.app.user
    if same_user and giver.app.priority >= taker.app.priority:
        return
    available = subtract(giver.to_be_preempted, giver.actually_to_be_preempted)
    nothing_left = calc.compare(total, giver.to_be_preempted, giver.actually_to_be_preempted) <= 0
    if nothing_left or taker.to_be_preempted_from_other == zero:
        return
    users_first = context.config.intra_queue_order is IntraQueueOrder.USER_LIMIT_FIRST
    over_limit = calc.compare(total, user.used_deduct_am(), user.user_limit) > 0
    # Users come before priorities: who is within its limit keeps what it has.
    if not same_user and not over_limit and users_first:
        return
    if not same_user and giver.app.priority == taker.app.priority and over_limit:
        delta = subtract(subtract(user.used_deduct_am(), user.selected), user.user_limit)
        if user.quota_for_delta_done:
            delta = zero
        # The excess is less than what the application could lose, so with this it is spent.
        if calc.compare(total, delta, available) < 0:
            user.quota_for_delta_done = True
            available = delta
    if calc.compare(total, available, zero) > 0:
        amount = calc.min(total, taker.to_be_preempted_from_other, available)
        taker.to_be_preempted_from_other = subtract(taker.to_be_preempted_from_other, amount)
        giver.actually_to_be_preempted = add(giver.actually_to_be_preempted, amount)


def _select_of_leaf(
    context: PreemptionContext,
    leaf: LeafQueue,
    partition: str,
    apps: list[TempAppPerPartition],
    users: dict[str, TempUserPerPartition],
    wait_ms: int,
) -> None:
    to_obtain = {partition: leaf.zero}
    for one in apps:
        to_obtain[partition] = add(to_obtain[partition], one.actually_to_be_preempted)
    rolling_usage = {
        name: user.used.get(partition, leaf.zero) for name, user in leaf.users.by_name.items()
    }
    for one in apps:
        if any(one.actually_to_be_preempted):
            _select_of_app(context, one.app, to_obtain, users, rolling_usage, wait_ms)


def _select_of_app(
    context: PreemptionContext,
    app: FiCaSchedulerApp,
    to_obtain: dict[str, Vector],
    users: dict[str, TempUserPerPartition],
    rolling_usage: dict[str, Vector],
    wait_ms: int,
) -> None:
    """Select of one application until its user would be at its limit, AMs included."""
    calc, total = context.calc, context.cluster.total
    users_first = context.config.intra_queue_order is IntraQueueOrder.USER_LIMIT_FIRST
    for container in containers_to_preempt(app):
        if not to_obtain:
            return
        # AMs are never taken within a queue: their application would start over and ask for the
        # same again.
        if container.id in context.selected or container.am or context.is_killable(container):
            continue
        user = users.get(app.user)
        if user is not None and users_first:
            left = subtract(rolling_usage[app.user], container.size)
            if calc.compare(total, left, add(user.user_limit, user.am_used)) <= 0:
                break
        taken = context.try_to_obtain(
            to_obtain,
            container.partition,
            container.size,
            conservative=context.config.intra_queue_conservative_drf,
        )
        if taken:
            context.select(container, wait_ms)
            if users_first:
                rolling_usage[app.user] = subtract(rolling_usage[app.user], container.size)
