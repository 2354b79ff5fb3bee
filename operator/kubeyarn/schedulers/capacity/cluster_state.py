"""The state that all parts of the Capacity Scheduler share: queues, nodes, applications, config.

Hadoop keeps the same in CapacityScheduler, CapacitySchedulerQueueManager and ClusterNodeTracker.
Nodes come and go here (NodeAddedSchedulerEvent and the like), and so do configurations. What
follows from both for the queues is computed when it is next needed; `dirty` says whether it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import is_update
from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.calculator import DominantCalculator, calculator
from kubeyarn.schedulers.capacity.allocator.commit import unreserve
from kubeyarn.schedulers.capacity.allocator.container_update import release
from kubeyarn.schedulers.capacity.allocator.fast_path import FastPath
from kubeyarn.schedulers.capacity.auto_created_queues import (
    check_templates,
    refresh_branches,
    reset_managed_leaves,
)
from kubeyarn.schedulers.capacity.dirty import CapacityDirty
from kubeyarn.schedulers.capacity.max_running_apps import CSMaxRunningAppsEnforcer
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.placement import check_rules
from kubeyarn.schedulers.capacity.queue_capacities import update_cluster_resource
from kubeyarn.schedulers.capacity.queue_index import QueueIndex
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
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import ResourceTypes
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.objects.queue import Queue


class ClusterState:
    """Queues, nodes, applications and the configuration in force; a `ClusterEvents`.

    *epoch* goes into the ids of containers granted here, so that ids of one scheduler process never
    meet those of the next. With *hadoop_compatible* it miscounts applications and users where
    Hadoop does. *root* and *config* are None before the first configuration.
    """

    def __init__(self, types: ResourceTypes, *, epoch: int, hadoop_compatible: bool) -> None:
        self.types = types
        self.epoch = epoch
        self.cluster = CapacityNodeTracker(types, hadoop_compatible=hadoop_compatible)
        self.calc: Calculator = DominantCalculator()
        self.config: SchedulerConfig | None = None
        self.root: ParentQueue | None = None
        self.index = QueueIndex()
        self.apps: dict[ApplicationId, FiCaSchedulerApp] = {}
        self.running_apps = CSMaxRunningAppsEnforcer()
        self.fast_path = FastPath()
        self.dirty = CapacityDirty()

    # -- what there is ---------------------------------------------------------------------------

    @property
    def queues(self) -> dict[str, Queue]:
        """Every queue by its path."""
        return self.index.queues

    def root_in_force(self) -> ParentQueue:
        """The root queue.

        Raises:
            Rejected: no configuration is in force yet.
        """
        if self.root is None:
            raise Rejected(Reason.QUEUE_NOT_FOUND, "no configuration is in force yet")
        return self.root

    def config_in_force(self) -> SchedulerConfig:
        """The configuration.

        Raises:
            Rejected: none is in force yet.
        """
        if self.config is None:
            raise Rejected(Reason.QUEUE_NOT_FOUND, "no configuration is in force yet")
        return self.config

    def app(self, application: ApplicationId) -> FiCaSchedulerApp:
        """An application.

        Raises:
            Rejected: it is not known.
        """
        app = self.apps.get(application)
        if app is None:
            raise Rejected(Reason.INVALID_REQUEST, f"{application} is not known to the scheduler")
        return app

    # -- configurations --------------------------------------------------------------------------

    def configure(self, config: SchedulerConfig, now_ms: int) -> None:
        """Put a configuration in force; running containers are never touched.

        Raises:
            ConfigRefused: it does not add up; the one before stays in force.
        """
        tree = build_tree(config)
        check_rules(config, TreeLookup(tree))
        check_templates(tree, config)
        calc = calculator(dominant=config.dominant, fit_every_resource=config.fit_every_resource)
        if self.root is None:
            root = new_queue(tree, None, self.cluster, calc)
        else:
            check_change(self.root, tree, config)
            root = self.root
            for queue in root.walk():
                queue.calc = calc
            change_tree(root, tree, self.cluster, calc)
            refresh_branches(root, config)
        if root.leaf:
            raise TypeError("root is a leaf although it has children")
        self.root, self.calc, self.config = root, calc, config
        for queue in root.walk():
            queue.minimum_allocation = config.minimum_allocation
        self.index.rebuild(root)
        self._update_cluster_resource()
        self._reset_managed_parents(root, config)
        self.running_apps.update_on_reload(root, config)

    def _reset_managed_parents(self, root: ParentQueue, config: SchedulerConfig) -> None:
        """Leaves of managed parents start anew with what their template says now."""
        reset = False
        for queue in list(self.queues.values()):
            if not queue.leaf and queue.children:
                reset |= reset_managed_leaves(queue, config)
        if reset:
            self._update_cluster_resource()

    def stop(self, queue: str) -> None:
        """A queue is being removed; only a stopped one may be missing from a configuration."""
        found = self.queues.get(queue)
        if found is not None:
            stop_queue(found)

    # -- nodes -----------------------------------------------------------------------------------

    def add_node(self, node: Node) -> None:
        """A node joins, last in order."""
        if node.name in self.cluster.nodes:
            self.update_node(node)
            return
        self.cluster.add(node)
        self.dirty.node_joined()

    def update_node(self, node: Node) -> None:
        """A node's total, partition, rack or schedulability changed; its containers stay."""
        known = self.cluster.nodes.get(node.name)
        if known is None:
            self.add_node(node)
            return
        if known.node == node:
            return
        self._update_before_a_loss()
        if node.partition != known.partition or not node.schedulable:
            if known.reservation is not None:
                unreserve(known.reservation, known)
            self._repartition(known, node.partition)
        accounts.resize_node(self.cluster, known, node)
        held = known.reservation
        if held is not None and known.free_slots <= 0 and not is_update(held.key):
            unreserve(held, known)
        known.move(node.rack)
        self.dirty.node_changed()

    def _repartition(self, node: FiCaSchedulerNode, partition: str) -> None:
        for container in list(node.containers.values()):
            app = self.apps.get(container.id.attempt.application)
            if app is not None and container.partition != partition:
                app.queue.remove_ignore_exclusivity_container(container)
                accounts.repartition(app, container, node, partition)

    def remove_node(self, name: str) -> Sequence[Container]:
        """A node is lost; returns its containers, which are released."""
        node = self.cluster.nodes.get(name)
        if node is None:
            return ()
        self._update_before_a_loss()
        lost = list(node.containers.values())
        for container in lost:
            app = self.apps.get(container.id.attempt.application)
            if app is not None:
                release(app, container, node, self.cluster)
        if node.reservation is not None:
            unreserve(node.reservation, node)
        self.cluster.remove(name)
        self.dirty.node_lost()
        return lost

    # -- what follows from both ------------------------------------------------------------------

    def bring_up_to_date(self) -> None:
        """Let queues know of nodes that came, went or changed."""
        if self.dirty.capacities:
            self._update_cluster_resource()

    def _update_before_a_loss(self) -> None:
        if self.dirty.must_update_first:
            self._update_cluster_resource()

    def _update_cluster_resource(self) -> None:
        """Recompute what depends on the cluster's size (Hadoop: CSQueue.updateClusterResource)."""
        if self.root is not None and self.config is not None:
            update_cluster_resource(self.root, self.config)
            self.fast_path.update(self.root, self.cluster, self.config)
        self.dirty.capacities_updated()
