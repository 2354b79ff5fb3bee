"""The Fair Scheduler: its parts put together, and the calls that decide (Hadoop: FairScheduler)."""

from __future__ import annotations

from collections.abc import Sequence

from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.api import Decision, Grant, Preempt
from kubeyarn.schedulers.fair import fair_shares, ordering
from kubeyarn.schedulers.fair.app_scheduling_info import AppSchedulingInfo
from kubeyarn.schedulers.fair.application_events import FairApplicationEvents
from kubeyarn.schedulers.fair.attempt_lifecycle import AttemptLifecycle
from kubeyarn.schedulers.fair.cluster_events import FairClusterEvents
from kubeyarn.schedulers.fair.cluster_nodes import ClusterNodeTracker
from kubeyarn.schedulers.fair.cluster_state import FairClusterState
from kubeyarn.schedulers.fair.container_assigner import ContainerAssigner
from kubeyarn.schedulers.fair.container_events import FairContainerEvents
from kubeyarn.schedulers.fair.container_update import ContainerUpdates
from kubeyarn.schedulers.fair.max_running_apps import MaxRunningAppsEnforcer
from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
from kubeyarn.schedulers.fair.preemption import FSPreemption
from kubeyarn.schedulers.fair.queries import FairQueries
from kubeyarn.schedulers.fair.queue_manager import QueueManager
from kubeyarn.schedulers.fair.submission import FairSubmission

_QUEUE_CHECK_INTERVAL_MS = 10_000
"""Hadoop: AllocationFileLoaderService, ALLOC_RELOAD_INTERVAL_MS."""

_QUIET_ROUNDS = 3
_MARKED = "its room goes to an application below its share"
_KILLED = "preempted: its room goes to an application below its share"


