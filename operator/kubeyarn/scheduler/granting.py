"""Decisions of the engine, noted on the requests that they are for."""

from __future__ import annotations

from kubeyarn.model.ids import ContainerId
from kubeyarn.scheduler import applications, asking, binding, growing, node_backoff
from kubeyarn.scheduler.asks import Held, RequestState
from kubeyarn.scheduler.books import Books
from kubeyarn.scheduler.facts import PodUse
from kubeyarn.schedulers.api import Grant, Preempt


def granted(books: Books, grant: Grant) -> None:
    """Note a decision of the engine, to be written."""
    container = grant.container
    state = books.request_for(container)
    if state is None:
        # Asked and gone within one cycle: nobody is there to be told.
        if books.opportunist.release(container.id) is None:
            books.engine.release(container.id, 0)
        return
    attempt = container.id.attempt
    known = books.last_number.get(attempt.application, (0, 0))
    books.last_number[attempt.application] = max(known, (attempt.number, container.id.number))
    state.grants[container.id] = Held(container.node, opportunistic=state.opportunistic)
    state.granted += 1
    state.asked = max(0, (state.asked or 0) - 1)
    state.size = container.size
    state.waits = None
    books.granted_to[container.id] = state.key
    books.changed(state.key)


def preempting(books: Books, decision: Preempt) -> None:
    """Note that a container is marked to be taken back, or is taken back now."""
    state, held = books.request_of(decision.container), books.held(decision.container)
    if state is None or held is None or held.freed:
        return
    if held.preempting is not None and held.preempting[0]:
        return
    said = (decision.kill, decision.message)
    if decision.kill:
        growing.cancel(books, decision.container)
    if held.preempting != said:
        held.preempting = said
        books.changed(state.key)


def revoke(books: Books, container: ContainerId, now_ms: int) -> None:
    """Take back a grant whose pod kube-scheduler refuses, and ask for another in its place.

    What an ApplicationMaster asked is only taken back: it is told, and asks again itself.
    """
    state, held = books.request_of(container), books.held(container)
    if state is None or held is None or held.freed or held.bound_uid:
        return
    binding.free(books, container)
    del state.grants[container]
    books.granted_to.pop(container, None)
    _avoid(books, state, held.node, container, now_ms)
    if not state.asked_by_master:
        state.granted -= 1
        _ask_again(books, state, now_ms)
    books.changed(state.key)


def _ask_again(books: Books, state: RequestState, now_ms: int) -> None:
    identity = books.submitted_as.get(state.application)
    if identity is None or state.over or state.superseded:
        return
    if state.am:
        books.engine.ask_for_master(identity, now_ms)
        return
    state.asked = None
    asking.sync_asks(books, state, over=False, now_ms=now_ms)


def _avoid(
    books: Books, state: RequestState, node: str, container: ContainerId, now_ms: int
) -> None:
    """Keep the application off a node that refused its pod for a while."""
    pod = books.pods_of.get(container)
    if pod is None or not pod.refused:
        return
    known, why = state.avoided.get(node), pod.refused
    state.avoided[node] = (
        known.again(now_ms, why) if known is not None else node_backoff.refused(now_ms, why)
    )
    applications.sync_application(books, state.application, now_ms)


def forgive(books: Books, now_ms: int) -> None:
    """Let applications use nodes again that they have avoided for long enough."""
    for key in [key for key, until_ms in books.avoiding.items() if until_ms <= now_ms]:
        del books.avoiding[key]
        applications.sync_application(books, key, now_ms)


def refused(books: Books, before: str) -> list[tuple[ContainerId, PodUse]]:
    """Granted containers whose pods kube-scheduler could not bind since the time *before*."""
    return [
        (container, use)
        for container, use in books.pods_of.items()
        if use.refused and not use.node and use.created < before
    ]
