"""The only writer of sums: used, pending, reserved, AM use, and what preemption promised.

What holds after every call, for every queue, attempt and node (a property test recounts it):

* `used` of an attempt is the sum of its containers; of a leaf, of its attempts; of a parent, of
  its children.
* `cluster` is the sum of the totals of schedulable nodes, `allocated` of the containers on them:
  what a cordoned node has, and what is held there, is no part of what can be shared.
* `pending` of an attempt is the sum of count times size over its asks; of a leaf, of its attempts.
  `pending_sizes` has the same asks, by size, of all attempts.
* `reserved` of a leaf is the sum of what nodes keep for its attempts.
* `available` of a node is its total less the containers on it, and `free_slots` its pod slots less
  their number. Reservations are not subtracted.
* `am_used` of a leaf is the sum of the ApplicationMasters that started in it and have not left. A
  master that was moved in is not counted, and is subtracted all the same when it leaves: Hadoop
  does so (FSLeafQueue.removeApp), and its answers follow from it.
* `resources_to_preempt` of an attempt is the sum of its `containers_to_preempt`.
* `total_resources_preempted` of a node is the sum of its `resources_preempted_for_app`.

A container may be known before its node: after a restart, containers are recovered from their
objects in any order. Such a container is charged to its attempt and queues at once, and waits in
`_unknown_node` until the node joins; `allocated` counts it from then on. Nothing else is cached
here. Each change says to `dirty` what became stale.

No method decides anything: the caller has checked the limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import add, component_min, scale, subtract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubeyarn.model.containers import Container
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt, ReservedContainer
    from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
    from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue, FSQueue


class FSAccounts:
    """Changes the sums of one scheduler's state, all that belong to one event together."""

    def __init__(self, state: FairClusterState) -> None:
        self._state = state
        self._unknown_node: dict[str, list[Container]] = {}

    # --- nodes

    def add_node(self, node: FSSchedulerNode) -> None:
        """Count a node in, with the containers that were known to be on it before it was."""
        state, name = self._state, node.rm_node.name
        state.nodes[name] = node
        state.largest_node.came(node.rm_node)
        for container in self._unknown_node.pop(name, ()):
            self._put_on(node, container)
        self._resize_cluster(_usable(node.rm_node, self._state.zero))

    def update_node(self, node: FSSchedulerNode, rm_node: Node) -> None:
        """Take over a node's new facts; its containers stay, in a new rack as well."""
        state, before = self._state, node.rm_node
        held = subtract(before.total, node.available)
        node.available = subtract(rm_node.total, held)
        node.free_slots += rm_node.pods - before.pods
        if before.schedulable is not rm_node.schedulable:
            counted = add if rm_node.schedulable else subtract
            state.allocated = counted(state.allocated, held)
        if before.rack != rm_node.rack:
            tags = state.allocation_tags
            for container in node.containers:
                if container.tags:
                    tags.remove_container(container, before.rack)
                    tags.add_container(container, rm_node.rack)
        node.rm_node = rm_node
        state.largest_node.changed(before, rm_node)
        self._resize_cluster(subtract(_usable(rm_node, state.zero), _usable(before, state.zero)))

    def remove_node(self, node: FSSchedulerNode) -> None:
        """Count a node out, whose containers were discharged before."""
        self.unreserve(node)
        del self._state.nodes[node.rm_node.name]
        self._state.largest_node.went(node.rm_node)
        zero = self._state.zero
        self._resize_cluster(subtract(zero, _usable(node.rm_node, zero)))

    def _resize_cluster(self, change: Vector) -> None:
        state = self._state
        state.cluster = add(state.cluster, change)
        self.update_available()
        state.dirty.cluster_resized()

    def update_available(self) -> None:
        """Say what is available from now on (Hadoop: updateRootQueueMetrics)."""
        self._state.available = subtract(self._state.cluster, self._state.allocated)

    # --- containers

    def charge(self, attempt: FSAppAttempt, container: Container) -> None:
        """Count *container* in: its attempt, the queues above, its node.

        It leaves demand and fair shares as they are.
        """
        attempt.containers[container.id] = container
        attempt.started = True
        size = container.size
        attempt.used = add(attempt.used, size)
        queue: FSQueue | None = attempt.queue
        while queue is not None:
            queue.used = add(queue.used, size)
            queue = queue.parent
        state = self._state
        node = state.nodes.get(container.node)
        if node is None:
            self._unknown_node.setdefault(container.node, []).append(container)
        else:
            self._put_on(node, container)
        state.dirty.allocation_changed()

    def _put_on(self, node: FSSchedulerNode, container: Container) -> None:
        node.containers.append(container)
        node.available = subtract(node.available, container.size)
        node.free_slots -= 1
        if node.rm_node.schedulable:
            self._state.allocated = add(self._state.allocated, container.size)
        if container.tags:
            self._state.allocation_tags.add_container(container, node.rm_node.rack)

    def discharge(self, attempt: FSAppAttempt, container: Container) -> None:
        """Count *container* out of everything it was charged to."""
        state, size = self._state, container.size
        del attempt.containers[container.id]
        attempt.used = subtract(attempt.used, size)
        for queue in attempt.queue.path_up():
            queue.used = subtract(queue.used, size)
        if attempt.containers_to_preempt.pop(container.id, None) is not None:
            attempt.resources_to_preempt = subtract(attempt.resources_to_preempt, size)
        node = state.nodes.get(container.node)
        if node is None:
            self._unknown_node.get(container.node, []).remove(container)
        else:
            node.containers.remove(container)
            node.available = add(node.available, size)
            node.free_slots += 1
            if node.rm_node.schedulable:
                state.allocated = subtract(state.allocated, size)
            if container.tags:
                state.allocation_tags.remove_container(container, node.rm_node.rack)
            # What was promised for it stays promised: it is free now for the starved application.
            node.containers_for_preemption.discard(container.id)
        self.update_available()
        state.dirty.demand_changed(attempt)
        state.dirty.shares_changed()

    def replace(self, attempt: FSAppAttempt, before: Container, after: Container) -> None:
        """Charge a container whose size or id changed anew (Hadoop: swapContainer)."""
        self.discharge(attempt, before)
        self.charge(attempt, after)
        self.update_available()

    # --- ApplicationMasters

    def charge_am(self, attempt: FSAppAttempt, size: Vector) -> None:
        """The attempt's ApplicationMaster of *size* runs: count it into its leaf's AM use."""
        attempt.am_running = True
        attempt.am_resource = size
        attempt.queue.am_used = add(attempt.queue.am_used, size)

    def discharge_am(self, attempt: FSAppAttempt) -> None:
        """The attempt's ApplicationMaster is asked for again: count it out."""
        self.leave_am(attempt, attempt.queue)
        attempt.am_running = False

    def leave_am(self, attempt: FSAppAttempt, queue: FSLeafQueue) -> None:
        """An attempt leaves *queue*: its ApplicationMaster, if one runs, no longer counts there."""
        if attempt.am_running:
            queue.am_used = subtract(queue.am_used, attempt.am_resource)

    # --- what is asked for

    def change_pending(self, attempt: FSAppAttempt, size: Vector, count: int) -> None:
        """Count *count* more (or, negative, fewer) containers of *size* as asked for."""
        total = scale(size, count)
        attempt.pending = add(attempt.pending, total)
        attempt.queue.pending = add(attempt.queue.pending, total)
        sizes = self._state.pending_sizes
        left = sizes.get(size, 0) + count
        if left:
            sizes[size] = left
        else:
            sizes.pop(size, None)

    def take_one(self, attempt: FSAppAttempt, size: Vector) -> None:
        """One container of *size* was granted: count it as asked for no longer.

        As `change_pending` by -1, without the multiplication: this is on the way of every grant.
        """
        attempt.pending = subtract(attempt.pending, size)
        attempt.queue.pending = subtract(attempt.queue.pending, size)
        sizes = self._state.pending_sizes
        if sizes[size] > 1:
            sizes[size] -= 1
        else:
            del sizes[size]

    # --- reservations

    def reserve(self, reserved: ReservedContainer, node: FSSchedulerNode) -> None:
        """Keep a node for a container that does not fit yet."""
        node.reserved_container = reserved
        attempt = reserved.attempt
        attempt.reservations[node.rm_node.name] = reserved
        attempt.queue.reserved = add(attempt.queue.reserved, reserved.size)
        self._state.dirty.allocation_changed()

    def unreserve(self, node: FSSchedulerNode) -> None:
        """Keep a node no longer; nothing happens where it is not kept."""
        reserved = node.reserved_container
        if reserved is None:
            return
        node.reserved_container = None
        attempt = reserved.attempt
        del attempt.reservations[node.rm_node.name]
        attempt.queue.reserved = subtract(attempt.queue.reserved, reserved.size)
        self._state.dirty.allocation_changed()

    # --- moves

    def move(self, attempt: FSAppAttempt, target: FSLeafQueue) -> None:
        """Count all that an attempt holds, asks for and has reserved in another leaf.

        Its ApplicationMaster is not moved: the caller calls `leave_am` for the old leaf, and the
        new one does not count it, as in Hadoop.
        """
        old, zero = attempt.queue, self._state.zero
        reserved = zero
        for one in attempt.reservations.values():
            reserved = add(reserved, one.size)
        for queue in old.path_up():
            queue.used = subtract(queue.used, attempt.used)
        old.pending = subtract(old.pending, attempt.pending)
        old.reserved = subtract(old.reserved, reserved)
        attempt.queue = target
        for queue in target.path_up():
            queue.used = add(queue.used, attempt.used)
        target.pending = add(target.pending, attempt.pending)
        target.reserved = add(target.reserved, reserved)

    # --- preemption

    def track_for_preemption(self, owner: FSAppAttempt, container: Container, now_ms: int) -> None:
        """Note that *container* is to be preempted (Hadoop: trackContainerForPreemption)."""
        if container.id not in owner.containers_to_preempt:
            owner.containers_to_preempt[container.id] = now_ms
            owner.resources_to_preempt = add(owner.resources_to_preempt, container.size)

    def preempt_for(
        self, attempt: FSAppAttempt, node: FSSchedulerNode, containers: Iterable[Container]
    ) -> None:
        """Promise *attempt* what *containers* leave behind (Hadoop: addContainersForPreemption)."""
        total = self._state.zero
        for container in containers:
            if container.id not in node.containers_for_preemption:
                node.containers_for_preemption.add(container.id)
                total = add(total, container.size)
        # A container that was chosen for two asks is promised once.
        if any(total):
            promised = node.resources_preempted_for_app
            node.total_resources_preempted = add(node.total_resources_preempted, total)
            promised[attempt] = add(promised.get(attempt, self._state.zero), total)

    def take_preempted(self, attempt: FSAppAttempt, node: FSSchedulerNode, size: Vector) -> None:
        """*attempt* was granted *size* of what was promised to it (Hadoop: allocateContainer)."""
        promised = node.resources_preempted_for_app.get(attempt)
        if promised is None:
            return
        taken = component_min(promised, size)
        node.total_resources_preempted = subtract(node.total_resources_preempted, taken)
        left = subtract(promised, taken)
        if any(left):
            node.resources_preempted_for_app[attempt] = left
        else:
            del node.resources_preempted_for_app[attempt]

    def forget_preempted(self, attempt: FSAppAttempt, node: FSSchedulerNode) -> None:
        """Nothing is promised to *attempt* on this node any more."""
        promised = node.resources_preempted_for_app.pop(attempt)
        node.total_resources_preempted = subtract(node.total_resources_preempted, promised)


def _usable(node: Node, zero: Vector) -> Vector:
    """What a node adds to the cluster that is shared: nothing while it takes no containers."""
    return node.total if node.schedulable else zero
