"""What the whole scheduler shares: configuration, queues, attempts, nodes.

Hadoop: FSContext, FairScheduler's own fields, QueueManager.queues, ClusterNodeTracker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.errors import Rejected
from kubeyarn.model.fair_queues import FairClusterConfig
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.allocation_tags import AllocationTagsManager
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.fair.dirty import FairDirty
from kubeyarn.schedulers.fair.objects.queue import FSParentQueue
from kubeyarn.schedulers.java_numbers import single
from kubeyarn.schedulers.largest_node import LargestNode

if TYPE_CHECKING:
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import ResourceTypes, Vector
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
    from kubeyarn.schedulers.fair.objects.queue import FSQueue

ROOT = "root"


class FairClusterState:
    """The state that all parts of one scheduler share.

    *cluster* is the sum of all schedulable nodes, *allocated* what containers on them hold: shares,
    percentages and thresholds are of what can be used. *available* is their difference **as of the
    last change outside of an offer**: what one offer grants does not lower the limit of
    ApplicationMasters before the offer ends (Hadoop: the root queue's metrics, which
    updateRootQueueMetrics sets after each node update). *pending_sizes* counts the asks of each
    size, so that a node that is too full for all of them is not offered. These sums are written
    by accounts alone.
    """

    def __init__(self, types: ResourceTypes, epoch: int) -> None:
        self.types = types
        self.epoch = epoch
        self.zero: Vector = types.zero()
        self.config = FairClusterConfig()
        self.memory_per_mib = 1
        self.check_access = False
        self.minimum_allocation = self.zero
        self.maximum_allocation = self.zero
        self.increment_allocation = self.zero
        self.reservation_threshold = self.zero
        self.queues: dict[str, FSQueue] = {}
        self.attempts: dict[ApplicationId, FSAppAttempt] = {}
        self.nodes: dict[str, FSSchedulerNode] = {}
        self.largest_node = LargestNode()
        self.cluster = self.zero
        self.allocated = self.zero
        self.available = self.zero
        self.pending_sizes: dict[Vector, int] = {}
        self.allocation_tags = AllocationTagsManager()
        self.dirty = FairDirty()

    @property
    def root(self) -> FSParentQueue:
        """The root queue.

        Raises:
            KeyError: there is no configuration yet.
        """
        # Made once and never removed: every configuration has it.
        root = self.queues[ROOT]
        assert isinstance(root, FSParentQueue)
        return root

    def attempt_of(self, application: ApplicationId) -> FSAppAttempt:
        """The current attempt of an application.

        Raises:
            Rejected: it is not known.
        """
        attempt = self.attempts.get(application)
        if attempt is None:
            raise Rejected(
                Reason.INVALID_REQUEST, f"{application} is not in the scheduler; submit it first"
            )
        return attempt

    def put_in_force(self, config: SchedulerConfig) -> None:
        """Take over the settings that are not a queue's."""
        self.config = config.fair or FairClusterConfig()
        self.memory_per_mib = config.memory_per_mib
        self.check_access = config.check_access
        self.minimum_allocation = config.minimum_allocation
        self.maximum_allocation = config.maximum_allocation
        # The Capacity Scheduler's step is its minimum allocation; where no increment is set it is
        # ours, too.
        self.increment_allocation = config.increment_allocation or config.minimum_allocation
        self.reservation_threshold = multiply(
            self.increment_allocation, single(self.config.offers.reservation_multiple)
        )
