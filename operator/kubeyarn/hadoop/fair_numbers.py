"""Numbers as Java reads them, so that an allocation file is refused where Hadoop refuses it."""

from __future__ import annotations

import re

from kubeyarn.model.errors import SpecError

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)[fFdD]?")
_INT = 2**31
_LONG = 2**63


def read_int(text: str) -> int:
    """A 32-bit integer (Java: Integer.parseInt).

    Raises:
        SpecError: *text* is none.
    """
    return _read_integer(text, _INT)


def read_long(text: str) -> int:
    """A 64-bit integer (Java: Long.parseLong).

    Raises:
        SpecError: *text* is none.
    """
    return _read_integer(text, _LONG)


def _read_integer(text: str, bound: int) -> int:
    if not _INTEGER.fullmatch(text):
        raise SpecError(f"found {text!r}, expected an integer")
    number = int(text)
    if not -bound <= number < bound:
        raise SpecError(f"found {text}, expected {-bound} .. {bound - 1}")
    return number


def read_decimal(text: str) -> float:
    """A decimal number (Java: Float.parseFloat).

    Raises:
        SpecError: *text* is none.
    """
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise SpecError(f"found {text!r}, expected a number")
    return float(match[0].rstrip("fFdD") if match[0][-1] in "fFdD" else match[0])


def read_boolean(text: str) -> bool:
    """True for "true" in any case, False for everything else (Java: Boolean.parseBoolean)."""
    return text.lower() == "true"
