"""The resource syntax of fair-scheduler.xml.

Hadoop: ConfigurableResource, read by FairSchedulerConfiguration.parseResourceConfigValue.

Three forms: `1024 mb, 2 vcores` (old), `40%` or `40% memory, 60% cpu` (percent), and
`memory-mb=1024, vcores=2, yarn.io/gpu=1` or the same with percents (new). In the old form other
resource types are 0; in the new form a type that is not named is *missing*, or 100 %. Where it
would be unbounded, vcores that are not named are -1, so a maximum without vcores admits none:
Hadoop cuts "unbounded" to 32 bits there (ResourceUtils.createResourceWithSameValue).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubeyarn.hadoop.properties import parse_int, parse_long
from kubeyarn.model.errors import SpecError
from kubeyarn.model.fair_queues import ResourceLimit

# Without a comma Hadoop finds the two amounts by their units.
_SPACED = re.compile(r"-?[0-9]+(?:\.[0-9]*)?\s*[a-z]+\s*")
_PERCENT = r"-?([0-9]+(?:\.[0-9]*)?)\s*%\s*"
_CUT_OFF = -1
_HADOOP_NAMES = {"memory": "memory-mb", "cpu": "vcores"}


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
    # In Hadoop's order: a text with both signs is read as the new form.
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


def _split(text: str, separator: str = ",") -> list[str]:
    """The parts between separators, without empty ones at the end, as Java splits."""
    parts = text.split(separator)
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _part_with(parts: Sequence[str], unit: str) -> str:
    """The first part in which *unit* occurs; no other one is looked at."""
    for part in parts:
        if unit in part:
            return part.strip()
    raise SpecError(f"found {','.join(parts)!r}, expected an amount of {unit}")


def _find_amount(parts: Sequence[str], unit: str) -> int:
    part = _part_with(parts, unit)
    match = re.match(rf"(-?[0-9]+)(\.[0-9]*)?\s*{unit}", part)
    if match is None:
        raise SpecError(f"found {part!r}, expected an amount of {unit}")
    amount = parse_int(match[1])
    if amount < 0:
        raise SpecError(f"found {part!r}, it must not be negative")
    return amount


def _read_percents(text: str, types: int) -> ResourceLimit:
    parts = _split(text)
    if len(parts) == 1:
        return ResourceLimit(fractions=(_find_percent(parts, ""),) * types)
    memory = _find_percent(parts, "memory")
    cpu = _find_percent(parts, "cpu")
    return ResourceLimit(fractions=(memory, cpu, *(0.0 for _ in range(types - 2))))


def _find_percent(parts: Sequence[str], unit: str) -> float:
    part = _part_with(parts, unit)
    match = re.fullmatch(_PERCENT + unit, part)
    if match is None:
        raise SpecError(f"found {part!r}, expected a percentage of {unit or 'the cluster'}")
    return _fraction(match, part)


def _fraction(match: re.Match[str], text: str) -> float:
    fraction = float(match[1]) / 100.0
    # -0% is no less than nothing, and Hadoop takes it.
    if fraction and text.startswith("-"):
        raise SpecError(f"found {text!r}, a percentage must not be negative")
    return fraction


def _read_named(text: str, types: Sequence[str], missing: int | None) -> ResourceLimit:
    in_percent = "%" in text
    fractions: list[float | None] = [1.0] * len(types)
    amounts: list[int | None] = [missing] * len(types)
    if missing is None:
        amounts[1] = _CUT_OFF
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
    sides = _split(part, "=")
    if len(sides) != 2:
        raise SpecError(f"found {part!r}, expected name=value")
    name, value = sides[0].strip(), sides[1].strip()
    known = [_HADOOP_NAMES.get(known, known) for known in types]
    if name not in known:
        raise SpecError(f"resource type {name!r} is not known; known are {known}")
    return known.index(name), value


def _read_percent(value: str) -> float:
    match = re.fullmatch(_PERCENT, value)
    if match is None:
        raise SpecError(f"found {value!r}, expected a percentage, at least 0%")
    return _fraction(match, value)


def _read_amount(value: str) -> int:
    amount = parse_long(value)
    if amount < 0:
        raise SpecError(f"found {value}, it must not be negative")
    return amount
