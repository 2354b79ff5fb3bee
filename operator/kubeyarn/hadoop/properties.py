"""Hadoop's properties, read as Hadoop's own types read them.

`Configuration` is Hadoop's class of that name: it reads numbers, flags and lists from the text of a
property and names the property in every refusal. The functions below it read the small languages
that stand in such a text: Java's numbers, access control lists, capacities and resource amounts.
Those that are told no property's name raise `SpecError`; those that are, `ConfigRefused`.
"""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, NoReturn, TypeVar

from kubeyarn.model.errors import ConfigRefused, Problem, SpecError
from kubeyarn.model.queues import Access, Capacity, PriorityAccess, Share, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubeyarn.model.resources import ResourceTypes

_D = TypeVar("_D")

# Digits of any script; Java looks at units of 16 bits, and so knows none beyond the first plane.
_INTEGER = re.compile(r"[+-]?\d+")
_BEYOND_THE_FIRST_PLANE = re.compile(r"[\U00010000-\U0010ffff]")
# Configuration.getInt and getLong take these; Integer.parseInt does not. A sign may stand before or
# behind the 0x, because Hadoop cuts the 0x out and has Java read the rest.
_HEXADECIMAL = re.compile(r"(-?)0[xX]([+-]?)([0-9a-fA-F]+)")
_FLOAT = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)", re.ASCII)
_HEXADECIMAL_FLOAT = re.compile(
    r"([+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?\d+)[fFdD]?", re.ASCII
)
# What Java's String.trim takes away: every control character, not only white space.
_BLANKS = "".join(map(chr, range(33)))
_VARIABLE = re.compile(r"\$\{([^} $]+)\}")
_MOST_SUBSTITUTIONS = 20
_ENVIRONMENT = "env."
_INT = 2**31
_LONG = 2**63

