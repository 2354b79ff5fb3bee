"""The scheduling cycle: nodes are offered in turn, and each takes containers.

Theory of operation. Hadoop's CapacityScheduler offers a node whenever it heartbeats (`nodeUpdate`,
`allocateContainersToNode`). There are no heartbeats here: a cycle offers all nodes, round after
round, until a round decides nothing or the cycle has made as many decisions as it may. A node gets
one container a round (where the configuration lets a heartbeat assign only one), so that work is
spread as by heartbeats that come in turn. `SchedulingCycle.run` is the whole cycle in six steps.

An offer goes down the tree to one application (`assign_containers`), which tries the node for its
asks (`container_allocator`); the assignment is committed in the leaf where it was made (`commit`).
Most offers end in a plain container for the first application of the first queue; `fast_path` makes
these, with the same outcome, and is tried once, first.

What a cycle need not do again: a node that took nothing stands for all nodes with the same total
and the same free amounts until something is granted (`saturated`); where an ask chooses node
classes, for those of its class. That holds only while no ask names places and offers that are
passed up are not counted (`Alike`).
"""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum, auto
from typing import TYPE_CHECKING

from kubeyarn.model.asks import is_update
from kubeyarn.model.resources import add
from kubeyarn.schedulers.api import Grant
from kubeyarn.schedulers.capacity.allocator.assign_containers import (
    assign_containers,
    assign_to_leaf,
)
from kubeyarn.schedulers.capacity.allocator.container_update import (
    grant_without_offer,
    swap_container,
)
from kubeyarn.schedulers.capacity.allocator.fast_path import allocate_fast
from kubeyarn.schedulers.capacity.objects.node import CandidateNodeSet
from kubeyarn.schedulers.capacity.objects.preemptable_containers import total_size
from kubeyarn.schedulers.capacity.objects.resource_limits import (
    NodeType,
    ResourceLimits,
    SchedulingOpportunity,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.queues import OfferConfig, SchedulerConfig
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.api import Decision
    from kubeyarn.schedulers.capacity.allocator.fast_path import FastPath
    from kubeyarn.schedulers.capacity.auto_created_queues import QueueManagementPolicy
    from kubeyarn.schedulers.capacity.cluster_state import ClusterState
    from kubeyarn.schedulers.capacity.objects.app_attempt import PendingAsk
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker, FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
    from kubeyarn.schedulers.capacity.objects.resource_limits import CSAssignment


class Alike(Enum):
    """Which nodes with the same total and the same free amounts take the same."""

    NONE = auto()
    IN_CLASS = auto()
    ALL = auto()


class SchedulingCycle:
    """Decides who gets the free room of all nodes, or of one.

    A cycle begins after the node that took something last: what is asked for in many small cycles
    is spread over the nodes, too, as by heartbeats that come in turn.
    """

    def __init__(self, state: ClusterState, queue_management: QueueManagementPolicy) -> None:
        self._state = state
        self._queue_management = queue_management
        self._last_assigned: FiCaSchedulerNode | None = None

    def run(self, now_ms: int, limit: int) -> Sequence[Decision]:
        """Offer all nodes until nothing changes or *limit* decisions were made."""
        state, dirty = self._state, self._state.dirty
        # 1. Bring queues up to date with nodes that changed, auto-created queues with time.
        state.bring_up_to_date()
        self._queue_management.edit_schedule(now_ms)
        # 2. Return at once when nothing changed since a cycle that found nothing to decide.
        root, config = state.root, state.config
        if dirty.idle or root is None or config is None:
            return ()
        # 3. Return when nothing is asked for and nothing is reserved.
        if not _anything_wanted(root):
            dirty.cycle_ended(idle=True)
            return ()
        # 4. See which nodes of equal size are alike: no ask names places or tags, and no ask
        #    counts the offers it passes up, so that a later offer may end otherwise.
        constrained = self._constrained_asks()
        counting = len(state.cluster.partitions) > 1 or any(
            ask.unique_locations > 1 and not ask.is_strictly_local for ask in constrained
        )
        alike = _alike(constrained, counting=counting)
        # 5. Offer nodes in rounds, or all nodes of a partition together where queues choose.
        allocator = NodeAllocator(root, state.cluster, config, state.fast_path, now_ms)
        if config.choose_nodes:
            _offer_together(allocator, limit)
        else:
            self._offer_in_rounds(allocator, limit, alike)
        decided_all = len(allocator.decisions) < limit and not allocator.gave_up_reservation
        dirty.cycle_ended(idle=not counting and decided_all)
        # 6. Turn containers that were granted for updates into updates, and grant those that no
        #    offer reaches.
        if not constrained:
            return allocator.decisions
        return self._swap_updates(allocator.decisions) + self._grow_beside(root)

    def node_update(self, node: str, now_ms: int) -> Sequence[Decision]:
        """One scheduling opportunity of one node (Hadoop: nodeUpdate)."""
        state = self._state
        state.bring_up_to_date()
        offered = state.cluster.nodes.get(node)
        if offered is None or not offered.node.schedulable:
            return ()
        if state.root is None or state.config is None:
            return ()
        allocator = NodeAllocator(state.root, state.cluster, state.config, state.fast_path, now_ms)
        allocator.allocate_containers_to_node(offered)
        return self._swap_updates(allocator.decisions)

    def _constrained_asks(self) -> list[PendingAsk]:
        dirty = self._state.dirty
        if dirty.unconstrained:
            return []
        found = [
            ask
            for app in self._state.apps.values()
            for ask in app.asks.values()
            if not ask.unconstrained
        ]
        dirty.constraints_looked_for(found=bool(found))
        return found

    def _offer_in_rounds(self, allocator: NodeAllocator, limit: int, alike: Alike) -> None:
        decisions = allocator.decisions
        # Rounds, not node by node until it is full: heartbeats come in turn, and so does the work.
        nodes = self._in_turn(allocator.cluster)
        while nodes:
            before = len(decisions)
            nodes, last = _offer_each(allocator, nodes, limit, alike)
            self._last_assigned = last or self._last_assigned
            if len(decisions) >= limit or len(decisions) == before:
                break

    def _in_turn(self, cluster: CapacityNodeTracker) -> list[FiCaSchedulerNode]:
        nodes = list(cluster.nodes.values())
        last = self._last_assigned
        if last is None:
            return nodes
        # The node may have left meanwhile. Then the order begins anew: to go on among nodes that
        # joined later would favour these.
        at = bisect_right(nodes, last.position, key=_position)
        return nodes[at:] + nodes[:at] if at and nodes[at - 1] is last else nodes

    def _swap_updates(self, decisions: list[Decision]) -> list[Decision]:
        """What was granted for updates of containers, as these containers."""
        state = self._state
        return [
            swap_container(
                state.apps[decision.container.id.attempt.application],
                decision.container,
                state.cluster.nodes[decision.container.node],
            )
            if isinstance(decision, Grant) and is_update(decision.container.key)
            else decision
            for decision in decisions
        ]

    def _grow_beside(self, root: ParentQueue) -> list[Decision]:
        growing = [app for app in self._state.apps.values() if app.updates]
        return [
            one
            for app in growing
            for one in grant_without_offer(app, self._state.cluster, root.minimum_allocation)
        ]


def _alike(constrained: list[PendingAsk], *, counting: bool) -> Alike:
    if counting or any(ask.tells_alike_apart for ask in constrained):
        return Alike.NONE
    return Alike.IN_CLASS if constrained else Alike.ALL


def _position(node: FiCaSchedulerNode) -> int:
    return node.position


def _anything_wanted(root: ParentQueue) -> bool:
    reserved = any(any(amount) for amount in root.reserved.values())
    return reserved or any(root.wants(partition) for partition in root.usages)


def _offer_each(
    allocator: NodeAllocator, nodes: list[FiCaSchedulerNode], limit: int, alike: Alike
) -> tuple[list[FiCaSchedulerNode], FiCaSchedulerNode | None]:
    """One round; returns the nodes that may take more, and the last one that took something."""
    step, fits, decisions = (
        allocator.root.minimum_allocation,
        allocator.root.calc.fits,
        allocator.decisions,
    )
    allocate = allocator.allocate_containers_to_node
    open_nodes: list[FiCaSchedulerNode] = []
    last: FiCaSchedulerNode | None = None
    saturated: set[tuple[Vector, Vector, int]] = set()
    in_class, all_alike = alike is Alike.IN_CLASS, alike is Alike.ALL
    for node in nodes:
        if not node.node.schedulable:
            continue
        if node.reservation is None and not node.killable:
            if node.free_slots <= 0 or not fits(step, node.free):
                continue
            if all_alike and node.dedicated:
                # Nobody asks for its class.
                continue
            node_class = node.node.node_class if in_class else 0
            if saturated and (node.total, node.free, node_class) in saturated:
                open_nodes.append(node)
                continue
        open_nodes.append(node)
        if allocate(node):
            last = node
            # A grant changed use and order, so who took nothing may take something now.
            if saturated:
                saturated.clear()
            if len(decisions) >= limit:
                break
        elif alike is not Alike.NONE and node.reservation is None and not node.killable:
            saturated.add((node.total, node.free, node.node.node_class if in_class else 0))
    return open_nodes, last


def _offer_together(allocator: NodeAllocator, limit: int) -> None:
    """Offer all nodes of each partition together, until nothing changes or *limit* is reached."""
    cluster, root, decisions = allocator.cluster, allocator.root, allocator.decisions
    # One line a partition, sorted once and kept sorted: a queue of many applications tries many
    # nodes each time.
    lines = [
        (nodes[0], CandidateNodeSet(nodes, root.calc, root.minimum_allocation))
        for partition in dict.fromkeys(node.partition for node in cluster.nodes.values())
        if (nodes := nodes_of(cluster, partition))
    ]
    before = -1
    while before < len(decisions) < limit:
        before = len(decisions)
        for node, candidates in lines:
            if candidates and len(decisions) < limit:
                allocator.allocate_on_one_of(candidates, node)


class NodeAllocator:
    """Offers nodes at one moment; *decisions* are what came of it so far.

    Where it *gave_up_reservation* a node has room now that was offered to nobody yet.
    """

    __slots__ = (
        "_fast",
        "_one_each",
        "cluster",
        "config",
        "decisions",
        "gave_up_reservation",
        "now_ms",
        "root",
    )

    def __init__(
        self,
        root: ParentQueue,
        cluster: CapacityNodeTracker,
        config: SchedulerConfig,
        fast_path: FastPath,
        now_ms: int,
    ) -> None:
        self.root, self.cluster, self.config = root, cluster, config
        self.now_ms = now_ms
        self.decisions: list[Decision] = []
        self.gave_up_reservation = False
        self._fast = allocate_fast if fast_path.is_open else None
        self._one_each = _takes_one(config.offers)

    def allocate_containers_to_node(self, node: FiCaSchedulerNode) -> bool:
        """All that one heartbeat of a schedulable node leads to; whether that is anything.

        Hadoop: CapacityScheduler.allocateContainersToNode and canAllocateMore.
        """
        decisions, rules = self.decisions, self.config.offers
        before = len(decisions)
        assigned = off_switch = 0
        # Hadoop's canAllocateMore and its loop over assignments; a node without a pod slot is done,
        # unless something there may be killed or is waited for.
        while node.free_slots > 0 or node.killable or node.reservation is not None:
            grant = None
            if self._fast is not None and node.reservation is None and node.open_to_all:
                grant = self._fast(self.root, node, self.cluster)
            if grant is not None:
                decisions.append(grant)
                if self._one_each:
                    return True
                off_switch += 1
            else:
                made = self._allocate_once(node)
                # A reservation ends the node's turn, as in Hadoop: it takes nothing else from then
                # on.
                if made is None or made.size is None or made.is_reservation:
                    break
                off_switch += made.node_type is NodeType.OFF_SWITCH
            assigned += 1
            # Containers without locality are spread over nodes: a heartbeat gives out only so many
            # of them.
            if not rules.multiple_assignments or off_switch >= rules.maximum_offswitch:
                break
            if 0 <= rules.maximum_assignments <= assigned:
                break
        return len(decisions) > before

    def _allocate_once(self, node: FiCaSchedulerNode) -> CSAssignment | None:
        """One assignment: what is reserved on the node comes first, and alone."""
        if self.config.choose_nodes:
            candidates = CandidateNodeSet(nodes_of(self.cluster, node.partition), self.root.calc)
            if len(candidates) > 1:
                return self.allocate_on_one_of(candidates, node)
        reservation = node.reservation
        if reservation is not None:
            limits = ResourceLimits(self.cluster.partition(""))
            before = len(self.decisions)
            assign_to_leaf(reservation.app.queue, self._offer(node), limits)
            if node.reservation is None and len(self.decisions) == before:
                self.gave_up_reservation = True
            return None
        room = node.free
        if node.killable:
            room = add(room, total_size(node.killable, self.root.zero))
        if self.root.calc.available(room, self.root.minimum_allocation) <= 0:
            return None
        return self._allocate_new(self._offer(node))

    def allocate_on_one_of(
        self, candidates: CandidateNodeSet, node: FiCaSchedulerNode
    ) -> CSAssignment | None:
        """One assignment with all nodes of *node*'s partition to choose from; reserved ones first.

        Hadoop: CapacityScheduler.allocateContainersOnMultiNodes.
        """
        opportunity = self._offer(node)
        for reserved in candidates.reserved():
            if reserved.reservation is not None:
                opportunity.node = reserved
                limits = ResourceLimits(self.cluster.partition(""))
                assign_to_leaf(reserved.reservation.app.queue, opportunity, limits)
                candidates.changed(reserved)
        opportunity.node, opportunity.candidates = node, candidates
        made = self._allocate_new(opportunity)
        candidates.changed(opportunity.node)
        return made

    def _offer(self, node: FiCaSchedulerNode) -> SchedulingOpportunity:
        return SchedulingOpportunity(
            node, self.config.offers, self.cluster.nodes, self.now_ms, self.decisions
        )

    def _allocate_new(self, opportunity: SchedulingOpportunity) -> CSAssignment | None:
        """A container or a reservation, by right or else by borrowing from a shared partition."""
        node, cluster, config = opportunity.node, self.cluster, self.config
        made = assign_containers(
            self.root, opportunity, ResourceLimits(cluster.partition(node.partition))
        )
        # Its own queues come first: only what they leave of a partition is lent.
        if made.size is not None or not node.partition:
            return made
        # A partition that nobody declared lends nothing: its nodes wait for a queue to have them.
        if not any(p.name == node.partition and not p.exclusive for p in config.partitions):
            return None
        opportunity.ignore_partition_exclusivity(am_may=config.am_in_shared_partitions)
        return assign_containers(self.root, opportunity, ResourceLimits(cluster.partition("")))


def _takes_one(rules: OfferConfig) -> bool:
    """Whether a heartbeat is over with the first container that may be anywhere."""
    one = rules.maximum_offswitch <= 1 or 0 <= rules.maximum_assignments <= 1
    return one or not rules.multiple_assignments


def nodes_of(cluster: CapacityNodeTracker, partition: str) -> list[FiCaSchedulerNode]:
    """The nodes of a partition that take containers."""
    return [
        node
        for node in cluster.nodes.values()
        if node.partition == partition and node.node.schedulable
    ]
