"""How much of a queue ApplicationMasters may take (Hadoop: FSLeafQueue.computeMaxAMResource)."""

from __future__ import annotations

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.calculator import multiply_and_round_up
from kubeyarn.schedulers.java_numbers import single

NO_CHECK = -1.0


def is_unchecked(share: float) -> bool:
    """Whether `maxAMShare` is -1."""
    return abs(share - NO_CHECK) < 0.0001


def master_limit(share: float, fair_share: Vector, available: Vector, maximum: Vector) -> Vector:
    """What the queue's AMs may use together.

    Where the fair share of a resource is 0, what the cluster has free counts instead, as far as
    the queue's maximum goes: otherwise nothing could ever start.
    """
    base = [
        min(available[place], maximum[place]) if amount == 0 else amount
        for place, amount in enumerate(fair_share)
    ]
    return multiply_and_round_up(tuple(base), single(share))
