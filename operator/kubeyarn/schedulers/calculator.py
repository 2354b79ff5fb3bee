"""Comparing, dividing and rounding resource vectors (Hadoop: ResourceCalculator).

Two calculators decide what counts: `DefaultCalculator` looks at memory alone, and whatever it
computes carries one CPU unit if there is memory; `DominantCalculator` looks at every type by its
share of the cluster, the largest share first. `FittingDefaultCalculator` compares by memory alone,
too, but knows that a container needs room of every type on its node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kubeyarn.model.resources import MEMORY, Vector
from kubeyarn.schedulers.java_numbers import ceil_to_long, quotient, quotients, single, to_long

if TYPE_CHECKING:
    from kubeyarn.model.queues import SchedulerConfig

_INT_MAX = 2**31 - 1


class Calculator(Protocol):
    """What both calculators do; *cluster* is what shares are measured against."""

    memory_only: bool

    def compare(self, cluster: Vector, a: Vector, b: Vector) -> int:
        """-1, 0 or 1: whether *a* is less than, equal to or more than *b*."""

    def fits(self, a: Vector, b: Vector) -> bool:
        """Whether *a* fits into *b*, in the types that count."""

    def ratio(self, a: Vector, b: Vector) -> float:
        """How many times *b* is *a*, in single precision."""

    def divide(self, cluster: Vector, a: Vector, b: Vector) -> float:
        """The share of *a* over the share of *b*, in single precision."""

    def divide_ceil(self, a: Vector, by: float) -> Vector:
        """*a* divided by a number, rounded up; by 0 it is nothing."""

    def round_up(self, a: Vector, step: Vector) -> Vector:
        """*a* rounded up to multiples of *step*."""

    def round_down(self, a: Vector, step: Vector) -> Vector:
        """*a* rounded down to multiples of *step*."""

    def multiply_and_normalize_up(self, a: Vector, by: float, step: Vector) -> Vector:
        """*a* times a number, rounded up to multiples of *step*."""

    def multiply_and_normalize_down(self, a: Vector, by: float, step: Vector) -> Vector:
        """*a* times a number, rounded down to multiples of *step*."""

    def multiply_types_up(self, a: Vector, by: tuple[float, ...]) -> Vector:
        """Each type times its number, rounded up to units (Java: multiplyAndNormalizeUp)."""

    def normalize(self, a: Vector, minimum: Vector, maximum: Vector, step: Vector) -> Vector:
        """*a* raised to *minimum*, rounded up to *step* and capped by *maximum*."""

    def available(self, free: Vector, size: Vector) -> int:
        """How many containers of *size* fit into *free*."""

    def holds(self, room: Vector, size: Vector) -> bool:
        """Whether a node with *room* can hold a container of *size*, once at least."""

    def min(self, cluster: Vector, a: Vector, b: Vector) -> Vector:
        """The lesser of two, the first of equals (Hadoop: Resources.min)."""

    def max(self, cluster: Vector, a: Vector, b: Vector) -> Vector:
        """The greater of two, the first of equals (Hadoop: Resources.max)."""

    def share(self, cluster: Vector, a: Vector) -> float:
        """What `divide` relates: the dominant share, or plain memory."""

    def any_above_zero(self, a: Vector) -> bool:
        """Whether any type that counts is positive."""

    def any_zero_or_below(self, a: Vector) -> bool:
        """Whether any type that counts is used up."""


def up(value: int, step: int) -> int:
    """*value* rounded up to a multiple of *step*, which is not 0."""
    return -(-value // step) * step


def down(value: int, step: int) -> int:
    """*value* rounded towards zero to a multiple of *step*, which is not 0 (as Java divides)."""
    return value // step * step if value >= 0 else -(-value // step * step)


class DefaultCalculator:
    """Memory alone (Hadoop: DefaultResourceCalculator).

    *memory_per_mib* is how many base units one MiB is. Hadoop counts whole MiB, and rounds what it
    multiplies to the nearest before it rounds up to steps. With bytes a share of 0.1, which is a
    little more as a 32-bit float, would come to a whole step more.
    """

    memory_only = True

    def __init__(self, memory_per_mib: int = 1) -> None:
        self._mib = memory_per_mib

    def _times(self, memory: int, by: float) -> int:
        """Memory times a number, to the nearest MiB."""
        mib = self._mib
        return to_long(memory / mib * by + 0.5) * mib

    def _of_memory(self, like: Vector, memory: int) -> Vector:
        return (memory, 1 if memory > 0 else 0, *(0,) * (len(like) - 2))

    def compare(self, cluster: Vector, a: Vector, b: Vector) -> int:
        """-1, 0 or 1 by memory."""
        return (a[MEMORY] > b[MEMORY]) - (a[MEMORY] < b[MEMORY])

    def fits(self, a: Vector, b: Vector) -> bool:
        """Whether memory fits."""
        return a[MEMORY] <= b[MEMORY]

    def ratio(self, a: Vector, b: Vector) -> float:
        """Memory over memory."""
        return quotient(a[MEMORY], b[MEMORY])

    def divide(self, cluster: Vector, a: Vector, b: Vector) -> float:
        """Memory over memory."""
        return quotient(a[MEMORY], b[MEMORY])

    def divide_ceil(self, a: Vector, by: float) -> Vector:
        """Memory divided, rounded up."""
        # In single precision, as Java divides an integer by a float; by 0 there is nothing.
        memory = ceil_to_long(single(single(a[MEMORY]) / by)) if by else 0
        return self._of_memory(a, memory)

    def round_up(self, a: Vector, step: Vector) -> Vector:
        """Memory rounded up."""
        return self._of_memory(a, up(a[MEMORY], step[MEMORY]))

    def round_down(self, a: Vector, step: Vector) -> Vector:
        """Memory rounded down."""
        return self._of_memory(a, down(a[MEMORY], step[MEMORY]))

    def multiply_and_normalize_up(self, a: Vector, by: float, step: Vector) -> Vector:
        """Memory times *by*, to the nearest unit, then rounded up."""
        return self._of_memory(a, up(self._times(a[MEMORY], by), step[MEMORY]))

    def multiply_and_normalize_down(self, a: Vector, by: float, step: Vector) -> Vector:
        """Memory times *by*, rounded down."""
        return self._of_memory(a, down(to_long(a[MEMORY] * by), step[MEMORY]))

    def multiply_types_up(self, a: Vector, by: tuple[float, ...]) -> Vector:
        """Memory times its number, to the nearest unit."""
        return self._of_memory(a, self._times(a[MEMORY], by[MEMORY]))

    def normalize(self, a: Vector, minimum: Vector, maximum: Vector, step: Vector) -> Vector:
        """Memory raised, rounded and capped; the other types as they are."""
        memory = min(up(max(a[MEMORY], minimum[MEMORY]), step[MEMORY]), maximum[MEMORY])
        return self._of_memory(a, memory)

    def available(self, free: Vector, size: Vector) -> int:
        """How often memory fits."""
        if not size[MEMORY]:
            return _INT_MAX
        # Java's division truncates towards zero, Python's rounds down.
        if free[MEMORY] < 0:
            return -(-free[MEMORY] // size[MEMORY])
        return free[MEMORY] // size[MEMORY]

    def holds(self, room: Vector, size: Vector) -> bool:
        """Whether memory fits."""
        # An ask for no memory fits even a node that is over in it, because it shrank.
        return size[MEMORY] <= room[MEMORY] or not size[MEMORY]

    def min(self, cluster: Vector, a: Vector, b: Vector) -> Vector:
        """The one with less memory."""
        return a if a[MEMORY] <= b[MEMORY] else b

    def max(self, cluster: Vector, a: Vector, b: Vector) -> Vector:
        """The one with more memory."""
        return a if a[MEMORY] >= b[MEMORY] else b

    def share(self, cluster: Vector, a: Vector) -> float:
        """Memory."""
        return a[MEMORY]

    def any_above_zero(self, a: Vector) -> bool:
        """Whether there is memory."""
        return a[MEMORY] > 0

    def any_zero_or_below(self, a: Vector) -> bool:
        """Whether there is no memory."""
        return a[MEMORY] <= 0


class FittingDefaultCalculator(DefaultCalculator):
    """Memory alone between queues and users, and every type on a node.

    Hadoop's DefaultResourceCalculator forgets what else a container asks for, and grants sixteen of
    one CPU on a node of four. A kubelet takes four of them.
    """

    def normalize(self, a: Vector, minimum: Vector, maximum: Vector, step: Vector) -> Vector:
        """Memory raised, rounded and capped; the other types as they are asked for."""
        memory, *others = super().normalize(a, minimum, maximum, step)
        return (memory, *map(max, a[1:], others))

    def holds(self, room: Vector, size: Vector) -> bool:
        """Whether every type fits."""
        return _holds_every_type(room, size)


class DominantCalculator:
    """Every type, by dominant share (Hadoop: DominantResourceCalculator).

    A type that the cluster has nothing of is left out of comparisons.
    """

    memory_only = False

    def compare(self, cluster: Vector, a: Vector, b: Vector) -> int:
        """-1, 0 or 1 by the largest share, then the next."""
        if a == b:
            return 0
        # There are no shares of an empty cluster: more of some type and less of none is more.
        if not any(cluster):
            return _compare_componentwise(a, b)
        # The common case without lists: this is on the way of every offer.
        if len(cluster) == 2 and cluster[0] and cluster[1]:
            return _compare_two(cluster, a, b)
        return _compare_shares(cluster, a, b)

    def fits(self, a: Vector, b: Vector) -> bool:
        """Whether every type fits."""
        if len(a) == 2:
            return a[0] <= b[0] and a[1] <= b[1]
        return all(x <= y for x, y in zip(a, b, strict=True))

    def ratio(self, a: Vector, b: Vector) -> float:
        """The largest of the types' ratios."""
        if len(a) == 2 and b[0] and b[1]:
            memory, cpu = quotients(a, b)
            return memory if memory > cpu else cpu
        ratio = 0.0
        for x, y in zip(a, b, strict=True):
            one = quotient(single(x), single(y))
            ratio = ratio if ratio > one else one
        return ratio

    def divide(self, cluster: Vector, a: Vector, b: Vector) -> float:
        """Dominant share over dominant share."""
        # Each share is 0 at least, as in Hadoop, which starts its search for the largest at 0.
        top, bottom = max(0.0, self.share(cluster, a)), max(0.0, self.share(cluster, b))
        return quotient(top, bottom)

    def divide_ceil(self, a: Vector, by: float) -> Vector:
        """Every type divided, rounded up."""
        if not by:
            return (0,) * len(a)
        return tuple(ceil_to_long(single(single(x) / by)) for x in a)

    def round_up(self, a: Vector, step: Vector) -> Vector:
        """Every type rounded up; a step of 0 leaves it."""
        return tuple(up(x, s) if s else x for x, s in zip(a, step, strict=True))

    def round_down(self, a: Vector, step: Vector) -> Vector:
        """Every type rounded down; a step of 0 leaves it."""
        if len(a) == 2 and step[0] and step[1] and a[0] >= 0 and a[1] >= 0:
            return (a[0] - a[0] % step[0], a[1] - a[1] % step[1])
        return tuple(down(x, s) if s else x for x, s in zip(a, step, strict=True))

    def multiply_and_normalize_up(self, a: Vector, by: float, step: Vector) -> Vector:
        """Every type times *by* in single precision, rounded up."""
        whole = tuple(ceil_to_long(single(x * by)) for x in a)
        return self.round_up(whole, step)

    def multiply_and_normalize_down(self, a: Vector, by: float, step: Vector) -> Vector:
        """Every type times *by*, rounded down."""
        return self.round_down(tuple(to_long(x * by) for x in a), step)

    def multiply_types_up(self, a: Vector, by: tuple[float, ...]) -> Vector:
        """Every type times its number, rounded up."""
        return tuple(ceil_to_long(x * f) for x, f in zip(a, by, strict=True))

    def normalize(self, a: Vector, minimum: Vector, maximum: Vector, step: Vector) -> Vector:
        """Every type raised, rounded and capped."""
        raised = tuple(map(max, a, minimum))
        return tuple(map(min, self.round_up(raised, step), maximum))

    def available(self, free: Vector, size: Vector) -> int:
        """How often every type fits; types not asked for do not count."""
        if len(free) == 2 and free[0] >= 0 and free[1] >= 0 and size[0] > 0 and size[1] > 0:
            memory, cpu = free[0] // size[0], free[1] // size[1]
            return memory if memory < cpu else cpu
        counts = [x // s if x >= 0 else -(-x // s) for x, s in zip(free, size, strict=True) if s]
        return min([_INT_MAX, *counts])

    def holds(self, room: Vector, size: Vector) -> bool:
        """Whether every type fits; types not asked for do not count."""
        return _holds_every_type(room, size)

    def min(self, cluster: Vector, a: Vector, b: Vector) -> Vector:
        """The one with the lesser dominant share; less of every type is less in any case."""
        if len(a) == 2:
            # Less of each type is less by any share, so most questions need no division.
            if a[0] <= b[0] and a[1] <= b[1]:
                return a
            if b[0] <= a[0] and b[1] <= a[1] and cluster[0] and cluster[1]:
                return b
        return a if self.compare(cluster, a, b) <= 0 else b

    def max(self, cluster: Vector, a: Vector, b: Vector) -> Vector:
        """The one with the greater dominant share."""
        return a if self.compare(cluster, a, b) >= 0 else b

    def share(self, cluster: Vector, a: Vector) -> float:
        """The dominant share."""
        if len(a) == 2 and cluster[0] and cluster[1]:
            memory, cpu = a[0] / cluster[0], a[1] / cluster[1]
            return memory if memory >= cpu else cpu
        return max((x / w for x, w in zip(a, cluster, strict=True) if w), default=0.0)

    def any_above_zero(self, a: Vector) -> bool:
        """Whether any type is positive."""
        if len(a) == 2:
            return a[0] > 0 or a[1] > 0
        return any(x > 0 for x in a)

    def any_zero_or_below(self, a: Vector) -> bool:
        """Whether any type is used up."""
        return any(x <= 0 for x in a)


def _holds_every_type(room: Vector, size: Vector) -> bool:
    # What is not asked for is no obstacle: a node may be over in it, because it shrank.
    if len(size) == 2:
        memory, cpu = size
        return (memory <= room[0] or not memory) and (cpu <= room[1] or not cpu)
    return all(s <= r or not s for s, r in zip(size, room, strict=True))


def _compare_componentwise(a: Vector, b: Vector) -> int:
    more = any(x > y for x, y in zip(a, b, strict=True))
    less = any(x < y for x, y in zip(a, b, strict=True))
    return more - less


def _compare_two(cluster: Vector, a: Vector, b: Vector) -> int:
    a0, a1 = a[0] / cluster[0], a[1] / cluster[1]
    b0, b1 = b[0] / cluster[0], b[1] / cluster[1]
    if a1 > a0:
        a0, a1 = a1, a0
    if b1 > b0:
        b0, b1 = b1, b0
    if a0 != b0:
        return 1 if a0 > b0 else -1
    return (a1 > b1) - (a1 < b1)


def _compare_shares(cluster: Vector, a: Vector, b: Vector) -> int:
    counted = [(x / w, y / w) for w, x, y in zip(cluster, a, b, strict=True) if w]
    ours = sorted((x for x, _ in counted), reverse=True)
    theirs = sorted((y for _, y in counted), reverse=True)
    return (ours > theirs) - (ours < theirs)


def calculator(config: SchedulerConfig) -> Calculator:
    """The calculator of a configuration (Hadoop: `yarn.scheduler.capacity.resource-calculator`)."""
    if config.dominant:
        return DominantCalculator()
    if config.fit_every_resource:
        return FittingDefaultCalculator(memory_per_mib=config.memory_per_mib)
    return DefaultCalculator(memory_per_mib=config.memory_per_mib)


def multiply(a: Vector, by: float) -> Vector:
    """Every type times a number, truncated (Hadoop: Resources.multiply)."""
    return tuple(to_long(x * by) for x in a)


def multiply_and_round_up(a: Vector, by: float) -> Vector:
    """Every type times a number, rounded up (Hadoop: Resources.multiplyAndRoundUp)."""
    return tuple(ceil_to_long(x * by) for x in a)
