"""One pass of preemption: select containers, tell their AMs, and kill them after a while.

Hadoop: ProportionalCapacityPreemptionPolicy. The package says how a pass goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.api import Decision, Preempt
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.capacity.allocator.commit import unreserve
from kubeyarn.schedulers.capacity.objects.preemptable_containers import mark_killable
from kubeyarn.schedulers.capacity.preemption import (
    fifo_candidates,
    intra_queue_candidates,
    priority_candidates,
    reserved_candidates,
)
from kubeyarn.schedulers.capacity.preemption.context import PreemptionContext
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue


class ProportionalCapacityPreemptionPolicy:
    """Remembers, from pass to pass, since when containers are marked."""

    __slots__ = ("_marked_ms",)

    def __init__(self) -> None:
        self._marked_ms: dict[ContainerId, int] = {}

    def edit_schedule(
        self,
        root: ParentQueue,
        cluster: CapacityNodeTracker,
        calc: Calculator,
        config: SchedulerConfig,
        apps: Mapping[ApplicationId, FiCaSchedulerApp],
        now_ms: int,
    ) -> list[Decision]:
        """One pass: what is marked now, and what was marked long enough ago to be killed.

        Reservations that are in the way are given up at once.
        """
        rules = config.preemption
        if not rules.enabled:
            return []
        allowed = multiply(cluster.total, single(rules.total_per_round))
        context = PreemptionContext(
            calc, cluster, rules, root, allowed, apps, lazy=config.lazy_preemption
        )
        # In a shared partition no maximum holds, so a queue may be ideal beyond its own there.
        exclusive = {"", *(p.name for p in config.partitions if p.exclusive)}
        context.sync_queues(["", *(p.name for p in config.partitions)], exclusive)
        _select_candidates(context, now_ms)
        # After the selection, which is what is observed, and before anything comes of it.
        if rules.observe_only:
            return []
        for reservation in context.unreserved:
            unreserve(reservation, cluster.nodes[reservation.node])
        decisions = self._mark_or_kill(context, now_ms)
        self._forget_stale_marks(rules.maximum_wait_before_kill_ms, now_ms)
        return decisions

    def _mark_or_kill(self, context: PreemptionContext, now_ms: int) -> list[Decision]:
        """Hadoop: preemptOrkillSelectedContainerAfterWait."""
        decisions: list[Decision] = []
        for container, wait_ms in context.selected.values():
            since_ms = self._marked_ms.get(container.id)
            # First told, later killed: an AM has until then to give back what it can spare by
            # itself.
            if since_ms is None:
                self._marked_ms[container.id] = now_ms
            elif since_ms + wait_ms > now_ms:
                continue
            else:
                # Forgotten: the container ends, or waits among those that may be killed until it is
                # needed.
                del self._marked_ms[container.id]
                if context.lazy:
                    app = context.apps[container.id.attempt.application]
                    mark_killable(container, app, context.cluster.nodes[container.node])
                    continue
            decisions.append(
                Preempt(
                    container.id,
                    kill=since_ms is not None,
                    message=_message(context, container),
                )
            )
        return decisions

    def _forget_stale_marks(self, wait_ms: int, now_ms: int) -> None:
        """Hadoop: cleanupStaledPreemptionCandidates."""
        # Twice the wait, because a container may be unmarked for a pass or two while others change,
        # and its AM was told once.
        stale = [c for c, since in self._marked_ms.items() if since + 2 * wait_ms < now_ms]
        for container in stale:
            del self._marked_ms[container]


def _select_candidates(context: PreemptionContext, now_ms: int) -> None:
    """Let the selectors run, in Hadoop's order: each counts what those before it selected."""
    rules = context.config
    wait_ms = rules.maximum_wait_before_kill_ms
    if rules.underutilized:
        priority_candidates.select_candidates(context, now_ms, wait_ms)
    if rules.select_on_reserved:
        reserved_candidates.select_candidates(context, wait_ms)
    fifo_candidates.select_candidates(context, wait_ms)
    if rules.balance_after_satisfied:
        fifo_candidates.select_candidates(context, rules.balance_wait_before_kill_ms, balance=True)
    if rules.intra_queue:
        intra_queue_candidates.select_candidates(context, wait_ms)


def _message(context: PreemptionContext, container: Container) -> str:
    size = context.cluster.types.text(container.size)
    return (
        f"{size} on {container.node} is taken back for others who are below what they are "
        "guaranteed"
    )
