"""Offering one node (Hadoop: CapacityScheduler.allocateContainersToNode)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import add
from kubeyarn.schedulers.api import Preempt
from kubeyarn.schedulers.capacity.allocator.assign_containers import assign, assign_leaf
from kubeyarn.schedulers.capacity.allocator.commit import commit
from kubeyarn.schedulers.capacity.allocator.fast_path import quick_grant
from kubeyarn.schedulers.capacity.objects.nodes_by_use import NodesByUse
from kubeyarn.schedulers.capacity.objects.offer import Offer
from kubeyarn.schedulers.capacity.objects.preemptable_containers import size_of
from kubeyarn.schedulers.capacity.objects.resource_limits import Limits, Locality, Proposal

if TYPE_CHECKING:
    from kubeyarn.model.queues import OfferConfig, SchedulerConfig
    from kubeyarn.schedulers.api import Decision
    from kubeyarn.schedulers.capacity.objects.node import Cluster, LedgerNode
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue


QUICK = Proposal(size=())


def takes_one(rules: OfferConfig) -> bool:
    """Whether an offer is over with the first container that may be anywhere."""
    one = rules.maximum_offswitch <= 1 or 0 <= rules.maximum_assignments <= 1
    return one or not rules.multiple_assignments


def offer_node(
    root: ParentQueue,
    node: LedgerNode,
    cluster: Cluster,
    config: SchedulerConfig,
    now_ms: int,
    *,
    quick: bool,
) -> list[Decision]:
    """What one heartbeat of the node leads to."""
    decisions: list[Decision] = []
    rules = config.offers
    assigned = elsewhere = 0
    while True:
        proposal = _offer_once(root, node, cluster, config, now_ms, decisions, quick=quick)
        if proposal is None or proposal.size is None or proposal.reserve:
            return decisions
        assigned += 1
        if proposal.locality is Locality.ANY:
            elsewhere += 1
        if not rules.multiple_assignments or elsewhere >= rules.maximum_offswitch:
            return decisions
        if 0 <= rules.maximum_assignments <= assigned:
            return decisions


def _offer_once(
    root: ParentQueue,
    node: LedgerNode,
    cluster: Cluster,
    config: SchedulerConfig,
    now_ms: int,
    decisions: list[Decision],
    *,
    quick: bool,
) -> Proposal | None:
    """One assignment: a reservation comes first, and alone."""
    if not node.node.schedulable:
        return None
    if quick and node.reservation is None and not node.partition:
        grant = quick_grant(root, node, cluster)
        if grant is not None:
            decisions.append(grant)
            return QUICK
    offer = Offer(node, config.offers, cluster.nodes, now_ms)
    if config.choose_nodes:
        candidates = NodesByUse(nodes_of(cluster, node.partition), root.calc)
        if len(candidates) > 1:
            return offer_together(root, offer, candidates, cluster, config, decisions)
    if node.reservation is not None:
        limits = Limits(cluster.partition(""))
        _settle(assign_leaf(node.reservation.app.queue, offer, limits), offer, decisions)
        return None
    room = add(node.free, size_of(node.killable, root.zero)) if node.killable else node.free
    if root.calc.available(room, root.step) <= 0:
        return None
    return _take_new(root, offer, cluster, config, decisions)


def nodes_of(cluster: Cluster, partition: str) -> list[LedgerNode]:
    """The nodes of a partition that take containers."""
    return [
        node
        for node in cluster.nodes.values()
        if node.partition == partition and node.node.schedulable
    ]


def offer_together(
    root: ParentQueue,
    offer: Offer,
    candidates: NodesByUse,
    cluster: Cluster,
    config: SchedulerConfig,
    decisions: list[Decision],
) -> Proposal | None:
    """One assignment with all nodes of a partition to choose from; reservations come first.

    Hadoop: CapacityScheduler.allocateContainersOnMultiNodes.
    """
    here = offer.node
    for node in candidates.reserved():
        if node.reservation is not None:
            offer.node = node
            limits = Limits(cluster.partition(""))
            _settle(assign_leaf(node.reservation.app.queue, offer, limits), offer, decisions)
            candidates.changed(node)
    offer.node, offer.candidates = here, candidates
    proposal = _take_new(root, offer, cluster, config, decisions)
    candidates.changed(offer.node)
    return proposal


def _take_new(
    root: ParentQueue,
    offer: Offer,
    cluster: Cluster,
    config: SchedulerConfig,
    decisions: list[Decision],
) -> Proposal | None:
    """A container or a reservation for whom it is due."""
    node = offer.node
    proposal = assign(root, offer, Limits(cluster.partition(node.partition)))
    _settle(proposal, offer, decisions)
    if proposal.size is not None or not node.partition:
        return proposal
    # A partition that nobody declared lends nothing: its nodes wait for a queue to have them.
    if not any(p.name == node.partition and not p.exclusive for p in config.partitions):
        return None
    offer.borrow(am_may_borrow=config.am_in_shared_partitions)
    proposal = assign(root, offer, Limits(cluster.partition("")))
    _settle(proposal, offer, decisions)
    return proposal


def _settle(proposal: Proposal, offer: Offer, decisions: list[Decision]) -> None:
    decision = commit(proposal, offer)
    if decision is None:
        return
    for one in proposal.kills:
        size = one.app.queue.cluster.types.text(one.container.size)
        why = f"{size} on {one.container.node} is needed by others now"
        decisions.append(Preempt(one.container.id, kill=True, message=why))
    decisions.append(decision)
