"""Rounds of offers over all nodes: what one cycle of the live scheduler is."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from kubeyarn.schedulers.capacity.allocator.fast_path import quick_grant
from kubeyarn.schedulers.capacity.allocator.node_update import (
    nodes_of,
    offer_node,
    offer_together,
    takes_one,
)
from kubeyarn.schedulers.capacity.objects.nodes_by_use import NodesByUse
from kubeyarn.schedulers.capacity.objects.offer import Offer

if TYPE_CHECKING:
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.api import Decision
    from kubeyarn.schedulers.capacity.objects.node import Cluster, LedgerNode
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue


class Rounds:
    """Offers nodes in turn until nothing changes or a limit is reached.

    The next cycle goes on after the node at which the last one reached its limit. *plain*: offers
    that are passed up are not counted, so that a node like one which took nothing since the last
    change need not be offered again.
    """

    def __init__(self) -> None:
        self._resume_after: LedgerNode | None = None

    def run(
        self,
        root: ParentQueue,
        cluster: Cluster,
        config: SchedulerConfig,
        now_ms: int,
        limit: int,
        *,
        quick: bool,
        plain: bool,
    ) -> list[Decision]:
        """The decisions of one cycle; fewer than *limit* when nothing is left to decide."""
        if config.choose_nodes:
            return _run_together(root, cluster, config, now_ms, limit)
        decisions: list[Decision] = []
        nodes = self._in_turn(cluster)
        while nodes:
            before = len(decisions)
            one = _Round(root, cluster, config, now_ms, limit, quick, plain)
            nodes = one.run(nodes, decisions)
            if len(decisions) >= limit:
                self._resume_after = one.last
                break
            if len(decisions) == before:
                break
        return decisions

    def _in_turn(self, cluster: Cluster) -> list[LedgerNode]:
        nodes = list(cluster.nodes.values())
        last, self._resume_after = self._resume_after, None
        if last is None:
            return nodes
        at = bisect_right(nodes, last.position, key=_position)
        return nodes[at:] + nodes[:at] if at and nodes[at - 1] is last else nodes


def _position(node: LedgerNode) -> int:
    return node.position


def _run_together(
    root: ParentQueue, cluster: Cluster, config: SchedulerConfig, now_ms: int, limit: int
) -> list[Decision]:
    """Offer all nodes of each partition together, until nothing changes or *limit* is reached."""
    decisions: list[Decision] = []
    lines = [
        (nodes[0], NodesByUse(nodes, root.calc, root.step))
        for partition in dict.fromkeys(node.partition for node in cluster.nodes.values())
        if (nodes := nodes_of(cluster, partition))
    ]
    before = -1
    while before < len(decisions) < limit:
        before = len(decisions)
        for node, candidates in lines:
            if candidates and len(decisions) < limit:
                offer = Offer(node, config.offers, cluster.nodes, now_ms)
                offer_together(root, offer, candidates, cluster, config, decisions)
    return decisions


class _Round:
    """One offer of each node."""

    def __init__(
        self,
        root: ParentQueue,
        cluster: Cluster,
        config: SchedulerConfig,
        now_ms: int,
        limit: int,
        quick: bool,
        plain: bool,
    ) -> None:
        self.root, self.cluster, self.config = root, cluster, config
        self.now_ms, self.limit = now_ms, limit
        self.quick, self.plain = quick, plain
        self.last: LedgerNode | None = None

    def run(self, nodes: list[LedgerNode], decisions: list[Decision]) -> list[LedgerNode]:
        """Add the decisions; returns the nodes that may take more."""
        root, cluster, limit, plain = self.root, self.cluster, self.limit, self.plain
        step, fits = root.step, root.calc.fits
        one_each = self.quick and takes_one(self.config.offers)
        open_nodes: list[LedgerNode] = []
        barren: set[tuple[Vector, Vector]] = set()
        for node in nodes:
            if not node.node.schedulable:
                continue
            if node.reservation is None and not node.killable:
                if not fits(step, node.free):
                    continue
                if plain and (node.total, node.free) in barren:
                    open_nodes.append(node)
                    continue
            open_nodes.append(node)
            if one_each and not node.partition and node.reservation is None:
                grant = quick_grant(root, node, cluster)
                if grant is not None:
                    decisions.append(grant)
                    if barren:
                        barren.clear()
                    if len(decisions) >= limit:
                        self.last = node
                        break
                    continue
            made = offer_node(root, node, cluster, self.config, self.now_ms, quick=self.quick)
            if made:
                decisions += made
                if barren:
                    barren.clear()
                if len(decisions) >= limit:
                    self.last = node
                    break
            elif node.reservation is None and not node.killable:
                barren.add((node.total, node.free))
        return open_nodes


def anything_wanted(root: ParentQueue) -> bool:
    """Whether an offer could come to anything at all."""
    reserved = any(any(amount) for amount in root.reserved.values())
    return reserved or any(root.wants(partition) for partition in root.parts)
