"""Why an ask waits, with the numbers (`why`): the first limit in the scheduler's own order."""

from __future__ import annotations

from kubeyarn.model.asks import AM_KEY, AskKey, is_update
from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.reasons import Reason, Verdict, listed
from kubeyarn.model.resources import ResourceTypes, Vector, add, fits
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.am_limits import master_limit
from kubeyarn.schedulers.fair.comparing import below
from kubeyarn.schedulers.fair.container_assigner import Assigner, is_excluded
from kubeyarn.schedulers.fair.max_running_apps import Runners
from kubeyarn.schedulers.fair.objects import Attempt, Outstanding, Queue, Room


def why(
    ledger: Ledger, assigner: Assigner, runners: Runners, attempt: Attempt, key: AskKey
) -> Verdict | None:
    """What stops the ask of that key; None when it is not outstanding."""
    ask = attempt.asks.get(key)
    if ask is None:
        return None
    return (
        _not_running(runners, attempt)
        or _no_node(ledger, ask)
        or _excluded(ledger, attempt, ask)
        or _constrained(ledger, assigner, attempt, ask)
        or _am_share(ledger, assigner, attempt, key)
        or _maximum(ledger, attempt, ask)
        or _nodes(ledger, attempt, ask)
        or _turn(ledger, attempt, ask)
    )


def _amounts(types: ResourceTypes, vector: Vector) -> str:
    return types.text(vector)


def _not_running(runners: Runners, attempt: Attempt) -> Verdict | None:
    if attempt.is_runnable:
        return None
    queue, user = attempt.queue, attempt.application.user
    place = queue.waiting.index(attempt) + 1
    if runners.running_of(user) >= runners.maximum_of(user):
        return Verdict(
            Reason.PARALLEL_LIMIT,
            f"user {user} runs {runners.running_of(user)} applications and may run "
            f"{runners.maximum_of(user)}",
            place,
        )
    full = next((q for q in queue.up() if q.running >= q.maximum_running), queue)
    return Verdict(
        Reason.PARALLEL_LIMIT,
        f"queue {full.path} runs {full.running} applications and may run {full.maximum_running}",
        place,
    )


def _am_share(ledger: Ledger, assigner: Assigner, attempt: Attempt, key: AskKey) -> Verdict | None:
    queue = attempt.queue
    if attempt.am_running or attempt.unmanaged or key != AM_KEY:
        return None
    size = attempt.asks[key].ask.size
    if assigner.may_run_am(queue, size) or _waits_for_room(ledger, queue, size):
        return None
    return Verdict(
        Reason.AM_LIMIT,
        f"queue {queue.path}: ApplicationMasters use {_amounts(ledger.types, queue.am_usage)}, "
        f"this one wants {_amounts(ledger.types, size)}, together they may use "
        f"{_amounts(ledger.types, assigner.am_limit(queue))} "
        f"(maxAMShare {queue.maximum_am_share:g})",
        _place(attempt),
    )


def _waits_for_room(ledger: Ledger, queue: Queue, size: Vector) -> bool:
    """Whether the AM share would do if the cluster were not full.

    Where the queue has no fair share of a resource, its AMs may use part of what is free.
    """
    empty = master_limit(queue.maximum_am_share, queue.fair_share, ledger.cluster, queue.maximum)
    full = not any(fits(size, room.free) for room in ledger.rooms.values())
    return full and fits(add(queue.am_usage, size), empty)


def _maximum(ledger: Ledger, attempt: Attempt, ask: Outstanding) -> Verdict | None:
    for queue in attempt.queue.up():
        wanted = add(queue.usage, ask.ask.size)
        if not fits(wanted, queue.maximum):
            own = queue is attempt.queue
            return Verdict(
                Reason.QUEUE_MAXIMUM if own else Reason.PARENT_MAXIMUM,
                f"queue {queue.path} holds {_amounts(ledger.types, queue.usage)}; with "
                f"{_amounts(ledger.types, ask.ask.size)} more it would pass its maximum, "
                f"{_amounts(ledger.types, queue.maximum)}",
                _place(attempt),
            )
    return None


def _schedulable(ledger: Ledger) -> list[Room]:
    return [room for room in ledger.rooms.values() if room.node.schedulable]


