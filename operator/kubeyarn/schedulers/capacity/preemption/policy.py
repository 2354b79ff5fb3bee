"""The preemption policy's passes: select, mark, and kill after a wait.

Hadoop: ProportionalCapacityPreemptionPolicy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.api import Decision, Preempt
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.capacity.allocator.commit import drop_reservation
from kubeyarn.schedulers.capacity.objects.preemptable_containers import may_be_killed
from kubeyarn.schedulers.capacity.preemption.context import Pass
from kubeyarn.schedulers.capacity.preemption.demand import Budget
from kubeyarn.schedulers.capacity.preemption.fifo_candidates import take_by_queue
from kubeyarn.schedulers.capacity.preemption.intra_queue_candidates import take_in_queue
from kubeyarn.schedulers.capacity.preemption.reserved_candidates import (
    take_by_priority,
    take_by_reservation,
)
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication
    from kubeyarn.schedulers.capacity.objects.node import Cluster
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue


class Preemption:
    """Remembers since when containers are marked."""

    __slots__ = ("_marked",)

    def __init__(self) -> None:
        self._marked: dict[ContainerId, int] = {}

    def run(
        self,
        root: ParentQueue,
        cluster: Cluster,
        calc: Calculator,
        config: SchedulerConfig,
        apps: Mapping[ApplicationId, LedgerApplication],
        now_ms: int,
    ) -> list[Decision]:
        """One pass: what is marked anew, and what was marked long enough is to be killed."""
        rules = config.preemption
        if not rules.enabled:
            return []
        state = self._select(root, cluster, calc, config, apps, now_ms)
        if rules.observe_only:
            return []
        for reservation in state.dropped:
            drop_reservation(reservation, cluster.nodes[reservation.node])
        decisions = self._mark_or_kill(state, now_ms)
        self._forget(rules.maximum_wait_before_kill_ms, now_ms)
        return decisions

    def _select(
        self,
        root: ParentQueue,
        cluster: Cluster,
        calc: Calculator,
        config: SchedulerConfig,
        apps: Mapping[ApplicationId, LedgerApplication],
        now_ms: int,
    ) -> Pass:
        rules = config.preemption
        budget = Budget(multiply(cluster.total, single(rules.total_per_round)))
        state = Pass(calc, cluster, rules, root, budget, apps, lazy=config.lazy_preemption)
        exclusive = {"", *(p.name for p in config.partitions if p.exclusive)}
        state.look(["", *(p.name for p in config.partitions)], exclusive)
        wait = rules.maximum_wait_before_kill_ms
        if rules.underutilized:
            take_by_priority(state, now_ms, wait)
        if rules.select_on_reserved:
            take_by_reservation(state, wait)
        take_by_queue(state, wait)
        if rules.balance_after_satisfied:
            take_by_queue(state, rules.balance_wait_before_kill_ms, balance=True)
        if rules.intra_queue:
            take_in_queue(state, wait)
        return state

    def _mark_or_kill(self, state: Pass, now_ms: int) -> list[Decision]:
        decisions: list[Decision] = []
        for container, wait in state.chosen.values():
            since = self._marked.get(container.id)
            if since is None:
                self._marked[container.id] = now_ms
            elif since + wait > now_ms:
                continue
            else:
                del self._marked[container.id]
                if state.lazy:
                    self._leave_to_others(state, container)
                    continue
            size = state.cluster.types.text(container.size)
            why = (
                f"{size} on {container.node} is taken back for others who are below what they are "
                "guaranteed"
            )
            decisions.append(Preempt(container.id, kill=since is not None, message=why))
        return decisions

    def _leave_to_others(self, state: Pass, container: Container) -> None:
        app = state.apps[container.id.attempt.application]
        may_be_killed(container, app, state.cluster.nodes[container.node])

    def _forget(self, wait_ms: int, now_ms: int) -> None:
        stale = [c for c, since in self._marked.items() if since + 2 * wait_ms < now_ms]
        for container in stale:
            del self._marked[container]
