"""The Fair Scheduler in a scenario."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kubeyarn.hadoop.fair_yarn_site_xml import read_fair_scheduler, reload_fair_scheduler
from kubeyarn.model.asks import AM_KEY
from kubeyarn.model.resources import CPU, MEMORY, ResourceTypes
from kubeyarn.schedulers.fair.scheduler import FairScheduler
from kubeyarn.simulate.capacity import extended
from kubeyarn.simulate.scheduler import OutstandingRows, unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.queues import Partition, SchedulerConfig
    from kubeyarn.schedulers.api import QueueStatus
    from kubeyarn.simulate.scenario import Data
    from kubeyarn.simulate.scheduler import Rewrite

_PREEMPTION_SECONDS = 3600
_NO_ALLOCATIONS = "<allocations/>"


class SimulatedFair:
    """A `SimulatedScheduler` around the Fair Scheduler; partitions mean nothing to it."""

    def __init__(
        self, types: ResourceTypes, partitions: Sequence[Partition], rewrite: Rewrite = unchanged
    ) -> None:
        self._rewrite = rewrite
        self.types = types
        self.partitions = tuple(partitions)
        self.scheduler = FairScheduler(types, hadoop_compatible=True)
        self._config: SchedulerConfig | None = None

    def configure(self, values: Mapping[str, str], allocations: str | None, now_ms: int) -> None:
        """Start with all settings; later only the allocation file and the maximum are read."""
        text = _NO_ALLOCATIONS if allocations is None else allocations
        if self._config is None:
            config = _killing_at_once(read_fair_scheduler(values, text, self.types))
        else:
            config = reload_fair_scheduler(self._config, values, text, self.types)
        self.scheduler.configure(self._rewrite(config), now_ms)
        self._config = config

    def preemption_seconds(self) -> int:
        """One hour: more than any timeout of interest."""
        return _PREEMPTION_SECONDS

    def before_round(self, now_ms: int) -> None:
        """Recompute demand and fair shares."""
        self.scheduler.update(now_ms)

    def after_step(self, now_ms: int) -> None:
        """Recompute demand and fair shares."""
        self.scheduler.update(now_ms)

    def outstanding(self, application: ApplicationId) -> int:
        """Containers asked for and not granted."""
        return sum(ask.count for ask in self.scheduler.queries.outstanding(application))

    def outstanding_rows(self, application: ApplicationId, key: AskKey) -> OutstandingRows | None:
        """What is outstanding under *key*."""
        attempt = self.scheduler.state.attempts.get(application)
        ask = None if attempt is None else attempt.asks.get(key)
        return None if ask is None else OutstandingRows(ask.count, ask.nodes, ask.racks)

    def lifetimes(self, application: ApplicationId) -> tuple[int, int]:
        """None: queues of the Fair Scheduler have no lifetimes."""
        return -1, -1

    @property
    def grants_on_leaving_nodes(self) -> bool:
        """It does not look at whether a node leaves."""
        return True

    def waiting_keys(self, application: ApplicationId) -> Sequence[AskKey | None]:
        """The keys with something outstanding."""
        keys = [ask.key for ask in self.scheduler.queries.outstanding(application)]
        return [None if key == AM_KEY else key for key in keys]

    def reserved_memory(self, application: ApplicationId) -> int:
        """Memory reserved on nodes."""
        return sum(
            reserve.size[MEMORY] for reserve in self.scheduler.queries.reservations(application)
        )

    def application_fields(self, application: ApplicationId) -> Data:
        """The queue; applications have no priority here."""
        queue = self.scheduler.queries.queue_of(application)
        return {} if queue is None else {"queue": queue}

    def observe_queues(self, now_ms: int, *, partitions: bool) -> Data:
        """Every queue; there are no partitions."""
        return {status.path: self._queue(status) for status in self.scheduler.queue_status()}

    def _queue(self, status: QueueStatus) -> Data:
        steady = status.steady_fair_share or self.types.zero()
        share = status.instantaneous_fair_share or self.types.zero()
        observed: Data = {
            "usedMemory": status.used[MEMORY],
            "usedVcores": status.used[CPU],
            "pendingMemory": status.pending[MEMORY],
            "pendingVcores": status.pending[CPU],
            "containers": status.containers,
            "steadyFairShareMemory": steady[MEMORY],
            "steadyFairShareVcores": steady[CPU],
            "fairShareMemory": share[MEMORY],
            "fairShareVcores": share[CPU],
            "demandMemory": self.scheduler.queries.demand(status.path)[MEMORY],
        }
        others = extended(status.used, self.types)
        if others:
            observed["usedResources"] = others
        if status.leaf:
            observed["activeApps"] = status.active_applications
            observed["pendingApps"] = status.pending_applications
            observed["runnableApps"] = self.scheduler.queries.runnable_apps(status.path)
            observed["amUsedMemory"] = status.am_used[MEMORY]
        return observed

    def observe_users(self, now_ms: int) -> Data | None:
        """Nobody: the Fair Scheduler limits how many applications of a user run, nothing else."""
        return {}


def _killing_at_once(config: SchedulerConfig) -> SchedulerConfig:
    """*config* for a scenario, in which a container is killed as soon as it is marked.

    The next check of the starved application comes as late as it would after the waiting time.
    """
    if config.fair is None:
        return config
    preemption = config.fair.preemption
    at_once = replace(
        preemption,
        wait_before_kill_ms=0,
        wait_before_next_check_ms=preemption.wait_before_next_check_ms
        + preemption.wait_before_kill_ms,
    )
    return replace(config, fair=replace(config.fair, preemption=at_once))
