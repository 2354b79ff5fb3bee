"""Resource types, and how large a container may be (Hadoop: ResourceUtils).

Memory and CPU are always there; `yarn.resource-types` adds others. The smallest and the largest
container are said by `yarn.scheduler.minimum-allocation-mb` and its companions, and of any type by
`yarn.resource-types.<type>.minimum-allocation`, which goes before them; -1 there is: not said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubeyarn.hadoop.properties import Configuration, parse_long, refuse, trim
from kubeyarn.model.errors import SpecError
from kubeyarn.model.resources import ResourceTypes

if TYPE_CHECKING:
    from kubeyarn.model.resources import Vector

_TYPES = "yarn.resource-types"
_MANDATORY = ("memory", "memory-mb", "vcores")
# Hadoop's name of CPU is vcores, so it takes "cpu" for one more type; here it would be the same.
_OURS = ("cpu",)
_NAME = re.compile(
    r"(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/)?[A-Za-z][A-Za-z0-9_.-]*"
)
_UNITS = ("", "p", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi")
_COUNTABLE = "COUNTABLE"
_UNLIMITED = 2**63 - 1
_UNSAID = -1
_PAIR = re.compile(r"([^=]+)=(\d+\s?\w*)", re.ASCII)
_AMOUNT = re.compile(r"([^A-Za-z]*)([A-Za-z]*)")
# Of `maximum-allocation`, and of no other property.
_SHORT_NAMES = {"gpu": "yarn.io/gpu", "fpga": "yarn.io/fpga"}
_MEBIBYTES = {"": 1, "M": 1, "m": 1, "G": 1024, "g": 1024}


def resource_types(conf: Configuration) -> ResourceTypes:
    """Memory, CPU and the types that `yarn.resource-types` adds, by name.

    Raises:
        ConfigRefused: a name, unit or kind of a type is none, or it is there twice.
    """
    added = conf.get_strings(_TYPES)
    for name in added:
        if name in _MANDATORY or name in _OURS:
            refuse(_TYPES, f"found {name!r}, which is always there; leave it out")
        if not _NAME.fullmatch(name):
            refuse(
                _TYPES,
                f"found {name!r}, expected a letter, then letters, digits, dots, dashes and "
                "underscores, and before it, if anything, a domain and a slash",
            )
        if added.count(name) > 1:
            refuse(_TYPES, f"found {name!r} {added.count(name)} times; name it once")
        _check_kind(conf, name)
    return ResourceTypes(("memory", "cpu", *sorted(added)))


def _check_kind(conf: Configuration, name: str) -> None:
    unit, kind = f"{_TYPES}.{name}.units", f"{_TYPES}.{name}.type"
    unit_given = conf.get(unit)
    if unit_given is not None and unit_given not in _UNITS:
        refuse(unit, f"found {unit_given!r}, expected one of {_UNITS}")
    if conf.get(kind) not in (None, _COUNTABLE):
        refuse(kind, f"found {conf.get(kind)!r}, expected {_COUNTABLE}")


def minimum_allocation(conf: Configuration, types: ResourceTypes) -> Vector:
    """The smallest container, MiB and vcores first.

    Raises:
        ConfigRefused: an amount cannot be read.
    """
    return _allocation(conf, types, "minimum-allocation", (1024, 1), 0)


def maximum_allocation(conf: Configuration, types: ResourceTypes) -> Vector:
    """The largest container, MiB and vcores first.

    Raises:
        ConfigRefused: an amount cannot be read.
    """
    return _allocation(conf, types, "maximum-allocation", (8192, 4), _UNLIMITED)


def _allocation(
    conf: Configuration,
    types: ResourceTypes,
    suffix: str,
    of_mandatory: tuple[int, int],
    of_others: int,
) -> Vector:
    memory, cpu = of_mandatory
    return (
        _of_mandatory(
            conf, "memory-mb", suffix, conf.get_int(f"yarn.scheduler.{suffix}-mb", memory)
        ),
        _of_mandatory(conf, "vcores", suffix, conf.get_int(f"yarn.scheduler.{suffix}-vcores", cpu)),
        *(conf.get_long(f"{_TYPES}.{name}.{suffix}", of_others) for name in types.names[2:]),
    )


def _of_mandatory(conf: Configuration, name: str, suffix: str, otherwise: int) -> int:
    given = conf.get_long(f"{_TYPES}.{name}.{suffix}", _UNSAID)
    return otherwise if given == _UNSAID else given


def read_resources(name: str, text: str, types: ResourceTypes) -> dict[int, int]:
    """A queue's `maximum-allocation`, such as `memory-mb=4G,vcores=2`, by place in vectors.

    A type that it does not name is 0. Hadoop reads no unit of `memory-mb` but M and G, takes
    `memory` without a unit for bytes, and ignores the unit of every other type.

    Raises:
        ConfigRefused: a resource is unknown or has no amount.
    """
    amounts = dict.fromkeys(range(len(types.names)), 0)
    pairs = trim(text).split(",")
    # Java's split leaves out empty parts at the end.
    while len(pairs) > 1 and not pairs[-1]:
        pairs.pop()
    for pair in pairs:
        place, amount = _read_pair(name, trim(pair), types)
        amounts[place] = amount
    return amounts


def _read_pair(name: str, pair: str, types: ResourceTypes) -> tuple[int, int]:
    match = _PAIR.fullmatch(pair)
    if match is None:
        refuse(name, f"found {pair!r}, expected resource=amount, such as memory-mb=4096")
    key = match[1]
    known = {"memory": 0, "memory-mb": 0, "vcores": 1}
    known |= {other: place for place, other in enumerate(types.names) if place > 1}
    place = known.get(_SHORT_NAMES.get(key, key))
    if place is None:
        refuse(name, f"found resource {key!r}, known are {sorted(known)}")
    value = _AMOUNT.fullmatch(match[2])
    if value is None or value[2] not in _MEBIBYTES:
        refuse(name, f"found {match[2]!r}, expected an amount such as 4096, 4096M or 4G")
    try:
        amount = parse_long(trim(value[1]))
    except SpecError as error:
        refuse(name, str(error))
    if key == "memory" and not value[2]:
        return place, amount >> 20
    return place, amount * _MEBIBYTES[value[2]] if place == 0 else amount
