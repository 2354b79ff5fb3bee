"""ContainerRequests as the ledger sees them, and whose they are."""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.crd import amounts
from kubeyarn.crd.object import Key, Object, key_of
from kubeyarn.model.ids import ApplicationId
from kubeyarn.scheduler import asks, binding, charged, node_backoff, straying
from kubeyarn.scheduler.asks import RequestState
from kubeyarn.scheduler.books import AM_ROLE, Books


def see_request(books: Books, found: Object, *, deleted: bool) -> Key:
    """Take a ContainerRequest as seen; returns its application's key."""
    key = key_of(found)
    state = books.requests.get(key)
    uid = found["metadata"]["uid"]
    if deleted:
        # A deletion that nobody watched tells only which request it was.
        if state is None:
            return key[0], ""
        state.deleted |= state.uid == uid
        return state.application
    if state is not None and state.uid != uid:
        set_apart(books, state, state.application)
        state = None
    owner = (key[0], found["spec"]["application"])
    if state is None:
        am = found["spec"].get("role") == AM_ROLE
        state = books.requests[key] = RequestState(key, uid, owner, am, found)
        books.requests_of[owner].add(key)
    if asks.written_late(state.found, found):
        # By a scheduler that led before: what it granted is none of ours, and is taken off.
        books.changed(state.key)
    state.found = found
    return owner


def requests_for(books: Books, key: Key, found: Object | None) -> list[RequestState]:
    """An application's requests, deleted ones first: another may ask by the same key now."""
    states = [books.requests[k] for k in books.requests_of.get(key, ())]
    for state in states:
        if state.deleted and not state.made_for(found):
            forget(books, state)
    mine = [state for state in states if state.made_for(found)]
    return sorted(mine, key=lambda state: (not state.deleted, state.key))


def set_apart(books: Books, state: RequestState, application: Key) -> None:
    """Keep what a request holds under another key; what it says from now on is another's."""
    forget(books, state)
    mark = state.uid if application == state.application else application[1]
    apart = replace(
        state,
        key=(state.key[0], f"{state.key[1]} {mark}"),
        application=application,
        deleted=True,
    )
    books.requests[apart.key] = apart
    books.requests_of[application].add(apart.key)
    for container in apart.grants:
        books.granted_to[container] = apart.key
    if application != state.application and not state.deleted:
        # The object is still there: its owner's next one begins with it from the start.
        anew = RequestState(state.key, state.uid, state.application, state.am, state.found)
        anew.asked = 0
        books.requests[anew.key] = anew
        books.requests_of[anew.application].add(anew.key)
        books.changed(anew.key)


def read_once(books: Books, state: RequestState, identity: ApplicationId) -> None:
    """Read what an earlier process granted; from then on the grants here are the truth."""
    if state.asked is not None or state.grants:
        return
    status = state.found.get("status") or {}
    state.granted = max(state.granted, int(status.get("granted") or 0))
    state.queue = status.get("queue") or ""
    state.grants = asks.read_grants(state.found, identity)
    state.avoided = state.avoided or node_backoff.read(state.found)
    state.updating = charged.read(state.found, state.grants, books.types)
    if status.get("resources"):
        state.size = amounts.vector(status["resources"], "status.resources", books.types)
    killed = asks.read_killed(state.found)
    for container, held in state.grants.items():
        if container in killed:
            held.preempting = (True, killed[container])
        books.granted_to[container] = state.key
        pod = books.pods_of.get(container)
        if pod is not None:
            state.grants[container].freed = pod.over


def drop_completed(books: Books, state: RequestState) -> None:
    """Free what the ResourceManager has recorded as ended, and list it no longer."""
    for container in asks.completed(state.found):
        held = state.grants.pop(container, None)
        if held is None:
            continue
        books.changed(state.key)
        if not straying.keep(books, state, container, held):
            state.grants[container] = held
            binding.free(books, container)
            del state.grants[container]
            books.granted_to.pop(container, None)


def supersede(books: Books, states: list[RequestState]) -> None:
    """Note which requests are of attempts that have ended: they want nothing any more."""
    am = asks.master(states)
    newest = am.attempt if am is not None else 1
    for state in states:
        superseded = 0 < state.attempt < newest
        if state.superseded is not superseded:
            state.superseded = superseded
            books.changed(state.key)


def forget(books: Books, state: RequestState) -> None:
    """Keep nothing of a request any more."""
    books.requests.pop(state.key, None)
    books.requests_of[state.application].discard(state.key)
    for container in state.grants:
        books.granted_to.pop(container, None)


def free_unlaunched(books: Books, states: list[RequestState]) -> None:
    """A deleted application's or request's grants that have no pod get none any more.

    The pods there are give their room back as they go.
    """
    for state in states:
        for container in state.grants:
            if container not in books.pods_of:
                binding.free(books, container)
