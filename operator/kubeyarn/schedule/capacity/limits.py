"""What is passed down the tree with an offer, and what comes back up."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, subtract

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.schedule.capacity.application import (
        LedgerApplication,
        OutstandingAsk,
        Reservation,
    )


@dataclass(slots=True)
class Limits:
    """How much a queue may hold, as its parent sees it (Hadoop: ResourceLimits).

    *blocked* is room kept for queues that hit a limit before; *unreserve* what must be given back
    before more is taken; *headroom* what is left.
    """

    limit: Vector
    headroom: Vector
    unreserve: Vector
    blocked: Vector | None = None
    may_preempt: bool = False

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


@dataclass(slots=True)
class Proposal:
    """What an application would take of a node, before it is committed (Hadoop: CSAssignment).

    *size* is set when a container is allocated or room is reserved. *unreserve* is a reservation
    given up for it (or because it is not needed); *fulfils* the one it comes from; *kills* are
    containers taken back for it.
    """

    skip: Skip = Skip.NOTHING
    app: LedgerApplication | None = None
    ask: OutstandingAsk | None = None
    size: Vector | None = None
    reserve: bool = False
    locality: Locality = Locality.ANY
    unreserve: Reservation | None = None
    fulfils: Reservation | None = None
    kills: tuple[Container, ...] = field(default=())


NOTHING = Proposal()
SKIPPED = Proposal(skip=Skip.APPLICATION)
