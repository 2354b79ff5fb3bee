"""Demand and instantaneous fair shares, from the leaves up and from the root down.

Hadoop: FairScheduler.update. Shares depend on who runs, on demand where size counts, and on the
configuration, so granting containers changes none of them.
"""

from __future__ import annotations

from functools import lru_cache
from math import log, log1p

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.resources import Vector, add, component_min
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.compute_fair_shares import Claim, fair_shares, share_classes
from kubeyarn.schedulers.fair.objects import Attempt, Queue
from kubeyarn.schedulers.java_numbers import single

_EQUAL = Claim()


def update(ledger: Ledger) -> None:
    """Recompute every demand and fair share, and the order that follows."""
    config = ledger.config
    ledger.reckon()
    if config.size_based_weight:
        for attempt in ledger.attempts.values():
            attempt.weight = size_weight(attempt.demand[0], config.memory_per_mib)
    _add_up_demand(ledger.root)
    ledger.root.fair_share = ledger.cluster
    _share(ledger.root, equal=not config.size_based_weight)
    _line_up(ledger)
    ledger.is_stale = False


def size_weight(memory: int, per_mib: int) -> float:
    """The weight of an application that wants so much (Hadoop: FSAppAttempt.getWeight)."""
    return single(log1p(memory // per_mib) / log(2))


def _add_up_demand(queue: Queue) -> Vector:
    if queue.is_leaf:
        total = add(queue.usage, queue.pending)
    else:
        total = tuple(0 for _ in queue.usage)
        for child in queue.children:
            total = add(total, _add_up_demand(child))
    queue.demand = component_min(total, queue.maximum)
    return queue.demand


def _share(queue: Queue, *, equal: bool) -> None:
    if queue.is_leaf:
        _share_among_attempts(queue, equal=equal)
        return
    for place in _places(queue):
        claims = [
            Claim(child.weight, child.minimum[place], child.maximum[place], child.running > 0)
            for child in queue.children
        ]
        shares = fair_shares(claims, queue.fair_share[place])
        for child, share in zip(queue.children, shares, strict=True):
            child.fair_share = _replaced(child.fair_share, place, share)
    for child in queue.children:
        _share(child, equal=equal)


def _places(queue: Queue) -> range:
    return range(len(queue.fair_share) if queue.policy is FairPolicy.DRF else 1)


def _replaced(vector: Vector, place: int, amount: int) -> Vector:
    if vector[place] == amount:
        return vector
    return (*vector[:place], amount, *vector[place + 1 :])


def _share_among_attempts(leaf: Queue, *, equal: bool) -> None:
    attempts = leaf.runnable
    if not attempts:
        return
    if leaf.policy is FairPolicy.FIFO:
        # Only the first has a share; what others were given before stays, as in FifoPolicy.
        min(attempts, key=lambda attempt: attempt.start_ms).fair_share = leaf.fair_share
        return
    for place in _places(leaf):
        if equal:
            share = _equal_share(len(attempts), leaf.fair_share[place])
            for attempt in attempts:
                if attempt.fair_share[place] != share:
                    attempt.fair_share = _replaced(attempt.fair_share, place, share)
        else:
            _share_by_weight(attempts, leaf.fair_share[place], place)


@lru_cache(maxsize=4096)
def _equal_share(count: int, total: int) -> int:
    return share_classes({_EQUAL: count}, total)[_EQUAL]


def _share_by_weight(attempts: list[Attempt], total: int, place: int) -> None:
    shares = fair_shares([Claim(attempt.weight) for attempt in attempts], total)
    for attempt, share in zip(attempts, shares, strict=True):
        attempt.fair_share = _replaced(attempt.fair_share, place, share)


def _line_up(ledger: Ledger) -> None:
    """Place every queue, and where weights follow size every attempt, by its new key."""
    if ledger.config.size_based_weight:
        for attempt in ledger.attempts.values():
            ledger.line_up(attempt)
    for queue in ledger.queues.values():
        if queue.entry is not None and queue.parent is not None:
            queue.parent.line.put(queue, ledger.key_of_queue(queue))


def rebuild_lines(ledger: Ledger) -> None:
    """Make all lines anew, after the policies or the cluster that order them changed."""
    for queue in ledger.queues.values():
        queue.line.clear()
        queue.entry = None
    for attempt in ledger.attempts.values():
        attempt.entry = None
    for attempt in ledger.attempts.values():
        ledger.line_up(attempt)
