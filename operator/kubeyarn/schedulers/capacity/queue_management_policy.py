"""The time-driven care for auto-created queues (Hadoop: QueueManagementDynamicEditPolicy).

Leaves under managed parents take capacity when they have applications and give it up when they
have none; queues that stood empty for too long are deleted (Hadoop:
AutoCreatedQueueDeletionPolicy). The rules are those of `auto_created_queues`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.capacity.auto_created_queues import (
    is_inactive,
    manage_leaves,
    remove_dynamic,
)

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.cluster_state import ClusterState

# Hadoop: queue-management.monitoring-interval.
_INTERVAL_MS = 1500


class QueueManagementPolicy:
    """Manages auto-created queues, every now and then or when it is told to."""

    def __init__(self, state: ClusterState) -> None:
        self._state = state
        self._ran_ms = 0

    def edit_schedule(self, now_ms: int) -> None:
        """Manage and delete queues, if the interval has passed and there are auto-created ones."""
        if not self._state.index.on_demand or now_ms - self._ran_ms < _INTERVAL_MS:
            return
        self._ran_ms = now_ms
        self._state.dirty.queues_managed()
        self.manage_queues(now_ms)
        self.expire_queues(now_ms)

    def manage_queues(self, now_ms: int) -> None:
        """Let leaves under managed parents take or give up capacity."""
        self._state.bring_up_to_date()
        config = self._state.config_in_force()
        for queue in list(self._state.queues.values()):
            auto = queue.managed
            if auto is not None and not auto.fail_on_exceeding_parent:
                manage_leaves(queue, config)

    def expire_queues(self, now_ms: int) -> None:
        """Delete auto-created queues that stood empty for too long, leaves before parents."""
        self._state.bring_up_to_date()
        config = self._state.config_in_force()
        found = True
        while found:
            found = False
            for queue in list(self._state.queues.values()):
                if is_inactive(queue, config.queue_expiry_seconds, now_ms):
                    remove_dynamic(queue, config)
                    self._state.index.rebuild(self._state.root_in_force())
                    found = True
