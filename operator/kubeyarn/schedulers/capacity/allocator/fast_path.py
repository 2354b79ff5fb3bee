"""The fast path: most offers, walked in one go.

Theory of operation. Most offers go straight down to the first queue and application that ask for
something, and end in a container that may be anywhere. For two resource types under the dominant
calculator that way is walked here: down the tree (`_descend`), to the first ask (`_first_ask`), and
into the sums (`accounts.charge_two_types`). It repeats no rule that can refuse: at the first sign
of one (a limit without room, a reservation, a named place, a partition, a user who may be at its
limit) it returns None, and the general way of `assign_containers` decides.

Invariant: when it returns None, nothing has changed but what the general way sets again (the order
of applications, the leaf's current limit); when it returns a grant, the general way would have made
the same one. `test_the_fast_path_decides_what_the_general_way_does` runs every scenario both ways.

It is written for speed: amounts are spelled out as memory and cpu, and each object is looked at
once. Change the general way first, then see what the test says of this file.
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
    # From here on everything that could refuse is asked for before anything is changed.
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
    # An ask for nothing of a type fits where even less than nothing is free; that is left to the
    # general way.
    if memory > free[0] or cpu > free[1] or not memory or not cpu:
        return None
    used, maximum = leaf.default_usage.used, leaf.default_usage.maximum
    if maximum is None:
        return None
    # The parent's word and the leaf's own maximum: `_descend` has narrowed the limit by every queue
    # above, and `commit` would ask both.
    if used[0] + memory > limit[0] or used[1] + cpu > limit[1]:
        return None
    if used[0] + memory > maximum[0] or used[1] + cpu > maximum[1]:
        return None
    # Nothing refuses any more.
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


def _descend(root: ParentQueue, limit: Vector) -> tuple[LeafQueue, Vector] | None:
    """The first leaf in serving order that asks for something, and what its parent lets it hold.

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
        # The lesser of the two; where each is less in one type, shares would have to be computed,
        # and the general way does that.
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
            # The general way asks each leaf before it finds that it wants nothing, and sets its
            # limit.
            if child.leaf:
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
        if child.leaf:
            child_limit = (limit_memory, limit_cpu)
            child.set_current_limit(child_limit)
            return child, child_limit
        queue = child


def _first_ask(leaf: LeafQueue) -> tuple[FiCaSchedulerApp, PendingAsk, User] | None:
    """The first ask of the first application, if any node will do and its user is within limits."""
    if leaf.enforced_partitions:
        return None
    # What applications have reserved may count as room, which only the general way knows.
    if leaf.reserved and any(any(amount) for amount in leaf.reserved.values()):
        return None
    if leaf.changed_order:
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
    # A user that was forgotten and came back is another object; the manager tells.
    if user is None or user.manager is not users:
        user = app.cached_user = users.by_name.get(app.user)
    if user is None or not users.surely_within(user, ""):
        return None
    leaf.headroom_limit = leaf.current_limit
    return app, ask, user
