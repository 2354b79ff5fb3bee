"""The only writer of sums: what is used, pending, reserved, and held for ApplicationMasters.

Theory of operation. Limits are checked against sums, not against lists of containers, so every
queue, user, application, node and partition carries its own. The objects hold these sums and the
rules read them; only this file writes them. A change of what is held, asked for or reserved is one
call here, which brings all sums up to date together. What holds after each call, by partition:

* an application: *used* is the sum of its containers, *pending* of its asks (count times size),
  *reserved* of its reservations;
* a leaf and each queue above: *used* is the sum of the containers **and reservations** below,
  *pending* and *reserved* are the sums of the applications';
* a user of a leaf: *used* is that of its applications there, reservations included; its *ratio* is
  the share of the partition that this is; the users of a leaf together keep the sum of the ratios
  and *active_used*, what active users hold;
* a leaf and its users: *am_used* is the sum of the AM sizes of active applications;
* a node: *free* is its total less its containers (not its reservation), *free_slots* its pod slots
  less their number;
* the cluster: the total of a partition is the sum of its schedulable nodes.

`tests/property/schedulers/capacity/test_ledger.py` counts all of it again after each step of random
stories, and `tests/unit/schedulers/capacity/test_accounts.py` holds that no other file writes.

The ratios are added up in single precision in the order of the calls, as Hadoop's UsersManager
does, so the order in which a rule charges and discharges shows in the last digit of a user limit.

A charge also tells the caches that depend on use: the queue's place among its siblings
(`ParentQueue.misplaced`) and the user limits of the leaf (`UsersManager.version`). Whether an
application's place in its leaf changed is for the caller to say (`LeafQueue.needs_reordering`),
because Hadoop does not reorder after each of these changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import add, negate, scale, subtract
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.objects.app_attempt import (
        FiCaSchedulerApp,
        PendingAsk,
        Reservation,
    )
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker, FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.objects.users_manager import (
        User,
        UsersManager,
        UsersUsage,
        UserUsage,
    )

# -- containers ----------------------------------------------------------------------------------


def charge(app: FiCaSchedulerApp, container: Container, node: FiCaSchedulerNode) -> None:
    """Count a container for its application, its node, its queues and its user."""
    _hold(app, container)
    _put_on_node(container, node)
    _charge(app.queue, app, container.size, container.partition)


def discharge(app: FiCaSchedulerApp, container: Container, node: FiCaSchedulerNode) -> bool:
    """Count a container no more; False when it was not counted."""
    if not _drop(app, container):
        return False
    # Node and queues have a record of the container each, and each gives back what it has recorded.
    if node.drop(container):
        node.free = add(node.free, container.size)
        node.free_slots += 1
    _discharge(app.queue, app, container.size, container.partition)
    return True


def repartition(
    app: FiCaSchedulerApp, container: Container, node: FiCaSchedulerNode, partition: str
) -> None:
    """Count a container in another partition, because its node moves there."""
    # The node's own sums stay: it takes the container along. Only what partitions count changes.
    moved = container._replace(partition=partition)
    _drop(app, container)
    _discharge(app.queue, app, container.size, container.partition)
    _hold(app, moved)
    _charge(app.queue, app, moved.size, moved.partition)
    node.containers[moved.id] = moved


def charge_two_types(
    app: FiCaSchedulerApp,
    ask: PendingAsk,
    user: User,
    container: Container,
    node: FiCaSchedulerNode,
) -> None:
    """`charge` and `take_one` in one go, for two resource types and the default partition.

    The fast path's variant: the same sums, with vectors spelled out and without look-ups. The
    container is indexed by its id only when somebody asks (see `app_attempt.FiCaSchedulerApp`).
    """
    memory, cpu = size = ask.size
    # Whole numbers may be summed in any order, so each object is looked at once here, and not in
    # the order of `charge` and `take_one`.
    leaf = app.queue
    app.unindexed.append(container)
    usage = app.default_usage
    used, pending = usage.used, usage.pending
    usage.used = (used[0] + memory, used[1] + cpu)
    usage.pending = (pending[0] - memory, pending[1] - cpu)
    node.unindexed.append(container)
    free = node.free
    node.free = (free[0] - memory, free[1] - cpu)
    node.free_slots -= 1
    ask.count -= 1
    # Before the queues are charged: whether the user is still active decides below whether the
    # charge counts among what active users hold.
    if not ask.count:
        _forget_ask(app, ask)
    for queue in leaf.chain:
        part = queue.default_usage
        held, held_cpu = part.used
        part.used = (held + memory, held_cpu + cpu)
        part.was_used = True
        wanted, wanted_cpu = part.pending
        part.pending = (wanted - memory, wanted_cpu - cpu)
        parent = queue.parent
        # `ParentQueue.misplaced`, spelled out. The child is moved when its parent is next asked for
        # the order; a parent whose order is not known sorts all of its children then.
        if parent is not None:
            order = parent.orders.get("")
            if order is not None and not part.misplaced:
                part.misplaced = True
                order.misplaced.append(part)
    users, own = leaf.users, user.default_usage
    total, used = users.default_usage, own.used
    own.used = (used[0] + memory, used[1] + cpu)
    if user.active:
        active = total.active_used
        total.active_used = size if active is None else (active[0] + memory, active[1] + cpu)
    _change_ratio(users, own, total, users.queue.cluster.partitions[""])


def miscount(app: FiCaSchedulerApp, partition: str, change: Vector) -> None:
    """Change what an application counts as used away from the sum of its containers.

    Only where Hadoop is told as it is: it counts a fulfilled reservation in its ask's new size.
    """
    usage = app.usage(partition)
    usage.used = add(usage.used, change)


# -- asks ----------------------------------------------------------------------------------------


def set_pending(
    app: FiCaSchedulerApp, ask: PendingAsk, count: int, size: Vector, partition: str
) -> None:
    """Replace what an ask counts as pending; an ask for nothing is forgotten.

    Hadoop: AppSchedulingInfo.updatePendingResources.
    """
    # What is asked for is absolute, so what the key counted before is taken back first, by the size
    # and in the partition that it had then.
    known = ask.key in app.asks
    if known:
        _lower_pending(app, ask.partition, scale(ask.size, ask.count))
    if count <= 0:
        if known:
            app.remove_ask(ask.key)
        if not app.keys:
            app.queue.users.deactivate(app.user, app.app.id)
        return
    if not known:
        app.add_ask(ask)
        app.queue.users.activate(app.user, app.app.id)
    ask.count, ask.size, ask.partition = count, size, partition
    _raise_pending(app, partition, scale(size, count))


def take_one(app: FiCaSchedulerApp, ask: PendingAsk) -> None:
    """One container fewer is pending."""
    ask.count -= 1
    if not ask.count:
        _forget_ask(app, ask)
    _lower_pending(app, ask.partition, ask.size)


def forget_asks(app: FiCaSchedulerApp) -> None:
    """Nothing is pending any more, because the attempt ended.

    The user stays active until its application ends or another has nothing pending, as in Hadoop.
    """
    for ask in app.asks.values():
        _lower_pending(app, ask.partition, scale(ask.size, ask.count))
    for key in list(app.keys):
        app.remove_ask(key)


def _forget_ask(app: FiCaSchedulerApp, ask: PendingAsk) -> None:
    app.remove_ask(ask.key)
    if not app.keys:
        app.queue.users.deactivate(app.user, app.app.id)


def _raise_pending(app: FiCaSchedulerApp, partition: str, amount: Vector) -> None:
    usage = app.usage(partition)
    usage.pending = add(usage.pending, amount)
    for queue in app.queue.chain:
        part = queue.usage(partition)
        part.pending = add(part.pending, amount)
        part.was_pending = True


def _lower_pending(app: FiCaSchedulerApp, partition: str, amount: Vector) -> None:
    # Known for sure: what is lowered was raised before, by whoever asked.
    usage = app.usages[partition]
    usage.pending = subtract(usage.pending, amount)
    for queue in app.queue.chain:
        part = queue.usages[partition]
        part.pending = subtract(part.pending, amount)


# -- reservations --------------------------------------------------------------------------------


def reserve(reservation: Reservation, node: FiCaSchedulerNode) -> None:
    """Count a reservation as reserved, and as used by its queues and its user."""
    app, partition, size = reservation.app, reservation.partition, reservation.size
    # By key and node, because an ask may hold several nodes, and one node never holds two
    # reservations.
    app.reservations.setdefault(reservation.key, {})[node.name] = reservation
    app.reserved[partition] = add(app.reserved.get(partition, app.zero), size)
    node.reservation = reservation
    _charge(app.queue, app, size, partition)
    _change_reserved(app.queue, partition, size)


def unreserve(reservation: Reservation, node: FiCaSchedulerNode) -> bool:
    """Count a reservation no more; False when it was not counted."""
    app = reservation.app
    if not _forget_reservation(reservation, node):
        return False
    _discharge(app.queue, app, reservation.size, reservation.partition)
    return True


def fulfil(reservation: Reservation, container: Container, node: FiCaSchedulerNode) -> None:
    """A reservation became a container: its queues and its user count it as used already."""
    # Neither queues nor the user are charged or discharged: a reservation counted as used, and for
    # them the container that it becomes is the same amount.
    _forget_reservation(reservation, node)
    _hold(reservation.app, container)
    _put_on_node(container, node)


def _forget_reservation(reservation: Reservation, node: FiCaSchedulerNode) -> bool:
    app, key, partition = reservation.app, reservation.key, reservation.partition
    held = app.reservations.get(key, {})
    if held.pop(reservation.node, None) is None:
        return False
    if not held:
        del app.reservations[key]
    app.reserved[partition] = subtract(app.reserved[partition], reservation.size)
    node.reservation = None
    _change_reserved(app.queue, partition, negate(reservation.size))
    return True


def _change_reserved(leaf: LeafQueue, partition: str, change: Vector) -> None:
    for queue in leaf.chain:
        queue.reserved[partition] = add(queue.reserved.get(partition, queue.zero), change)


# -- ApplicationMasters --------------------------------------------------------------------------


def charge_am(leaf: LeafQueue, app: FiCaSchedulerApp) -> None:
    """Count an application's AM against the AM limits of the leaf and its user."""
    # By the AM's size as it was asked for, not as it was granted: Hadoop's limit of
    # ApplicationMasters counts from activation on, before any container is there.
    user, partition = leaf.users.get(app.user), app.am_partition
    leaf.am_used[partition] = add(leaf.am_used.get(partition, leaf.zero), app.am_size)
    user.am_used[partition] = add(user.am_used.get(partition, leaf.zero), app.am_size)


