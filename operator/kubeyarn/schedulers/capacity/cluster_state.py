"""The state that all parts of the Capacity Scheduler share: queues, nodes, applications, config.

Hadoop keeps the same in CapacityScheduler, CapacitySchedulerQueueManager and ClusterNodeTracker.
What follows for the queues from the nodes and the configuration is computed here when it is next
needed; `dirty` says whether it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.calculator import DominantCalculator
from kubeyarn.schedulers.capacity.allocator.fast_path import FastPath
from kubeyarn.schedulers.capacity.dirty import CapacityDirty
from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.queue_capacities import update_cluster_resource
from kubeyarn.schedulers.capacity.queue_index import QueueIndex

if TYPE_CHECKING:
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import ResourceTypes
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.queue import Queue


class ClusterState:
    """Queues, nodes, applications and the configuration in force.

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

    # -- what follows from nodes and configuration ------------------------------------------------

    def put_in_force(self, root: ParentQueue, calc: Calculator, config: SchedulerConfig) -> None:
        """Decide by a tree of queues, a calculator and a configuration from now on."""
        # Together, so that nobody sees queues of one configuration and settings of another.
        self.root, self.calc, self.config = root, calc, config
        for queue in root.walk():
            queue.minimum_allocation = config.minimum_allocation
        self.index.rebuild(root)
        self.update_cluster_resource()

    def bring_up_to_date(self) -> None:
        """Let queues know of nodes that came, went or changed."""
        if self.dirty.capacities:
            self.update_cluster_resource()

    def update_before_a_loss(self) -> None:
        """Let nodes that came take effect before one goes or shrinks."""
        if self.dirty.must_update_first:
            self.update_cluster_resource()

    def update_cluster_resource(self) -> None:
        """Recompute what depends on the cluster's size (Hadoop: CSQueue.updateClusterResource)."""
        if self.root is not None and self.config is not None:
            update_cluster_resource(self.root, self.config)
            # It hangs on the total, on the calculator and on the configuration, which all come by
            # here.
            self.fast_path.update(self.root, self.cluster, self.config)
        self.dirty.capacities_updated()
