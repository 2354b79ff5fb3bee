"""What bound containers hold, by queue and by user: the count that a binding is checked against.

A grant is charged by the scheduler when it is made; a container is counted here only from the
binding of its pod until its resources are given back. The bind check compares this count with the
queues' maxima, so that what runs stays within them even when the scheduler was wrong, or another
one granted before this one led.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kubeyarn.model.resources import Vector


class BoundUsage:
    """Sums of bound containers by (queue, partition) and by (queue, user, partition).

    A queue's sum is that of all queues below it, too; a user's is of one leaf.
    """

    def __init__(self) -> None:
        self._of_queue: dict[tuple[str, str], list[int]] = {}
        self._of_user: dict[tuple[str, str, str], list[int]] = {}

    def of_queue(self, path: str, partition: str, none: Vector) -> Vector:
        """What is bound of a partition in a queue and those below it; *none* where nothing is."""
        return tuple(self._of_queue.get((path, partition), none))

    def of_user(self, leaf: str, user: str, partition: str, none: Vector) -> Vector:
        """What a user has bound of a partition in one leaf; *none* where nothing is."""
        return tuple(self._of_user.get((leaf, user, partition), none))

    @property
    def by_queue(self) -> Mapping[tuple[str, str], list[int]]:
        """All sums of queues, by path and partition, read-only."""
        return MappingProxyType(self._of_queue)

    def add(self, leaf: str, user: str, partition: str, size: Vector) -> None:
        """Count a container as bound."""
        self._count(leaf, user, partition, size, 1)

    def remove(self, leaf: str, user: str, partition: str, size: Vector) -> None:
        """Count a container as bound no longer."""
        self._count(leaf, user, partition, size, -1)

    def clear(self) -> None:
        """Count nothing."""
        self._of_queue.clear()
        self._of_user.clear()

    def _count(self, leaf: str, user: str, partition: str, size: Vector, sign: int) -> None:
        for path in parents_and_self(leaf):
            _add(self._of_queue.setdefault((path, partition), [0] * len(size)), size, sign)
        holder = (leaf, user, partition)
        held = self._of_user.setdefault(holder, [0] * len(size))
        _add(held, size, sign)
        if not any(held):
            # Users come and go; who holds nothing is not remembered.
            del self._of_user[holder]


def parents_and_self(queue: str) -> list[str]:
    """A queue's path and those of its parents, root first; none for ""."""
    parts = queue.split(".") if queue else []
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _add(sums: list[int], size: Vector, sign: int) -> None:
    for place, amount in enumerate(size):
        sums[place] += sign * amount
