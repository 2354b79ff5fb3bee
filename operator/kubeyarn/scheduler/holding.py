"""What requests hold, as the engine and the ledger of opportunistic containers count it."""

from __future__ import annotations

from kubeyarn.model.asks import Ask
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.scheduler import asking
from kubeyarn.scheduler.asks import RequestState
from kubeyarn.scheduler.books import Books


def count_held(books: Books, state: RequestState, identity: ApplicationId) -> None:
    """Have what a request holds counted."""
    ask = asking.read_ask(books, state)
    if ask is None:
        return
    for container, held in sorted(state.grants.items()):
        if held.freed:
            continue
        found = as_container(books, state, ask, container)
        if not held.opportunistic:
            books.engine.recover(identity, found)
            continue
        books.opportunist.hold(found)
        if container.attempt.number == books.attempts[identity]:
            books.engine.skip_numbers(identity, container.number)


def as_container(books: Books, state: RequestState, ask: Ask, container: ContainerId) -> Container:
    """A granted container; its partition is the one that was asked for."""
    identity, held = container.attempt.application, state.grants[container]
    return Container(
        container,
        ask.key,
        held.node,
        held.size or state.size or ask.size,
        ask.partition or books.known_as[identity].partition or "",
        am=state.am and container.attempt.number == books.attempts[identity],
        tags=ask.tags,
    )
