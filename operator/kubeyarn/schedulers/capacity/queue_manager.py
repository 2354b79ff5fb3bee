"""The tree of queues in force: built from a configuration, and changed by the next one.

Theory of operation (Hadoop: CapacitySchedulerQueueManager.reinitializeQueues,
CapacitySchedulerConfigValidator, the queues' `reinitialize`). A configuration is first made into a
tree of `TreeNode`s, which knows nothing of the cluster (`queue_tree_checks`). Then either all of it
comes into force or nothing does: `check_change` compares it with the tree in force and collects
every objection, and only when there is none `change_tree` changes the queues, which refuses
nothing.

What holds: a queue object lives as long as its path and its kind (leaf or parent) stay, so what it
holds, its applications and its users survive every new configuration. Queues that were created on
demand stay, too, though no configuration declares them. A queue is removed only when it is stopped,
or declared removable while it drains.

Order matters: siblings are put into the order in which Hadoop's HashMap of queues lists their
paths, and of equally served ones the first is offered a node first.

States: RUNNING takes applications; stopping one makes it DRAINING while applications are left in or
below it, else STOPPED; a DRAINING one is STOPPED when its last application left (`drained`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.errors import ConfigRefused, Problem
from kubeyarn.model.queues import AutoCreateKind, ConfiguredState
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.queue import QueueState, Shares
from kubeyarn.schedulers.java_collections import hash_order
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
    from kubeyarn.schedulers.capacity.objects.queue import Queue
    from kubeyarn.schedulers.capacity.queue_tree_checks import TreeNode

_STATES = {
    ConfiguredState.RUNNING: QueueState.RUNNING,
    ConfiguredState.STOPPED: QueueState.STOPPED,
}


def new_queue(
    node: TreeNode, parent: ParentQueue | None, cluster: CapacityNodeTracker, calc: Calculator
) -> Queue:
    """A queue as configured, with all below it."""
    kind = LeafQueue if node.leaf else ParentQueue
    queue = kind(node.path, parent, cluster, calc)
    configure_queue(queue, node)
    queue.state = _STATES[node.state]
    if not queue.leaf:
        queue.children = [new_queue(child, queue, cluster, calc) for child in node.children]
    return queue


def configure_queue(queue: Queue, node: TreeNode) -> None:
    """Apply a queue's own settings; its state and its children are left as they are."""
    before = getattr(queue, "settings", None)
    queue.settings = node.settings
    queue.accessible = node.settings.accessible
    queue.capacities = {
        label: (configured.vector, configured.maximum_vector)
        for label, configured in node.shares.items()
    }
    for label, configured in node.shares.items():
        share = queue.shares.setdefault(label, Shares())
        share.capacity, share.maximum = configured.capacity, configured.maximum
        above = queue.parent.share(label).absolute_maximum if queue.parent else 1.0
        # A maximum below 0 is 0: nothing (Hadoop: updateAbsoluteCapacitiesByNodeLabels).
        share.absolute_maximum = single(max(0.0, configured.maximum) * above)
        share.weight, share.maximum_am_share = configured.weight, configured.maximum_am_share
        share.normalized_weight = 0.0
        queue.configured_minimum[label] = configured.minimum_amounts or queue.zero
        queue.configured_maximum[label] = configured.maximum_amounts or queue.zero
    for label in [label for label in queue.shares if label not in node.shares]:
        share = queue.shares[label]
        share.capacity, share.maximum, share.weight = 0.0, 0.0, -1.0
        share.normalized_weight = 0.0
        queue.configured_minimum.pop(label, None)
        queue.configured_maximum.pop(label, None)
    queue.forget_derived()
    if not queue.leaf:
        queue.reorder()
        queue.auto_create = node.settings.config.auto_create
    else:
        queue.users.set_weights(node.settings.user_weights)
        queue.take_ordering()
        if before is not None:
            queue.reorder_all()


def check_change(root: Queue, new: TreeNode, config: SchedulerConfig) -> None:
    """Refuse a change of shape that running applications do not allow.

    Removable queues may be missing from the new tree although they still drain.

    Raises:
        ConfigRefused: one problem for each queue that cannot be as the new tree has it.
    """
    nodes = {node.path: node for node in new.walk()}
    problems: list[Problem] = []
    for queue in root.walk():
        # No configuration declares the former; the latter may go while it drains.
        if queue.on_demand or (queue.path in config.removable and queue.path not in nodes):
            continue
        problem = _problem_of(queue, nodes.get(queue.path))
        if problem:
            problems.append(
                Problem(
                    queue.path,
                    config.spelling(queue.path, "name"),
                    "QueueNotStopped",
                    f"{problem} (state {queue.state})",
                )
            )
    problems += _stopped_above(root, new, config, parent_runs=True)
    problems += _lowered(root, nodes, config)
    if problems:
        raise ConfigRefused(tuple(problems))


