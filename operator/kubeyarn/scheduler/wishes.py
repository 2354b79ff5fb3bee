"""Priority and queue of applications that live, as their specs say them now."""

from __future__ import annotations

from contextlib import suppress

from kubeyarn.model.errors import SpecError
from kubeyarn.scheduler import asks, binding
from kubeyarn.scheduler.asks import Key, RequestState
from kubeyarn.scheduler.books import Books, Object


def sync_wishes(
    books: Books, key: Key, found: Object, states: list[RequestState], now_ms: int
) -> None:
    """Priority and queue of a living application, as its spec says them now."""
    identity, spec = books.submitted_as[key], found["spec"]
    wished = (spec.get("priority"), spec.get("queue") or "")
    before = books.wished.get(key)
    books.wished[key] = wished
    if before is None or before == wished:
        return
    if wished[0] is not None and wished[0] != before[0]:
        with suppress(SpecError):
            # A scheduler that has no priorities goes on without.
            books.engine.set_priority(identity, int(wished[0]), now_ms)
    if wished[1] and wished[1] != before[1]:
        _move(books, key, wished[1], states, now_ms)


def _move(books: Books, key: Key, queue: str, states: list[RequestState], now_ms: int) -> None:
    """Move an application with its containers (Hadoop: moveApplicationAcrossQueues)."""
    am = asks.master(states)
    try:
        placed = books.engine.move(books.submitted_as[key], queue, now_ms)
    except SpecError as error:
        if am is not None:
            am.moved = (False, getattr(error, "reason", "MoveRefused"), str(error))
            books.changed(am.key)
        return
    books.placed[key] = placed
    for state in states:
        binding.recount(books, state, placed)
        books.changed(state.key)
    if am is not None:
        am.moved = (True, "Moved", f"moved to {placed}")
