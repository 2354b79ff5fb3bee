"""The Capacity Scheduler: the parts that handle events, answer questions and decide.

Hadoop: CapacityScheduler. The class has its parts and inherits nothing; each call of
`schedulers.api.SteppedScheduler` is bound to the part that handles it. All parts share one
`ClusterState`, and tell its `CapacityDirty` what happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.capacity.allocator.node_update import SchedulingCycle
from kubeyarn.schedulers.capacity.application_events import CapacityApplicationEvents
from kubeyarn.schedulers.capacity.auto_created_queues import QueueManagementPolicy
from kubeyarn.schedulers.capacity.cluster_events import CapacityClusterEvents
from kubeyarn.schedulers.capacity.cluster_state import ClusterState
from kubeyarn.schedulers.capacity.container_events import CapacityContainerEvents
from kubeyarn.schedulers.capacity.max_running_apps import CSMaxRunningAppsEnforcer
from kubeyarn.schedulers.capacity.preemption.policy import ProportionalCapacityPreemptionPolicy
from kubeyarn.schedulers.capacity.queries import CapacityQueries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.resources import ResourceTypes
    from kubeyarn.schedulers.api import Decision


class CapacityScheduler:
    """A `SteppedScheduler` that shares a cluster by queues' capacities.

    *epoch* goes into the ids of containers granted here, so that ids of one scheduler process never
    meet those of the next. With *hadoop_compatible* it miscounts applications and users where
    Hadoop does.
    """

    def __init__(
        self, types: ResourceTypes, *, epoch: int = 0, hadoop_compatible: bool = False
    ) -> None:
        self.state = ClusterState(types, epoch=epoch, hadoop_compatible=hadoop_compatible)
        self.queue_management = QueueManagementPolicy(self.state)
        self._preemption = ProportionalCapacityPreemptionPolicy()
        running_apps = CSMaxRunningAppsEnforcer()
        cluster = CapacityClusterEvents(self.state, running_apps)
        applications = CapacityApplicationEvents(self.state, running_apps)
        containers = CapacityContainerEvents(self.state)
        queries = CapacityQueries(self.state)
        cycle = SchedulingCycle(self.state, self.queue_management)

        self.configure, self.stop = cluster.configure, cluster.stop
        self.add_node, self.update_node = cluster.add_node, cluster.update_node
        self.remove_node = cluster.remove_node

        self.submit, self.finish = applications.submit, applications.finish
        self.start_attempt = applications.start_attempt
        self.restart_attempts = applications.restart_attempts
        self.ask_for_master = applications.ask_for_master
        self.master_gone = applications.master_gone
        self.locate_master = applications.locate_master
        self.exclude = applications.exclude
        self.move, self.set_priority = applications.move, applications.set_priority

        self.update_asks = containers.update_asks
        self.recover, self.release = containers.recover, containers.release
        self.skip_numbers, self.next_id = containers.skip_numbers, containers.next_id
        self.decrease = containers.decrease
        self.request_increase = containers.request_increase

        self.node_reports, self.queue_status = queries.node_reports, queries.queue_status
        self.why, self.priority, self.rounded = queries.why, queries.priority, queries.rounded
        self.maximum_allocation = queries.maximum_allocation
        self.effective_maximum = queries.effective_maximum
        self.user_over_cap, self.headroom = queries.user_over_cap, queries.headroom
        self.containers = queries.containers

        self.cycle, self.node_update = cycle.run, cycle.node_update

    def preempt(self, now_ms: int) -> Sequence[Decision]:
        """One pass of the preemption policy, if the configuration turns it on."""
        state = self.state
        state.bring_up_to_date()
        if state.root is None or state.config is None:
            return ()
        # Marked containers may be killed by a cycle, and reservations may be dropped.
        state.dirty.use_changed()
        return self._preemption.edit_schedule(
            state.root, state.cluster, state.calc, state.config, state.apps, now_ms
        )
