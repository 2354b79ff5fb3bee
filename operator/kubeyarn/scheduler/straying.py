"""Containers that may run although no request lists them: counted until their pods are over."""

from __future__ import annotations

from kubeyarn.crd.object import Key
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector
from kubeyarn.scheduler.asks import Held, RequestState
from kubeyarn.scheduler.books import Books
from kubeyarn.scheduler.facts import PodUse


def keep(books: Books, state: RequestState, container: ContainerId, held: Held) -> bool:
    """Go on counting a container that *state* lists no longer, if its pod may run still."""
    use = books.pods_of.get(container)
    if use is None or use.over or not use.node or held.freed:
        return False
    note(books, apart(use, state.application, state.size, state.queue), container, held)
    return True


def note(books: Books, state: RequestState, container: ContainerId, held: Held) -> None:
    """Enter a container as granted to *state*."""
    state.grants[container] = held
    books.requests[state.key] = state
    books.requests_of[state.application].add(state.key)
    books.granted_to[container] = state.key


def apart(use: PodUse, application: Key, size: Vector | None, queue: str) -> RequestState:
    """A request that nobody wrote, for one container; it asks for nothing."""
    name = f"{use.name} {use.uid}"
    found = {
        "metadata": {"name": name, "namespace": use.namespace, "uid": use.uid},
        "spec": {"application": application[1], "count": 0},
    }
    key = (use.namespace, name)
    return RequestState(
        key,
        use.uid,
        application,
        am=False,
        found=found,
        size=size,
        queue=queue,
        asked=0,
        deleted=True,
    )
