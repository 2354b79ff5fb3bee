"""Capacities and resource amounts as Hadoop writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubeyarn.hadoop.properties import refuse, to_number
from kubeyarn.model.queues import Capacity, Share, Unit

if TYPE_CHECKING:
    from kubeyarn.model.resources import ResourceTypes

_BRACKETED = re.compile(r"\[[\w.,\-_% /]+=[\w.,\-_% =/]+\]")
_WITH_UNIT = re.compile(r"(-?\d+(?:\.\d+)?)\s*([a-zA-Z%]*)")
_MEBI = 1 << 20
_UNITS = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "P": 10**15,
    "Ki": 1 << 10,
    "Mi": _MEBI,
    "Gi": 1 << 30,
    "Ti": 1 << 40,
    "Pi": 1 << 50,
}
MEMORY_NAMES = ("memory", "memory-mb")
CPU_NAMES = ("vcores",)


def read_capacity(name: str, text: str, types: ResourceTypes) -> Capacity:
    """A `capacity` or `maximum-capacity`: `30`, `2w` or `[memory=1024,vcores=1]`.

    Raises:
        ConfigRefused: it is none of these.
    """
    text = text.strip()
    if _BRACKETED.fullmatch(text):
        return _read_vector(name, text[1:-1], types)
    if text.endswith("w"):
        return Capacity(uniform=Share(Unit.WEIGHT, to_number(name, text[:-1])))
    return Capacity(uniform=Share(Unit.PERCENT, to_number(name, text)))


def _read_vector(name: str, text: str, types: ResourceTypes) -> Capacity:
    shares = [Share(Unit.ABSOLUTE, 0.0)] * len(types.names)
    for part in text.split(","):
        key, _, value = part.partition("=")
        place = place_of(key, types)
        if place is None:
            refuse(name, f"found resource {key.strip()!r}, known are {types.names}")
        shares[place] = _read_share(name, value.strip(), memory=place == 0)
    return Capacity(by_resource=tuple(shares))


def _read_share(name: str, value: str, *, memory: bool) -> Share:
    if value.endswith("%"):
        return Share(Unit.PERCENT, to_number(name, value[:-1]))
    if value.endswith("w"):
        return Share(Unit.WEIGHT, to_number(name, value[:-1]))
    return Share(Unit.ABSOLUTE, float(read_amount(name, value, memory=memory)))


def place_of(key: str, types: ResourceTypes) -> int | None:
    """The place of a resource in vectors, by the name Hadoop gives it."""
    key = key.strip()
    if key.lower() in MEMORY_NAMES:
        return 0
    if key.lower() in CPU_NAMES:
        return 1
    return types.names.index(key) if key in types.names else None


def read_amount(name: str, text: str, *, memory: bool) -> int:
    """An amount, with a unit or in MiB (memory) or units.

    Raises:
        ConfigRefused: it is no amount.
    """
    match = _WITH_UNIT.fullmatch(text.strip())
    if match is None or match[2] not in _UNITS:
        refuse(name, f"found {text!r}, expected an amount such as 4096 or 4Gi")
    amount = float(match[1])
    if memory and match[2]:
        return int(amount * _UNITS[match[2]]) // _MEBI
    return int(amount * _UNITS[match[2]])


def read_amounts(name: str, text: str, types: ResourceTypes) -> dict[int, int]:
    """Amounts such as `memory-mb=4096,vcores=2`, by their place in vectors.

    Raises:
        ConfigRefused: a resource is unknown or has no amount.
    """
    amounts: dict[int, int] = {}
    for part in text.split(","):
        key, separator, value = part.partition("=")
        place = place_of(key, types)
        if place is None or not separator:
            refuse(name, f"found {part!r}, expected resource=amount of {types.names}")
        amounts[place] = read_amount(name, value, memory=place == 0)
    return amounts
