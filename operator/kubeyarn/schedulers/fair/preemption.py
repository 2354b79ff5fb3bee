"""Who is starved, and whose containers are preempted for them.

Theory of operation. Hadoop has two threads here, which meet in a blocking queue
(FSLeafQueue.updateStarvedApps, FSStarvedApps, FSPreemptionThread). Here they are two calls:

1. `update_starved_apps`, after each update of shares, while the cluster is busy enough. An
   application is *starved of its fair share* when it has held less than
   min(threshold x fair share, demand) for longer than the queue's timeout. A queue is *starved of
   its minimum share* when it has held less than min(minimum, demand) for longer than the other
   timeout; what is missing is handed to its applications in order. Both are kept on the attempt,
   and the attempt joins the starved ones.
2. `identify_containers_to_preempt`, once in a pass. For each starved application, least starved
   first, and for each of its asks as far as its starvation goes, it looks for the node that can
   make room with the fewest ApplicationMasters. What is found is *tracked* on the owner, and what
   it leaves behind is *promised* to the starved application on that node: container_assigner
   serves promises first; otherwise the freed resources would go to the first in the queues' order.

A container goes only if its owner stays at or above its fair share without it, all that was
already chosen included, so preemption settles.

Why order matters. Nodes are looked at in the order they joined, and the search ends at the first
that costs no ApplicationMaster. Asks are taken in the order of a Java hash map. Starved
applications wait in a heap whose order is what their starvation was when the heap last moved them
(`StarvedApps`), although starvation changes meanwhile. Each of these decides who is killed.

A chosen container is told to its ApplicationMaster first and killed when its time is up. An
application that was helped is looked at again only after that time, or it would be helped twice.
No cache: times, starvation and what is tracked are the attempts' and nodes' state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.containers import Container
from kubeyarn.model.resources import Vector, add, component_min, fits, scale, subtract
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt, FSPendingAsk
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue
from kubeyarn.schedulers.fair.scheduling_policy import (
    is_greater,
    is_usage_below_share,
    subtract_non_negative,
)
from kubeyarn.schedulers.java_collections import JavaHeap, request_key_order
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
    from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode

_UNLIMITED = 2**31 - 1


# --- starvation


def fair_share_claim(fair_share: Vector, threshold: float, demand: Vector) -> Vector:
    """What an application may get by force: this part of its fair share, if it wants that much."""
    return component_min(multiply(fair_share, single(threshold)), demand)


def min_share_starvation(min_share: Vector, demand: Vector, used: Vector) -> Vector:
    """What a queue misses of its minimum, as far as it wants it (Hadoop: minShareStarvation)."""
    return subtract_non_negative(component_min(min_share, demand), used)


def should_attempt_preemption(used: Vector, cluster: Vector, threshold: float) -> bool:
    """Whether the cluster is used so much that containers may be preempted.

    Hadoop: shouldAttemptPreemption with
    `yarn.scheduler.fair.preemption.cluster-utilization-threshold`, against the larger of the
    memory and CPU shares, in single precision.
    """
    # Of an empty cluster nothing is used, and there is nothing to divide by.
    if not cluster[0] or not cluster[1]:
        return False
    memory, cpu = (single(single(used[i]) / single(cluster[i])) for i in (0, 1))
    return max(memory, cpu) > single(threshold)


def containers_worth(starvation: int, size: int) -> int:
    """How many containers of *size* memory a starvation of so much memory is worth."""
    if size == 0:
        return 0 if starvation == 0 else _UNLIMITED
    return int(single(single(starvation) / single(size)))


def starvation_of(attempt: FSAppAttempt) -> Vector:
    """What an attempt was found to miss, in all (Hadoop: FSAppAttempt.getStarvation)."""
    return add(attempt.fair_share_starvation, attempt.min_share_starvation)


class StarvedApps:
    """Starved attempts, the least starved first, each once (Hadoop: FSStarvedApps).

    Starvation changes while attempts wait in it, and a heap does not notice: the order is what
    starvation was when the heap last moved them, as in Java's PriorityBlockingQueue.
    """

    def __init__(self) -> None:
        self._heap = JavaHeap[FSAppAttempt](_compare_starvation)

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, attempt: FSAppAttempt) -> None:
        """Add an attempt, unless it is in it."""
        if attempt not in self._heap:
            self._heap.add(attempt)

    def take(self) -> FSAppAttempt:
        """Remove the first."""
        return self._heap.take()


def _compare_starvation(one: FSAppAttempt, other: FSAppAttempt) -> int:
    return -1 if fits(starvation_of(one), starvation_of(other)) else 1


@dataclass(slots=True)
class FSPreemptableContainers:
    """Containers of one node whose ends would make room for one container.

    Hadoop: FSPreemptionThread.PreemptableContainers. *of* is how much of them is whose.
    """

    node: FSSchedulerNode
    am_containers: int = 0
    containers: list[Container] = field(default_factory=list)
    of: dict[FSAppAttempt, Vector] = field(default_factory=dict)


class FSPreemption:
    """Finds the starved, and chooses containers to preempt (Hadoop: FSPreemptionThread)."""

    def __init__(self, state: FairClusterState, accounts: FSAccounts) -> None:
        self._state = state
        self._accounts = accounts
        self._starved_apps = StarvedApps()

    # --- who is starved

    def update_starved_apps(self, now_ms: int) -> None:
        """Note which attempts are starved, if the cluster is busy enough to preempt anything."""
        state = self._state
        settings = state.config.preemption
        if not settings.enabled:
            return
        threshold = settings.utilization_threshold
        if not should_attempt_preemption(state.allocated, state.cluster, threshold):
            return
        for queue in state.queues.values():
            if isinstance(queue, FSLeafQueue):
                self._update_starved_apps_of(queue, now_ms)

    def _update_starved_apps_of(self, leaf: FSLeafQueue, now_ms: int) -> None:
        # An application that was helped lately is passed over: what was chosen for it may not have
        # ended yet, and it would be helped twice.
        with_demand = [
            attempt for attempt in leaf.schedulables if now_ms >= attempt.next_starvation_check_ms
        ]
        fair_share = self._update_fair_share_starvation(with_demand, now_ms)
        min_share = self._min_share_starvation(leaf, now_ms)
        self._update_min_share_starvation(
            leaf, with_demand, subtract_non_negative(min_share, fair_share)
        )

    def _update_fair_share_starvation(
        self, with_demand: Iterable[FSAppAttempt], now_ms: int
    ) -> Vector:
        """What the first in order miss of their fair shares, together.

        The first that misses nothing ends it: those after it are better off by the policy.
        """
        total = self._state.zero
        for attempt in with_demand:
            starvation = self._fair_share_starvation_of(attempt, now_ms)
            if not any(starvation):
                break
            self._starved_apps.add(attempt)
            total = add(total, starvation)
        return total

    def _fair_share_starvation_of(self, attempt: FSAppAttempt, now_ms: int) -> Vector:
        queue, state = attempt.queue, self._state
        claim = fair_share_claim(
            attempt.fair_share, queue.fair_share_preemption_threshold, attempt.demand
        )
        starved = is_usage_below_share(queue.policy, state.cluster, attempt.used, claim)
        # The timeout counts from the last time it had its share, so it starts anew each time.
        if not starved:
            attempt.last_time_at_fair_share_ms = now_ms
        waited_ms = now_ms - attempt.last_time_at_fair_share_ms
        if not starved or waited_ms < queue.fair_share_preemption_timeout_ms:
            attempt.fair_share_starvation = state.zero
        else:
            attempt.fair_share_starvation = subtract_non_negative(claim, attempt.used)
        return attempt.fair_share_starvation

    def _min_share_starvation(self, leaf: FSLeafQueue, now_ms: int) -> Vector:
        starvation = min_share_starvation(leaf.min_share, leaf.demand, leaf.used)
        if not any(starvation):
            leaf.last_time_at_min_share_ms = now_ms
        waited_ms = now_ms - leaf.last_time_at_min_share_ms
        if waited_ms < leaf.min_share_preemption_timeout_ms:
            return self._state.zero
        return starvation

    def _update_min_share_starvation(
        self, leaf: FSLeafQueue, with_demand: Iterable[FSAppAttempt], starvation: Vector
    ) -> None:
        """Hand what the queue misses to its attempts, in order.

        The last one gets what is left of its own demand and not of the starvation: Hadoop
        subtracts that way round (FSLeafQueue.updateStarvedAppsMinshare).
        """
        state, left = self._state, starvation
        for attempt in with_demand:
            if not any(left):
                attempt.min_share_starvation = state.zero
                continue
            # What it misses of its fair share is sought for already.
            pending = subtract_non_negative(
                subtract(attempt.demand, attempt.used), attempt.fair_share_starvation
            )
            if is_greater(leaf.policy, state.cluster, pending, left):
                pending, left = subtract_non_negative(pending, left), state.zero
            else:
                left = subtract_non_negative(left, pending)
            attempt.min_share_starvation = pending
            self._starved_apps.add(attempt)

    # --- whose containers go

    def identify_containers_to_preempt(self, now_ms: int) -> list[Container]:
        """Choose containers for everyone starved; what they leave is promised to those."""
        chosen: list[Container] = []
        settings = self._state.config.preemption
        delay_ms = (
            settings.wait_before_kill_ms
            + settings.allocation_delay_ms
            + settings.wait_before_next_check_ms
        )
        while len(self._starved_apps):
            # Hadoop's thread waits at this queue; a pass here empties it.
            attempt = self._starved_apps.take()
            if attempt.stopped:
                continue
            chosen += self._identify_for(attempt, now_ms)
            attempt.next_starvation_check_ms = now_ms + delay_ms
        return chosen

    def _identify_for(self, attempt: FSAppAttempt, now_ms: int) -> list[Container]:
        chosen: list[Container] = []
        for ask, count in list(self.starved_asks(attempt)):
            for _ in range(count):
                best = self._best_containers(ask)
                # Without containers the node has enough room already: the next cycle grants it.
                if best is None or not best.containers:
                    continue
                self._accounts.preempt_for(attempt, best.node, best.containers)
                for container in best.containers:
                    owner = self._state.attempts[container.id.attempt.application]
                    self._accounts.track_for_preemption(owner, container, now_ms)
                chosen += best.containers
        return chosen

    def starved_asks(self, attempt: FSAppAttempt) -> Iterator[tuple[FSPendingAsk, int]]:
        """Asks as far as starvation goes, with how many containers of each.

        Hadoop: FSAppAttempt.getStarvedResourceRequests.
        """
        left = starvation_of(attempt)
        for key in request_key_order(attempt.asks):
            if not any(left):
                return
            ask = attempt.asks[key]
            size = ask.ask.size
            count = min(containers_worth(left[0], size[0]), ask.count)
            if count:
                yield ask, count
                left = subtract_non_negative(left, scale(size, count))

    def _best_containers(self, ask: FSPendingAsk) -> FSPreemptableContainers | None:
        """Those of the first node that costs the fewest ApplicationMasters.

        Nodes the ask names come first; other nodes only where they cost fewer.
        """
        nodes = self._state.nodes
        if not ask.nodes:
            return self._best_containers_on(nodes.values(), ask)
        named = [nodes[name] for name in ask.nodes if name in nodes]
        best = self._best_containers_on(named, ask)
        if best is not None and best.am_containers and ask.ask.locality.relax:
            others = (node for node in nodes.values() if node not in named)
            other = self._best_containers_on(others, ask)
            if other is not None and other.am_containers < best.am_containers:
                return other
        return best

    def _best_containers_on(
        self, nodes: Iterable[FSSchedulerNode], ask: FSPendingAsk
    ) -> FSPreemptableContainers | None:
        best: FSPreemptableContainers | None = None
        fewest = _UNLIMITED
        for node in nodes:
            # What ends on a node that takes no containers makes room for nobody, and on one where
            # the ask may not be, not for it.
            if not node.rm_node.schedulable or not ask.suits(node.rm_node):
                continue
            found = self._containers_on(node, ask.ask.size, fewest)
            if found is not None:
                best, fewest = found, found.am_containers
                if not fewest:
                    break
        return best

    def _containers_on(
        self, node: FSSchedulerNode, size: Vector, fewest: int
    ) -> FSPreemptableContainers | None:
        """Containers of *node* that make room for *size*; None: none, or too many AMs.

        Hadoop: identifyContainersToPreemptOnNode. A node with enough room already has an empty
        answer, which ends the search without preempting anything.
        """
        found = FSPreemptableContainers(node)
        zero = self._state.zero
        potential = subtract_non_negative(node.available, node.total_reserved)
        for container in _am_containers_last(node):
            owner = self._state.attempts.get(container.id.attempt.application)
            # Its application has ended or has another attempt, which does not hold it.
            if owner is None or container.id not in owner.containers:
                continue
            if self._can_be_preempted(container, owner, found.of.get(owner, zero)):
                if container.am:
                    found.am_containers += 1
                    if found.am_containers >= fewest:
                        return None
                found.containers.append(container)
                found.of[owner] = add(found.of.get(owner, zero), container.size)
                potential = add(potential, container.size)
            # Asked only after a container was looked at, as in Hadoop: an empty node is no answer.
            if fits(size, potential) and (found.containers or node.free_slots > 0):
                return found
        return None

    def _can_be_preempted(
        self, container: Container, owner: FSAppAttempt, considered: Vector
    ) -> bool:
        """Whether *owner* can lose this one, too, and keep its fair share.

        Hadoop: FSAppAttempt.canContainerBePreempted. *considered* is what it would lose for the
        same ask.
        """
        queue = owner.queue
        if not queue.preemptable or container.id in owner.containers_to_preempt:
            return False
        if container.am and not self._am_preemption_enabled(owner.am_preemption_queue):
            return False
        # What is chosen but has not ended yet is still counted as used.
        left = subtract(subtract(owner.used, owner.resources_to_preempt), container.size)
        left = subtract(left, considered)
        return not is_usage_below_share(queue.policy, self._state.cluster, left, owner.fair_share)

    def _am_preemption_enabled(self, queue: str) -> bool:
        # A queue may have its own setting: `yarn.scheduler.fair.am.preemption.<queue>`.
        settings = self._state.config.preemption
        for path, enabled in settings.masters_of:
            if path == queue:
                return enabled
        return settings.masters


def _am_containers_last(node: FSSchedulerNode) -> list[Container]:
    """Containers that are not chosen yet: the newest first, then ApplicationMasters.

    Hadoop: FSSchedulerNode.getRunningContainersWithAMsAtTheEnd.
    """
    running = [
        container
        for container in node.containers
        if container.id not in node.containers_for_preemption
    ]
    others = [container for container in reversed(running) if not container.am]
    return others + [container for container in running if container.am]
