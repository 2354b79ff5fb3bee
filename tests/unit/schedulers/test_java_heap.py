"""The heap that sifts as Java's PriorityQueue."""

from __future__ import annotations

from kubeyarn.schedulers.java_heap import JavaHeap


def drained(items: list[tuple[int, str]]) -> str:
    heap = JavaHeap[tuple[int, str]](lambda one, other: one[0] - other[0])
    for item in items:
        heap.add(item)
    return "".join(heap.take()[1] for _ in range(len(heap)))


def test_the_smallest_comes_first() -> None:
    assert drained([(3, "c"), (1, "a"), (4, "d"), (2, "b")]) == "abcd"


def test_among_equals_the_order_is_javas_and_not_that_of_their_arrival() -> None:
    assert drained([(1, letter) for letter in "abcde"]) == "aedcb"


def test_what_is_in_it_can_be_asked() -> None:
    heap = JavaHeap[int](lambda one, other: one - other)
    heap.add(2)
    heap.add(1)

    assert 2 in heap
    assert 3 not in heap
    assert heap.peek() == 1
    assert len(heap) == 2
