"""Containers that are to be otherwise than they were granted (Hadoop: container updates).

A request's spec wishes sizes and execution types for single containers. What is charged is in its
status: at least what the ResourceManager says the container has, and what is wished as soon as
there is room for it. A demotion frees the queue's use at once; a promotion waits for room as more
of a size does (Hadoop: AbstractYarnScheduler.handleContainerUpdates).
"""

from __future__ import annotations

from kubeyarn.cluster import names
from kubeyarn.crd import amounts
from kubeyarn.crd.object import Object
from kubeyarn.model.asks import Ask
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector, component_max, component_min, subtract
from kubeyarn.scheduler import asking, binding, charged, growing, holding
from kubeyarn.scheduler.asks import Held, RequestState
from kubeyarn.scheduler.books import Books
from kubeyarn.scheduler.charged import Actual
from kubeyarn.schedulers.api import Increase


def sync_updates(books: Books, state: RequestState, *, over: bool = False) -> None:
    """Have the engine charge what containers of a request are to have, as far as it can."""
    wishes = charged.entries(state.found["spec"])
    if not wishes and not state.updating:
        return
    updated = charged.entries(state.found.get("status") or {}, "updated")
    ask = asking.read_ask(books, state)
    for container in sorted({*wishes, *state.updating} & state.grants.keys()):
        held = state.grants[container]
        if held.freed or state.size is None or ask is None:
            continue
        state.updating.add(container)
        before = _facts(held)
        if over or (held.preempting is not None and held.preempting[0]):
            growing.cancel(books, container)
        else:
            found = charged.actual(updated.get(container), state, books.types)
            _sync_one(books, state, ask, container, wishes.get(container) or {}, found)
        if _facts(held) != before:
            books.changed(state.key)
    state.updating &= state.grants.keys()


def grown(books: Books, decision: Increase) -> None:
    """A container has more from now on, or is guaranteed."""
    container = decision.container
    state, held = books.request_of(container.id), books.held(container.id)
    books.growing.pop(container.id, None)
    if state is None or held is None or held.freed:
        books.engine.release(container.id, 0)
        return
    books.opportunist.release(container.id)
    binding.recharge(books, state, held, container.size, opportunistic=False)
    held.waits = None
    # What was wished may be another size by now.
    sync_updates(books, state)
    books.changed(state.key)


def note_why(books: Books, container: ContainerId, now_ms: int) -> None:
    """Note what a container waits for that wants more; the same reason costs no write."""
    state, held = books.request_of(container), books.held(container)
    verdict = growing.why(books, container, now_ms)
    if state is None or held is None or verdict is None:
        return
    if held.waits is None or held.waits[0] != verdict.reason.value:
        held.waits = (verdict.reason.value, verdict.message)
        books.changed(state.key)


def _facts(held: Held) -> tuple[object, ...]:
    return held.size, held.opportunistic, held.wanted, held.refused, held.waits


def _sync_one(
    books: Books,
    state: RequestState,
    ask: Ask,
    container: ContainerId,
    wish: Object,
    actual: Actual,
) -> None:
    """Bring one container in line."""
    held = state.grants[container]
    held.wanted, held.refused, opportunistic = actual.size, "", actual.opportunistic
    try:
        held.wanted = _wished_size(books, container, wish, actual)
        opportunistic = _wished_type(state, wish, actual)
    except SpecError as error:
        held.refused = str(error)
    if opportunistic and not held.opportunistic:
        _demote(books, state, held, holding.as_container(books, state, ask, container))
    size = component_max(actual.size, held.wanted)
    known = holding.as_container(books, state, ask, container)
    if held.opportunistic:
        _hold_beside(books, state, held, known, actual.size)
        growing.want(books, known, books.types.zero() if opportunistic else actual.size)
    else:
        _charge(books, state, held, known, size)


def _wished_size(books: Books, container: ContainerId, wish: Object, actual: Actual) -> Vector:
    """The size that is wished, rounded up.

    Raises:
        SpecError: it will not be had.
    """
    if not wish.get("resources"):
        return actual.size
    if actual.opportunistic:
        raise SpecError(
            "updates.resources: found a size for an opportunistic container, allowed: for "
            "guaranteed ones; promote it first"
        )
    said = amounts.positive_vector(wish["resources"], "updates", books.types)
    size = tuple(new or old for new, old in zip(said, actual.size, strict=True))
    return books.engine.rounded(container.attempt.application, size)


def _wished_type(state: RequestState, wish: Object, actual: Actual) -> bool:
    """Whether it is to be opportunistic.

    Raises:
        SpecError: an ApplicationMaster may not.
    """
    said = wish.get("executionType")
    if said is None:
        return actual.opportunistic
    if state.am and said == names.OPPORTUNISTIC:
        raise SpecError(
            "updates.executionType: found Opportunistic for an ApplicationMaster, allowed: "
            "Guaranteed"
        )
    return bool(said == names.OPPORTUNISTIC)


def _demote(books: Books, state: RequestState, held: Held, container: Container) -> None:
    growing.cancel(books, container.id)
    books.engine.release(container.id, 0)
    books.opportunist.hold(container)
    binding.recharge(books, state, held, container.size, opportunistic=True)
    # The policy takes back what is guaranteed; nobody needs this one's room any more.
    held.preempting = None


def _hold_beside(
    books: Books, state: RequestState, held: Held, container: Container, size: Vector
) -> None:
    """Count an opportunistic container as large as it is."""
    if container.size != size:
        books.opportunist.release(container.id)
        books.opportunist.hold(container._replace(size=size))
        binding.recharge(books, state, held, size, opportunistic=True)


def _charge(
    books: Books, state: RequestState, held: Held, container: Container, size: Vector
) -> None:
    """Charge less at once, and ask for more."""
    least = component_min(container.size, size)
    if least != container.size:
        books.engine.decrease(container.id, least)
        binding.recharge(books, state, held, least, opportunistic=False)
    growing.want(books, container._replace(size=least), subtract(size, least))
