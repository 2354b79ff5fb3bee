"""What stops an ask or an application now, in words with amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.reasons import Reason, Verdict, listed
from kubeyarn.model.resources import add, subtract
from kubeyarn.schedulers.calculator import at_most
from kubeyarn.schedulers.capacity.am_limits import user_am_limit_of
from kubeyarn.schedulers.capacity.max_running_apps import runnable_in

if TYPE_CHECKING:
    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication, OutstandingAsk
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import Cluster, LedgerNode


def explain(
    app: LedgerApplication, key: AskKey, cluster: Cluster, config: SchedulerConfig
) -> Verdict | None:
    """The first limit on the way of an ask; None when nothing waits under *key*."""
    ask = app.asks.get(key)
    if ask is None:
        return None
    if not app.runnable:
        return _parked(app, config)
    if not app.active:
        return _not_admitted(app)
    return _stopped(app, ask, cluster)


def _parked(app: LedgerApplication, config: SchedulerConfig) -> Verdict:
    place = app.queue.parked.index(app) + 1
    for queue in app.queue.path_up():
        running, most = runnable_in(queue), queue.settings.maximum_parallel
        if running >= most:
            return Verdict(
                Reason.PARALLEL_LIMIT,
                f"{queue.path}: {running} of {most} applications run; place {place}",
                place,
            )
    most_of_user = config.maximum_parallel_applications_of.get(
        app.user, config.user_maximum_parallel_applications
    )
    return Verdict(
        Reason.PARALLEL_LIMIT,
        f"user {app.user}: as many applications run as may ({most_of_user}); place {place}",
        place,
    )


def _not_admitted(app: LedgerApplication) -> Verdict:
    queue, partition = app.queue, app.am_partition
    text = queue.cluster.types.text
    place = list(queue.waiting).index(app) + 1
    line = f"place {place} of {len(queue.waiting)}"
    used = queue.am_used.get(partition, queue.zero)
    limit = queue.am_limits.get(partition, queue.zero)
    if not queue.calc.fits(add(used, app.am_size), limit):
        return Verdict(
            Reason.AM_LIMIT,
            f"{queue.path}: ApplicationMasters hold {text(used)} of {text(limit)}; "
            f"one of {text(app.am_size)} waits, {line}",
            place,
        )
    own = queue.users.get(app.user).am_used.get(partition, queue.zero)
    limit = user_am_limit_of(queue, partition, app.user)
    return Verdict(
        Reason.USER_AM_LIMIT,
        f"{queue.path}: user {app.user}'s ApplicationMasters hold {text(own)} of {text(limit)}; "
        f"one of {text(app.am_size)} waits, {line}",
        place,
    )


def _stopped(app: LedgerApplication, ask: OutstandingAsk, cluster: Cluster) -> Verdict:
    place = list(app.queue.active).index(app) + 1
    size = cluster.types.text(ask.size)
    wait = f"{ask.count} of {size} wait, place {place} of {len(app.queue.active)}"
    return (
        _no_node(ask, cluster, wait, place)
        or _excluded(ask, cluster, wait, place)
        or _constrained(app, ask, cluster, wait, place)
        or _filling_up(app, ask, wait, place)
        or _queue_limit(app, ask, wait, place)
        or _user_limit(app, ask, wait, place)
        or _no_room(app, ask, cluster, wait, place)
    )


def _no_node(ask: OutstandingAsk, cluster: Cluster, wait: str, place: int) -> Verdict | None:
    nodes = [n for n in cluster.nodes.values() if _usable(n, ask)]
    if any(_within(ask.size, node.total) for node in nodes):
        return None
    where = f"partition {ask.partition}" if ask.partition else "the default partition"
    biggest = max((node.total for node in nodes), default=None)
    found = (
        f"the biggest is {cluster.types.text(biggest)}"
        if biggest is not None
        else "it has no nodes"
    )
    return Verdict(
        Reason.NO_NODE_FITS,
        f"no node of {where} can hold {cluster.types.text(ask.size)}: {found}; {wait}",
        place,
    )


def _excluded(ask: OutstandingAsk, cluster: Cluster, wait: str, place: int) -> Verdict | None:
    """Every node that has the room, or if none has it, that could have it, is excluded."""
    if not ask.excluded:
        return None
    able = [n for n in cluster.nodes.values() if _usable(n, ask) and _within(ask.size, n.total)]
    for found in ([n for n in able if _within(ask.size, n.free)], able):
        out = [n.name for n in found if ask.excludes(n.name, n.rack)]
        if found and len(out) == len(found):
            what = "with room" if found is not able else "that could hold it"
            message = f"all nodes {what} are excluded: {listed(out)}; {wait}"
            return Verdict(Reason.NODES_EXCLUDED, message, place)
    return None


def _constrained(
    app: LedgerApplication, ask: OutstandingAsk, cluster: Cluster, wait: str, place: int
) -> Verdict | None:
    """Every node that has the room is forbidden by the placement constraint."""
    constraint = ask.constraint
    if constraint is None:
        return None
    found = [n for n in cluster.nodes.values() if _usable(n, ask) and _within(ask.size, n.free)]
    if not found or not all(ask.barred(app.app.id, n) for n in found):
        return None
    message = (
        f"none of {len(found)} nodes with room is allowed by {constraint.text!r}: "
        f"{listed([n.name for n in found])}; {wait}"
    )
    return Verdict(Reason.PLACEMENT_CONSTRAINT, message, place)


def _usable(node: LedgerNode, ask: OutstandingAsk) -> bool:
    elsewhere = ask.fixed and node.name not in ask.nodes
    return node.node.schedulable and node.partition == ask.partition and not elsewhere


def _within(size: Vector, room: Vector) -> bool:
    return all(x <= y for x, y in zip(size, room, strict=True))


def _filling_up(
    app: LedgerApplication, ask: OutstandingAsk, wait: str, place: int
) -> Verdict | None:
    """All of it has room reserved, which counts as used: no limit stops it."""
    reserved = app.reservations.get(ask.key, {})
    if len(reserved) < ask.count:
        return None
    names = listed(sorted(reserved))
    return Verdict(Reason.RESERVED, f"room is reserved and filling up on {names}; {wait}", place)


def _queue_limit(
    app: LedgerApplication, ask: OutstandingAsk, wait: str, place: int
) -> Verdict | None:
    partition = ask.partition
    for queue in app.queue.path_up():
        if queue.parent is None:
            return None
        used, most = queue.use(partition), queue.maximum(partition)
        if not queue.calc.fits(add(used, ask.size), most):
            reason = Reason.QUEUE_MAXIMUM if queue is app.queue else Reason.PARENT_MAXIMUM
            text = queue.cluster.types.text
            message = f"{queue.path} holds {text(used)} of at most {text(most)}; {wait}"
            return Verdict(reason, message, place)
    return None


def _user_limit(
    app: LedgerApplication, ask: OutstandingAsk, wait: str, place: int
) -> Verdict | None:
    queue = app.queue
    limit = queue.users.limit(app.user, ask.partition, whole=False)
    used = queue.users.get(app.user).used.get(ask.partition, queue.zero)
    if queue.calc.compare(queue.cluster.total, used, limit) <= 0:
        return None
    text = queue.cluster.types.text
    return Verdict(
        Reason.USER_LIMIT,
        f"{queue.path}: user {app.user} holds {text(used)} of {text(limit)}; {wait}",
        place,
    )


def _no_room(
    app: LedgerApplication, ask: OutstandingAsk, cluster: Cluster, wait: str, place: int
) -> Verdict:
    queue = app.queue
    fitting = [
        n for n in cluster.nodes.values() if _usable(n, ask) and queue.calc.fits(ask.size, n.free)
    ]
    reserved = sum(1 for n in fitting if n.reservation is not None)
    if fitting and reserved == len(fitting):
        return Verdict(
            Reason.RESERVED, f"{reserved} nodes with room are reserved for others; {wait}", place
        )
    if fitting:
        if ask.locations > 1:
            return Verdict(
                Reason.LOCALITY_DELAY,
                f"waits for {sorted(ask.nodes)} {sorted(ask.racks)}: {ask.opportunities} offers "
                f"elsewhere were passed up; {wait}",
                place,
            )
        return Verdict(
            Reason.BEHIND_IN_QUEUE,
            f"{queue.path} is at {queue.used_capacity(ask.partition):.0%} of its "
            f"guarantee; others are served first; {wait}",
            place,
        )
    free = _most_free(queue, ask, cluster)
    return Verdict(
        Reason.NODES_BUSY,
        f"no node has room for {cluster.types.text(ask.size)}: the most free is "
        f"{cluster.types.text(free)}; {wait}",
        place,
    )


def _most_free(queue: LeafQueue, ask: OutstandingAsk, cluster: Cluster) -> Vector:
    most = queue.zero
    for node in cluster.nodes.values():
        if _usable(node, ask):
            smaller = at_most(queue.calc, cluster.total, most, node.free)
            most = node.free if smaller is most else most
    return subtract(most, queue.zero)
