"""Containers that only their pods tell of, taken into the ledger.

A request is gone before its pods are, when its application is deleted. A scheduler that starts in
that moment, or sees a binding come about whose grant was taken back, must not give the room of such
a container to others.
"""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.crd import amounts, quantities
from kubeyarn.crd.object import Key
from kubeyarn.model.applications import Application
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.scheduler import binding, holding, requests, straying, submitting
from kubeyarn.scheduler.asks import Held
from kubeyarn.scheduler.books import Books
from kubeyarn.scheduler.facts import Origin, PodUse


def take_in(books: Books, now_ms: int) -> list[str]:
    """Count the bound pods that no request tells of; returns nodes whose free room that changed."""
    strays, books.strays = sorted(books.strays), set()
    changed = []
    for container in strays:
        use = books.pods_of.get(container)
        if use is None or not use.node or use.over or container in books.granted_to:
            continue
        if use.origin is not None and not _adopt(books, container, use, use.origin, now_ms):
            changed.append(use.node)
    return changed


def _adopt(books: Books, container: ContainerId, use: PodUse, origin: Origin, now_ms: int) -> bool:
    """Whether it counts in its queue; one whose queue is gone counts on its node only."""
    identity = container.attempt.application
    known = books.key_of.get(identity)
    key = known or (use.namespace, f"{origin.application} {identity}")
    try:
        size = amounts.vector(origin.granted, "resources.requests", books.types)
    except SpecError:
        size = books.types.zero()
    state = straying.apart(use, key, size, books.placed.get(key, origin.queue))
    straying.note(books, state, container, Held(use.node, opportunistic=origin.opportunistic))
    if known is not None:
        holding.count_held(books, state, identity)
    elif not _enter(books, key, container, origin, now_ms):
        requests.forget(books, state)
        taken = quantities.amounts(dict(origin.granted), "resources.requests")
        books.foreign[use.node][use.namespace, use.name] = replace(use, requests=taken)
        return False
    binding.bind(books, container, use.uid)
    return True


def _enter(books: Books, key: Key, container: ContainerId, origin: Origin, now_ms: int) -> bool:
    """Have the engine know an application of which nothing is left but pods."""
    identity = container.attempt.application
    order = identity.cluster_timestamp * 1_000_000 + identity.number
    application = Application(identity, origin.user, origin.queue, placed=origin.queue, order=order)
    states = requests.requests_for(books, key, None)
    books.apart[key] = application
    try:
        submitting.enter(books, key, application, states, now_ms)
    except SpecError:
        del books.apart[key]
        return False
    return True
