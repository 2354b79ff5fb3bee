"""The ledger's queues and nodes: configured, joining, changing, leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.errors import Rejected
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.calculator import DominantCalculator, calculator
from kubeyarn.schedulers.capacity.allocator.commit import (
    drop_reservation,
)
from kubeyarn.schedulers.capacity.allocator.container_update import release
from kubeyarn.schedulers.capacity.allocator.fast_path import may_be_quick
from kubeyarn.schedulers.capacity.auto_created_queues import (
    check_templates,
    refresh_branches,
    reset_managed_leaves,
)
from kubeyarn.schedulers.capacity.max_running_apps import ParallelLimits
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication
from kubeyarn.schedulers.capacity.objects.node import Cluster
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.placement import check_rules
from kubeyarn.schedulers.capacity.queue_capacities import update_cluster_resource
from kubeyarn.schedulers.capacity.queue_index import QueueIndex
from kubeyarn.schedulers.capacity.queue_manager import (
    change_tree,
    check_change,
    new_queue,
    stop_queue,
    walk,
)
from kubeyarn.schedulers.capacity.queue_tree_checks import TreeLookup, build_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.resources import ResourceTypes
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.node import LedgerNode
    from kubeyarn.schedulers.capacity.objects.queue import Queue


class QueueLedger:
    """Queues, nodes and what follows from both: guarantees and limits.

    *epoch* goes into the ids of containers granted here, so that ids of one ledger never meet
    those of the next. Without *quick_lane* every offer goes the general way; decisions are the
    same. With *hadoop_compatible* it miscounts applications and users where Hadoop does.
    """

    def __init__(
        self,
        types: ResourceTypes,
        *,
        epoch: int = 0,
        quick_lane: bool = True,
        hadoop_compatible: bool = False,
    ) -> None:
        self.quick_lane = quick_lane
        self.types = types
        self.epoch = epoch
        self.zero = types.zero()
        self.cluster = Cluster(types, hadoop_compatible=hadoop_compatible)
        self.calc: Calculator = DominantCalculator()
        self.config: SchedulerConfig | None = None
        self.root: ParentQueue | None = None
        self.index = QueueIndex()
        self.apps: dict[ApplicationId, LedgerApplication] = {}
        self.parallel = ParallelLimits()
        self._idle = False
        self._all_plain = True
        self._quick = False
        self._stale = False
        self._grown = False

    def configure(self, config: SchedulerConfig, now_ms: int) -> None:
        """Put a configuration in force; running containers are never touched.

        Raises:
            ConfigRefused: it does not add up; the one before stays in force.
        """
        tree = build_tree(config)
        check_rules(config.placement_rules, TreeLookup(tree))
        check_templates(tree, config)
        calc = calculator(dominant=config.dominant)
        if self.root is None:
            root = new_queue(tree, None, self.cluster, calc)
        else:
            check_change(self.root, tree, config.removable)
            root = self.root
            for queue in walk(root):
                queue.calc = calc
            change_tree(root, tree, self.cluster, calc)
            refresh_branches(root, config)
        if not isinstance(root, ParentQueue):
            raise TypeError("root is a leaf although it has children")
        self.root, self.calc, self.config = root, calc, config
        for queue in walk(root):
            queue.step = config.minimum_allocation
        self.index.rebuild(self._tree())
        self.refresh()
        reset = False
        for queue in list(self.queues.values()):
            if isinstance(queue, ParentQueue) and queue.children:
                reset |= reset_managed_leaves(queue, config)
        if reset:
            self.refresh()
        self.parallel.refill(root, config)

    @property
    def queues(self) -> dict[str, Queue]:
        """Every queue by its path."""
        return self.index.queues

    def stop(self, queue: str) -> None:
        """A queue is being removed; only a stopped one may be missing from a configuration."""
        found = self.queues.get(queue)
        if found is not None:
            stop_queue(found)

    def _tree(self) -> ParentQueue:
        if self.root is None:
            raise Rejected(Reason.QUEUE_NOT_FOUND, "no configuration is in force yet")
        return self.root

    def _settings(self) -> SchedulerConfig:
        if self.config is None:
            raise Rejected(Reason.QUEUE_NOT_FOUND, "no configuration is in force yet")
        return self.config

    def _cluster_changed(self) -> None:
        self._stale = True
        self._idle = False

    def _about_to_shrink(self) -> None:
        """Let nodes that came act before one goes.

        Hadoop recomputes at every node, and a larger cluster may admit an application that stays
        admitted in a smaller one. Only of nodes in a row that came the last one decides.
        """
        if self._grown:
            self.refresh()

    def settle(self) -> None:
        """Bring queues up to date with nodes that came, went or changed."""
        if self._stale:
            self.refresh()

    def refresh(self) -> None:
        """Recompute what depends on the cluster's size."""
        self._stale = False
        self._grown = False
        self._idle = False
        if self.root is not None and self.config is not None:
            update_cluster_resource(self.root, self.config)
            config = self.config
            quick = self.quick_lane and not (config.lazy_preemption or config.choose_nodes)
            self._quick = quick and may_be_quick(self.root, self.cluster)

    def add_node(self, node: Node) -> None:
        """A node joins, last in order."""
        if node.name in self.cluster.nodes:
            self.update_node(node)
            return
        self.cluster.add(node)
        self._cluster_changed()
        self._grown = True

    def update_node(self, node: Node) -> None:
        """A node's total, partition, rack or schedulability changed; its containers stay."""
        ledger = self.cluster.nodes.get(node.name)
        if ledger is None:
            self.add_node(node)
            return
        if ledger.node == node:
            return
        self._about_to_shrink()
        if node.partition != ledger.partition or not node.schedulable:
            if ledger.reservation is not None:
                drop_reservation(ledger.reservation, ledger)
            self._repartition(ledger, node.partition)
        accounts.resize_node(self.cluster, ledger, node)
        ledger.move(node.rack)
        self._cluster_changed()
        self._grown = True

    def _repartition(self, node: LedgerNode, partition: str) -> None:
        for container in list(node.containers.values()):
            app = self.apps.get(container.id.attempt.application)
            if app is not None and container.partition != partition:
                app.queue.forget_borrowed(container)
                accounts.repartition(app, container, node, partition)

    def remove_node(self, name: str) -> Sequence[Container]:
        """A node is lost; returns its containers, which are released from the ledger."""
        ledger = self.cluster.nodes.get(name)
        if ledger is None:
            return ()
        self._about_to_shrink()
        lost = list(ledger.containers.values())
        for container in lost:
            app = self.apps.get(container.id.attempt.application)
            if app is not None:
                release(app, container, ledger, self.cluster)
        if ledger.reservation is not None:
            drop_reservation(ledger.reservation, ledger)
        self.cluster.remove(name)
        self._cluster_changed()
        return lost
