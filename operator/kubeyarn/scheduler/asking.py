"""What requests still want, asked of the engine."""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.crd import submissions
from kubeyarn.model.asks import Ask
from kubeyarn.model.errors import Rejected, SpecError
from kubeyarn.scheduler import requests
from kubeyarn.scheduler.asks import RequestState
from kubeyarn.scheduler.books import Books


def sync_asks(books: Books, state: RequestState, *, over: bool, now_ms: int) -> None:
    """Have the engine know how many containers a request still wants."""
    identity = books.submitted_as[state.application]
    state.queue = state.queue or books.placed.get(state.application, "")
    wanted = 0 if over else state.pending
    if state.am or state.asked == wanted:
        state.asked = wanted
        return
    ask = read_ask(books, state)
    if ask is None:
        return
    try:
        books.engine.update_asks(identity, [replace(ask, count=wanted)], now_ms)
    except SpecError as error:
        reason = error.reason if isinstance(error, Rejected) else "InvalidRequest"
        _refuse(books, state, str(reason), str(error))
        return
    state.asked = wanted
    if state.accepted is None or not state.accepted[0]:
        state.accepted = (True, "Accepted", f"asked in {state.queue}")
    books.changed(state.key)


def read_ask(books: Books, state: RequestState) -> Ask | None:
    """What a request asks; None, and the request refused, if it cannot be read."""
    try:
        ask = submissions.ask(state.found, books.types)
    except SpecError as error:
        _refuse(books, state, "InvalidRequest", str(error))
        return None
    state.size = state.size or ask.size
    return ask


def _refuse(books: Books, state: RequestState, reason: str, message: str) -> None:
    refusal = (False, reason, message)
    if state.accepted != refusal:
        state.accepted = refusal
        state.asked = 0
        books.changed(state.key)


def orphan(books: Books, state: RequestState) -> None:
    """A request whose application is not there, or has no id yet."""
    name = state.application[1]
    if state.deleted:
        requests.forget(books, state)
    elif state.application not in books.applications:
        message = f"spec.application: found {name!r}, which does not exist in this namespace"
        _refuse(books, state, "ApplicationNotFound", message)
