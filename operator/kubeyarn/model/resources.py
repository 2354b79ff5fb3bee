"""Resource vectors: integers in base units, one per resource type, in one agreed order.

A vector is a plain tuple, because the scheduling cycle makes millions of them. `ResourceTypes`
says what its places mean: place 0 is memory, place 1 is CPU, the rest are extended resources sorted
by name. The core never looks at units: the live scheduler uses bytes and milli-CPUs, the simulator
MiB and vcores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

Vector = tuple[int, ...]


class ResourceList(Mapping[str, int]):
    """Amounts in base units by resource name, outside of schedulers (Kubernetes: ResourceList).

    It cannot be changed, and two of the same names and amounts are equal and hash alike. A resource
    that it does not name is not there; `amount` reads that as 0.
    """

    __slots__ = ("_amounts",)

    def __init__(self, amounts: Mapping[str, int] | None = None, /) -> None:
        self._amounts = dict(amounts or {})

    def __getitem__(self, name: str) -> int:
        return self._amounts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._amounts)

    def __len__(self) -> int:
        return len(self._amounts)

    def __hash__(self) -> int:
        return hash(frozenset(self._amounts.items()))

    def __repr__(self) -> str:
        return f"ResourceList({self._amounts!r})"

    def amount(self, name: str) -> int:
        """How much there is of a resource, named or not."""
        return self._amounts.get(name, 0)

    def fits_in(self, other: Mapping[str, int]) -> bool:
        """Whether there is no more of any resource than in *other* (Hadoop: Resources.fitsIn)."""
        return all(amount <= other.get(name, 0) for name, amount in self._amounts.items())


MEMORY = 0
CPU = 1


def _plain(_: str, amount: int) -> str:
    return str(amount)


@dataclass(frozen=True, slots=True)
class ResourceTypes:
    """The names behind a vector's places (Hadoop: ResourceUtils.getResourceTypesArray).

    *show* writes an amount of a type for people: the schedulers know no units.
    """

    names: tuple[str, ...] = ("memory", "cpu")
    show: Callable[[str, int], str] = _plain

    def vector(self, amounts: Mapping[str, int]) -> Vector:
        """The vector of *amounts*; a type that is not named is 0, an unknown name a KeyError."""
        unknown = set(amounts) - set(self.names)
        if unknown:
            raise KeyError(f"unknown resource types {sorted(unknown)}, known: {self.names}")
        return tuple(amounts.get(name, 0) for name in self.names)

    def mapping(self, vector: Vector) -> dict[str, int]:
        """The amounts of *vector* by name."""
        return dict(zip(self.names, vector, strict=True))

    def amount(self, name: str, amount: int) -> str:
        """An amount of one type in the words of its units, such as `memory 2Gi`."""
        return f"{name} {self.show(name, amount)}"

    def text(self, vector: Vector) -> str:
        """A vector in the words of its units, without extended resources of which there is none."""
        return ", ".join(
            self.amount(name, amount)
            for place, (name, amount) in enumerate(zip(self.names, vector, strict=True))
            # Memory and CPU also when there is none: their absence says something, that of a GPU
            # does not.
            if amount or place <= CPU
        )

    def zero(self) -> Vector:
        """Nothing of every type."""
        return (0,) * len(self.names)


# Two resources are what nearly every cluster counts, and these are called for every grant.
def add(a: Vector, b: Vector) -> Vector:
    """Component-wise sum."""
    if len(a) == 2:
        return (a[0] + b[0], a[1] + b[1])
    return tuple(x + y for x, y in zip(a, b, strict=True))


def subtract(a: Vector, b: Vector) -> Vector:
    """Component-wise difference, which may be negative."""
    if len(a) == 2:
        return (a[0] - b[0], a[1] - b[1])
    return tuple(x - y for x, y in zip(a, b, strict=True))


def all_positive(a: Vector) -> bool:
    """Whether there is something of every type."""
    if len(a) == 2:
        return a[0] > 0 and a[1] > 0
    return all(x > 0 for x in a)


def negate(a: Vector) -> Vector:
    """The vector that takes *a* back."""
    if len(a) == 2:
        return (-a[0], -a[1])
    return tuple(-x for x in a)


def scale(a: Vector, count: int) -> Vector:
    """*count* times *a*."""
    return tuple(x * count for x in a)


def component_min(a: Vector, b: Vector) -> Vector:
    """Component-wise minimum (Hadoop: Resources.componentwiseMin)."""
    return tuple(min(x, y) for x, y in zip(a, b, strict=True))


def component_max(a: Vector, b: Vector) -> Vector:
    """Component-wise maximum (Hadoop: Resources.componentwiseMax)."""
    return tuple(max(x, y) for x, y in zip(a, b, strict=True))


def fits(a: Vector, b: Vector) -> bool:
    """Whether every component of *a* is at most that of *b* (Hadoop: Resources.fitsIn)."""
    if len(a) == 2:
        return a[0] <= b[0] and a[1] <= b[1]
    return all(x <= y for x, y in zip(a, b, strict=True))
