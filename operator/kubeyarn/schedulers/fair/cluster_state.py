"""What the whole scheduler shares: configuration, queues, attempts, nodes, and what is stale.

Hadoop: FSContext, FairScheduler's own fields, QueueManager.queues, ClusterNodeTracker.

`DirtyFlags` says which derived values are out of date. There are four of them, each with one
transition that makes it stale and one place that brings it up to date:

| Derived value | Made stale by | Brought up to date by |
|---|---|---|
| demand of single attempts | `demand_changed(attempt)` | `fair_shares.update` |
| demand of queues, fair shares, order of queues | `shares_changed()` | `fair_shares.update` |
| maxima, steady shares, all orders | `cluster_resized()` | `ClusterNodeTracker.refresh` |
| "a cycle would decide nothing" | `version` moved | `FairScheduler.cycle` |

A grant moves only `version` (`accounts.charge`). Fair shares depend on which applications run and
on demand, and a grant turns pending into used. So a cycle does not compute shares again for each
grant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.errors import Rejected
from kubeyarn.model.fair_queues import FairClusterConfig
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.allocation_tags import AllocationTagsManager
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.fair.objects.queue import FSParentQueue
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import ResourceTypes, Vector
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
    from kubeyarn.schedulers.fair.objects.queue import FSQueue

ROOT = "root"


class DirtyFlags:
    """Which derived values are stale (the table stands in the module's docstring)."""

    __slots__ = ("attempts", "cluster", "shares", "version")

    def __init__(self) -> None:
        self.version = 0
        self.shares = True
        self.cluster = True
        self.attempts: dict[FSAppAttempt, None] = {}

    def allocation_changed(self) -> None:
        """A container was granted or reserved, or a reservation given up: shares stay."""
        self.version += 1

    def shares_changed(self) -> None:
        """Something that shares depend on changed: who runs, what is wanted, settings."""
        self.shares = True
        self.version += 1

    def cluster_resized(self) -> None:
        """Nodes came, went or changed their size."""
        self.cluster = True
        self.shares_changed()

    def demand_changed(self, attempt: FSAppAttempt) -> None:
        """*attempt* asked for something else or lost a container."""
        self.attempts[attempt] = None

    def cluster_refreshed(self) -> None:
        """What follows from the size of the cluster is up to date."""
        self.cluster = False

    def shares_updated(self) -> None:
        """Demand of queues, fair shares and the order of queues are up to date."""
        self.shares = False

    def take_attempts(self) -> list[FSAppAttempt]:
        """The attempts whose demand is stale, which from now on it is not."""
        changed, self.attempts = list(self.attempts), {}
        return changed


class FairClusterState:
    """The state that all parts of one scheduler share.

    *cluster* is the sum of all nodes, *allocated* what all containers hold. *available* is their
    difference **as of the last change outside of an offer**: what one offer grants does not lower
    the limit of ApplicationMasters before the offer ends (Hadoop: the root queue's metrics, which
    updateRootQueueMetrics sets after each node update). *pending_sizes* counts the asks of each
    size, so that a node that is too full for all of them is not offered. These sums are written
    by accounts alone.
    """

    def __init__(self, types: ResourceTypes, epoch: int) -> None:
        self.types = types
        self.epoch = epoch
        self.zero: Vector = types.zero()
        self.config = FairClusterConfig()
        self.check_access = False
        self.minimum_allocation = self.zero
        self.maximum_allocation = self.zero
        self.increment_allocation = self.zero
        self.reservation_threshold = self.zero
        self.queues: dict[str, FSQueue] = {}
        self.attempts: dict[ApplicationId, FSAppAttempt] = {}
        self.nodes: dict[str, FSSchedulerNode] = {}
        self.cluster = self.zero
        self.allocated = self.zero
        self.available = self.zero
        self.pending_sizes: dict[Vector, int] = {}
        self.allocation_tags = AllocationTagsManager()
        self.dirty = DirtyFlags()

    @property
    def root(self) -> FSParentQueue:
        """The root queue.

        Raises:
            KeyError: there is no configuration yet.
        """
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
        self.check_access = config.check_access
        self.minimum_allocation = config.minimum_allocation
        self.maximum_allocation = config.maximum_allocation
        self.increment_allocation = config.increment_allocation or config.minimum_allocation
        self.reservation_threshold = multiply(
            self.increment_allocation, single(self.config.offers.reservation_multiple)
        )