def discharge_am(leaf: LeafQueue, app: FiCaSchedulerApp) -> None:
    """Count an application's AM no more."""
    user, partition = leaf.users.get(app.user), app.am_partition
    leaf.am_used[partition] = subtract(leaf.am_used[partition], app.am_size)
    user.am_used[partition] = subtract(user.am_used.get(partition, leaf.zero), app.am_size)


# -- applications that move ----------------------------------------------------------------------


def move_used(app: FiCaSchedulerApp, source: LeafQueue, target: LeafQueue) -> None:
    """Let another leaf and its user count what an application holds and reserves."""
    # Container by container, as Hadoop detaches and attaches them: the ratio of users is rounded
    # with each, so one sum for all of them could end in another number.
    for container in app.containers.values():
        _discharge(source, app, container.size, container.partition)
        _charge(target, app, container.size, container.partition)
    for held in app.reservations.values():
        for reservation in held.values():
            _discharge(source, app, reservation.size, reservation.partition)
            _change_reserved(source, reservation.partition, negate(reservation.size))
            _charge(target, app, reservation.size, reservation.partition)
            _change_reserved(target, reservation.partition, reservation.size)


def move_pending(app: FiCaSchedulerApp, source: LeafQueue, target: LeafQueue) -> None:
    """Let another leaf count what an application asks for."""
    for ask in app.asks.values():
        amount = scale(ask.size, ask.count)
        for queue in source.chain:
            # `source` and `target` share at least root, which so ends where it began.
            part = queue.usage(ask.partition)
            part.pending = subtract(part.pending, amount)
        for queue in target.chain:
            part = queue.usage(ask.partition)
            part.pending = add(part.pending, amount)
            part.was_pending = True


