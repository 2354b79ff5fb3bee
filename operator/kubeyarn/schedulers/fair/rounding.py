"""Java's float arithmetic, where Hadoop's answers hang on it.

Hadoop keeps weights, thresholds and AM shares as 32-bit floats and widens them to double when it
multiplies, so 0.1 means 0.10000000149011612. Results are cut or rounded to long.
"""

from __future__ import annotations

from math import ceil, isinf
from struct import Struct

from kubeyarn.model.resources import Vector

_SINGLE = Struct("<f")
_MAXIMUM_SINGLE = 3.4028235677973366e38


def single(value: float) -> float:
    """The nearest 32-bit float, as a double; beyond its range infinity."""
    if abs(value) >= _MAXIMUM_SINGLE:
        return value if isinf(value) else float("inf") * (1 if value > 0 else -1)
    unpacked: tuple[float] = _SINGLE.unpack(_SINGLE.pack(value))
    return unpacked[0]


def quotient(amount: float, divisor: float) -> float:
    """Division as Java's double does it: by zero it is infinite, and 0/0 counts as 0 here."""
    if divisor:
        return amount / divisor
    return float("inf") if amount else 0.0


def scaled_down(vector: Vector, factor: float) -> Vector:
    """*vector* times a 32-bit *factor*, cut to integers (Hadoop: Resources.multiply)."""
    factor = single(factor)
    return tuple(int(amount * factor) for amount in vector)


def scaled_up(vector: Vector, factor: float) -> Vector:
    """*vector* times a 32-bit *factor*, rounded up (Hadoop: Resources.multiplyAndRoundUp)."""
    factor = single(factor)
    return tuple(ceil(amount * factor) for amount in vector)
