"""Reading a YarnQueue's spec field by field, so that every field at fault is reported at once.

`decoding` stops at the first field that it cannot read, and that is enough for objects which the
API server has checked. The spec of a queue is read in another way on its path to the schedulers:
its shares and amounts are texts that have to be understood, the templates of auto-created queues
are free-form, and an administrator should hear of all mistakes together. A `FieldReader` keeps the
faults that it meets and goes on; whoever asked gets None for a wrong field and looks at the faults
in the end. No wrong field may take a scheduler down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from kubeyarn.crd import shares
from kubeyarn.model.errors import SpecError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
D = TypeVar("D", bound="DataclassInstance")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field that cannot be acted on."""

    field: str
    message: str


@dataclass(slots=True)
class FieldReader:
    """One level of a raw object: *values*, found *at* a path, with the *faults* met so far."""

    values: Mapping[str, Any]
    at: str
    faults: list[FieldFault] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def read(self, name: str, parse: Callable[[object, str], T]) -> T | None:
        """What *parse* makes of a field; None when it is not set or wrong."""
        # Also where it is not set: what is asked for is known, whatever this object has of it.
        self.asked.add(name)
        value = self.values.get(name)
        if value is None:
            return None
        place = f"{self.at}.{name}"
        try:
            return parse(value, place)
        except SpecError as error:
            self.faults.append(FieldFault(place, str(error)))
            return None

    def inside(self, name: str) -> FieldReader | None:
        """The reader of an object one level down; None when it is not set."""
        inner = self.read(name, mapping)
        # One list of faults for all levels, so that whoever asks in the end sees those of the
        # deepest.
        return None if inner is None else FieldReader(inner, f"{self.at}.{name}", self.faults)

    def each(self, name: str) -> list[FieldReader]:
        """The readers of a list's entries, in order."""
        entries = self.read(name, objects) or []
        return [
            FieldReader(entry, f"{self.at}.{name}[{place}]", self.faults)
            for place, entry in enumerate(entries)
        ]

    def refuse_others(self) -> None:
        """Report the fields that nobody has asked for: nobody would act on them."""
        for name in sorted(set(self.values) - self.asked):
            place = f"{self.at}.{name}"
            allowed = ", ".join(sorted(self.asked))
            self.faults.append(FieldFault(place, f"{place}: unknown field, allowed: {allowed}"))


def mapping(value: object, place: str) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, Mapping):
        raise SpecError(f"{place}: found {value!r}, expected an object")
    return value


def objects(value: object, place: str) -> list[Mapping[str, Any]]:
    """A list of objects."""
    return _entries(value, place, mapping)


def text(value: object, place: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise SpecError(f"{place}: found {value!r}, expected text")
    return value


def texts(value: object, place: str) -> list[str]:
    """A list of strings."""
    return _entries(value, place, text)


def _entries(value: object, place: str, parse: Callable[[object, str], T]) -> list[T]:
    if not isinstance(value, list):
        raise SpecError(f"{place}: found {value!r}, expected a list")
    return [parse(entry, f"{place}[{number}]") for number, entry in enumerate(value)]


def truth(value: object, place: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise SpecError(f"{place}: found {value!r}, expected true or false")
    return value


def integer(value: object, place: str) -> int:
    """An integer of any sign."""
    # True is an int in Python, and would be read as 1.
    if not isinstance(value, int) or isinstance(value, bool):
        raise SpecError(f"{place}: found {value!r}, expected an integer")
    return value


def count(value: object, place: str) -> int:
    """An integer, 0 or more."""
    number = integer(value, place)
    if number < 0:
        raise SpecError(f"{place}: found {number}, allowed: 0 or more")
    return number


def milliseconds(value: object, place: str) -> int:
    """Seconds, 0 or more, as milliseconds."""
    return count(value, place) * 1000


def fraction(value: object, place: str) -> float:
    """A percentage as a fraction of 1."""
    return float(shares.percentage(value, place))


def factor(value: object, place: str) -> float:
    """A number in quotes, 0 or more, or -1 for: switched off."""
    number = shares.number(value, place)
    if number < 0 and number != -1:
        raise SpecError(f'{place}: found {value!r}, allowed: 0 or more, or "-1"')
    return float(number)


def weight(value: object, place: str) -> float:
    """A number in quotes, 0 or more."""
    number = shares.number(value, place)
    if number < 0:
        raise SpecError(f"{place}: found {value!r}, allowed: 0 or more")
    return float(number)


def user_limit_percent(value: object, place: str) -> float:
    """A percentage from 1 to 100, without its sign; a fraction is in quotes."""
    number = shares.number(value, place)
    if not 1 <= number <= 100:
        raise SpecError(f"{place}: found {value!r}, allowed: 1 to 100")
    return float(number)


def one_of(words: type[E]) -> Callable[[object, str], E]:
    """The parser of an enumeration."""

    def parse(value: object, place: str) -> E:
        try:
            return words(str(value))
        except ValueError:
            allowed = ", ".join(words)
            raise SpecError(f"{place}: found {value!r}, allowed: {allowed}") from None

    return parse


def otherwise(value: T | None, standard: T) -> T:
    """What was found, or the standard where nothing was set."""
    # Not `value or standard`: 0 is a setting, and often says "none" or "off".
    return standard if value is None else value


def with_set(standard: D, settings: Mapping[str, object]) -> D:
    """A dataclass with those of its fields that were set; the others stay as they are."""
    values: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    return replace(standard, **values)
