"""What stops an ask or an application now, with the numbers and its place in line.

The limits are looked at in the order in which the allocator meets them, and the first that stops
the ask is the verdict. Nothing here decides: it reads the same sums and limits as the allocator
does, and it is asked for a few waiting asks at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.model.asks import is_update
from kubeyarn.model.reasons import Reason, Verdict, listed
from kubeyarn.model.resources import add, fits
from kubeyarn.schedulers.capacity.am_limits import user_am_limit_of
from kubeyarn.schedulers.capacity.max_running_apps import (
    queue_at_limit,
    user_maximum,
)

if TYPE_CHECKING:
    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp, PendingAsk
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker, FiCaSchedulerNode


def explain(
    app: FiCaSchedulerApp, key: AskKey, cluster: CapacityNodeTracker, config: SchedulerConfig
) -> Verdict | None:
    """The first limit that stops an ask; None when nothing waits under *key*."""
    ask = app.asks.get(key)
    if ask is None:
        return None
    # In the order in which an application gets ahead: runnable, then active, then served.
    if not app.runnable:
        return _not_runnable(app, config)
    if not app.active:
        return _not_active(app)
    return _Waiting(app, ask, cluster).verdict()


def _not_runnable(app: FiCaSchedulerApp, config: SchedulerConfig) -> Verdict:
    place = app.queue.non_runnable_applications.index(app) + 1
    queue = queue_at_limit(app.queue)
    if queue is not None:
        most = queue.settings.maximum_parallel_applications
        running = queue.num_runnable_apps
        message = f"{queue.path}: {running} of {most} applications run; place {place}"
    else:
        most = min(
            user_maximum(app.user, config),
            app.queue.settings.maximum_parallel_applications_per_user,
        )
        message = f"user {app.user}: as many applications run as may ({most}); place {place}"
    return Verdict(Reason.PARALLEL_LIMIT, message, place)


def _not_active(app: FiCaSchedulerApp) -> Verdict:
    if not app.has_place_for_master:
        return Verdict(Reason.NO_NODE_FITS, "no node is one that its ApplicationMaster may be on")
    queue, partition = app.queue, app.am_partition
    text = queue.cluster.types.text
    place = list(queue.pending_applications).index(app) + 1
    waits = f"one of {text(app.am_size)} waits, place {place} of {len(queue.pending_applications)}"
    used = queue.am_used.get(partition, queue.zero)
    limit = queue.am_limits.get(partition, queue.zero)
    # The queue's limit before the user's, as `am_limits` looks at them: the first that stops it is
    # what the user should ask about.
    if not queue.calc.fits(add(used, app.am_size), limit):
        message = f"{queue.path}: ApplicationMasters hold {text(used)} of {text(limit)}; {waits}"
        return Verdict(Reason.AM_LIMIT, message, place)
    used = queue.users.get(app.user).am_used.get(partition, queue.zero)
    limit = user_am_limit_of(queue, partition, app.user)
    message = (
        f"{queue.path}: user {app.user}'s ApplicationMasters hold {text(used)} of {text(limit)}; "
        f"{waits}"
    )
    return Verdict(Reason.USER_AM_LIMIT, message, place)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An outstanding ask of an active application."""

    app: FiCaSchedulerApp
    ask: PendingAsk
    cluster: CapacityNodeTracker

    def verdict(self) -> Verdict:
        return (
            self._no_node_fits()
            or self._nodes_excluded()
            or self._placement_constraint()
            or self._reserved_for_it()
            or self._queue_maximum()
            or self._user_limit()
            or self._nodes_with_room()
            or self._nodes_busy()
        )

    def _verdict(self, reason: Reason, message: str) -> Verdict:
        active = self.app.queue.active
        place = list(active).index(self.app) + 1
        waits = f"{self.ask.count} of {self._text(self.ask.size)} wait"
        return Verdict(reason, f"{message}; {waits}, place {place} of {len(active)}", place)

    def _text(self, vector: Vector) -> str:
        return self.cluster.types.text(vector)

    def _nodes(self) -> list[FiCaSchedulerNode]:
        """The nodes that the ask may be on, whatever they hold."""
        ask = self.ask
        return [
            node
            for node in self.cluster.nodes.values()
            if node.node.schedulable
            and node.partition == ask.partition
            and ask.suits(node)
            and not (ask.is_strictly_local and node.name not in ask.nodes)
        ]

    def _no_node_fits(self) -> Verdict | None:
        nodes, ask = self._nodes(), self.ask
        # Every type by itself, whatever the calculator counts: what no node holds is refused at
        # each.
        if any(fits(ask.size, node.total) for node in nodes):
            return None
        where = f"partition {ask.partition}" if ask.partition else "the default partition"
        if ask.classes is not None:
            where += " that its template allows"
        biggest = max((node.total for node in nodes), default=None)
        found = "it has no nodes" if biggest is None else f"the biggest is {self._text(biggest)}"
        message = f"no node of {where} can hold {self._text(ask.size)}: {found}"
        return self._verdict(Reason.NO_NODE_FITS, message)

    def _nodes_excluded(self) -> Verdict | None:
        """Every node with room is excluded, or, if none has room, every node that could have it."""
        ask = self.ask
        if not ask.excluded:
            return None
        able = [node for node in self._nodes() if fits(ask.size, node.total)]
        with_room = [node for node in able if fits(ask.size, node.free)]
        # Those with room first: that these are excluded is why it waits now; that all others are,
        # too, is why it will go on waiting.
        for nodes, what in ((with_room, "with room"), (able, "that could hold it")):
            excluded = [node.name for node in nodes if ask.excludes(node.name, node.rack)]
            if nodes and len(excluded) == len(nodes):
                message = f"all nodes {what} are excluded: {listed(excluded)}"
                return self._verdict(Reason.NODES_EXCLUDED, message)
        return None

    def _placement_constraint(self) -> Verdict | None:
        """The placement constraint forbids every node with room."""
        constraint = self.ask.constraint
        if constraint is None:
            return None
        nodes = [node for node in self._nodes() if fits(self.ask.size, node.free)]
        if not nodes or not all(self.ask.refuses(self.app.app.id, node) for node in nodes):
            return None
        message = (
            f"none of {len(nodes)} nodes with room is allowed by {constraint.text!r}: "
            f"{listed([node.name for node in nodes])}"
        )
        return self._verdict(Reason.PLACEMENT_CONSTRAINT, message)

    def _reserved_for_it(self) -> Verdict | None:
        """Room is reserved for all of it. Reservations count as used, so no limit stops it."""
        reserved = self.app.reservations.get(self.ask.key, {})
        if len(reserved) < self.ask.count:
            return None
        names = listed(sorted(reserved))
        return self._verdict(Reason.RESERVED, f"room is reserved and filling up on {names}")

    def _queue_maximum(self) -> Verdict | None:
        partition = self.ask.partition
        for queue in self.app.queue.path_up():
            # Root's maximum is the cluster, which the nodes speak for below.
            if queue.parent is None:
                return None
            used, most = queue.use(partition), queue.maximum(partition)
            if not queue.calc.fits(add(used, self.ask.size), most):
                own = queue is self.app.queue
                reason = Reason.QUEUE_MAXIMUM if own else Reason.PARENT_MAXIMUM
                message = f"{queue.path} holds {self._text(used)} of at most {self._text(most)}"
                return self._verdict(reason, message)
        return None

    def _user_limit(self) -> Verdict | None:
        queue, user = self.app.queue, self.app.user
        limit = queue.users.limit(user, self.ask.partition, whole=False)
        used = queue.users.get(user).used.get(self.ask.partition, queue.zero)
        if queue.calc.compare(queue.cluster.total, used, limit) <= 0:
            return None
        message = f"{queue.path}: user {user} holds {self._text(used)} of {self._text(limit)}"
        return self._verdict(Reason.USER_LIMIT, message)

    def _nodes_with_room(self) -> Verdict | None:
        """Nodes have room and no limit stops it: others come first, or it waits for a place."""
        queue, ask = self.app.queue, self.ask
        nodes = [node for node in self._nodes() if queue.calc.holds(node.free, ask.size)]
        if not nodes:
            return None
        if not is_update(ask.key) and all(node.free_slots <= 0 for node in nodes):
            message = f"no node has a free pod slot: {len(nodes)} with room hold all that they take"
            return self._verdict(Reason.NODES_BUSY, message)
        # A reserved node has room, and gives it to whom it is reserved for.
        reserved = sum(1 for node in nodes if node.reservation is not None)
        if reserved == len(nodes):
            message = f"{reserved} nodes with room are reserved for others"
            return self._verdict(Reason.RESERVED, message)
        if ask.unique_locations > 1:
            message = (
                f"waits for {sorted(ask.nodes)} {sorted(ask.racks)}: "
                f"{ask.scheduling_opportunities} offers elsewhere were passed up"
            )
            return self._verdict(Reason.LOCALITY_DELAY, message)
        message = (
            f"{queue.path} is at {queue.used_capacity(ask.partition):.0%} of its guarantee; "
            "others are served first"
        )
        return self._verdict(Reason.BEHIND_IN_QUEUE, message)

    def _nodes_busy(self) -> Verdict:
        message = (
            f"no node has room for {self._text(self.ask.size)}: the most free is "
            f"{self._text(self._most_free(self.app.queue))}"
        )
        return self._verdict(Reason.NODES_BUSY, message)

    def _most_free(self, queue: LeafQueue) -> Vector:
        most = queue.zero
        for node in self._nodes():
            if queue.calc.min(self.cluster.total, most, node.free) is most:
                most = node.free
        return most