class FairScheduler:
    """Hadoop's FairScheduler; implements `api.SteppedScheduler`.

    The calls of the interface are the methods of the part that serves them, bound here, so nothing
    is forwarded. What stands below decides: `update` is one turn of Hadoop's update thread,
    `node_update` one heartbeat, `preempt` one turn of its preemption thread. `cycle` does what
    Hadoop does in as many heartbeats as change something.

    *epoch* goes into the ids of containers and grows whenever a scheduler takes over. One that is
    *hadoop_compatible* leaves a refresh half done where Hadoop does: at a removed queue that is
    gone already.
    """

    def __init__(
        self,
        types: ResourceTypes | None = None,
        epoch: int = 0,
        *,
        hadoop_compatible: bool = False,
    ) -> None:
        # In the order of what knows whom: each part is handed those that it calls.
        state = FairClusterState(types or ResourceTypes(), epoch)
        accounts = FSAccounts(state)
        queue_manager = QueueManager(state, hadoop_compatible=hadoop_compatible)
        enforcer = MaxRunningAppsEnforcer(state)
        nodes = ClusterNodeTracker(state)
        asks = AppSchedulingInfo(state, accounts)
        updates = ContainerUpdates(state, accounts, asks)
        submission = FairSubmission(state, queue_manager, nodes)
        lifecycle = AttemptLifecycle(state, accounts, asks, enforcer, nodes)

        containers = FairContainerEvents(state, accounts, nodes, submission, asks, updates)
        self.update_asks = containers.update_asks
        self.recover = containers.recover
        self.skip_numbers = containers.skip_numbers
        self.next_id = containers.next_id
        self.decrease = containers.decrease
        self.request_increase = containers.request_increase
        self.release = containers.release

        cluster = FairClusterEvents(state, accounts, queue_manager, nodes, enforcer, updates)
        self.configure = cluster.configure
        self.stop = cluster.stop
        self.add_node = cluster.add_node
        self.update_node = cluster.update_node
        self.remove_node = cluster.remove_node

        applications = FairApplicationEvents(
            state, accounts, queue_manager, nodes, submission, asks, lifecycle
        )
        self.submit = applications.submit
        self.start_attempt = applications.start_attempt
        self.restart_attempts = applications.restart_attempts
        self.ask_for_master = applications.ask_for_master
        self.master_gone = applications.master_gone
        self.locate_master = applications.locate_master
        self.exclude = applications.exclude
        self.finish = applications.finish
        self.move = applications.move
        self.set_priority = applications.set_priority

        queries = FairQueries(state, nodes, submission, enforcer)
        self.queries = queries
        self.node_reports = queries.node_reports
        self.queue_status = queries.queue_status
        self.why = queries.why
        self.priority = queries.priority
        self.rounded = queries.rounded
        self.maximum_allocation = queries.maximum_allocation
        self.effective_maximum = queries.effective_maximum
        self.user_over_cap = queries.user_over_cap
        self.headroom = queries.headroom
        self.containers = queries.containers

        self.state = state
        self._queue_manager = queue_manager
        self._nodes = nodes
        self._updates = updates
        self._assigner = ContainerAssigner(state, accounts)
        self._preemption = FSPreemption(state, accounts)
        self._idle_version = -1
        self._queues_checked_ms = 0
        self._last_assigned: FSSchedulerNode | None = None

    def update(self, now_ms: int) -> None:
        """Bring shares up to date if something changed, and note who is starved now."""
        if not self.state.queues:
            return
        # Shares are parts of the cluster, so what hangs on the nodes comes first; who is starved is
        # measured by both.
        self._nodes.bring_up_to_date()
        if self.state.dirty.shares:
            ordering.place_changed(self.state, fair_shares.update(self.state))
        self._preemption.update_starved_apps(now_ms)

    def node_update(self, node: str, now_ms: int) -> Sequence[Decision]:
        """One scheduling opportunity of one node (Hadoop: FairScheduler.nodeUpdate).

        Shares are those of the last `update`.
        """
        found = self.state.nodes.get(node)
        if found is None or not self.state.queues:
            return []
        decisions = self._assigner.attempt_scheduling(found)
        return [self._updates.swap(decision) for decision in decisions]

    def cycle(self, now_ms: int, limit: int) -> Sequence[Decision]:
        """Offer all nodes until nothing changes or *limit* grants were made.

        1. Remove queues that nobody declares and nobody uses, every ten seconds.
        2. Stop if nothing happened since a round that changed nothing.
        3. Update shares.
        4. Offer each node once that could take something.
        5. Again from 2, until three rounds in a row granted nothing: a reservation that was made
           or given up in one round may let another be served in the next. Waiting for nodes by
           name counts offers, so with locality thresholds no round is without effect.
        """
        decisions: list[Decision] = []
        if not self.state.queues:
            return decisions
        self._check_queues(now_ms)
        dirty = self.state.dirty
        # Nodes are listed only for a cycle that offers them: most cycles find nothing to do.
        nodes = () if self._idle_version == dirty.version else self._nodes_in_turn()
        grants = quiet = 0
        while grants < limit and quiet < _QUIET_ROUNDS and self._idle_version != dirty.version:
            # Read before the update and the offers: only a round in which nothing at all happened
            # is idle.
            version = dirty.version
            self.update(now_ms)
            granted = self._offer_each_node(nodes, limit - grants, decisions)
            grants += granted
            quiet = 0 if granted else quiet + 1
            if version == dirty.version and not self._counts_offers():
                self._idle_version = version
        return [self._updates.swap(decision) for decision in decisions]

    def _counts_offers(self) -> bool:
        """Whether an offer that grants nothing may still let a later one grant (locality_delay)."""
        return self.state.config.offers.node_locality_threshold >= 0

    def _offer_each_node(
        self, nodes: Sequence[FSSchedulerNode], limit: int, decisions: list[Decision]
    ) -> int:
        """Offer every node once, or until *limit* grants were made; returns how many were."""
        grants = 0
        growing = any(attempt.outstanding_increases for attempt in self.state.attempts.values())
        for node in nodes:
            if not self._assigner.could_assign(node, growing=growing):
                continue
            made = self._assigner.attempt_scheduling(node)
            if made:
                self._last_assigned = node
            decisions += made
            for decision in made:
                if isinstance(decision, Grant):
                    grants += 1
            if grants >= limit:
                break
        return grants

    def _nodes_in_turn(self) -> Sequence[FSSchedulerNode]:
        """All nodes, beginning after the one that took something last.

        So what is asked for in many small cycles is spread over the nodes, too, as by heartbeats
        that come in turn.
        """
        nodes = list(self.state.nodes.values())
        last = self._last_assigned
        if last is None or self.state.nodes.get(last.rm_node.name) is not last:
            return nodes
        at = nodes.index(last) + 1
        return nodes[at:] + nodes[:at]

    def _check_queues(self, now_ms: int) -> None:
        if now_ms - self._queues_checked_ms >= _QUEUE_CHECK_INTERVAL_MS:
            self._queues_checked_ms = now_ms
            self._queue_manager.on_check(now_ms)

    def preempt(self, now_ms: int) -> Sequence[Decision]:
        """One pass: those whose time is up are killed, others are marked and told."""
        if not self.state.config.preemption.enabled:
            return []
        self.update(now_ms)
        chosen = self._preemption.identify_containers_to_preempt(now_ms)
        marked = {container.id for container in chosen}
        wait_ms = self.state.config.preemption.wait_before_kill_ms
        decisions: list[Decision] = []
        for attempt in self.state.attempts.values():
            for container, since_ms in attempt.containers_to_preempt.items():
                if now_ms - since_ms >= wait_ms:
                    decisions.append(Preempt(container, kill=True, message=_KILLED))
                elif container in marked:
                    decisions.append(Preempt(container, kill=False, message=_MARKED))
        return decisions
