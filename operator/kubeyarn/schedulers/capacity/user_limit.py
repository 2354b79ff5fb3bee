"""How much one user may hold of a leaf queue (Hadoop: UsersManager.computeUserLimit)."""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.model.resources import Vector, add
from kubeyarn.schedulers.calculator import Calculator, at_least, at_most, multiply

NO_FACTOR = -1.0


@dataclass(frozen=True, slots=True)
class UserLimitTerms:
    """What the limit of one partition is computed from.

    *usage_ratio* is the sum of all users' shares of the partition; *used* and *weights* are those
    of the users that count: the active ones when scheduling, all of them in intra-queue
    preemption (*used* None).
    """

    partition: Vector
    minimum: Vector
    maximum: Vector
    step: Vector
    usage_ratio: float
    used: Vector | None
    weights: float
    minimum_user_limit_percent: float
    user_limit_factor: float
    whole_partition: bool = False


def user_limit(calc: Calculator, terms: UserLimitTerms) -> Vector:
    """The limit of a user of weight 1.

    The greater of an equal part and the guaranteed percentage of what the queue uses or may use,
    capped by the queue's guarantee times the user limit factor. With *whole_partition* (borrowing
    in a shared partition) only the partition itself caps.
    """
    share = terms.partition
    capacity = at_least(calc, share, terms.minimum, terms.step)
    current = _current_capacity(calc, terms, capacity)
    used = current if terms.used is None else add(terms.used, terms.step)
    equal_part = calc.divide_ceil(used, terms.weights)
    guaranteed = calc.divide_ceil(multiply(current, terms.minimum_user_limit_percent), 100)
    limit = at_least(calc, share, equal_part, guaranteed)
    capped = at_most(calc, share, limit, user_cap(calc, terms))
    return calc.round_up(capped, terms.step)


def _current_capacity(calc: Calculator, terms: UserLimitTerms, capacity: Vector) -> Vector:
    consumed = calc.times_up(terms.partition, terms.usage_ratio, terms.step)
    if calc.compare(terms.partition, consumed, capacity) < 0:
        return capacity
    return add(consumed, terms.step)


def user_cap(calc: Calculator, terms: UserLimitTerms) -> Vector:
    """The most a user of weight 1 may hold, however few users there are."""
    capacity = at_least(calc, terms.partition, terms.minimum, terms.step)
    if terms.whole_partition:
        return terms.partition
    if terms.user_limit_factor == NO_FACTOR or not any(terms.minimum):
        return calc.round_down(terms.maximum, terms.step)
    return multiply(capacity, terms.user_limit_factor)
