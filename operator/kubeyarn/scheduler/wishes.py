"""Priority and queue of applications that live, as their specs say them now.

What was acted on last is written to the status of the request for the AM, so that a change made
while no scheduler ran is not lost.
"""

from __future__ import annotations

from kubeyarn.crd.object import Key, Object
from kubeyarn.model.errors import SpecError
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.scheduler import asks, binding
from kubeyarn.scheduler.asks import RequestState
from kubeyarn.scheduler.books import Books


def sync_wishes(
    books: Books, key: Key, found: Object, states: list[RequestState], now_ms: int
) -> None:
    """Priority and queue of a living application, as its spec says them now."""
    identity, am, spec = books.submitted_as[key], asks.master(states), found["spec"]
    wished = (spec.get("priority"), spec.get("queue") or "")
    before = books.wished.get(key) or asks.applied_before(states) or wished
    books.wished[key] = wished
    if am is None:
        return
    if am.applied != wished:
        am.applied = wished
        books.changed(am.key)
    if wished[0] is not None and wished[0] != before[0]:
        am.prioritized = _prioritize(books, key, int(wished[0]), now_ms)
        books.changed(am.key)
    if wished[1] and wished[1] != before[1]:
        am.moved = _move(books, key, wished[1], states, now_ms)
        books.changed(am.key)
    priority = books.engine.priority(identity)
    if am.priority != priority:
        am.priority = priority
        books.changed(am.key)


def _prioritize(books: Books, key: Key, wanted: int, now_ms: int) -> tuple[bool, str, str]:
    """Change an application's priority (Hadoop: updateApplicationPriority)."""
    if books.kind is SchedulerKind.FAIR:
        message = (
            f"spec.priority: found {wanted}, allowed: what it was when submitted, because the "
            "Fair Scheduler does not support changing priorities"
        )
        return False, "PriorityNotSupported", message
    try:
        given = books.engine.set_priority(books.submitted_as[key], wanted, now_ms)
    except SpecError as error:
        return False, getattr(error, "reason", "PriorityRefused"), f"spec.priority: {error}"
    limited = f", the most that is allowed; spec.priority is {wanted}" if given != wanted else ""
    return True, "Prioritized", f"priority {given} is in force{limited}"


def _move(
    books: Books, key: Key, queue: str, states: list[RequestState], now_ms: int
) -> tuple[bool, str, str]:
    """Move an application with its containers (Hadoop: moveApplicationAcrossQueues)."""
    try:
        placed = books.engine.move(books.submitted_as[key], queue, now_ms)
    except SpecError as error:
        return False, getattr(error, "reason", "MoveRefused"), str(error)
    books.placed[key] = placed
    for state in states:
        binding.recount(books, state, placed)
        books.changed(state.key)
    return True, "Moved", f"moved to {placed}"
