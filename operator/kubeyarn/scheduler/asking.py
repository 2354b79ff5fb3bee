"""What requests still want, asked of the engine."""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.crd import submissions
from kubeyarn.model.asks import Ask
from kubeyarn.model.errors import Rejected, SpecError
from kubeyarn.model.ids import ApplicationId
from kubeyarn.scheduler import node_backoff, requests
from kubeyarn.scheduler.asks import RequestState
from kubeyarn.scheduler.books import Books


def sync_asks(books: Books, state: RequestState, *, over: bool, now_ms: int) -> None:
    """Have the engine know how many containers a request still wants."""
    identity = books.submitted_as[state.application]
    state.queue = state.queue or books.placed.get(state.application, "")
    wanted = 0 if over else state.pending
    if state.am:
        state.asked = wanted
        return
    spec = state.found["spec"]
    excluded = excluded_now(books, state, now_ms)
    where = (spec.get("locality"), spec.get("placementConstraint"), spec.get("allocationTags"))
    same_place = state.excluded == excluded and state.asked_where == where
    if state.asked == wanted and (same_place or not wanted):
        return
    ask = read_ask(books, state)
    if ask is None:
        return
    try:
        locality = replace(ask.locality, excluded=excluded)
        ask = replace(ask, count=wanted, locality=locality)
        if state.opportunistic:
            _ask_beside(books, identity, ask)
        else:
            books.engine.update_asks(identity, [ask], now_ms)
    except SpecError as error:
        reason = error.reason if isinstance(error, Rejected) else "InvalidRequest"
        _refuse(books, state, str(reason), str(error))
        return
    state.asked, state.excluded, state.asked_where = wanted, excluded, where
    if state.accepted is None or not state.accepted[0]:
        state.accepted = (True, "Accepted", f"asked in {state.queue}")
    books.changed(state.key)


def _ask_beside(books: Books, identity: ApplicationId, ask: Ask) -> None:
    """Ask for opportunistic containers.

    Raises:
        SpecError: too large, or with a placement constraint.
    """
    if ask.constraint is not None:
        raise SpecError(
            "spec.placementConstraint: found one with executionType Opportunistic, allowed: "
            "Guaranteed"
        )
    size = books.engine.rounded(identity, ask.size)
    books.opportunist.update(identity, replace(ask, size=size))


def sync_master(books: Books, state: RequestState, now_ms: int) -> None:
    """Have the engine know where the current attempt's AM is not to be granted."""
    excluded = excluded_now(books, state, now_ms)
    if state.excluded != excluded:
        state.excluded = excluded
        books.engine.exclude_for_master(books.submitted_as[state.application], excluded)


def excluded_now(books: Books, state: RequestState, now_ms: int) -> frozenset[str]:
    """Where a request gets nothing now; when that changes by itself is noted."""
    others = [books.requests[key] for key in books.requests_of[state.application]]
    avoided = [other.avoided for other in others if other.avoided]
    ends = [a.until_ms for one in avoided for a in one.values() if a.until_ms > now_ms]
    if ends:
        books.avoiding[state.application] = min(ends)
    return node_backoff.excluded(state.found, avoided, now_ms)


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
    """A request whose application is not there, or has no id yet.

    One that the ResourceManager made is of an application that it has seen: its watch was quicker
    than ours. Refused, it would end the application.
    """
    name = state.application[1]
    if state.deleted:
        requests.forget(books, state)
    elif state.application not in books.applications and not (state.am or state.asked_by_master):
        message = f"spec.application: found {name!r}, which does not exist in this namespace"
        _refuse(books, state, "ApplicationNotFound", message)
