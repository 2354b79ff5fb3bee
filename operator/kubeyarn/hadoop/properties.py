"""Typed reading of Hadoop properties (Hadoop: Configuration.getInt, getFloat, getBoolean)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from kubeyarn.model.errors import ConfigRefused, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_JAVA_FLOAT = re.compile(
    r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)", re.ASCII
)
_JAVA_INTEGER = re.compile(r"[+-]?(?:\d+|0[xX][0-9a-fA-F]+)", re.ASCII)
_INT_BITS = 31


class Properties:
    """Property names and their text; a name that is not there has no value."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def names(self, prefix: str) -> Iterator[str]:
        """The names that start with *prefix*, sorted."""
        return iter(sorted(name for name in self._values if name.startswith(prefix)))

    def text(self, name: str) -> str | None:
        """The value as written."""
        return self._values.get(name)

    def trimmed(self, name: str) -> str | None:
        """The value without blanks around it; None when nothing is left."""
        value = self._values.get(name)
        return (value.strip() or None) if value is not None else None

    def strings(self, name: str) -> tuple[str, ...]:
        """A comma-separated list."""
        return tuple(part.strip() for part in (self.text(name) or "").split(",") if part.strip())

    def integer(self, name: str) -> int | None:
        """A whole number that fits into 32 bits.

        Raises:
            ConfigRefused: it is none.
        """
        value = self.long(name)
        if value is not None and not -(2**_INT_BITS) <= value < 2**_INT_BITS:
            refuse(name, f"found {value}, expected a number of at most 32 bits")
        return value

    def long(self, name: str) -> int | None:
        """A whole number.

        Raises:
            ConfigRefused: it is none.
        """
        said = self.text(name)
        if said is None:
            return None
        value = said.strip()
        if not _JAVA_INTEGER.fullmatch(value):
            refuse(name, f"found {value!r}, expected a whole number")
        return int(value, 16) if "x" in value.lower() else int(value)

    def number(self, name: str) -> float | None:
        """A number.

        Raises:
            ConfigRefused: it is none.
        """
        value = self.text(name)
        return None if value is None else to_number(name, value)

    def flag(self, name: str) -> bool | None:
        """`true` or `false`; anything else says nothing."""
        return {"true": True, "false": False}.get((self.trimmed(name) or "").lower())


def to_number(name: str, value: str) -> float:
    """A number as Java writes floats.

    Raises:
        ConfigRefused: *value* is none.
    """
    value = value.strip()
    if not _JAVA_FLOAT.fullmatch(value):
        refuse(name, f"found {value!r}, expected a number")
    if value.lstrip("+-") in ("NaN", "Infinity"):
        return float(value)
    return float(value.rstrip("fFdD"))


def refuse(name: str, message: str, queue: str = "root") -> NoReturn:
    """Refuse a property.

    Raises:
        ConfigRefused: always.
    """
    raise ConfigRefused((Problem(queue, name, "InvalidField", f"{name}: {message}"),))