# -- users ---------------------------------------------------------------------------------------


def count_as_active(users: UsersManager, user: User) -> None:
    """Count what a user holds among what active users hold."""
    for partition, used in user.used.items():
        part = users.usage(partition)
        part.active_used = add(part.active_used or user.zero, used)


def count_as_inactive(users: UsersManager, user: User) -> None:
    """Count what a user holds no more among what active users hold."""
    for partition, used in user.used.items():
        part = users.usage(partition)
        part.active_used = subtract(part.active_used or user.zero, used)


def recount_ratios(users: UsersManager, partition: str) -> None:
    """Measure every user of a leaf against a partition whose size may have changed."""
    total = 0.0
    whole = users.queue.cluster.partition(partition)
    for user in users.by_name.values():
        held = user.usage(partition)
        ratio = held.ratio = users.calc.ratio(held.used, whole)
        total = single(total + ratio)
    users.usage(partition).ratio = total


def _charge_user(users: UsersManager, user: User, size: Vector, partition: str) -> None:
    if partition:
        own, total = user.usage(partition), users.usage(partition)
    else:
        own, total = user.default_usage, users.default_usage
    own.used = add(own.used, size)
    # None: no active user has held anything there yet.
    if user.active:
        active = total.active_used
        total.active_used = size if active is None else add(active, size)
    _change_ratio(users, own, total, users.queue.cluster.partitions.get(partition, user.zero))


