"""The quick lane: the way of an offer when nothing is in its way.

Most offers go straight down to the first queue and application that want something and end in a
plain container. For two resource types under the dominant calculator that way is walked here in
one go. At the first sign of anything else (a limit, a reservation, a place that is wanted, a
partition) the lane gives up before it changed anything, and the general way decides; so the
decisions are the general way's, only sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ContainerId
from kubeyarn.schedulers.api import Grant
from kubeyarn.schedulers.calculator import DominantCalculator
from kubeyarn.schedulers.capacity.objects.accounts import charge_two_types
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue

if TYPE_CHECKING:
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp, PendingAsk
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker, FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.objects.users_manager import User


class FastPath:
    """Whether the fast path is open.

    A test that compares it with the general way replaces it by one that never opens.
    """

    def __init__(self) -> None:
        self.is_open = False

    def update(
        self, root: ParentQueue, cluster: CapacityNodeTracker, config: SchedulerConfig
    ) -> None:
        """Open for two types under dominant shares, when every node is offered by itself."""
        total = cluster.total
        self.is_open = (
            len(total) == 2
            and isinstance(root.calc, DominantCalculator)
            and all(total)
            and all(root.minimum_allocation)
            and not config.lazy_preemption
            and not config.choose_nodes
        )


def allocate_fast(
    root: ParentQueue, node: FiCaSchedulerNode, cluster: CapacityNodeTracker
) -> Grant | None:
    """The container that the offer of an unreserved node of the default partition ends in.

    None when the general way has to decide; nothing has changed then.
    """
    free, step = node.free, root.minimum_allocation
    if free[0] < step[0] or free[1] < step[1]:
        return None
    way = _descend(root, cluster.partitions[""])
    if way is None:
        return None
    leaf, limit = way
    found = _first_ask(leaf)
    if found is None:
        return None
    app, ask, user = found
    memory, cpu = ask.size
    if memory > free[0] or cpu > free[1] or not memory or not cpu:
        return None
    used, maximum = leaf.default_usage.used, leaf.default_usage.maximum
    if maximum is None:
        return None
    if used[0] + memory > limit[0] or used[1] + cpu > limit[1]:
        return None
    if used[0] + memory > maximum[0] or used[1] + cpu > maximum[1]:
        return None
    return _grant(leaf, app, ask, user, node)


def _descend(root: ParentQueue, limit: Vector) -> tuple[LeafQueue, Vector] | None:
    """The first leaf in serving order that wants something, and what its parent lets it hold.

    None when a limit on the way has no room. The limit that the leaf's AMs and headroom go by is
    noted, as on the general way.
    """
    limit_memory, limit_cpu = limit
    step_memory, step_cpu = root.minimum_allocation
    queue: ParentQueue = root
    while True:
        maximum, used = queue.default_usage.maximum, queue.default_usage.used
        if maximum is None:
            return None
        if maximum[0] <= limit_memory and maximum[1] <= limit_cpu:
            limit_memory, limit_cpu = maximum
        elif limit_memory > maximum[0] or limit_cpu > maximum[1]:
            return None
        room_memory, room_cpu = limit_memory - used[0], limit_cpu - used[1]
        if room_memory <= 0 or room_cpu <= 0:
            return None
        passed_by: list[LeafQueue] = []
        for entry in queue.in_order(""):
            child = entry[3]
            pending = child.default_usage.pending
            if pending[0] > 0 or pending[1] > 0:
                break
            if isinstance(child, LeafQueue):
                passed_by.append(child)
        else:
            return None
        for leaf in passed_by:
            held_memory, held_cpu = leaf.default_usage.used
            memory, cpu = room_memory + held_memory, room_cpu + held_cpu
            leaf.set_current_limit((memory - memory % step_memory, cpu - cpu % step_cpu))
        held_memory, held_cpu = child.default_usage.used
        room_memory += held_memory
        room_cpu += held_cpu
        limit_memory = room_memory - room_memory % step_memory
        limit_cpu = room_cpu - room_cpu % step_cpu
        if isinstance(child, LeafQueue):
            child_limit = (limit_memory, limit_cpu)
            child.set_current_limit(child_limit)
            return child, child_limit
        if not isinstance(child, ParentQueue):
            return None
        queue = child


def _first_ask(leaf: LeafQueue) -> tuple[FiCaSchedulerApp, PendingAsk, User] | None:
    """The first application's first ask, if it is plain and its user surely within its limit."""
    if leaf.enforced_partitions:
        return None
    if leaf.reserved and any(any(amount) for amount in leaf.reserved.values()):
        return None
    leaf.reorder_changed()
    app = leaf.with_pending_requests.first
    if app is None:
        return None
    ask = app.first_ask
    if ask is None:
        return None
    if app.waiting_for_am and ask.key != AM_KEY:
        return None
    if ask.partition or not ask.unconstrained:
        return None
    users, user = leaf.users, app.cached_user
    if user is None or user.manager is not users:
        user = app.cached_user = users.by_name.get(app.user)
    if user is None or not users.surely_within(user, ""):
        return None
    leaf.headroom_limit = leaf.current_limit
    return app, ask, user


def _grant(
    leaf: LeafQueue, app: FiCaSchedulerApp, ask: PendingAsk, user: User, node: FiCaSchedulerNode
) -> Grant:
    """Charge the container everywhere."""
    number = app.next_number
    app.next_number = number + 1
    am = app.waiting_for_am
    container_id = ContainerId(app.attempt_id, app.epoch, number)
    container = Container(container_id, ask.key, node.name, ask.size, "", am)
    if am:
        app.waiting_for_am = False
        app.am_container = container_id
    ask.missed_opportunities = 0
    charge_two_types(app, ask, user, container, node)
    if leaf.fair:
        leaf.needs_reordering(app)
    return Grant(container)
