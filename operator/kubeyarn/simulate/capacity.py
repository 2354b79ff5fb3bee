"""The Capacity Scheduler in a scenario."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from kubeyarn.hadoop.capacity_scheduler_xml import read_capacity_scheduler
from kubeyarn.model.asks import AM_KEY
from kubeyarn.model.resources import CPU, MEMORY, ResourceTypes, Vector
from kubeyarn.schedulers.capacity.am_limits import user_am_limit_of
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from kubeyarn.simulate.scheduler import OutstandingRows, unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.queues import Partition
    from kubeyarn.schedulers.api import QueueStatus, UserStatus
    from kubeyarn.schedulers.capacity.objects.queue import Queue
    from kubeyarn.simulate.scenario import Data
    from kubeyarn.simulate.scheduler import Rewrite

_DECIMALS = 6
_GREATEST = (2.0 - 2.0**-23) * 2.0**127


class SimulatedCapacity:
    """A `SimulatedScheduler` around the Capacity Scheduler."""

    def __init__(
        self, types: ResourceTypes, partitions: Sequence[Partition], rewrite: Rewrite = unchanged
    ) -> None:
        self._rewrite = rewrite
        self.types = types
        self.partitions = tuple(partitions)
        self.scheduler = CapacityScheduler(types, hadoop_compatible=True)

    def configure(self, values: Mapping[str, str], allocations: str | None, now_ms: int) -> None:
        """Read properties and put them in force."""
        config, _ = read_capacity_scheduler(values, self.partitions)
        self.scheduler.configure(self._rewrite(config), now_ms)

    def preemption_seconds(self) -> int:
        """One second more than a marked container is given."""
        # A container is killed when it was marked for longer than that, so one second more is
        # enough.
        config = self.scheduler.state.config
        wait = config.preemption.maximum_wait_before_kill_ms if config else 0
        return wait // 1000 + 1

    def before_round(self, now_ms: int) -> None:
        """Let the auto-created queues take or give up capacity."""
        self.scheduler.queue_management.manage_queues(now_ms)

    def after_step(self, now_ms: int) -> None:
        """Bring queues up to date with nodes that came and went."""
        self.scheduler.state.bring_up_to_date()

    def outstanding(self, application: ApplicationId) -> int:
        """Containers asked for and not granted."""
        app = self.scheduler.state.apps.get(application)
        return sum(ask.count for ask in app.asks.values()) if app else 0

    def outstanding_rows(self, application: ApplicationId, key: AskKey) -> OutstandingRows | None:
        """What is outstanding under *key*."""
        app = self.scheduler.state.apps.get(application)
        ask = None if app is None else app.asks.get(key)
        return None if ask is None else OutstandingRows(ask.count, ask.nodes, ask.racks)

    def lifetimes(self, application: ApplicationId) -> tuple[int, int]:
        """The default and the maximum lifetime of its leaf, in seconds."""
        settings = self.scheduler.state.apps[application].queue.settings
        return settings.default_lifetime_seconds, settings.maximum_lifetime_seconds

    @property
    def grants_on_leaving_nodes(self) -> bool:
        """It commits nothing on a node that is not running."""
        return False

    def waiting_keys(self, application: ApplicationId) -> Sequence[AskKey | None]:
        """The keys with something outstanding."""
        app = self.scheduler.state.apps.get(application)
        return [None if key == AM_KEY else key for key in app.keys] if app else []

    def reserved_memory(self, application: ApplicationId) -> int:
        """Memory reserved on nodes, in all partitions."""
        app = self.scheduler.state.apps.get(application)
        return sum(size[MEMORY] for size in app.reserved.values()) if app else 0

    def application_fields(self, application: ApplicationId) -> Data:
        """Queue and priority."""
        app = self.scheduler.state.apps.get(application)
        return {"queue": app.queue.path, "priority": app.priority} if app else {}

    def observe_queues(self, now_ms: int, *, partitions: bool) -> Data:
        """Every queue; with *partitions*, what it has and holds of each that it may use."""
        observed: dict[str, Data] = {
            status.path: self._queue(status) for status in self.scheduler.queue_status()
        }
        if partitions:
            for path, told in observed.items():
                told["partitions"] = self._partitions(self.scheduler.state.queues[path])
        return dict(observed)

    def _partitions(self, queue: Queue) -> Data:
        # What is held counts also where the queue may not go: it may have lost its access since.
        reached = [p.name for p in self.partitions if queue.reaches(p.name)]
        held = [name for name, used in queue.used.items() if any(used)]
        return {name: self._partition(queue, name) for name in sorted({"", *reached, *held})}

    def _partition(self, queue: Queue, name: str) -> Data:
        used, minimum, maximum = queue.use(name), queue.minimum(name), queue.maximum(name)
        observed: Data = {
            "usedMemory": used[MEMORY],
            "usedVcores": used[CPU],
            "effectiveMinMemory": minimum[MEMORY],
            "effectiveMinVcores": minimum[CPU],
            "effectiveMaxMemory": maximum[MEMORY],
            "effectiveMaxVcores": maximum[CPU],
        }
        others = extended(used, self.types)
        if others:
            observed["usedResources"] = others
        if isinstance(queue, LeafQueue):
            observed["amUsedMemory"] = queue.am_used.get(name, queue.zero)[MEMORY]
            observed["amLimitMemory"] = queue.am_limits.get(name, queue.zero)[MEMORY]
            observed["users"] = {
                user: _partition_user(queue, name, user) for user in sorted(queue.users.by_name)
            }
        return observed

    def _queue(self, status: QueueStatus) -> Data:
        queue = self.scheduler.state.queues[status.path]
        share = queue.share("")
        observed: Data = {
            "usedMemory": status.used[MEMORY],
            "usedVcores": status.used[CPU],
            "pendingMemory": status.pending[MEMORY],
            "pendingVcores": status.pending[CPU],
            "containers": status.containers,
            "absoluteCapacity": _shown(share.absolute),
            "absoluteMaxCapacity": _shown(share.absolute_maximum),
            "absoluteUsedCapacity": _shown(status.absolute_used_capacity),
            "effectiveMinMemory": status.minimum[MEMORY],
            "effectiveMaxMemory": status.maximum[MEMORY],
            "state": status.state.upper(),
        }
        others = extended(status.used, self.types)
        if others:
            observed["usedResources"] = others
        labels = {*queue.shares, *queue.used, *queue.pending}
        if isinstance(queue, LeafQueue):
            # Hadoop's status counts neither non-runnable applications nor AMs of other partitions.
            observed["activeApps"] = len(queue.active)
            observed["pendingApps"] = len(queue.pending_applications)
            observed["amUsedMemory"] = queue.am_used.get("", queue.zero)[MEMORY]
            labels |= {*queue.am_limits, *queue.am_used}
        if self.partitions:
            observed["labels"] = {name: _label(queue, name) for name in sorted(labels - {""})}
        return observed

    def observe_users(self, now_ms: int) -> Data | None:
        """Every user of every leaf that has users."""
        return {
            status.path: {user.name: _user(user) for user in status.users}
            for status in self.scheduler.queue_status()
            if status.users
        }


def _shown(fraction: float) -> float:
    """A fraction of the cluster as Hadoop shows it: 0 where the cluster is empty, 6 decimals.

    JSON has no infinity: what is beyond a float's range is its greatest.
    """
    if isnan(fraction):
        return 0.0
    return round(max(-_GREATEST, min(_GREATEST, fraction)), _DECIMALS)


def _label(queue: Queue, label: str) -> Data:
    share = queue.share(label)
    return {
        "absoluteCapacity": _shown(share.absolute),
        "absoluteMaxCapacity": _shown(share.absolute_maximum),
        "usedMemory": queue.use(label)[MEMORY],
    }


def _user(user: UserStatus) -> Data:
    return {
        "activeApps": user.active_applications,
        "pendingApps": user.pending_applications,
        "usedMemory": user.used[MEMORY],
        "userLimitMemory": user.limit[MEMORY],
    }


def _partition_user(queue: LeafQueue, partition: str, name: str) -> Data:
    user = queue.users.get(name)
    return {
        "usedMemory": user.use(partition)[MEMORY],
        "userLimitMemory": queue.users.limit(name, partition, whole=False)[MEMORY],
        "amUsedMemory": user.am_used.get(partition, queue.zero)[MEMORY],
        "amLimitMemory": user_am_limit_of(queue, partition, name)[MEMORY],
    }


def extended(vector: Vector, types: ResourceTypes) -> Data:
    """Amounts of the types beyond memory and CPU that are not 0."""
    return {name: x for name, x in zip(types.names[2:], vector[2:], strict=True) if x}
