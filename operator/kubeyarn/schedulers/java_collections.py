"""The orders in which Java's collections list or hand out their members.

Hadoop iterates over HashMaps, polls PriorityQueues and walks TreeSets, and whoever comes first is
offered a node first or is preempted first. Where members compare as equal, or a comparator
contradicts itself, that order is an accident of Java's implementation. The recorded scenarios hold
us to it, so the accidents are repeated here:

- `hash_order`, `request_key_order`: a hash table's buckets, by Java's hash codes.
- `JavaHeap`: the sifting of PriorityQueue, which does not keep the order of equal members.
- `tree_order`: the turns of TreeSet's red-black tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from kubeyarn.model.asks import AskKey

T = TypeVar("T")

_WORD = 0xFFFFFFFF

# -- HashMap -------------------------------------------------------------------------------------

_FIRST_TABLE = 16
_PRIORITY_HASH = 517861 * 9511
"""What Priority.hashCode begins with; SchedulerRequestKey.hashCode goes on from there."""


def string_hash(text: str) -> int:
    """Java's String.hashCode, as an unsigned 32-bit number."""
    value = 0
    for unit in _utf16(text):
        value = (31 * value + unit) & _WORD
    return value


def _utf16(text: str) -> list[int]:
    data = text.encode("utf-16-be", "surrogatepass")
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]


def hash_order(keys: Sequence[str], most: int = 0) -> list[str]:
    """*keys*, in order of insertion, as a HashMap lists them that once held *most*.

    After a refresh Hadoop keeps a parent's children in this order.
    """
    table = _FIRST_TABLE
    # A HashMap doubles once it holds more than three quarters of its table, and never shrinks.
    while max(len(keys), most) > table - (table >> 2):
        table *= 2
    return _by_bucket(keys, string_hash, table)


def request_key_order(keys: Iterable[AskKey]) -> list[AskKey]:
    """*keys*, in order of insertion, as a ConcurrentHashMap of SchedulerRequestKeys lists them.

    Hadoop: AppSchedulingInfo.getAllResourceRequests. It is not the order of service: of asks with
    priorities 1 and 2, priority 2 comes first.
    """
    known = list(keys)
    table = _FIRST_TABLE
    # A ConcurrentHashMap doubles already when it holds three quarters of its table.
    while len(known) >= table - (table >> 2):
        table *= 2
    return _by_bucket(known, _request_key_hash, table)


def _request_key_hash(key: AskKey) -> int:
    identity = key.allocation_request_id if key.allocation_request_id > 0 else 0
    folded = (identity ^ identity >> 32) & _WORD
    return 31 * (31 * (_PRIORITY_HASH + key.priority) + folded) & _WORD


def _by_bucket(keys: Iterable[T], hash_code: Callable[[T], int], table: int) -> list[T]:
    """Buckets in order, and within a bucket the order of insertion, which sorting keeps."""

    def bucket(key: T) -> int:
        # HashMap.hash: the upper half is mixed in, because a small table looks at the lowest bits
        # alone.
        value = hash_code(key)
        return (value ^ value >> 16) & (table - 1)

    return sorted(keys, key=bucket)


# -- PriorityQueue -------------------------------------------------------------------------------


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
            # Equal ones stay behind: Java sifts up only past greater members.
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
            # Of equal children the left one, as PriorityQueue.siftDownUsingComparator.
            if right < len(heap) and self._compare(heap[child], heap[right]) > 0:
                child = right
            if self._compare(item, heap[child]) <= 0:
                break
            heap[place] = heap[child]
            place = child
        heap[place] = item


# -- TreeSet -------------------------------------------------------------------------------------


class _Node(Generic[T]):
    __slots__ = ("item", "red", "sides", "up")

    def __init__(self, item: T, up: _Node[T] | None) -> None:
        self.item = item
        self.up = up
        self.red = up is not None
        self.sides: list[_Node[T] | None] = [None, None]


class _Tree(Generic[T]):
    """A red-black tree that only grows (Java: TreeMap.put, fixAfterInsertion)."""

    def __init__(self, compare: Callable[[T, T], int]) -> None:
        self._compare = compare
        self.root: _Node[T] | None = None

    def add(self, item: T) -> None:
        node, up, side = self.root, None, 0
        # An item that compares as equal is not added: a TreeSet keeps the first of them.
        while node is not None:
            found = self._compare(item, node.item)
            if found == 0:
                return
            up, side = node, int(found > 0)
            node = node.sides[side]
        added = _Node(item, up)
        if up is None:
            self.root = added
            return
        up.sides[side] = added
        self._mend(added)

    def _mend(self, node: _Node[T]) -> None:
        """Balance the tree above an added node as Java's TreeMap does.

        The shape matters: where comparisons are not transitive, it decides which items a later
        search is compared with, and so where they end up.
        """
        while (up := node.up) is not None and up.red and (top := up.up) is not None:
            side = int(top.sides[1] is up)
            uncle = top.sides[1 - side]
            if uncle is not None and uncle.red:
                up.red = uncle.red = False
                top.red = True
                node = top
                continue
            if up.sides[1 - side] is node:
                self._turn(up, side)
                node, up = up, node
            up.red = False
            top.red = True
            self._turn(top, 1 - side)
        if self.root is not None:
            self.root.red = False

    def _turn(self, node: _Node[T], side: int) -> None:
        """Let the other child of *node* take its place; *node* goes down on *side*."""
        rising = node.sides[1 - side]
        if rising is None:
            return
        inner = rising.sides[side]
        node.sides[1 - side] = inner
        if inner is not None:
            inner.up = node
        rising.up = node.up
        if node.up is None:
            self.root = rising
        else:
            node.up.sides[int(node.up.sides[1] is node)] = rising
        rising.sides[side] = node
        node.up = rising


def tree_order(items: Iterable[T], compare: Callable[[T, T], int]) -> list[T]:
    """*items*, in order of insertion, as a TreeSet lists them; of level ones the first is kept."""
    tree = _Tree(compare)
    for item in items:
        tree.add(item)
    found: list[T] = []
    waiting: list[_Node[T]] = []
    node = tree.root
    while node is not None or waiting:
        while node is not None:
            waiting.append(node)
            node = node.sides[0]
        node = waiting.pop()
        found.append(node.item)
        node = node.sides[1]
    return found
