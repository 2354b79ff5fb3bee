"""One offer of one node, and what is granted or reserved on it.

Hadoop: FairScheduler.attemptScheduling; assignContainer of FSParentQueue, FSLeafQueue and
FSAppAttempt.

Theory of operation, in the order of `attempt_scheduling`:

1. Preempted resources go to the applications they were preempted for.
2. A reserved container is granted if it fits now. While it stands nothing else is.
3. From the root down, in the order of the queues' sorted children: the first application that can
   be served here gets one container. With `assignmultiple` this is repeated until nothing fits.

An application is asked once: its first ask that *could* run on this node decides, fits or not. One
that does not fit now may reserve the node. So a large ask of high priority is not passed by the
small ones behind it, and an ask that no node of this kind could ever hold stops nothing.

What holds: a grant never takes a queue over its maximum (`_fits_in_max_share`, checked with the
container counted in) and never takes more than the node has. Only a starved application reserves;
a reservation is not counted as used, so it moves nobody in the order.

The order of children is kept by ordering; a grant places its attempt and the queues above it
anew. In a parent whose comparator contradicts itself (see comparators) the order is made for each
offer, as Hadoop's TreeSet makes it. No caches here; what makes an offer cheap is `could_assign`,
which reads `pending_sizes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, AskKey, Locality, is_update
from kubeyarn.model.containers import Container
from kubeyarn.model.resources import Vector, add, fits
from kubeyarn.schedulers.api import Decision, Grant, Reserve
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.fair.am_limits import is_over_am_share_limit
from kubeyarn.schedulers.fair.comparators import DrfQueue, compare_drf_queues
from kubeyarn.schedulers.fair.locality_delay import (
    NODE_LOCAL,
    OFF_SWITCH,
    count_down,
    is_on_wanted_place,
    locality_on,
)
from kubeyarn.schedulers.fair.objects.app_attempt import (
    FSAppAttempt,
    FSPendingAsk,
    ReservedContainer,
)
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue, FSParentQueue, FSQueue
from kubeyarn.schedulers.fair.ordering import place_attempt
from kubeyarn.schedulers.fair.scheduling_policy import is_greater, is_starved, subtract_non_negative
from kubeyarn.schedulers.java_collections import tree_order
from kubeyarn.schedulers.java_numbers import ceil_to_long, single

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
    from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode


class ContainerAssigner:
    """Grants and reserves containers on the nodes of one scheduler."""

    def __init__(self, state: FairClusterState, accounts: FSAccounts) -> None:
        self._state = state
        self._accounts = accounts

    def attempt_scheduling(self, node: FSSchedulerNode) -> list[Decision]:
        """What one offer of *node* leads to."""
        decisions: list[Decision] = []
        # A cordoned node keeps what runs on it, and even its reservation, but grants nothing.
        if not node.rm_node.schedulable:
            return decisions
        if node.resources_preempted_for_app:
            self._assign_preempted(node, decisions)
        if node.reserved_container is None or not self._assign_reserved(node, decisions):
            self._assign_by_queues(node, decisions)
        # Not after each grant: Hadoop sets the root queue's metrics once a heartbeat, and the limit
        # of ApplicationMasters is taken from them.
        if decisions:
            self._accounts.update_available()
        return decisions

    def could_assign(self, node: FSSchedulerNode, *, growing: bool) -> bool:
        """Whether an offer of this node could change anything.

        *growing*: some container waits to be larger, for which it needs no pod slot.
        """
        state = self._state
        if node.reserved_container is not None or node.resources_preempted_for_app:
            return True
        if not state.pending_sizes or not node.rm_node.schedulable:
            return False
        if node.free_slots <= 0 and not growing:
            return False
        available = node.available
        threshold = state.reservation_threshold
        # An ask that does not fit may still reserve the node. Whether it may is asked by policies
        # that look at other types, so any type that reaches the threshold counts.
        for size in state.pending_sizes:
            if fits(size, available) or _any_reaches(size, threshold):
                return True
        return False

    # --- 1. what was preempted for an application

    def _assign_preempted(self, node: FSSchedulerNode, decisions: list[Decision]) -> None:
        """Hadoop: assignPreemptedContainers."""
        self._cleanup_preemption_list(node)
        for attempt, preempted in list(node.resources_preempted_for_app.items()):
            left = preempted
            while not attempt.stopped and any(left):
                decision = self._assign_in_attempt(attempt, node)
                if decision is None:
                    break
                decisions.append(decision)
                # A reservation keeps the node, so nothing else can be granted on it now.
                if not isinstance(decision, Grant):
                    break
                left = subtract_non_negative(left, decision.container.size)

    def _cleanup_preemption_list(self, node: FSSchedulerNode) -> None:
        """Keep nothing for attempts that do not need it any more."""
        cluster = self._state.cluster
        for attempt in list(node.resources_preempted_for_app):
            starved = is_starved(attempt, attempt.queue.policy, cluster)
            if attempt.stopped or not (starved and attempt.has_starvation):
                self._accounts.forget_preempted(attempt, node)

    # --- 2. reserved containers

    def _assign_reserved(self, node: FSSchedulerNode, decisions: list[Decision]) -> bool:
        """Grant a node's reserved container or give it up; whether it stands or was granted.

        Hadoop: FSAppAttempt.assignReservedContainer.
        """
        reserved = node.reserved_container
        if reserved is None:
            return False
        attempt, key = reserved.attempt, reserved.key
        ask = attempt.asks.get(key)
        if (
            ask is None
            or not self._has_container_for_node(attempt, ask, node)
            or is_over_am_share_limit(self._state, attempt)
        ):
            self._accounts.unreserve(node)
            return False
        if fits(reserved.size, node.available):
            level = locality_on(self._state, ask, node.rm_node)
            if level is not None:
                decision = self._assign_or_reserve(attempt, key, ask, node, level, reserved)
                if decision is not None:
                    decisions.append(decision)
        return True

    # --- 3. the queues

    def _assign_by_queues(self, node: FSSchedulerNode, decisions: list[Decision]) -> None:
        offers = self._state.config.offers
        # Half of what is available before the first grant. The limits below are looked at after a
        # grant, so one container more than they say may go, as in Hadoop.
        half = multiply(node.available, 0.5) if offers.multiple else node.available
        assigned = self._state.zero
        count = 0
        while node.reserved_container is None:
            decision = self._assign_in_queue(self._state.root, node)
            if decision is None:
                return
            decisions.append(decision)
            if not offers.multiple or not isinstance(decision, Grant):
                return
            count += 1
            assigned = add(assigned, decision.container.size)
            if offers.dynamic_maximum:
                if not fits(assigned, half):
                    return
            elif 0 < offers.maximum <= count:
                return

    def _assign_in_queue(self, queue: FSQueue, node: FSSchedulerNode) -> Grant | Reserve | None:
        # A queue at its maximum is still asked: it may want none of the type that is used up. One
        # over its maximum, which was lowered or whose application was moved in, gets nothing.
        if queue.has_max_share and not fits(queue.used, queue.max_share):
            return None
        if isinstance(queue, FSLeafQueue):
            for _, attempt in queue.schedulables.entries:
                # What is reserved or was preempted for it does not pass here, and is granted on
                # such a node all the same, as in Hadoop (FSLeafQueue.assignContainer).
                if attempt.excluded and attempt.am_running and excludes(attempt.excluded, node):
                    continue
                decision = self._assign_in_attempt(attempt, node)
                if decision is not None:
                    return decision
        elif isinstance(queue, FSParentQueue):
            if queue.order_is_non_transitive:
                return self._assign_in_non_transitive_order(queue, node)
            for _, child in queue.schedulables.entries:
                decision = self._assign_in_queue(child, node)
                if decision is not None:
                    return decision
        return None

    def _assign_in_non_transitive_order(
        self, queue: FSParentQueue, node: FSSchedulerNode
    ) -> Grant | Reserve | None:
        """Offer the node to children in the order Hadoop's set has where its comparator fails."""
        compared = {
            DrfQueue(child.used, child.min_share, child.weight, child.path): child
            for child in queue.children
        }
        cluster = self._state.cluster
        for one in tree_order(compared, lambda a, b: compare_drf_queues(a, b, cluster)):
            decision = self._assign_in_queue(compared[one], node)
            if decision is not None:
                return decision
        return None

    def _assign_in_attempt(
        self, attempt: FSAppAttempt, node: FSSchedulerNode
    ) -> Grant | Reserve | None:
        """The first ask that can be served here decides, whether or not it fits right now."""
        if is_over_am_share_limit(self._state, attempt):
            return None
        for key in attempt.ask_keys:
            ask = attempt.asks[key]
            if not self._has_container_for_node(attempt, ask, node):
                continue
            level = locality_on(self._state, ask, node.rm_node)
            if level is not None:
                return self._assign_or_reserve(attempt, key, ask, node, level)
        return None

    def _has_container_for_node(
        self, attempt: FSAppAttempt, ask: FSPendingAsk, node: FSSchedulerNode
    ) -> bool:
        """Whether the ask could run here if the node had more free (Hadoop: hasContainerForNode).

        Without a free pod slot it could not: nothing is kept for it that others leave unused.
        """
        # Whether it fits right now is not asked here. The cheap checks come first.
        size = ask.ask.size
        if ask.count <= 0 or not fits(size, node.rm_node.total):
            return False
        if node.free_slots <= 0 and not _needs_no_slot(attempt, ask):
            return False
        locality = ask.ask.locality
        # Asked here as well as there: this is on the way of every offer, and mostly neither is so.
        chooses = locality.classes is not None or node.rm_node.dedicated
        if chooses and not ask.suits(node.rm_node):
            return False
        if locality.excluded and is_excluded(locality, node):
            return False
        if ask.ask.constraint is not None and not allows_constraint(
            self._state, attempt, ask, node
        ):
            return False
        if not locality.relax and not is_on_wanted_place(ask, node.rm_node):
            return False
        return _fits_in_max_share(attempt.queue, size)

    # --- granting

    def _assign_or_reserve(
        self,
        attempt: FSAppAttempt,
        key: AskKey,
        ask: FSPendingAsk,
        node: FSSchedulerNode,
        level: int,
        reserved: ReservedContainer | None = None,
    ) -> Grant | Reserve | None:
        """Grant if it fits now; otherwise reserve if that is allowed."""
        size = ask.ask.size
        if fits(size, node.available):
            return self._allocate(attempt, key, ask, node, level, reserved)
        if reserved is None and self._is_reservable(attempt, size, node, level):
            return self._reserve(attempt, key, size, node)
        return None

    def _allocate(
        self,
        attempt: FSAppAttempt,
        key: AskKey,
        ask: FSPendingAsk,
        node: FSSchedulerNode,
        level: int,
        reserved: ReservedContainer | None,
    ) -> Grant:
        """Hadoop: FSAppAttempt.allocate."""
        state, accounts = self._state, self._accounts
        # Out first: a reservation holds nothing of its queue, so what it becomes is charged as
        # anything new.
        if reserved is not None:
            accounts.unreserve(node)
            container_id, size = reserved.container, reserved.size
            if size != ask.ask.size:
                # What was asked changed since it was reserved: Hadoop grants what was reserved.
                state.dirty.demand_changed(attempt)
                state.dirty.shares_changed()
        else:
            container_id, size = attempt.new_container_id(state.epoch), ask.ask.size
        rm_node = node.rm_node
        container = Container(
            id=container_id,
            key=key,
            node=rm_node.name,
            size=size,
            partition=rm_node.partition,
            am=key == AM_KEY,
            tags=ask.ask.tags,
        )
        # The size that was granted is charged, the size that is asked for now is what is waited for
        # less: after a change of the ask these differ.
        accounts.charge(attempt, container)
        count_down(ask, rm_node, level)
        accounts.take_one(attempt, ask.ask.size)
        if ask.count <= 0:
            del attempt.asks[key]
            attempt.ask_keys.remove(key)
        if node.resources_preempted_for_app:
            accounts.take_preempted(attempt, node, size)
        # The first container of an attempt is its ApplicationMaster's, whatever key it was asked
        # with.
        if not attempt.am_running and not attempt.unmanaged and not is_update(key):
            accounts.charge_am(attempt, ask.ask.size)
        place_attempt(state, attempt)
        return Grant(container)

    # --- reserving

    def _is_reservable(
        self, attempt: FSAppAttempt, size: Vector, node: FSSchedulerNode, level: int
    ) -> bool:
        """Whether an attempt may keep this node (Hadoop: isReservable, reserve)."""
        state = self._state
        # What was preempted for it here becomes free by itself; a reservation would keep it twice.
        if node.reserved_container is not None or attempt in node.resources_preempted_for_app:
            return False
        policy = attempt.queue.policy
        if is_greater(policy, state.cluster, state.reservation_threshold, size):
            return False
        return is_starved(attempt, policy, state.cluster) and not self._exceeds_threshold(
            attempt, node, level
        )

    def _exceeds_threshold(self, attempt: FSAppAttempt, node: FSSchedulerNode, level: int) -> bool:
        """Whether an attempt has reserved as many nodes as it may.

        Hadoop: reservationExceedsThreshold with `yarn.scheduler.fair.reservable-nodes`, which does
        not count for nodes the ask names.
        """
        if level == NODE_LOCAL:
            return False
        nodes = self._state.nodes
        # Rack-local asks may reserve a part of the rack's nodes, others a part of all nodes.
        rack = None if level == OFF_SWITCH else node.rm_node.rack
        there = _count_in_rack(nodes, nodes, rack)
        reserved = _count_in_rack(nodes, attempt.reservations, rack)
        part = single(self._state.config.offers.reservable_nodes)
        return reserved >= ceil_to_long(single(there * part))

    def _reserve(
        self, attempt: FSAppAttempt, key: AskKey, size: Vector, node: FSSchedulerNode
    ) -> Reserve:
        container_id = attempt.new_container_id(self._state.epoch)
        self._accounts.reserve(ReservedContainer(attempt, key, size, container_id), node)
        return Reserve(attempt.application.id, key, node.rm_node.name, size)


