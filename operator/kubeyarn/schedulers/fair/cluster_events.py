"""Configurations, and nodes that come, change and go (api.ClusterEvents)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubeyarn.schedulers.fair import ordering
from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
from kubeyarn.schedulers.fair.queue_tree_checks import check_config

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.fair.cluster_nodes import ClusterNodeTracker
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.container_update import ContainerUpdates
    from kubeyarn.schedulers.fair.max_running_apps import MaxRunningAppsEnforcer
    from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
    from kubeyarn.schedulers.fair.queue_manager import QueueManager


class FairClusterEvents:
    """Implements `api.ClusterEvents`."""

    def __init__(
        self,
        state: FairClusterState,
        accounts: FSAccounts,
        queue_manager: QueueManager,
        nodes: ClusterNodeTracker,
        enforcer: MaxRunningAppsEnforcer,
        updates: ContainerUpdates,
    ) -> None:
        self._state = state
        self._accounts = accounts
        self._queue_manager = queue_manager
        self._nodes = nodes
        self._enforcer = enforcer
        self._updates = updates

    def configure(self, config: SchedulerConfig, now_ms: int) -> None:
        """Put a configuration in force; running containers are never touched.

        Hadoop: AllocationReloadListener.onReload. Where it stops half way at a queue that is gone,
        applications that the new limits would let run stay non-runnable, too.

        Raises:
            ConfigRefused: it does not add up; the one before stays in force.
        """
        state = self._state
        check_config(config, state.types)
        # Nodes that joined before this configuration count under the one before it, as in Hadoop,
        # where each node was counted when it joined.
        self._nodes.bring_up_to_date()
        state.put_in_force(config)
        is_complete = self._queue_manager.update_allocation_configuration(
            config.queues, state.config.defaults, now_ms
        )
        ordering.rebuild(state)
        if is_complete:
            self._enforcer.update_on_reload()
        state.dirty.shares_changed()

    def stop(self, queue: str) -> None:
        """Queues of the Fair Scheduler have no state: one takes applications until it is gone."""

    def add_node(self, node: Node) -> None:
        """A node joins, last in order; containers that were recovered before are found on it.

        One that is known already changes as `update_node` says, and keeps its containers.
        """
        known = self._state.nodes.get(node.name)
        if known is not None:
            self._accounts.update_node(known, node)
        else:
            self._accounts.add_node(FSSchedulerNode(node, self._state.zero))

    def update_node(self, node: Node) -> None:
        """A node's total, partition, rack or schedulability changed; its containers stay.

        One that is not known joins.
        """
        self.add_node(node)

    def remove_node(self, name: str) -> Sequence[Container]:
        """A node is lost; returns its containers, which are released."""
        node = self._state.nodes.get(name)
        if node is None:
            return ()
        lost = tuple(node.containers)
        # Containers first: queues get back what they held while the node still counts.
        for container in lost:
            self._updates.completed_container(container.id)
        self._accounts.remove_node(node)
        return lost
