"""Containers that pods use, counted in their queues, and room that is given back."""

from __future__ import annotations

from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector
from kubeyarn.scheduler import growing
from kubeyarn.scheduler.asks import Held, RequestState
from kubeyarn.scheduler.books import Books


def bind(books: Books, container: ContainerId, uid: str) -> None:
    """A pod uses a grant from now on; counted in its queues as bound."""
    state = books.request_of(container)
    held = books.held(container)
    if state is None or held is None or held.bound_uid or held.freed:
        return
    held.bound_uid, held.partition = uid, books.partition_of(held.node)
    _count(books, state, held, 1)


def unbind(books: Books, container: ContainerId, uid: str) -> None:
    """The binding did not come about."""
    state = books.request_of(container)
    held = books.held(container)
    if state is not None and held is not None and held.bound_uid == uid and not held.freed:
        held.bound_uid = ""
        _count(books, state, held, -1)


def _count(books: Books, state: RequestState, held: Held, sign: int) -> None:
    size = held.size or state.size
    if size is None or held.opportunistic:
        return
    for path in upwards(state.queue):
        holds = books.bound_in.setdefault((path, held.partition), [0] * len(size))
        for place, amount in enumerate(size):
            holds[place] += sign * amount
    user = (state.queue, books.user_of(state.application), held.partition)
    holds = books.bound_by.setdefault(user, [0] * len(size))
    for place, amount in enumerate(size):
        holds[place] += sign * amount


def recharge(
    books: Books, state: RequestState, held: Held, size: Vector, *, opportunistic: bool
) -> None:
    """A container holds so much from now on, outside of all guarantees or not."""
    counted = bool(held.bound_uid) and not held.freed
    if counted:
        _count(books, state, held, -1)
    held.size, held.opportunistic = size, opportunistic
    if counted:
        _count(books, state, held, 1)


def recount(books: Books, state: RequestState, queue: str) -> None:
    """Count what a request's bound containers hold in another queue from now on."""
    bound = [held for held in state.grants.values() if held.bound_uid and not held.freed]
    for held in bound:
        _count(books, state, held, -1)
    state.queue = queue
    for held in bound:
        _count(books, state, held, 1)


def repartition(books: Books, node: str) -> None:
    """Count what is bound to a node in the partition that it belongs to now.

    Source: Hadoop CapacityScheduler.updateLabelsOnNode: usage moves with the node's label.
    """
    partition = books.partition_of(node)
    for state in books.requests.values():
        for held in state.grants.values():
            moves = held.node == node and held.bound_uid and not held.freed
            if not moves or held.partition == partition:
                continue
            _count(books, state, held, -1)
            held.partition = partition
            _count(books, state, held, 1)


def free(books: Books, container: ContainerId) -> None:
    """Give a container's room back, once."""
    held = books.held(container)
    if held is None or held.freed:
        return
    state = books.request_of(container)
    if held.bound_uid and state is not None:
        _count(books, state, held, -1)
    held.freed = True
    growing.cancel(books, container)
    if books.opportunist.release(container) is None:
        books.engine.release(container, 0)


def upwards(queue: str) -> list[str]:
    """A queue's path and those of its parents, root first; none for ""."""
    parts = queue.split(".") if queue else []
    return [".".join(parts[: i + 1]) for i in range(len(parts))]
