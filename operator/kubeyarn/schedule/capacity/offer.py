"""One scheduling opportunity of one node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.queues import OfferConfig
    from kubeyarn.schedule.capacity.nodes import LedgerNode


@dataclass(slots=True)
class Offer:
    """A node, and how it may be used.

    *borrowing*: nodes of a shared partition are lent to asks for no partition
    (Hadoop: SchedulingMode.IGNORE_PARTITION_EXCLUSIVITY). *node_refusals* are applications that
    do not want this node.
    """

    node: LedgerNode
    rules: OfferConfig
    node_count: int
    now_ms: int = 0
    borrowing: bool = False
    am_may_borrow: bool = False
    nodes: Mapping[str, LedgerNode] = field(default_factory=dict)
    node_refusals: frozenset[ApplicationId] = field(default=frozenset())

    @property
    def wanted_partition(self) -> str:
        """The partition asks must name to be considered."""
        return "" if self.borrowing else self.node.partition

    def node_named(self, name: str) -> LedgerNode:
        """Another node, by name."""
        return self.nodes[name]