_PRIORITY_GROUP = re.compile(r"\[([^\]]*)\]")
_VECTOR = re.compile(r"\[[\w.,\-_% /]+=[\w.,\-_% =/]+\]")
_AMOUNT = re.compile(r"(-?\d+)([a-zA-Z%]*)", re.ASCII)
_MEBI = 1 << 20
UNITS = {
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
"""How many there are of one in a unit (Hadoop: UnitsConversionUtil)."""
_MEMORY_NAMES = ("memory", "memory-mb")
_CPU_NAMES = ("vcores",)


class Configuration:
    """Properties by name (Hadoop: Configuration, and its methods' names).

    Each reading method takes the default of a property that is not set, as Hadoop's do. `${name}`
    in a value is the value of that property (Hadoop: substituteVars). Nothing is known here of a
    process's environment or of Java's system properties, so no variable of theirs is set.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def names(self, prefix: str) -> Iterator[str]:
        """The names that start with *prefix*, sorted."""
        return iter(sorted(name for name in self._values if name.startswith(prefix)))

    def get(self, name: str) -> str | None:
        """The value, with other properties' values in place of `${their names}`.

        A name that is not set stays as it is written, and so does a value that contains itself.

        Raises:
            ConfigRefused: properties that name each other go on for too long.
        """
        written = self._values.get(name)
        if written is None or "${" not in written:
            return written
        value = written
        for _ in range(_MOST_SUBSTITUTIONS):
            variable = _VARIABLE.search(value)
            if variable is None:
                return value
            substitute = self._variable(variable[1])
            if substitute is None:
                return value
            # A property that names itself: Hadoop gives up and takes the text as it is written
            # (Configuration.substituteVars).
            if variable[0] in substitute:
                return written
            value = value[: variable.start()] + substitute + value[variable.end() :]
        message = (
            f"found {written!r}, whose properties name others more than {_MOST_SUBSTITUTIONS} "
            "times; write the value itself"
        )
        raise _refused(name, message)

    def _variable(self, name: str) -> str | None:
        """What `${name}` stands for: after `env.` the default, `-text` or `:-text`, is in force."""
        if name.startswith(_ENVIRONMENT):
            _, dash, default = name.partition("-")
            if dash:
                return default
        return self._values.get(name)

    def get_trimmed(self, name: str) -> str | None:
        """The value without blanks around it; None when nothing is left."""
        value = self.get(name)
        return (trim(value) or None) if value is not None else None

    def get_strings(self, name: str) -> tuple[str, ...]:
        """A comma-separated list, without empty members."""
        return tuple(part.strip() for part in (self.get(name) or "").split(",") if part.strip())

    def get_untrimmed_int(self, name: str, default: _D) -> int | _D:
        """A whole number where Hadoop has Java read the text as it is: no blanks, no `0x10`.

        Raises:
            ConfigRefused: the value is none.
        """
        value = self.get(name)
        try:
            return default if value is None else parse_int(value)
        except SpecError as error:
            refuse(name, str(error))

    def get_int(self, name: str, default: _D) -> int | _D:
        """A whole number of 32 bits, decimal or as `0x10`.

        Raises:
            ConfigRefused: the value is none.
        """
        return self._integer(name, default, _INT)

    def get_long(self, name: str, default: _D) -> int | _D:
        """A whole number of 64 bits, decimal or as `0x10`.

        Raises:
            ConfigRefused: the value is none.
        """
        return self._integer(name, default, _LONG)

    def _integer(self, name: str, default: _D, bound: int) -> int | _D:
        value = self.get(name)
        if value is None:
            return default
        value = trim(value)
        try:
            hexadecimal = _HEXADECIMAL.fullmatch(value)
            if hexadecimal is not None and not (hexadecimal[1] and hexadecimal[2]):
                number = int(hexadecimal[1] + hexadecimal[2] + hexadecimal[3], 16)
                return _in_range(value, number, bound)
            return _parse_integer(value, bound)
        except SpecError as error:
            refuse(name, str(error))

    def get_float(self, name: str, default: _D) -> float | _D:
        """A number.

        Raises:
            ConfigRefused: the value is none.
        """
        value = self.get(name)
        return default if value is None else to_float(name, value)

    def get_boolean(self, name: str, default: _D) -> bool | _D:
        """`true` or `false` in any case; *default* for anything else, too."""
        value = (self.get_trimmed(name) or "").lower()
        return value == "true" if value in ("true", "false") else default


def trim(text: str) -> str:
    """*text* without blanks and control characters around it (Java: String.trim)."""
    return text.strip(_BLANKS)


def refuse(name: str, message: str, queue: str = "root") -> NoReturn:
    """Refuse a property.

    Raises:
        ConfigRefused: always.
    """
    raise _refused(name, message, queue)


def _refused(name: str, message: str, queue: str = "root") -> ConfigRefused:
    return ConfigRefused((Problem(queue, name, "InvalidField", f"{name}: {message}"),))


def to_float(name: str, value: str) -> float:
    """A number in the text of the property *name*.

    Raises:
        ConfigRefused: *value* is none.
    """
    try:
        return parse_float(value)
    except SpecError as error:
        refuse(name, str(error))


# -- Java's numbers ----------------------------------------------------------------------------


def parse_int(text: str) -> int:
    """A 32-bit integer (Java: Integer.parseInt).

    Raises:
        SpecError: *text* is none.
    """
    return _parse_integer(text, _INT)


def parse_long(text: str) -> int:
    """A 64-bit integer (Java: Long.parseLong).

    Raises:
        SpecError: *text* is none.
    """
    return _parse_integer(text, _LONG)


def _parse_integer(text: str, bound: int) -> int:
    if not _INTEGER.fullmatch(text) or _BEYOND_THE_FIRST_PLANE.search(text):
        raise SpecError(f"found {text!r}, expected a whole number")
    return _in_range(text, int(text), bound)


def _in_range(text: str, number: int, bound: int) -> int:
    if not -bound <= number < bound:
        raise SpecError(f"found {text}, expected a number from {-bound} to {bound - 1}")
    return number


def parse_float(text: str) -> float:
    """A decimal number (Java: Float.parseFloat).

    Raises:
        SpecError: *text* is none.
    """
    text = trim(text)
    hexadecimal = _HEXADECIMAL_FLOAT.fullmatch(text)
    if hexadecimal is not None:
        return _from_hexadecimal(hexadecimal[1])
    if not _FLOAT.fullmatch(text):
        raise SpecError(f"found {text!r}, expected a number")
    return float(text.rstrip("fFdD"))


def _from_hexadecimal(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return -inf if text.startswith("-") else inf


def parse_boolean(text: str) -> bool:
    """True for `true` in any case, False for everything else (Java: Boolean.parseBoolean)."""
    return text.lower() == "true"


# -- access control lists ----------------------------------------------------------------------


def read_access(text: str) -> Access:
    """`user1,user2 group1,group2`; a blank is nobody (Hadoop: AccessControlList).

    `*` in place of the users or of the groups is everybody.
    """
    users, _, groups = text.partition(" ")
    if "*" in (users.strip(), groups.strip()):
        return Access(everyone=True)
    return Access(users=_members(users), groups=_members(groups))


def _members(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def read_priority_access(name: str, text: str) -> tuple[PriorityAccess, ...]:
    """`[user=u1,u2 group=g max_priority=5 default_priority=2] ...` (Hadoop: AppPriorityACL).

    Raises:
        ConfigRefused: a word in a bracket is unknown or a priority is no number.
    """
    return tuple(_read_priority_group(name, match[1]) for match in _PRIORITY_GROUP.finditer(text))


def _read_priority_group(name: str, text: str) -> PriorityAccess:
    """One group in brackets of a queue's `acl_application_max_priority`."""
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    numbers: dict[str, int] = {}
    for word in text.split():
        key, _, value = word.partition("=")
        if key == "user":
            users = _members(value)
        elif key == "group":
            groups = _members(value)
        elif key in ("max_priority", "default_priority") and value.isdigit():
            numbers[key] = int(value)
        else:
            allowed = "user=, group=, max_priority= or default_priority="
            refuse(name, f"found {word!r}, expected {allowed}")
    everyone = "*" in users or "*" in groups
    return PriorityAccess(
        Access(everyone=everyone, users=users, groups=groups),
        maximum=numbers.get("max_priority"),
        default=numbers.get("default_priority"),
    )


# -- capacities and resource amounts -----------------------------------------------------------


def read_capacity(name: str, text: str, types: ResourceTypes) -> Capacity:
    """A `capacity` or `maximum-capacity`: `30`, `2w` or `[memory=1024,vcores=1]`.

    Hadoop: QueueCapacityConfigParser. Memory is MiB. A resource that a vector leaves out is 0.

    Raises:
        ConfigRefused: *text* is none of these.
    """
    text = text.strip()
    if _VECTOR.fullmatch(text):
        return _read_capacity_vector(name, text[1:-1], types)
    if text.endswith("w"):
        return Capacity(uniform=Share(Unit.WEIGHT, to_float(name, text[:-1])))
    return Capacity(uniform=Share(Unit.PERCENT, to_float(name, text)))


def _read_capacity_vector(name: str, text: str, types: ResourceTypes) -> Capacity:
    shares = [Share(Unit.ABSOLUTE, 0.0)] * len(types.names)
    for part in text.split(","):
        key, _, value = part.partition("=")
        place = resource_place(key, types)
        if place is None:
            refuse(name, f"found resource {key.strip()!r}, known are {types.names}")
        shares[place] = _read_share(name, value, memory=place == 0)
    return Capacity(by_resource=tuple(shares))


def _read_share(name: str, value: str, *, memory: bool) -> Share:
    if value.endswith("%"):
        return Share(Unit.PERCENT, to_float(name, value[:-1]))
    if value.endswith("w"):
        return Share(Unit.WEIGHT, to_float(name, value[:-1]))
    return Share(Unit.ABSOLUTE, float(read_amount(name, value, memory=memory)))


def resource_place(key: str, types: ResourceTypes) -> int | None:
    """The place in vectors of the resource that Hadoop calls *key*; None when it is unknown."""
    key = key.strip()
    if key.lower() in _MEMORY_NAMES:
        return 0
    if key.lower() in _CPU_NAMES:
        return 1
    return types.names.index(key) if key in types.names else None


def read_amount(name: str, text: str, *, memory: bool) -> int:
    """An amount such as `4096` or `4Gi`; memory in MiB, everything else in units.

    Raises:
        ConfigRefused: *text* is no amount.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None or match[2] not in UNITS:
        refuse(name, f"found {text!r}, expected a whole amount such as 4096 or 4Gi")
    try:
        amount = parse_long(match[1]) * UNITS[match[2]]
        return _in_range(text, amount // _MEBI if memory and match[2] else amount, _LONG)
    except SpecError as error:
        refuse(name, str(error))
