"""Hadoop's numbers as YarnQueues write them: quantities, percentages, weights, factors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubeyarn.crd.quantities import show_cpu, show_memory
from kubeyarn.model.queues import Capacity, Share, Unit
from kubeyarn.schedulers.java_numbers import single

MIB = 2**20
MILLI = 1000
_DECIMALS = 9
_SUFFIXES = {Unit.PERCENT: "%", Unit.WEIGHT: "w"}


def quantity(resource: str, amount: float) -> str:
    """An amount as Hadoop counts it (MiB, vcores, whole units) as a Kubernetes quantity."""
    if resource == "memory":
        return show_memory(int(amount * MIB))
    return show_cpu(int(amount * MILLI)) if resource == "cpu" else str(int(amount))


def quantities(amounts: Iterable[tuple[str, int]]) -> dict[str, str]:
    """Amounts by resource as quantities; a resource that there is nothing of is not said."""
    return {name: quantity(name, amount) for name, amount in amounts if amount > 0}


def number(value: float) -> str:
    """The shortest decimal that is *value* where Java reads it as a float: 33.3, not 33.2999992."""
    for decimals in range(_DECIMALS):
        text = f"{value:.{decimals}f}"
        if single(float(text)) == single(value):
            return text
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def percentage(fraction: float) -> str:
    """A fraction of 1 as a percentage."""
    return f"{number(fraction * 100)}%"


def nearest_percentage(fraction: float) -> str:
    """A fraction as a percentage from 0% to 100%."""
    return percentage(min(1.0, max(0.0, fraction)))


def seconds(milliseconds: int) -> int:
    """Whole seconds, rounded up."""
    return -(-milliseconds // 1000)


def factor(value: float) -> str:
    """A user limit factor; what is below 0 switches it off."""
    return number(value) if value >= 0 else "-1"


def user_limit_percent(value: float) -> int | str:
    """A percent of users' limits, as a whole number where it is one."""
    return int(value) if value == int(value) else number(value)


def share(one: Share, resource: str) -> str:
    """One resource's share: a percentage, a weight or a quantity."""
    if one.unit is Unit.ABSOLUTE:
        return quantity(resource, one.amount)
    return number(one.amount) + _SUFFIXES[one.unit]


def by_resource(capacity: Capacity, names: Sequence[str]) -> dict[str, str]:
    """The shares of a capacity that says each resource by itself."""
    shares = zip(names, capacity.by_resource, strict=True)
    return {name: share(one, name) for name, one in shares}
