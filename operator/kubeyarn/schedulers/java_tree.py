"""The order a TreeSet of Java's lists members in, whatever its comparator does.

Where a comparator contradicts itself (a is level with b and with c, but b is before c), the order
hangs on the order of insertion and on how the red-black tree turns. Hadoop has such comparators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


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
