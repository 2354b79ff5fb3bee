"""Effective resources of children whose capacities are said for each resource type on its own.

Hadoop: CapacitySchedulerQueueCapacityHandler, ResourceCalculationDriver and the calculators of
capacity types, which decide where legacy queue mode is off. Types are independent but for one rule:
a queue without memory has nothing at all. Of one type, amounts are served first, then
percentages of what is left, then weights of what is left then; siblings in their order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.model.queues import Capacity, Share, Unit
from kubeyarn.model.resources import MEMORY
from kubeyarn.schedulers.java_numbers import single, to_long

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.resources import Vector

_PRECEDENCE = (Unit.ABSOLUTE, Unit.PERCENT, Unit.WEIGHT)
_UNLIMITED = Share(Unit.ABSOLUTE, 0.0)


@dataclass(frozen=True, slots=True)
class Room:
    """What there is to divide of one partition: the whole of it, and the parent's two bounds."""

    whole: Vector
    minimum: Vector
    maximum: Vector


def shares_of(capacity: Capacity | None, types: int, missing: Share | None) -> tuple[Share, ...]:
    """A capacity's word on each type; *missing* where there is none at all."""
    if capacity is None:
        return (missing,) * types if missing else ()
    return (capacity.uniform,) * types if capacity.uniform else capacity.by_resource


@dataclass(frozen=True, slots=True)
class Claim:
    """What one child is said to have; without *minimum* it has nothing."""

    minimum: tuple[Share, ...]
    maximum: tuple[Share, ...]

    @classmethod
    def of(cls, capacity: Capacity | None, maximum: Capacity | None, types: int) -> Claim:
        """The claim of a queue's capacity and maximum capacity."""
        return cls(shares_of(capacity, types, None), shares_of(maximum, types, _UNLIMITED))


def divide(claims: Sequence[Claim], room: Room) -> list[tuple[Vector, Vector]]:
    """Each child's effective minimum and maximum."""
    columns = [_Column(claims, room, place) for place in range(len(room.whole))]
    for column in columns:
        column.serve(columns[MEMORY].minimum)
    return [
        (
            tuple(column.minimum[number] for column in columns),
            tuple(column.maximum[number] for column in columns),
        )
        for number in range(len(claims))
    ]


class _Column:
    """One resource type of all children."""

    def __init__(self, claims: Sequence[Claim], room: Room, place: int) -> None:
        self.wanted = [claim.minimum[place] if claim.minimum else None for claim in claims]
        self.bounds = [claim.maximum[place] if claim.minimum else None for claim in claims]
        self.memory = place == MEMORY
        self.whole = room.whole[place]
        self.guarantee = room.minimum[place]
        self.ceiling = room.maximum[place]
        self.minimum = [0] * len(claims)
        self.maximum = [0] * len(claims)
        self.left: float = self.guarantee
        """What is left before the children of the unit at hand."""
        self.unclaimed: float = self.guarantee
        """What is left before the child at hand."""
        self.shrinking = self._shrinking()
        self.weights = sum(
            share.amount for share in self.wanted if share and share.unit is Unit.WEIGHT
        )

    def _shrinking(self) -> float:
        """How much amounts shrink because together they are more than there is."""
        total = int(
            sum(share.amount for share in self.wanted if share and share.unit is Unit.ABSOLUTE)
        )
        if not total:
            return 1.0
        return single(single(min(total, self.guarantee)) / single(total))

    def serve(self, memory: Sequence[int]) -> None:
        """Give every child its part, where it has *memory*."""
        for unit in _PRECEDENCE:
            used = 0.0
            for number, share in enumerate(self.wanted):
                bound = self.bounds[number]
                if share is None or bound is None or share.unit is not unit:
                    continue
                least, most = self._rounded(share), self._bound(bound)
                if not self.memory and not memory[number]:
                    least = 0.0
                least = min(least, most, self.unclaimed)
                self.minimum[number], self.maximum[number] = to_long(least), to_long(most)
                self.unclaimed -= least
                used += least
            self.left -= used

    def _rounded(self, share: Share) -> float:
        part = self._part(share)
        return math.floor(part + 0.5) if share.unit is Unit.WEIGHT else math.floor(part)

    def _part(self, share: Share) -> float:
        if not self.guarantee or not self.whole:
            return 0.0
        ratio = self.left / self.guarantee
        if share.unit is Unit.ABSOLUTE:
            return self.shrinking * ratio * share.amount
        of_whole = self.guarantee / self.whole * ratio
        if share.unit is Unit.PERCENT:
            return self.whole * (of_whole * share.amount / 100)
        weight = share.amount / self.weights if self.weights else 0.0
        return self.left if weight == 1 else self.whole * (of_whole * weight)

    def _bound(self, bound: Share) -> float:
        """The maximum; nothing said, or zero, is the parent's."""
        if bound.unit is Unit.PERCENT:
            part = self.ceiling / self.whole * bound.amount / 100 if self.whole else 0.0
            most = float(math.floor(self.whole * part))
        else:
            most = math.floor(bound.amount)
        return min(most, self.ceiling) if most else self.ceiling
