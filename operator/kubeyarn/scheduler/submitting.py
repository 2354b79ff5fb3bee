"""Applications and attempts that the engine is given, with what they already hold."""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.crd import submissions
from kubeyarn.crd.object import Key, Object
from kubeyarn.model.applications import Application
from kubeyarn.model.errors import AccessDenied, Rejected, SpecError
from kubeyarn.model.ids import ApplicationId
from kubeyarn.scheduler import asks, binding, growing, holding
from kubeyarn.scheduler.access_review import AccessReview, denied, groups_of
from kubeyarn.scheduler.asks import RequestState
from kubeyarn.scheduler.books import Books


def submit(
    books: Books, key: Key, found: Object, states: list[RequestState], now_ms: int, *, over: bool
) -> None:
    """Give the engine an application that has its AM's request."""
    am = asks.master(states)
    if am is None or (am.accepted is not None and not am.accepted[0]):
        return
    try:
        application = _read_application(books, found, states, am, over=over)
        if not _enter_if_allowed(books, key, application, states, now_ms):
            return
        if not over and not am.live and not am.pending:
            books.engine.master_gone(application.id)
    except SpecError as error:
        reason = error.reason if isinstance(error, Rejected) else "InvalidRequest"
        am.accepted = (False, str(reason), str(error))
        books.changed(am.key)
        return
    am.queue = books.placed[key]
    am.accepted = (True, "Accepted", f"placed in {am.queue}")
    books.changed(am.key)


def _enter_if_allowed(
    books: Books, key: Key, application: Application, states: list[RequestState], now_ms: int
) -> bool:
    """Submit an application as soon as its user's rights are known; whether they are.

    Which queue it is about is the engine's to say, whose placement decides.

    Raises:
        SpecError: the engine does not take it.
    """
    while True:
        try:
            enter(books, key, application, states, now_ms)
        except AccessDenied as refusal:
            groups = groups_of(books.applications[key], application)
            claim = AccessReview(application.user, groups, refusal.queue)
            allowed = books.may_submit(key, claim)
            if allowed is None:
                return False
            if not allowed or refusal.queue in application.allowed:
                raise denied(claim) from refusal
            application = replace(application, allowed=application.allowed | {refusal.queue})
        else:
            return True


def enter(
    books: Books, key: Key, application: Application, states: list[RequestState], now_ms: int
) -> None:
    """Submit an application and have its containers counted.

    Raises:
        SpecError: the engine does not take it.
    """
    books.placed[key] = books.engine.submit(application, now_ms)
    books.submitted_as[key] = application.id
    books.known_as[application.id] = application
    books.key_of[application.id] = key
    _begin_attempt(books, application, states, now_ms)
    for state in states:
        state.queue = state.queue or books.placed[key]
        _recover(books, state, application.id)
    # A ledger built anew in the same process must not name containers by names used before.
    attempt, last = books.last_number.get(application.id, (0, 0))
    if attempt == books.attempts[application.id]:
        books.engine.skip_numbers(application.id, last)


def _begin_attempt(
    books: Books, application: Application, states: list[RequestState], now_ms: int
) -> None:
    """Have the engine know which attempt it is that is being submitted."""
    am = asks.master(states)
    number = am.attempt if am is not None and application.am_size is not None else 1
    if number > 1:
        books.engine.start_attempt(application.id, number, now_ms)
    books.attempts[application.id] = number


def sync_attempt(books: Books, key: Key, states: list[RequestState], now_ms: int) -> None:
    """Begin the attempt that the newest request for an AM is of.

    What former attempts still hold is counted on: it is kept, or its pods are being deleted.
    """
    identity, am = books.submitted_as[key], asks.master(states)
    if am is None or am.attempt <= books.attempts[identity]:
        return
    books.attempts[identity] = am.attempt
    books.engine.start_attempt(identity, am.attempt, now_ms)
    growing.forget(books, identity)
    for state in states:
        holding.count_held(books, state, identity)
        if not state.am:
            state.asked = None
        state.excluded = frozenset()
    am.queue = books.placed[key]
    am.accepted = (True, "Accepted", f"placed in {am.queue}")
    books.changed(am.key)


def _read_application(
    books: Books, found: Object, states: list[RequestState], am: RequestState, *, over: bool
) -> Application:
    application = submissions.application(found, books.types)
    order = application.id.cluster_timestamp * 1_000_000 + application.id.number
    # What was placed once stays there: placement rules speak of new applications only.
    before = [s for s in states if s.am and s.queue and asks.accepted_before(s.found)]
    placed = max(before, key=lambda s: s.attempt).queue if before else ""
    queue = placed or am.queue or application.queue
    known = books.in_force.config.user_groups if books.in_force.config is not None else {}
    return replace(
        application,
        groups=known.get(application.user, application.groups),
        order=order,
        queue=queue,
        placed=placed,
        am_size=None if over and not am.live else application.am_size,
    )


def _recover(books: Books, state: RequestState, identity: ApplicationId) -> None:
    holding.count_held(books, state, identity)
    for container, held in sorted(state.grants.items()):
        if not held.freed:
            pod = books.pods_of.get(container)
            held.bound_uid = ""
            if pod is not None and pod.node:
                binding.bind(books, container, pod.uid)