def _stopped_above(
    queue: Queue, node: TreeNode, config: SchedulerConfig, *, parent_runs: bool
) -> Iterator[Problem]:
    """Queues to be started below one that will not run (Hadoop: AbstractCSQueue.activateQueue)."""
    configured = node.settings.config.state
    starts = queue.state is not QueueState.RUNNING and configured is ConfiguredState.RUNNING
    if starts and not parent_runs and queue.parent is not None:
        yield Problem(
            queue.path,
            config.spelling(queue.path, "state"),
            "ParentStopped",
            f"the parent {queue.parent.path} is not running; start it first",
        )
    stays = queue.state is QueueState.RUNNING and configured is not ConfiguredState.STOPPED
    present = {child.path: child for child in queue.children}
    for child in node.children:
        known = present.get(child.path)
        if known is not None and known.leaf == child.leaf:
            runs = parent_runs and (starts or stays)
            yield from _stopped_above(known, child, config, parent_runs=runs)


def _problem_of(queue: Queue, node: TreeNode | None) -> str | None:
    """Why a queue may not become what the new tree has of it (validateQueueHierarchy)."""
    stopped = queue.state is QueueState.STOPPED
    # A draining queue has applications still, which would be left without a queue.
    if node is None:
        return None if stopped else "the queue cannot be removed before it is stopped"
    auto = node.settings.config.auto_create
    managed_new = auto is not None and auto.kind is AutoCreateKind.MANAGED
    if not queue.leaf:
        managed_old = queue.managed is not None
        if managed_new and not managed_old and not node.leaf:
            return "a parent queue cannot become one that creates its children"
        if managed_old and not managed_new:
            return "a queue that creates its children cannot become another"
    stopping = node.settings.config.state is ConfiguredState.STOPPED
    if queue.leaf and not node.leaf and not (stopped or stopping or _is_vacant(queue)):
        return "a leaf queue cannot become a parent before it is stopped"
    return None


def _is_vacant(queue: Queue) -> bool:
    """Whether a running leaf may become a parent, because no application is in it.

    Hadoop has it stopped first in any case, and can: its file holds the whole tree. YarnQueues come
    one by one, the parent first, so a parent may have been a leaf for a moment.
    """
    hadoop_compatible = queue.cluster.hadoop_compatible
    return isinstance(queue, LeafQueue) and not queue.applications and not hadoop_compatible


def _lowered(
    queue: Queue, nodes: Mapping[str, TreeNode], config: SchedulerConfig
) -> Iterator[Problem]:
    """Leaves whose largest container would shrink (Hadoop: AbstractLeafQueue.reinitialize).

    The problem is the topmost queue's whose own is smaller than before: it is configured there.
    """
    if not any(_shrinks(leaf, nodes) for leaf in queue.leaves()):
        return
    if not _shrinks(queue, nodes):
        for child in queue.children:
            yield from _lowered(child, nodes, config)
        return
    field = config.spelling(queue.path, "maximum_allocation")
    text, new = queue.cluster.types.text, nodes[queue.path].settings.maximum_allocation
    yield Problem(
        queue.path,
        field,
        "MaximumAllocation",
        f"{field}: found {text(new)}, allowed while its queues are in force: at least "
        f"{text(queue.settings.maximum_allocation)}; restart the scheduler to have it lowered",
    )


def _shrinks(queue: Queue, nodes: Mapping[str, TreeNode]) -> bool:
    node = nodes.get(queue.path)
    if node is None or queue.on_demand or queue.leaf is not node.leaf:
        return False
    old, new = queue.settings.maximum_allocation, node.settings.maximum_allocation
    return any(o > n for o, n in zip(old, new, strict=True))


def change_tree(
    queue: Queue, node: TreeNode, cluster: CapacityNodeTracker, calc: Calculator
) -> None:
    """Change an existing queue and all below it into what a checked new tree has."""
    configure_queue(queue, node)
    change_state(queue, node.settings.config.state)
    if not queue.leaf:
        _change_children(queue, node, cluster, calc)


def _change_children(
    queue: ParentQueue, node: TreeNode, cluster: CapacityNodeTracker, calc: Calculator
) -> None:
    # Queues stay the same objects as long as path and kind do: applications and sums hang on them.
    present = {child.path: child for child in queue.children}
    wanted = {child.path: child for child in node.children}
    for path in hash_order(list(wanted)):
        child, new = present.get(path), wanted[path]
        if child is None or child.leaf != new.leaf:
            present[path] = new_queue(new, queue, cluster, calc)
        else:
            # A queue that was created on demand and is declared now is an ordinary one.
            child.dynamic = False
            change_tree(child, new, cluster, calc)
    kept = [path for path in hash_order(list(present)) if path in wanted or present[path].on_demand]
    queue.children = [present[path] for path in kept]
    queue.reorder()


def change_state(queue: Queue, configured: ConfiguredState | None) -> None:
    """Stop or start a queue as configured (Hadoop: QueueStateHelper.reinitializeState)."""
    if queue.state is QueueState.RUNNING:
        if configured is ConfiguredState.STOPPED:
            stop_queue(queue)
    elif configured is ConfiguredState.RUNNING:
        queue.state = QueueState.RUNNING


def stop_queue(queue: Queue) -> None:
    """Take no more applications here and below; what runs may end."""
    # By applications in or below it: a parent drains as long as one of its leaves does.
    queue.state = QueueState.DRAINING if queue.applications > 0 else QueueState.STOPPED
    for child in queue.children:
        stop_queue(child)


def drained(queue: Queue) -> None:
    """An application left: a draining queue without any is stopped."""
    if queue.state is QueueState.DRAINING and queue.applications == 0:
        queue.state = QueueState.STOPPED
