"""What is passed down the tree with a node, and what comes back up.

Down go the `SchedulingOpportunity` (the node, and how it may be used) and each queue's
`ResourceLimits`; back comes a `CSAssignment`. A parent makes new limits for each child; only what a
child tells in them (*headroom*, *blocked_headroom*) is read afterwards.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, subtract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.queues import OfferConfig
    from kubeyarn.schedulers.api import Decision
    from kubeyarn.schedulers.capacity.objects.app_attempt import (
        FiCaSchedulerApp,
        PendingAsk,
        Reservation,
    )
    from kubeyarn.schedulers.capacity.objects.node import CandidateNodeSet, FiCaSchedulerNode
    from kubeyarn.schedulers.capacity.objects.preemptable_containers import KillableContainer


class ResourceLimits:
    """How much a queue may hold, as its parent sees it (Hadoop: ResourceLimits).

    *headroom* is what the queue may still take. *blocked_headroom* is kept for queues that hit a
    limit before (None: nothing). *amount_needed_unreserve* must be given back by reservations
    before the user may take more (None: nothing).
    """

    __slots__ = ("amount_needed_unreserve", "blocked_headroom", "headroom", "limit")

    def __init__(self, limit: Vector) -> None:
        # Until a queue has looked at what it holds, all of the limit is its headroom.
        self.limit = limit
        self.headroom = limit
        self.amount_needed_unreserve: Vector | None = None
        self.blocked_headroom: Vector | None = None

    def net_limit(self) -> Vector:
        """The limit less what is blocked."""
        blocked = self.blocked_headroom
        return self.limit if blocked is None else subtract(self.limit, blocked)

    def add_blocked_headroom(self, amount: Vector) -> None:
        """Keep *amount* from queues that come later."""
        blocked = self.blocked_headroom
        self.blocked_headroom = amount if blocked is None else add(blocked, amount)


class SkippedType(Enum):
    """Why nothing was assigned (Hadoop: CSAssignment.SkippedType).

    OTHER lets the next application be tried; QUEUE_LIMIT blocks headroom for the queue.
    """

    NONE = auto()
    QUEUE_LIMIT = auto()
    OTHER = auto()


class NodeType(Enum):
    """How close a container is to where it was asked for (Hadoop: NodeType)."""

    NODE_LOCAL = auto()
    RACK_LOCAL = auto()
    OFF_SWITCH = auto()


class CSAssignment:
    """What an application takes of a node (Hadoop: CSAssignment).

    *size* is set when a container is allocated or, with *is_reservation*, the node is reserved.
    *fulfilled_reservation* is the reservation that it comes from, *excess_reservation* one that is
    given up for it or because nothing needs it, *to_kill* are containers whose room it takes.
    *user_limit_checked*: the user's limit was found kept, and nothing has changed since.
    """

    __slots__ = (
        "app",
        "ask",
        "excess_reservation",
        "fulfilled_reservation",
        "is_reservation",
        "node_type",
        "size",
        "skipped",
        "to_kill",
        "user_limit_checked",
    )

    def __init__(
        self,
        skipped: SkippedType = SkippedType.NONE,
        app: FiCaSchedulerApp | None = None,
        ask: PendingAsk | None = None,
        size: Vector | None = None,
        node_type: NodeType = NodeType.OFF_SWITCH,
    ) -> None:
        self.skipped = skipped
        self.app = app
        self.ask = ask
        self.size = size
        self.node_type = node_type
        self.is_reservation = False
        self.excess_reservation: Reservation | None = None
        self.fulfilled_reservation: Reservation | None = None
        self.user_limit_checked = False
        self.to_kill: list[KillableContainer] = []


# Most offers end in one of these three, so they are made once; nobody writes to an assignment
# without a size.
NULL_ASSIGNMENT = CSAssignment()
SKIP_ASSIGNMENT = CSAssignment(SkippedType.OTHER)
QUEUE_LIMIT_ASSIGNMENT = CSAssignment(SkippedType.QUEUE_LIMIT)


class SchedulingOpportunity:
    """A node, how it may be used, and what was decided (Hadoop: CandidateNodeSet, SchedulingMode).

    *requested_partition* is the one an ask must name to be considered. With *ignore_exclusivity*
    the nodes of a shared partition are lent to asks for no partition. With *candidates* the node is
    one of them at a time, and in the end the one that was taken. *rules* says how many containers
    a node may be assigned and how long to wait for locality. Decisions are added to *decisions*
    when they are committed.
    """

    __slots__ = (
        "am_may_ignore_exclusivity",
        "candidates",
        "decisions",
        "ignore_exclusivity",
        "node",
        "nodes",
        "now_ms",
        "partition",
        "requested_partition",
        "rules",
    )

    def __init__(
        self,
        node: FiCaSchedulerNode,
        rules: OfferConfig,
        nodes: Mapping[str, FiCaSchedulerNode],
        now_ms: int,
        decisions: list[Decision],
    ) -> None:
        self.node = node
        # The partition that is charged, and the one an ask must name; they differ where a shared
        # one is lent.
        self.partition = self.requested_partition = node.partition
        self.rules = rules
        self.nodes = nodes
        self.now_ms = now_ms
        self.decisions = decisions
        self.ignore_exclusivity = False
        self.am_may_ignore_exclusivity = False
        self.candidates: CandidateNodeSet | None = None

    def ignore_partition_exclusivity(self, *, am_may: bool) -> None:
        """Lend the node to asks for no partition (SchedulingMode.IGNORE_PARTITION_EXCLUSIVITY)."""
        self.ignore_exclusivity = True
        self.requested_partition = ""
        self.am_may_ignore_exclusivity = am_may