def _no_node(ledger: Ledger, ask: Outstanding) -> Verdict | None:
    size, rooms = ask.ask.size, _schedulable(ledger)
    if any(fits(size, room.node.total) for room in rooms):
        return None
    return Verdict(
        Reason.NO_NODE_FITS,
        f"none of {len(rooms)} schedulable nodes has {_amounts(ledger.types, size)}",
    )


def _excluded(ledger: Ledger, attempt: Attempt, ask: Outstanding) -> Verdict | None:
    """Every node that has the room, or if none has it, that could have it, is excluded."""
    size, locality = ask.ask.size, ask.ask.locality
    if not locality.excluded:
        return None
    able = [room for room in _schedulable(ledger) if fits(size, room.node.total)]
    for found in ([room for room in able if fits(size, room.free)], able):
        out = [room.node.name for room in found if is_excluded(locality, room)]
        if found and len(out) == len(found):
            what = "with room" if found is not able else "that could hold it"
            message = (
                f"all nodes {what} are excluded: {listed(out)}; {ask.count} of "
                f"{_amounts(ledger.types, size)} wait"
            )
            return Verdict(Reason.NODES_EXCLUDED, message, _place(attempt))
    return None


def _constrained(
    ledger: Ledger, assigner: Assigner, attempt: Attempt, ask: Outstanding
) -> Verdict | None:
    """Every node that has the room is forbidden by the placement constraint."""
    constraint, size = ask.ask.constraint, ask.ask.size
    if constraint is None:
        return None
    found = [room for room in _schedulable(ledger) if fits(size, room.free)]
    if not found or any(assigner.allows(attempt, ask, room) for room in found):
        return None
    message = (
        f"none of {len(found)} nodes with room is allowed by {constraint.text!r}: "
        f"{listed([room.node.name for room in found])}; {ask.count} of "
        f"{_amounts(ledger.types, size)} wait"
    )
    return Verdict(Reason.PLACEMENT_CONSTRAINT, message, _place(attempt))


def _nodes(ledger: Ledger, attempt: Attempt, ask: Outstanding) -> Verdict | None:
    size, rooms = ask.ask.size, _schedulable(ledger)
    if is_update(ask.ask.key):
        rooms = [room for room in rooms if room.node.name in ask.nodes]
    if attempt.reservations:
        names = ", ".join(sorted(attempt.reservations))
        return Verdict(Reason.RESERVED, f"room is reserved and filling up on {names}")
    if not any(fits(size, room.free) for room in rooms):
        return _share(ledger, attempt, f"no node has {_amounts(ledger.types, size)} free")
    if ask.nodes or ask.racks:
        return Verdict(
            Reason.LOCALITY_DELAY,
            f"it waits for nodes {sorted(ask.nodes)} or racks {sorted(ask.racks)}, "
            f"{ask.patience.opportunities} opportunities passed by",
        )
    return None


def _share(ledger: Ledger, attempt: Attempt, full: str) -> Verdict:
    """The nodes are full: the queue that has less than its share is owed something."""
    for queue in attempt.queue.up():
        if queue.parent is None:
            break
        policy = queue.parent.policy
        if below(policy, ledger.cluster, queue.usage, queue.fair_share):
            return Verdict(
                Reason.BELOW_IN_FAIR_SHARE,
                f"{full}; queue {queue.path} holds {_shared(ledger.types, policy, queue.usage)}, "
                f"below its fair share of {_shared(ledger.types, policy, queue.fair_share)}, "
                "and is next when containers end",
                _place(attempt),
            )
    return Verdict(Reason.NODES_BUSY, full, _place(attempt))


def _shared(types: ResourceTypes, policy: FairPolicy, vector: Vector) -> str:
    """The amounts a policy shares out: all under drf, memory alone under fair."""
    if policy is FairPolicy.DRF:
        return types.text(vector)
    return types.amount(types.names[0], vector[0])


def _turn(ledger: Ledger, attempt: Attempt, ask: Outstanding) -> Verdict:
    place = _place(attempt)
    return Verdict(
        Reason.BEHIND_IN_QUEUE,
        f"{ask.count} of {_amounts(ledger.types, ask.ask.size)} wait for their turn, number "
        f"{place} in queue {attempt.queue.path}",
        place,
    )


def _place(attempt: Attempt) -> int:
    """Its place in its leaf's line, 1 is next; 0 when it is not in line."""
    for place, member in enumerate(attempt.queue.line, start=1):
        if member is attempt:
            return place
    return 0
