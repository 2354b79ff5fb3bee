"""Kubernetes quantities as integers in base units, and back.

Memory is counted in bytes, CPU in thousandths of a core (milli), every other resource in whole
units. The grammar is that of Kubernetes' `resource.ParseQuantity`, except that a quantity needs at
least one digit (Go reads `+` and `Ki` as zero). What is finer than the base unit is rounded up,
as Go's `Value()` and `MilliValue()` do, so that nothing asked for is ever given short.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from kubeyarn.model.errors import SpecError

_GRAMMAR = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?"
    r"(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?",
    re.ASCII,
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}

LARGEST = 2**63 - 1
"""The largest amount in base units, that of Go's int64."""
LONGEST = 64
"""Characters a quantity may have; what is longer is refused unread."""

_EXPECTED = "a Kubernetes quantity such as 2, 500m, 1536Mi or 1e9"


def memory(value: object, field: str) -> int:
    """*value* in bytes, rounded up to whole bytes.

    Raises:
        SpecError: no quantity, negative, or more than `LARGEST`; the message names *field*.
    """
    return _read(value, field, 0)


def cpu(value: object, field: str) -> int:
    """*value* in thousandths of a core, rounded up.

    Raises:
        SpecError: no quantity, negative, or more than `LARGEST`; the message names *field*.
    """
    return _read(value, field, 3)


def whole(value: object, field: str) -> int:
    """*value* in whole units of an extended resource (GPUs, licences).

    Raises:
        SpecError: no quantity, negative, a fraction, or more than `LARGEST`.
    """
    # In thousandths, so that 1500m is seen to be one and a half, and 2000m to be whole.
    amount = _read(value, field, 3)
    if amount % 1000:
        raise SpecError(f"{field}: found {value!r}, allowed: whole units only, such as 1 or 4")
    return amount // 1000


def amount(resource: str, value: object, field: str) -> int:
    """*value* in the base unit of *resource*.

    Raises:
        SpecError: see `memory`, `cpu` and `whole`.
    """
    if resource == "memory":
        return memory(value, field)
    return cpu(value, field) if resource == "cpu" else whole(value, field)


def amounts(values: object, field: str) -> dict[str, int]:
    """The quantities of a map by resource name, each in its base unit.

    Raises:
        SpecError: not a map, or one of its values is no quantity; the message names the entry.
    """
    if not isinstance(values, Mapping):
        raise SpecError(
            f"{field}: found {values!r}, allowed: a map of resource names to quantities"
        )
    return {name: amount(name, value, f"{field}.{name}") for name, value in values.items()}


def show(resource: str, amount: int) -> str:
    """Write an amount in base units as the shortest exact quantity: `1536Mi`, `500m`, `3`."""
    if resource == "memory":
        return show_memory(amount)
    return show_cpu(amount) if resource == "cpu" else str(amount)


def show_memory(amount: int) -> str:
    """Bytes with the largest binary suffix that divides them."""
    if amount == 0:
        return "0"
    for suffix, power in reversed(_BINARY.items()):
        if amount % (1 << power) == 0:
            return f"{amount >> power}{suffix}"
    return str(amount)


def show_cpu(amount: int) -> str:
    """Thousandths of a core as cores, or with the suffix `m` where they are not whole."""
    return f"{amount}m" if amount % 1000 else str(amount // 1000)


def _read(value: object, field: str, digits: int) -> int:
    """*value* times 10**digits, rounded up."""
    if isinstance(value, int) and not isinstance(value, bool):
        # Beyond the limit the text would be refused unread anyway, and printing it costs.
        value = str(value) if abs(value) <= LARGEST else "9" * 20
    if not isinstance(value, str):
        raise SpecError(f"{field}: found {value!r}, expected {_EXPECTED}")
    try:
        return _scaled(value, digits)
    except ValueError as error:
        raise SpecError(f"{field}: found {value[:LONGEST]!r}, {error}") from None


# Thousands of asks write the same few quantities. What a text means never changes, so nothing has
# to clear this.
@lru_cache(maxsize=4096)
def _scaled(text: str, digits: int) -> int:
    match = _GRAMMAR.fullmatch(text) if len(text) <= LONGEST else None
    if match is None or not (match["whole"] or match["part"]):
        raise ValueError(f"expected {_EXPECTED}")
    part = match["part"] or ""
    number = int(match["whole"] + part)
    if match["sign"] == "-" and number:
        raise ValueError("allowed: 0 or more")
    result = _times(number, digits - len(part), match["suffix"] or "")
    if result > LARGEST:
        raise ValueError(f"allowed: at most {LARGEST} in base units (bytes, thousandths of a core)")
    return result


def _times(number: int, exponent: int, suffix: str) -> int:
    """*number* x 10**exponent x *suffix*, rounded up; what is absurdly large stays so."""
    if suffix in _BINARY:
        number <<= _BINARY[suffix]
    elif suffix:
        exponent += _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    if exponent >= 0:
        # The digits of the exponent may say 10**(10**60): never compute that.
        return number * int(10 ** min(exponent, LONGEST))
    # Up, as Kubernetes does: what is asked for must never be more than what is counted.
    return -(-number // int(10 ** min(-exponent, 2 * LONGEST)))
