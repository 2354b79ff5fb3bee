"""What a queue holds, wants and is guaranteed of one partition, for one preemption pass.

Hadoop: TempQueuePerPartition. Claims are made anew for every pass and filled in step by step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, component_min, subtract
from kubeyarn.schedulers.calculator import Calculator, at_least, at_most, multiply

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Claim:
    """One queue's claim on one partition.

    *pending_unreserved* is *pending* less what is reserved already. *ideal* is what the queue
    should hold, *to_take* what is to be taken back in the long run, *taken* what this pass takes.
    *priority* is 0 unless the parent respects it.
    """

    path: str
    partition: str
    total: Vector
    used: Vector
    reserved: Vector
    pending: Vector
    pending_unreserved: Vector
    guaranteed: Vector
    maximum: Vector
    absolute: float
    leaf: bool
    protected: bool
    priority: int
    ideal: Vector
    untouchable: Vector
    takeable: Vector
    to_take: Vector
    taken: Vector
    killable: Vector
    normal: tuple[float, ...] = ()
    parent: Claim | None = None
    children: list[Claim] = field(default_factory=list)

    def adopt(self, child: Claim) -> None:
        """Add a child, and what it wants."""
        self.children.append(child)
        child.parent = self
        self.pending = add(self.pending, child.pending)
        self.pending_unreserved = add(self.pending_unreserved, child.pending_unreserved)

    def walk(self) -> Iterator[Claim]:
        """This claim and all below."""
        yield self
        for child in self.children:
            yield from child.walk()

    def find_extras(self, calc: Calculator) -> None:
        """Split what is held beyond the guarantee into what may be taken and what may not."""
        zero = (0,) * len(self.total)
        for child in self.children:
            child.find_extras(calc)
        extra = subtract(self.used, self.guaranteed)
        if calc.compare(self.total, extra, zero) < 0:
            extra = zero
        if not self.children:
            self.untouchable, self.takeable = (extra, zero) if self.protected else (zero, extra)
            return
        below = zero
        for child in self.children:
            below = add(below, child.takeable)
        enough = calc.compare(self.total, below, extra) >= 0
        self.untouchable = zero if enough else subtract(extra, below)
        self.takeable = at_most(calc, self.total, below, extra)

    def offer(
        self, calc: Calculator, whole: Vector, room: Vector, *, reserved: bool, balance: bool
    ) -> Vector:
        """Take what the queue can of *room*; returns what it took.

        *reserved*: reservations are part of what it wants. *balance*: a leaf may grow beyond
        what it has and is guaranteed.
        """
        zero = (0,) * len(room)
        below_maximum = tuple(max(0, x) for x in subtract(self.maximum, self.ideal))
        pending = self.pending if reserved else self.pending_unreserved
        wanted = subtract(add(self.used, pending), self.ideal)
        accepted = component_min(below_maximum, at_most(calc, whole, room, wanted))
        if not balance and not self.children:
            by_right = at_least(calc, whole, self.used, self.guaranteed)
            by_right = at_least(calc, whole, subtract(by_right, self.ideal), zero)
            accepted = at_most(calc, whole, accepted, by_right)
        accepted = component_min(tuple(max(0, x) for x in accepted), room)
        self.ideal = add(self.ideal, accepted)
        return accepted

    def scale_down(self, calc: Calculator, whole: Vector, factor: float) -> None:
        """Set what is to be taken: what is held beyond the ideal, times *factor*."""
        held = subtract(self.used, self.killable)
        wanted = add(self.used, self.pending)
        keep = at_least(calc, whole, at_most(calc, whole, wanted, self.guaranteed), self.ideal)
        if calc.compare(whole, held, keep) > 0:
            self.to_take = multiply(subtract(held, keep), factor)
        else:
            self.to_take = (0,) * len(held)

    def deduct(self, calc: Calculator, amount: Vector) -> None:
        """Count *amount* as taken by an earlier selection."""
        if calc.compare(self.total, self.taken, amount) > 0:
            self.taken = subtract(self.taken, amount)
        self.taken = at_least(calc, self.total, self.taken, (0,) * len(self.taken))
