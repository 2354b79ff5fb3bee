"""What is passed down the tree with an offer, and what comes back up."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, subtract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.queues import OfferConfig
    from kubeyarn.schedulers.api import Decision
    from kubeyarn.schedulers.capacity.objects.app_attempt import (
        LedgerApplication,
        OutstandingAsk,
        Reservation,
    )
    from kubeyarn.schedulers.capacity.objects.node import LedgerNode, NodesByUse
    from kubeyarn.schedulers.capacity.objects.preemptable_containers import Killable


class Limits:
    """How much a queue may hold, as its parent sees it (Hadoop: ResourceLimits).

    *blocked* is room kept for queues that hit a limit before; *unreserve* what must be given back
    before more is taken (None: nothing); *headroom* what is left.
    """

    __slots__ = ("blocked", "headroom", "limit", "unreserve")

    def __init__(self, limit: Vector) -> None:
        self.limit = limit
        self.headroom = limit
        self.unreserve: Vector | None = None
        self.blocked: Vector | None = None

    def net(self) -> Vector:
        """The limit less what is blocked."""
        return self.limit if self.blocked is None else subtract(self.limit, self.blocked)

    def block(self, amount: Vector) -> None:
        """Keep *amount* from queues that come later."""
        self.blocked = amount if self.blocked is None else add(self.blocked, amount)


class Skip(Enum):
    """Why a queue or an application gave nothing."""

    NOTHING = auto()
    APPLICATION = auto()
    QUEUE_LIMIT = auto()


class Locality(Enum):
    """How close a container is to where it was wanted."""

    NODE = auto()
    RACK = auto()
    ANY = auto()


class Proposal:
    """What an application would take of a node, before it is committed (Hadoop: CSAssignment).

    *size* is set when a container is allocated or room is reserved. *unreserve* is a reservation
    given up for it (or because it is not needed); *fulfils* the one it comes from; *kills* are
    those whose room it takes. *within_limit* says that the user's limit was found kept as things
    stand.
    """

    __slots__ = (
        "app",
        "ask",
        "fulfils",
        "kills",
        "locality",
        "reserve",
        "size",
        "skip",
        "unreserve",
        "within_limit",
    )

    def __init__(
        self,
        skip: Skip = Skip.NOTHING,
        app: LedgerApplication | None = None,
        ask: OutstandingAsk | None = None,
        size: Vector | None = None,
        locality: Locality = Locality.ANY,
    ) -> None:
        self.skip = skip
        self.app = app
        self.ask = ask
        self.size = size
        self.locality = locality
        self.reserve = False
        self.unreserve: Reservation | None = None
        self.fulfils: Reservation | None = None
        self.within_limit = False
        self.kills: list[Killable] = []


NOTHING = Proposal()
SKIPPED = Proposal(Skip.APPLICATION)
LIMITED = Proposal(Skip.QUEUE_LIMIT)


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
