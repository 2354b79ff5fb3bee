"""How much of a leaf queue its ApplicationMasters may hold.

Hadoop: AbstractLeafQueue.calculateAndGetAMResourceLimitPerPartition and
getUserAMResourceLimitPerPartition; `maximum-am-resource-percent`.
"""

from __future__ import annotations

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.calculator import Calculator
from kubeyarn.schedulers.capacity.user_limit import NO_FACTOR
from kubeyarn.schedulers.java_numbers import single


def queue_am_limit(
    calc: Calculator, minimum: Vector, current_limit: Vector, share: float, step: Vector
) -> Vector:
    """*share* of what the queue may use now, which is never less than its guarantee."""
    usable = current_limit if calc.fits(minimum, current_limit) else minimum
    return calc.times_up(usable, share, step)


def user_am_fraction(percent: float, active_users: int, weight: float) -> float:
    """The fraction of the queue's AM share that one user may hold."""
    fraction = max(single(percent / 100), single(1.0 / max(active_users, 1)))
    return min(single(fraction * weight), 1.0)


def user_am_limit(
    calc: Calculator, minimum: Vector, share: float, fraction: float, factor: float, step: Vector
) -> Vector:
    """A user's part of the queue's AM share, before it is capped by the queue's own limit."""
    if factor == NO_FACTOR:
        return calc.times_up(minimum, share, step)
    return calc.times_up(minimum, single(single(share * fraction) * factor), step)
