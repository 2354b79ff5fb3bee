"""One scheduling opportunity of one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.queues import NodeOrdering
from kubeyarn.model.resources import Vector, subtract

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubeyarn.model.queues import OfferConfig
    from kubeyarn.schedule.capacity.nodes import LedgerNode


class Offer:
    """A node, and how it may be used.

    *wanted_partition* is the one asks must name to be considered. When *borrowing*, nodes of a
    shared partition are lent to asks for no partition (Hadoop:
    SchedulingMode.IGNORE_PARTITION_EXCLUSIVITY). With *candidates* the node is one of them at a
    time, and the one that was taken in the end.
    """

    __slots__ = (
        "_by_use",
        "am_may_borrow",
        "borrowing",
        "candidates",
        "node",
        "nodes",
        "now_ms",
        "partition",
        "rules",
        "wanted_partition",
    )

    def __init__(
        self, node: LedgerNode, rules: OfferConfig, nodes: Mapping[str, LedgerNode], now_ms: int
    ) -> None:
        self.node = node
        self.partition = self.wanted_partition = node.partition
        self.rules = rules
        self.nodes = nodes
        self.now_ms = now_ms
        self.borrowing = False
        self.am_may_borrow = False
        self.candidates: Sequence[LedgerNode] = ()
        self._by_use: Sequence[LedgerNode] = ()

    def borrow(self, *, am_may_borrow: bool) -> None:
        """Lend the node to asks for no partition."""
        self.borrowing = True
        self.wanted_partition = ""
        self.am_may_borrow = am_may_borrow

    def in_order(self, ordering: NodeOrdering) -> Sequence[LedgerNode]:
        """The candidates in the order a queue tries them."""
        if not self._by_use:
            self._by_use = sorted(self.candidates, key=_use)
        return self._by_use if ordering is NodeOrdering.SPREAD else self._by_use[::-1]


def _use(node: LedgerNode) -> tuple[Vector, str]:
    return subtract(node.total, node.free), node.name
