"""What containers want more of, asked of the engine: more room, or to be guaranteed.

One that is opportunistic and is to be guaranteed wants all that it has.
"""

from __future__ import annotations

from kubeyarn.model.asks import update_key
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.reasons import Verdict
from kubeyarn.model.resources import Vector
from kubeyarn.scheduler.asks import Growth
from kubeyarn.scheduler.books import Books


def want(books: Books, container: Container, more: Vector) -> None:
    """Have the engine know that a container wants so much more; zero: nothing."""
    if not any(more):
        cancel(books, container.id)
        return
    facts = books.nodes.get(container.node)
    place = (facts.partition, facts.rack) if facts is not None else ("", "")
    known, wanted = books.growing.get(container.id), Growth(container, more, place)
    if known is None or (known.more, known.place) != (more, place):
        books.growing[container.id] = wanted
        books.engine.request_increase(container, more)


def cancel(books: Books, container: ContainerId) -> None:
    """A container wants nothing more."""
    known = books.growing.pop(container, None)
    if known is not None and container.attempt.application in books.key_of:
        books.engine.request_increase(known.container, books.types.zero())
    held = books.held(container)
    if held is not None:
        held.waits = None


def forget(books: Books, application: ApplicationId) -> None:
    """The engine has forgotten what an application's containers want."""
    for container in [c for c in books.growing if c.attempt.application == application]:
        del books.growing[container]


def look(books: Books, node: str) -> None:
    """A node changed: what waits there is asked anew if the node is in another place now."""
    for growth in [g for g in books.growing.values() if g.container.node == node]:
        want(books, growth.container, growth.more)


def why(books: Books, container: ContainerId, now_ms: int) -> Verdict | None:
    """What stops a container from having more."""
    known = books.growing[container].container
    key = update_key(known.key, str(container))
    return books.engine.why(container.attempt.application, key, now_ms)
