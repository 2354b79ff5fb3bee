"""A binary heap that sifts as Java's PriorityQueue does.

Hadoop keeps things in such heaps whose order changes while they wait, or that are equal; who
comes first then hangs on how the heap sifts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class JavaHeap(Generic[T]):
    """The smallest first by *compare*, which is negative, zero or positive as in Java."""

    __slots__ = ("_compare", "_heap")

    def __init__(self, compare: Callable[[T, T], int]) -> None:
        self._compare = compare
        self._heap: list[T] = []

    def __len__(self) -> int:
        return len(self._heap)

    def __contains__(self, item: T) -> bool:
        return item in self._heap

    def peek(self) -> T:
        """The first, which stays."""
        return self._heap[0]

    def add(self, item: T) -> None:
        """Sift *item* up from the end."""
        heap, place = self._heap, len(self._heap)
        heap.append(item)
        while place > 0:
            above = (place - 1) >> 1
            if self._compare(item, heap[above]) >= 0:
                break
            heap[place] = heap[above]
            place = above
        heap[place] = item

    def take(self) -> T:
        """Remove the first; the last is sifted down in its place."""
        heap = self._heap
        first, last = heap[0], heap.pop()
        if heap:
            self._sift_down(last)
        return first

    def _sift_down(self, item: T) -> None:
        heap, place = self._heap, 0
        while place < len(heap) >> 1:
            child = 2 * place + 1
            right = child + 1
            if right < len(heap) and self._compare(heap[child], heap[right]) > 0:
                child = right
            if self._compare(item, heap[child]) <= 0:
                break
            heap[place] = heap[child]
            place = child
        heap[place] = item
