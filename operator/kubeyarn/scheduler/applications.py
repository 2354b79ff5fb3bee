"""YarnApplications as the ledger sees them, from the first sight to the last container."""

from __future__ import annotations

from kubeyarn.crd.object import Key, Object, key_of
from kubeyarn.scheduler import asking, asks, growing, requests, submitting, updating, wishes
from kubeyarn.scheduler.asks import RequestState
from kubeyarn.scheduler.books import ENDED, Books, application_id


def see_application(books: Books, found: Object, *, deleted: bool) -> Key:
    """Take a YarnApplication as seen."""
    key = key_of(found)
    if deleted:
        books.applications.pop(key, None)
    else:
        books.applications[key] = found
    return key


def sync_application(books: Books, key: Key, now_ms: int) -> None:
    """Bring one application with its requests in line."""
    found = books.applications.get(key)
    _retire(books, key, found, now_ms)
    states = requests.requests_for(books, key, found)
    identity = application_id(found) if found else books.submitted_as.get(key)
    if identity is None:
        for state in states:
            asking.orphan(books, state)
        return
    for state in states:
        requests.read_once(books, state, identity)
        requests.drop_completed(books, state)
    requests.supersede(books, states)
    over = found is None or (found.get("status") or {}).get("state") in ENDED
    requests.free_unlaunched(books, [state for state in states if found is None or state.deleted])
    wanted = not over or asks.any_live(states)
    if found is not None and wanted and key not in books.submitted_as:
        submitting.submit(books, key, found, states, now_ms, over=over)
    if key in books.submitted_as and not over:
        submitting.sync_attempt(books, key, states, now_ms)
        master = asks.master(states)
        if master is not None:
            asking.sync_master(books, master, now_ms)
    if key in books.submitted_as and found is not None and not over:
        wishes.sync_wishes(books, key, found, states, now_ms)
    if key in books.submitted_as:
        for state in states:
            if over and not state.over:
                state.over = True
                books.changed(state.key)
            asking.sync_asks(books, state, over=over, now_ms=now_ms)
            updating.sync_updates(books, state, over=over)
        if over:
            _finish_when_empty(books, key, states, now_ms)
    for state in [s for s in states if s.deleted and not s.live]:
        requests.forget(books, state)


def _retire(books: Books, key: Key, found: Object | None, now_ms: int) -> None:
    """Keep apart what a deleted application still holds, so that its name is free again."""
    identity = books.submitted_as.get(key)
    same = found is not None and application_id(found) == identity
    if identity is None or same or key in books.apart:
        return
    apart = (key[0], f"{key[1]} {identity}")
    books.apart[apart] = books.known_as[identity]
    books.submitted_as[apart] = books.submitted_as.pop(key)
    books.placed[apart] = books.placed.pop(key)
    books.key_of[identity] = apart
    books.wished.pop(key, None)
    for state in [books.requests[k] for k in sorted(books.requests_of[key])]:
        requests.set_apart(books, state, apart)
    sync_application(books, apart, now_ms)


def _finish_when_empty(books: Books, key: Key, states: list[RequestState], now_ms: int) -> None:
    if asks.any_live(states):
        return
    identity = books.submitted_as.pop(key)
    books.apart.pop(key, None)
    books.known_as.pop(identity, None)
    books.last_number.pop(identity, None)
    books.attempts.pop(identity, None)
    books.placed.pop(key, None)
    books.wished.pop(key, None)
    books.key_of.pop(identity, None)
    books.engine.finish(identity, now_ms)
    growing.forget(books, identity)
    books.opportunist.finish(identity)
