"""Single-precision arithmetic: Hadoop keeps shares and ratios in Java floats.

Two shares that differ in double precision may be equal in single precision, and then another rule
decides. So that decisions are the same, shares are rounded where Hadoop rounds them.
"""

from __future__ import annotations

import math
from array import array

_CELL = array("f", (0.0,))
_LONG_MAX = 2**63 - 1


def single(value: float) -> float:
    """*value* rounded to the nearest single-precision number; too large ones are infinite."""
    _CELL[0] = value
    return _CELL[0]


def quotient(numerator: float, denominator: float) -> float:
    """Java's float division: by zero it is infinite, zero by zero is not a number."""
    if denominator:
        return single(numerator / denominator)
    if numerator == 0 or math.isnan(numerator):
        return math.nan
    return math.copysign(math.inf, numerator)


def to_long(value: float) -> int:
    """Java's cast to long: truncates, nan is 0, what does not fit is the nearest that does."""
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return _LONG_MAX if value > 0 else -_LONG_MAX - 1
    return int(value)


def ceil_to_long(value: float) -> int:
    """Java's `(long) Math.ceil(value)`."""
    return to_long(value) if math.isnan(value) or math.isinf(value) else math.ceil(value)
