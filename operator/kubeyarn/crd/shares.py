"""Shares and factors that are written as strings: `"60%"`, `"3w"`, `"1.5"`."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from kubeyarn.crd.fields import NUMBER
from kubeyarn.model import queues
from kubeyarn.model.errors import SpecError

_SHARE = re.compile(rf"({NUMBER})(%|w)", re.ASCII)
_NUMBER = re.compile(rf"-?{NUMBER}", re.ASCII)
_UNITS = {"%": queues.Unit.PERCENT, "w": queues.Unit.WEIGHT}
LARGEST_WEIGHT = 10000
"""Hadoop: CapacitySchedulerConfiguration.MAXIMUM_CAPACITY_VALUE bounds weights too."""


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[queues.Unit, Fraction] | None:
    match = _SHARE.fullmatch(text)
    return None if match is None else (_UNITS[match[3]], Fraction(match[1]))


def share(value: object, field: str) -> queues.Share:
    """Read a percentage from 0% to 100% or a weight from 0w to 10000w.

    Raises:
        SpecError: anything else (Hadoop: CapacitySchedulerConfiguration's bounds).
    """
    parsed = _parse(value) if isinstance(value, str) else None
    if parsed is None:
        raise SpecError(
            f'{field}: found {value!r}, expected a percentage such as "60%" or a weight such as '
            '"3w"'
        )
    unit, amount = parsed
    if unit is queues.Unit.PERCENT and amount > 100:
        raise SpecError(f'{field}: found {value!r}, allowed: "0%" to "100%"')
    if unit is queues.Unit.WEIGHT and amount > LARGEST_WEIGHT:
        raise SpecError(f'{field}: found {value!r}, allowed: "0w" to "{LARGEST_WEIGHT}w"')
    return queues.Share(unit, float(amount))


def percentage(value: object, field: str) -> Fraction:
    """Read `"60%"` as the fraction 3/5.

    Raises:
        SpecError: not a percentage from 0% to 100%.
    """
    parsed = _parse(value) if isinstance(value, str) else None
    if parsed is None or parsed[0] is queues.Unit.WEIGHT or parsed[1] > 100:
        raise SpecError(f'{field}: found {value!r}, expected a percentage from "0%" to "100%"')
    return parsed[1] / 100


def number(value: object, field: str) -> Fraction:
    """Read a number that is written as a string, such as `"1.5"`; whole ones may be integers.

    Raises:
        SpecError: no number.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or _NUMBER.fullmatch(text) is None:
        raise SpecError(f'{field}: found {value!r}, expected a number in quotes such as "1.5"')
    return Fraction(text)


def show_percentage(share: float) -> str:
    """Write a share of 1 as a percentage: 0.3 is `30.0%`."""
    return f"{share * 100:.1f}%"
