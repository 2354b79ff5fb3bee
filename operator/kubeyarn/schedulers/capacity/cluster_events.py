"""The cluster's events: a configuration comes into force, nodes come, change and go.

Hadoop: CapacityScheduler.reinitialize, addNode, updateNodeResource, updateLabelsOnNode and
removeNode. What follows for the capacities of queues is computed when it is next needed
(`ClusterState.bring_up_to_date`), because nodes often change in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import is_update
from kubeyarn.model.resources import fits
from kubeyarn.schedulers.calculator import calculator
from kubeyarn.schedulers.capacity.allocator.commit import unreserve
from kubeyarn.schedulers.capacity.allocator.container_update import release
from kubeyarn.schedulers.capacity.auto_created_queues import (
    check_templates,
    refresh_branches,
    reset_managed_leaves,
)
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.placement import check_rules
from kubeyarn.schedulers.capacity.queue_manager import (
    change_tree,
    check_change,
    new_queue,
    stop_queue,
)
from kubeyarn.schedulers.capacity.queue_tree_checks import TreeLookup, build_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.containers import Container
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.capacity.cluster_state import ClusterState
    from kubeyarn.schedulers.capacity.max_running_apps import CSMaxRunningAppsEnforcer
    from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue


class CapacityClusterEvents:
    """Configurations and nodes; a `ClusterEvents`."""

    def __init__(self, state: ClusterState, running_apps: CSMaxRunningAppsEnforcer) -> None:
        self._state = state
        self._running_apps = running_apps

    # -- configurations --------------------------------------------------------------------------

    def configure(self, config: SchedulerConfig, now_ms: int) -> None:
        """Put a configuration in force; running containers are never touched.

        Raises:
            ConfigRefused: it does not add up; the one before stays in force.
        """
        # What can be refused is refused up to `check_change`, before anything changes.
        tree = build_tree(config)
        check_rules(config, TreeLookup(tree))
        check_templates(tree, config)
        calc = calculator(config)
        state, root = self._state, self._state.root
        if root is None:
            made = new_queue(tree, None, state.cluster, calc)
            if made.leaf:
                raise TypeError("root is a leaf although it has children")
            root = made
        else:
            check_change(root, tree, config)
            # Before the tree changes, so that new queues and old ones compare by the same
            # calculator.
            for queue in root.walk():
                queue.calc = calc
            change_tree(root, tree, state.cluster, calc)
            refresh_branches(root, config)
        # Templates next, because a leaf's part is measured by what its parent has now; then who may
        # run, because limits of applications were just read.
        state.put_in_force(root, calc, config)
        self._reset_managed_parents(root, config)
        self._running_apps.update_on_reload(root, config)
        state.cluster.queues_refreshed(state.queues)

    def _reset_managed_parents(self, root: ParentQueue, config: SchedulerConfig) -> None:
        """Leaves of managed parents start anew with what their template says now."""
        reset = False
        for queue in list(self._state.queues.values()):
            if not queue.leaf and queue.children:
                reset |= reset_managed_leaves(queue, config)
        if reset:
            self._state.update_cluster_resource()

    def stop(self, queue: str) -> None:
        """A queue is being removed; only a stopped one may be missing from a configuration."""
        found = self._state.queues.get(queue)
        if found is not None:
            stop_queue(found)

    # -- nodes -----------------------------------------------------------------------------------

    def add_node(self, node: Node) -> None:
        """A node joins, last in order."""
        if node.name in self._state.cluster.nodes:
            self.update_node(node)
            return
        self._state.cluster.add(node)
        self._state.dirty.node_joined()

    def update_node(self, node: Node) -> None:
        """A node's total, partition, rack or schedulability changed; its containers stay."""
        known = self._state.cluster.nodes.get(node.name)
        if known is None:
            self.add_node(node)
            return
        # Levels are told again and again; a node that is as before makes nothing stale.
        if known.node == node:
            return
        self._state.update_before_a_loss()
        if known.reservation is not None and self._ends_reservation(known, node):
            unreserve(known.reservation, known)
        if node.partition != known.partition or not node.schedulable:
            self._repartition(known, node.partition)
        accounts.resize_node(self._state.cluster, known, node)
        # A slot comes free only when something ends there, and that offers the node by itself;
        # meanwhile the reservation would count as used.
        held = known.reservation
        if held is not None and known.free_slots <= 0 and not is_update(held.key):
            unreserve(held, known)
        known.move(node.rack)
        self._state.dirty.node_changed()

    def _ends_reservation(self, known: FiCaSchedulerNode, now: Node) -> bool:
        """Whether a node that changes is no longer reserved.

        What waits there asked for the partition that the node leaves, or for a node that takes
        containers, or for more than it will ever have. In Hadoop each change of size ends it: the
        label manager takes the node off and on again, which is an update of its labels to the
        scheduler (CapacityScheduler.updateLabelsOnNode). In a cluster a node's size changes with
        every pod of others there, so a large ask would never be served.
        """
        held = known.reservation
        if held is None or now.partition != known.partition or not now.schedulable:
            return True
        if self._state.cluster.hadoop_compatible:
            return now.total != known.total
        return not fits(held.size, now.total_capability)

    def _repartition(self, node: FiCaSchedulerNode, partition: str) -> None:
        for container in list(node.containers.values()):
            app = self._state.apps.get(container.id.attempt.application)
            if app is not None and container.partition != partition:
                app.queue.remove_ignore_exclusivity_container(container)
                accounts.repartition(app, container, node, partition)

    def remove_node(self, name: str) -> Sequence[Container]:
        """A node is lost; returns its containers, which are released."""
        node = self._state.cluster.nodes.get(name)
        if node is None:
            return ()
        self._state.update_before_a_loss()
        # Containers before the node: they are discharged from a partition that still has the size
        # they were measured against.
        lost = list(node.containers.values())
        for container in lost:
            app = self._state.apps.get(container.id.attempt.application)
            if app is not None:
                release(app, container, node, self._state.cluster)
        if node.reservation is not None:
            unreserve(node.reservation, node)
        self._state.cluster.remove(name)
        self._state.dirty.node_lost()
        return lost
