"""Containers that may be killed, and are once somebody needs their room.

Hadoop: `lazy-preemption-enabled`, PreemptionManager and PreemptableQueue. What may be killed
counts as held in its leaf and as free above it, for others who are below their guarantee.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, subtract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ContainerId
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
    from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.objects.queue import Queue


class KillableContainer:
    """A container and whose it is."""

    __slots__ = ("app", "container")

    def __init__(self, container: Container, app: FiCaSchedulerApp) -> None:
        self.container = container
        self.app = app


NONE_KILLABLE: Mapping[ContainerId, KillableContainer] = {}
"""What may be killed on most nodes: nothing. One for all, for a node's table is never changed."""


def mark_killable(container: Container, app: FiCaSchedulerApp, node: FiCaSchedulerNode) -> None:
    """Let others take the container's room (Hadoop: markContainerForKillable).

    Hadoop's PreemptionManager knows a queue from the refresh after it was created on; before, the
    node alone knows what may be killed, and no queue counts it as free.
    """
    # Filed at the node (who takes the room there looks) and at every queue above (who is over its
    # maximum because of it looks), so that neither has to search.
    found = KillableContainer(container, app)
    node.mark_killable(found)
    cluster = app.queue.cluster
    if cluster.hadoop_compatible and app.queue.path not in cluster.preemptable_queues:
        return
    for queue in app.queue.chain:
        queue.killable.setdefault(container.partition, {})[container.id] = found


def is_killable(container: Container, node: FiCaSchedulerNode) -> bool:
    """Whether others may take the container's room, and its queue knows it."""
    found = node.killable.get(container.id)
    # The queue is asked, too: a pass of preemption chooses again what the queue does not know.
    return found is not None and container.id in found.app.queue.killable.get(
        container.partition, {}
    )


def unmark_killable(container: Container, app: FiCaSchedulerApp, node: FiCaSchedulerNode) -> None:
    """A container is gone."""
    if not node.unmark_killable(container.id):
        return
    for queue in app.queue.chain:
        held = queue.killable.get(container.partition, {})
        held.pop(container.id, None)
        if not held:
            queue.killable.pop(container.partition, None)


def total_size(found: Mapping[ContainerId, KillableContainer], zero: Vector) -> Vector:
    """What all of them hold."""
    total = zero
    for one in found.values():
        total = add(total, one.container.size)
    return total


def used_without_killable(queue: Queue, partition: str) -> Vector:
    """What a queue holds, less what may be killed."""
    used = queue.use(partition)
    found = queue.killable.get(partition)
    return subtract(used, total_size(found, queue.zero)) if found else used


def select_to_kill(
    size: Vector, leaf: LeafQueue, node: FiCaSchedulerNode
) -> list[KillableContainer]:
    """Those whose room on the node suffices together with what is free; none when it does not.

    Hadoop goes through them in the order of a hash map.
    """
    # By id, the same on every run: a hash map's order would let two runs kill different containers.
    room, chosen = node.free, []
    for _, one in sorted(node.killable.items()):
        chosen.append(one)
        room = add(room, one.container.size)
        if leaf.calc.holds(room, size):
            return chosen
    return []


def may_have_killed(leaf: LeafQueue, partition: str) -> bool:
    """Whether a leaf may have others' containers killed (Hadoop: setPreemptionAllowed)."""
    # By amounts where there are any; a leaf without an effective minimum is compared by its share.
    minimum = leaf.minimum(partition)
    if any(minimum):
        return leaf.calc.compare(leaf.cluster.total, leaf.use(partition), minimum) < 0
    return leaf.absolute_used(partition) < leaf.share(partition).absolute


def next_over_maximum(queue: Queue, partition: str) -> KillableContainer | None:
    """Who is killed next because the queue holds more than its maximum; None when it does not.

    Hadoop: AbstractParentQueue.killContainersToEnforceMaxQueueCapacity.
    """
    found = queue.killable.get(partition)
    if not found:
        return None
    total = queue.cluster.total
    if queue.calc.compare(total, queue.use(partition), queue.maximum(partition)) <= 0:
        return None
    return found[min(found)]