def _needs_no_slot(attempt: FSAppAttempt, ask: FSPendingAsk) -> bool:
    """Whether the ask is for a pod that the node counts already: a container that grows."""
    key = ask.ask.key
    return is_update(key) and attempt.outstanding_increases[key.name].id in attempt.containers


def _fits_in_max_share(leaf: FSQueue, size: Vector) -> bool:
    """Whether *leaf* and every queue above it may hold so much more (fitsInMaxShare)."""
    queue: FSQueue | None = leaf
    while queue is not None:
        if queue.has_max_share and not fits(add(queue.used, size), queue.max_share):
            return False
        queue = queue.parent
    return True


def _count_in_rack(
    nodes: dict[str, FSSchedulerNode],
    names: dict[str, FSSchedulerNode] | dict[str, ReservedContainer],
    rack: str | None,
) -> int:
    """How many of the named nodes are in *rack*, None for any."""
    if rack is None:
        return len(names)
    return sum(1 for name in names if nodes[name].rm_node.rack == rack)


def is_excluded(locality: Locality, node: FSSchedulerNode) -> bool:
    """Whether an ask may take nothing on a node."""
    return excludes(locality.excluded, node)


def excludes(places: frozenset[str], node: FSSchedulerNode) -> bool:
    """Whether a node or its rack is one of *places* (SchedulerAppUtils.isPlaceBlacklisted)."""
    return node.rm_node.name in places or node.rm_node.rack in places


def allows_constraint(
    state: FairClusterState, attempt: FSAppAttempt, ask: FSPendingAsk, node: FSSchedulerNode
) -> bool:
    """Whether the ask's placement constraint, if it has one, allows the node now."""
    constraint = ask.ask.constraint
    return constraint is None or state.allocation_tags.can_satisfy(
        constraint.expression, attempt.application.id, node.rm_node.name, node.rm_node.rack
    )


def _any_reaches(size: Vector, threshold: Vector) -> bool:
    """Whether some policy could find *size* large enough to reserve."""
    return any(amount >= least for amount, least in zip(size, threshold, strict=True) if least)
