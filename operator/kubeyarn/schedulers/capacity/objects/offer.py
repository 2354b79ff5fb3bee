"""One scheduling opportunity of one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.queues import OfferConfig
    from kubeyarn.schedulers.api import Decision
    from kubeyarn.schedulers.capacity.objects.node import LedgerNode
    from kubeyarn.schedulers.capacity.objects.nodes_by_use import NodesByUse


class Offer:
    """A node, and how it may be used.

    *wanted_partition* is the one asks must name to be considered. When *borrowing*, nodes of a
    shared partition are lent to asks for no partition (Hadoop:
    SchedulingMode.IGNORE_PARTITION_EXCLUSIVITY). With *candidates* the node is one of them at a
    time, and the one that was taken in the end. What is committed goes to *decisions*.
    """

    __slots__ = (
        "am_may_borrow",
        "borrowing",
        "candidates",
        "decisions",
        "node",
        "nodes",
        "now_ms",
        "partition",
        "rules",
        "wanted_partition",
    )

    def __init__(
        self,
        node: LedgerNode,
        rules: OfferConfig,
        nodes: Mapping[str, LedgerNode],
        now_ms: int,
        decisions: list[Decision],
    ) -> None:
        self.node = node
        self.partition = self.wanted_partition = node.partition
        self.rules = rules
        self.nodes = nodes
        self.now_ms = now_ms
        self.decisions = decisions
        self.borrowing = False
        self.am_may_borrow = False
        self.candidates: NodesByUse | None = None

    def borrow(self, *, am_may_borrow: bool) -> None:
        """Lend the node to asks for no partition."""
        self.borrowing = True
        self.wanted_partition = ""
        self.am_may_borrow = am_may_borrow
