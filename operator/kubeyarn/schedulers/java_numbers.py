"""Java's numbers, where Hadoop's answers hang on them: floats of 32 bits, casts to long, division.

Both schedulers keep shares, weights, ratios and thresholds as 32-bit floats and widen them to
double when they multiply, so 0.1 means 0.10000000149011612. Two shares that differ as doubles may
be equal as floats, and then the next rule decides. So that decisions are the same, `single` rounds
wherever Hadoop stores a float, and casts truncate and saturate as Java's do.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CELL = array("f", (0.0,))
_CELLS = array("f", (0.0,) * 4)
_LONG_MAX = 2**63 - 1


def single(value: float) -> float:
    """The nearest 32-bit float, as a double; beyond a float's range infinity."""
    # Storing into a float array rounds, and is cheaper than packing and unpacking.
    _CELL[0] = value
    return _CELL[0]


def quotients(a: Sequence[int], b: Sequence[int]) -> tuple[float, float]:
    """Two divisions of longs as Java's floats, `single(single(a) / single(b))` each, in one go.

    The divisors are not 0. A user's charge ends in this, so a grant does it once.
    """
    cells = _CELLS
    cells[0], cells[1], cells[2], cells[3] = a[0], a[1], b[0], b[1]
    cells[0], cells[1] = cells[0] / cells[2], cells[1] / cells[3]
    return cells[0], cells[1]


def quotient(numerator: float, denominator: float) -> float:
    """Java's division of floats: something by zero is infinite, zero by zero is not a number.

    A NaN goes on as in Java: it compares as neither less nor more, and `to_long` makes 0 of it. The
    Capacity Scheduler relies on that for queues without capacity (Hadoop: QueueCapacities,
    DefaultResourceCalculator.divide and .ratio, CSQueueUtils).
    """
    if denominator:
        return single(numerator / denominator)
    if numerator == 0 or math.isnan(numerator):
        return math.nan
    return math.copysign(math.inf, numerator)


def sort_ratio(numerator: float, denominator: float) -> float:
    """Division of doubles for a sort key: something by zero is infinite, zero by zero is 0.

    Java has NaN for zero by zero here, too, and the Fair Scheduler's comparators let it pass for
    equal (DominantResourceFairnessPolicy.compareRatios: `(int) Math.signum(NaN)` is 0). A sort key
    must not hold NaN, because no order is then defined: nothing used of nothing sorts as the least.
    """
    if denominator:
        return numerator / denominator
    return math.inf if numerator else 0.0


def to_long(value: float) -> int:
    """Java's `(long) value`: truncates; NaN is 0, what does not fit is the nearest that does."""
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return _LONG_MAX if value > 0 else -_LONG_MAX - 1
    return int(value)


def ceil_to_long(value: float) -> int:
    """Java's `(long) Math.ceil(value)`."""
    return to_long(value) if math.isnan(value) or math.isinf(value) else math.ceil(value)
