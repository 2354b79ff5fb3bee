"""The children of a queue, sorted as its scheduling policy serves them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.objects.queue import FSQueue

FairShareKey = tuple[bool, bool, float, float, float, int, str]
DrfKey = tuple[bool, tuple[float, ...], int, str]
FifoKey = tuple[int, str]
SortKey = FairShareKey | DrfKey | FifoKey

Child = TypeVar("Child", "FSQueue", "FSAppAttempt")


class SortedSchedulables(Generic[Child]):
    """Child queues, or the applications of a leaf, that ask for something, by sort key.

    Hadoop sorts all children anew at every offer of a node. Here a change moves the one child
    that changed, so a grant costs the depth of the tree and not its width. Keys are unique,
    because each ends in a name. The key a child was filed under stays on the child
    (`order_entry`), which is how it is found again after its usage changed.
    """

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: list[tuple[SortKey, Child]] = []

    def __iter__(self) -> Iterator[Child]:
        for _, child in self.entries:
            yield child

    def __len__(self) -> int:
        return len(self.entries)

    def clear(self) -> None:
        """Forget all children; the caller clears their `order_entry`."""
        self.entries.clear()

    def put(self, child: Child, key: SortKey) -> None:
        """Add *child*, or move it to where *key* places it."""
        entry = child.order_entry
        if entry is not None:
            # Nothing to move: an event may place a queue whose key did not change.
            if entry[0] == key:
                return
            del self.entries[bisect_left(self.entries, entry)]
        child.order_entry = entry = (key, child)
        insort(self.entries, entry)

    def remove(self, child: Child) -> None:
        """Take *child* out, if it is in."""
        entry = child.order_entry
        if entry is not None:
            del self.entries[bisect_left(self.entries, entry)]
            child.order_entry = None
