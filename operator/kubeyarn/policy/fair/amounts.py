"""The resource syntax of fair-scheduler.xml (Hadoop: FairSchedulerConfiguration).

Three forms: `1024 mb, 2 vcores` (old), `40%` or `40% memory, 60% cpu` (percent), and
`memory-mb=1024, vcores=2, yarn.io/gpu=1` or the same with percents (new). In the old form other
resource types are 0; in the new form a type that is not named is *missing*, or 100 %.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubeyarn.model.errors import SpecError
from kubeyarn.model.fair_queues import ResourceLimit
from kubeyarn.policy.fair.numbers import read_long

_SPACED = re.compile(r"-?[0-9]+(?:\.[0-9]*)?\s*[a-z]+\s*")
_NAMES = {"memory-mb": "memory", "vcores": "cpu"}


def read_limit(text: str, types: Sequence[str], *, missing: int | None = None) -> ResourceLimit:
    """A limit as the allocation file writes it.

    Args:
        text: One of the three forms.
        types: The resource types' names, memory and cpu first.
        missing: What a type is that the new form does not name; None is unbounded.

    Raises:
        SpecError: *text* is none of the three forms, or a number is negative.
    """
    if not text.strip():
        raise SpecError("found nothing, expected resources such as '1024 mb, 2 vcores'")
    if "=" in text:
        return _read_named(text, types, missing)
    if "%" in text:
        return _read_percents(text.lower(), len(types))
    return _read_amounts(text, len(types))


def _read_amounts(text: str, types: int) -> ResourceLimit:
    parts = _split(text.lower())
    if len(parts) != 2:
        parts = _SPACED.findall(text.lower())
    if len(parts) != 2:
        raise SpecError(f"found {text!r}, expected resources such as '1024 mb, 2 vcores'")
    memory = _find_amount(parts, "mb")
    cpu = _find_amount(parts, "vcores")
    return ResourceLimit(amounts=(memory, cpu, *(0 for _ in range(types - 2))))


def _split(text: str) -> list[str]:
    """The parts between commas, without empty ones at the end, as Java splits."""
    parts = text.split(",")
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _find_amount(parts: Sequence[str], unit: str) -> int:
    pattern = re.compile(rf"\s*(-?)([0-9]+)(\.[0-9]*)?\s*{unit}")
    for part in parts:
        match = pattern.match(part)
        if match is None:
            continue
        if match[1]:
            raise SpecError(f"found {part.strip()!r}, it must not be negative")
        return int(match[2])
    raise SpecError(f"found {','.join(parts)!r}, expected an amount of {unit}")


def _read_percents(text: str, types: int) -> ResourceLimit:
    parts = _split(text)
    if len(parts) == 1:
        return ResourceLimit(fractions=(_find_percent(parts, ""),) * types)
    memory = _find_percent(parts, "memory")
    cpu = _find_percent(parts, "cpu")
    return ResourceLimit(fractions=(memory, cpu, *(0.0 for _ in range(types - 2))))


def _find_percent(parts: Sequence[str], unit: str) -> float:
    pattern = re.compile(rf"\s*(-?)([0-9]+(?:\.[0-9]*)?)\s*%\s*{unit}")
    for part in parts:
        match = pattern.match(part)
        if match is None:
            continue
        if match[1]:
            raise SpecError(f"found {part.strip()!r}, a percentage must not be negative")
        return float(match[2]) / 100.0
    raise SpecError(f"found {','.join(parts)!r}, expected a percentage of {unit or 'the cluster'}")


def _read_named(text: str, types: Sequence[str], missing: int | None) -> ResourceLimit:
    in_percent = "%" in text
    fractions: list[float | None] = [1.0] * len(types)
    amounts: list[int | None] = [missing] * len(types)
    for part in _split(text):
        place, value = _read_part(part, types)
        if in_percent:
            fractions[place] = _read_percent(value)
        else:
            amounts[place] = _read_amount(value)
    if in_percent:
        return ResourceLimit(fractions=tuple(fractions))
    return ResourceLimit(amounts=tuple(amounts))


def _read_part(part: str, types: Sequence[str]) -> tuple[int, str]:
    name, equals, value = part.partition("=")
    if not equals or "=" in value:
        raise SpecError(f"found {part!r}, expected name=value")
    known = _NAMES.get(name.strip(), name.strip())
    if known not in types:
        raise SpecError(f"resource type {name.strip()!r} is not known; known are {list(types)}")
    return list(types).index(known), value.strip()


def _read_percent(value: str) -> float:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?)\s*%\s*", value)
    if match is None:
        raise SpecError(f"found {value!r}, expected a percentage, at least 0%")
    return float(match[1]) / 100.0


def _read_amount(value: str) -> int:
    amount = read_long(value)
    if amount < 0:
        raise SpecError(f"found {value}, it must not be negative")
    return amount
