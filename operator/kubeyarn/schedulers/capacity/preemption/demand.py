"""Counting down what is still to be taken while containers are chosen.

Hadoop: CapacitySchedulerPreemptionUtils.tryPreemptContainerAndDeductResToObtain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, subtract

if TYPE_CHECKING:
    from kubeyarn.schedulers.calculator import Calculator


@dataclass(slots=True)
class Budget:
    """What may be taken in one pass altogether."""

    left: Vector


def try_take(
    calc: Calculator,
    cluster: Vector,
    wanted: dict[str, Vector],
    partition: str,
    size: Vector,
    budget: Budget,
    *,
    conservative: bool,
) -> bool:
    """Whether a container of *size* is worth taking; if so, it is counted.

    *wanted* is by partition, and loses a partition when nothing more is wanted of it. Conservative
    means: stop as soon as any type is satisfied; else as long as taking lessens what is wanted.
    """
    if partition not in wanted:
        return False
    zero = (0,) * len(size)
    want = tuple(x or -1 for x in wanted[partition])
    wanted[partition] = want
    if not calc.any_above_zero(want) or not calc.fits(size, budget.left):
        return False
    after = subtract(want, size)
    if conservative:
        worth = not calc.any_zero_or_below(want)
    else:
        worth = calc.compare(cluster, _positive(after), _positive(want)) < 0
    if not worth:
        return False
    wanted[partition] = after
    budget.left = subtract(budget.left, size)
    if calc.compare(cluster, after, zero) <= 0:
        del wanted[partition]
    return True


def _positive(vector: Vector) -> Vector:
    return tuple(max(0, x) for x in vector)