def _change_ratio(users: UsersManager, own: UserUsage, total: UsersUsage, whole: Vector) -> None:
    """Measure against its partition what a user holds since just now."""
    # Stales every limit of the leaf's users: each hangs on the sum of the ratios, and on what
    # active users hold.
    users.version += 1
    ratio = users.calc.ratio(own.used, whole)
    change = single(ratio - own.ratio)
    own.ratio = ratio
    total.ratio = single(total.ratio + change)


# -- nodes ---------------------------------------------------------------------------------------


def add_node(cluster: CapacityNodeTracker, node: FiCaSchedulerNode) -> None:
    """Count a node that joined in the total of its partition."""
    if node.node.schedulable:
        _change_total(cluster, node.partition, node.total)


def remove_node(cluster: CapacityNodeTracker, node: FiCaSchedulerNode) -> None:
    """Count a node that left no more."""
    if node.node.schedulable:
        _change_total(cluster, node.partition, negate(node.total))


def resize_node(cluster: CapacityNodeTracker, node: FiCaSchedulerNode, now: Node) -> None:
    """Count a node as it is *now*; what it holds stays, so that what is free may be negative."""
    cluster.largest_node.changed(node.node, now)
    # Out with the old total and in with the new one, by whatever partition and schedulability each
    # has, so that no case of what may change together needs a rule of its own.
    remove_node(cluster, node)
    node.free = add(node.free, subtract(now.total, node.total))
    node.free_slots += now.pods - node.node.pods
    node.node, node.total, node.partition = now, now.total, now.partition
    node.dedicated = now.dedicated
    node.open_to_all = not now.partition and not now.dedicated
    add_node(cluster, node)


def _change_total(cluster: CapacityNodeTracker, partition: str, change: Vector) -> None:
    total = add(cluster.partition(partition), change)
    if partition and not any(total):
        # A cycle takes longer where there are partitions: one without nodes does not count.
        cluster.partitions.pop(partition, None)
    else:
        cluster.partitions[partition] = total
    cluster.total = add(cluster.total, change)


# -- what the operations above are made of -------------------------------------------------------


def _hold(app: FiCaSchedulerApp, container: Container) -> None:
    app.containers[container.id] = container
    usage = app.usage(container.partition)
    usage.used = add(usage.used, container.size)


def _drop(app: FiCaSchedulerApp, container: Container) -> bool:
    if app.containers.pop(container.id, None) is None:
        return False
    usage = app.usage(container.partition)
    usage.used = subtract(usage.used, container.size)
    return True


def _put_on_node(container: Container, node: FiCaSchedulerNode) -> None:
    # A slot for each container, whatever its size: to the kubelet one is one pod.
    node.put(container)
    node.free = subtract(node.free, container.size)
    node.free_slots -= 1


def _charge(leaf: LeafQueue, app: FiCaSchedulerApp, size: Vector, partition: str) -> None:
    """Count *size* as used by a leaf, the queues above it and the application's user there."""
    for queue in leaf.chain:
        part = queue.usage(partition)
        part.used = add(part.used, size)
        part.was_used = True
        if queue.parent is not None:
            queue.parent.misplaced(part, partition)
    users = leaf.users
    _charge_user(users, users.by_name.get(app.user) or users.get(app.user), size, partition)


def _discharge(leaf: LeafQueue, app: FiCaSchedulerApp, size: Vector, partition: str) -> None:
    _charge(leaf, app, negate(size), partition)
