"""Fair shares: the formula (Hadoop: ComputeFairShares), and demand and shares down the tree.

Theory of operation. A *fair share* is what a queue or an application should have of one resource
type when all its siblings want more than there is: weight times R, not below its minimum and not
above its maximum, where R is the one number that gives out the parent's share. There are two kinds:

* The **steady** fair share counts every queue. It changes with the configuration, the queues and
  the size of the cluster alone; status shows it.
* The **instantaneous** fair share counts queues that have runnable applications. All decisions
  (ApplicationMasters' limit, starvation, preemption, headroom) use this one.

R is found by doubling and then 25 halvings, as in Hadoop, so shares may leave a few units over;
they are cut to integers. Minima are always given, so together they may be more than there is.
Memory alone is shared under fair and fifo, each resource type by itself under drf.

`update` is the first half of Hadoop's FairScheduler.update: demand from the leaves up, shares from
the root down; the order that follows is `ordering`'s. It runs when `dirty.shares` is set. A grant
does not set it: a grant moves an amount from pending to used, and shares depend on their sum alone.

Caches: `_equal_share` remembers the share of n equal applications. It is a pure function of its
arguments, so nothing clears it. Equal siblings are computed once (`compute_shares`), which makes
the cost that of the number of different siblings.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import log, log1p
from typing import TYPE_CHECKING, NamedTuple

from kubeyarn.model.fair_queues import UNBOUNDED, FairPolicy
from kubeyarn.model.resources import Vector, add, component_max, component_min
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue, FSParentQueue, FSQueue
from kubeyarn.schedulers.fair.scheduling_policy import shared_types
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt

_COMPUTE_FAIR_SHARES_ITERATIONS = 25


class Schedulable(NamedTuple):
    """What counts of one sibling for its share of one resource type (Hadoop: Schedulable).

    *active* False is a queue without runnable applications: its instantaneous share is nothing.
    """

    weight: float = 1.0
    min_share: int = 0
    max_share: int = UNBOUNDED
    active: bool = True


_EQUAL = Schedulable()


# --- the formula


def compute_shares(siblings: Sequence[Schedulable], total: int) -> list[int]:
    """Each sibling's share of *total*, in the order of *siblings* (Hadoop: ComputeFairShares)."""
    counts: dict[Schedulable, int] = {}
    for sibling in siblings:
        counts[sibling] = counts.get(sibling, 0) + 1
    shares = shares_of_classes(counts, total)
    return [shares[sibling] for sibling in siblings]


def shares_of_classes(counts: dict[Schedulable, int], total: int) -> dict[Schedulable, int]:
    """The share of one of each class of equal siblings, of which there are so many."""
    shares: dict[Schedulable, int] = {}
    by_ratio: list[tuple[Schedulable, int]] = []
    taken = 0
    for sibling, count in counts.items():
        fixed = fixed_share(sibling)
        if fixed is None:
            by_ratio.append((sibling, count))
        else:
            shares[sibling] = fixed
            taken += fixed * count
    # Fixed shares may be more than there is; the others then get their minima alone.
    if by_ratio:
        ratio = _weight_to_resource_ratio(by_ratio, max(total - taken, 0))
        shares.update((sibling, _share_by_ratio(sibling, ratio)) for sibling, _ in by_ratio)
    return shares


def fixed_share(sibling: Schedulable) -> int | None:
    """A share that no ratio changes; None where the ratio decides (Hadoop: getFairShareIfFixed)."""
    if sibling.max_share <= 0 or not sibling.active:
        return 0
    if sibling.weight <= 0:
        return max(sibling.min_share, 0)
    return None


def _weight_to_resource_ratio(classes: list[tuple[Schedulable, int]], total: int) -> float:
    """The ratio that gives out *total*, or all maxima where those are less."""
    maximum = sum(sibling.max_share * count for sibling, count in classes)
    wanted = min(total, maximum)
    right = 1.0
    # This ends: what is given out grows with the ratio up to all maxima, and *wanted* is no more.
    while _used_with_ratio(classes, right) < wanted:
        right *= 2.0
    left = 0.0
    # A fixed number of halvings, as in Hadoop, so the last digits of shares are the same.
    for _ in range(_COMPUTE_FAIR_SHARES_ITERATIONS):
        middle = (left + right) / 2.0
        used = _used_with_ratio(classes, middle)
        if used == wanted:
            return middle
        if used < wanted:
            left = middle
        else:
            right = middle
    return right


def _used_with_ratio(classes: list[tuple[Schedulable, int]], ratio: float) -> int:
    used = 0
    for (weight, min_share, max_share, _), count in classes:
        share = weight * ratio
        if share < min_share:
            share = min_share
        if share > max_share:
            share = max_share
        used += int(share) * count
    return used


def _share_by_ratio(sibling: Schedulable, ratio: float) -> int:
    return int(min(max(sibling.weight * ratio, sibling.min_share), sibling.max_share))


# --- maxima


def update_max_shares(state: FairClusterState) -> None:
    """Set every queue's maximum in the cluster as it is."""
    for queue in state.queues.values():
        update_max_share(state, queue)


def update_max_share(state: FairClusterState, queue: FSQueue) -> None:
    """Set a queue's maximum, which is never below its minimum (Hadoop: FSQueue.getMaxShare)."""
    configured = queue.configured_max_share.of(state.cluster)
    queue.max_share = component_max(configured, queue.min_share)
    queue.has_max_share = min(queue.max_share) < UNBOUNDED


# --- steady shares


def update_steady_shares(state: FairClusterState) -> None:
    """Share the cluster among all queues (Hadoop: FSParentQueue.recomputeSteadyShares)."""
    root = state.root
    root.steady_fair_share = state.cluster
    _share_steadily_below(root)


def _share_steadily_below(queue: FSParentQueue) -> None:
    places = shared_types(queue.policy, len(queue.steady_fair_share))
    # A fifo queue gives its children no steady share (Hadoop: FifoPolicy.computeSteadyShares).
    for place in places if queue.policy is not FairPolicy.FIFO else ():
        siblings = [
            Schedulable(child.weight, child.min_share[place], child.max_share[place])
            for child in queue.children
        ]
        shares = compute_shares(siblings, queue.steady_fair_share[place])
        for child, share in zip(queue.children, shares, strict=True):
            child.steady_fair_share = _replaced(child.steady_fair_share, place, share)
    for child in queue.children:
        if isinstance(child, FSParentQueue):
            _share_steadily_below(child)


# --- demand and instantaneous shares


def update(state: FairClusterState) -> list[FSAppAttempt]:
    """Bring every demand and fair share up to date; returns the attempts to be put in order anew.

    These are the ones whose demand or weight changed; so may the demand of any queue have.
    """
    config = state.config
    # The order of these steps matters: weights by size need demand, and shares need weights.
    changed = _update_demand_of_attempts(state)
    if config.size_based_weight:
        for attempt in state.attempts.values():
            attempt.weight = size_based_weight(attempt.demand[0], state.memory_per_mib)
    root = state.root
    _update_demand(root)
    root.fair_share = state.cluster
    _share_below(root, equal=not config.size_based_weight)
    state.dirty.shares_updated()
    return list(state.attempts.values()) if config.size_based_weight else changed


def _update_demand_of_attempts(state: FairClusterState) -> list[FSAppAttempt]:
    """Set what attempts want that asked or lost something (Hadoop: FSAppAttempt.updateDemand).

    A grant leaves the demand as it is, so others need no new one.
    """
    changed = state.dirty.take_attempts()
    for attempt in changed:
        attempt.demand = add(attempt.used, attempt.pending)
    return [attempt for attempt in changed if not attempt.stopped]


def _update_demand(queue: FSQueue) -> Vector:
    if isinstance(queue, FSLeafQueue):
        total = add(queue.used, queue.pending)
    else:
        total = tuple(0 for _ in queue.used)
        for child in queue.child_queues:
            total = add(total, _update_demand(child))
    # Of a leaf all that is wanted counts, non-runnable applications included.
    queue.demand = component_min(total, queue.max_share)
    return queue.demand


def size_based_weight(memory: int, per_mib: int) -> float:
    """The weight of an application that wants so much memory, of *per_mib* units a MiB.

    Hadoop: FSAppAttempt.getWeight with `yarn.scheduler.fair.sizebasedweight`.
    """
    return single(log1p(memory // per_mib) / log(2))


def _share_below(queue: FSQueue, *, equal: bool) -> None:
    if isinstance(queue, FSLeafQueue):
        _share_among_attempts(queue, equal=equal)
    elif isinstance(queue, FSParentQueue):
        for place in shared_types(queue.policy, len(queue.fair_share)):
            _share_among_queues(queue, place)
        for child in queue.children:
            _share_below(child, equal=equal)


def _share_among_queues(queue: FSParentQueue, place: int) -> None:
    siblings = [
        Schedulable(
            child.weight,
            child.min_share[place],
            child.max_share[place],
            child.num_runnable_apps > 0,
        )
        for child in queue.children
    ]
    shares = compute_shares(siblings, queue.fair_share[place])
    for child, share in zip(queue.children, shares, strict=True):
        child.fair_share = _replaced(child.fair_share, place, share)


def _share_among_attempts(leaf: FSLeafQueue, *, equal: bool) -> None:
    attempts = leaf.runnable_apps
    if not attempts:
        return
    if leaf.policy is FairPolicy.FIFO:
        # Only the first has a share; what others were given before stays, as in FifoPolicy.
        min(attempts, key=lambda attempt: attempt.start_ms).fair_share = leaf.fair_share
        return
    for place in shared_types(leaf.policy, len(leaf.fair_share)):
        if equal:
            share = _equal_share(len(attempts), leaf.fair_share[place])
            for attempt in attempts:
                if attempt.fair_share[place] != share:
                    attempt.fair_share = _replaced(attempt.fair_share, place, share)
        else:
            _share_by_weight(attempts, leaf.fair_share[place], place)


@lru_cache(maxsize=4096)
def _equal_share(count: int, total: int) -> int:
    return shares_of_classes({_EQUAL: count}, total)[_EQUAL]


def _share_by_weight(attempts: Sequence[FSAppAttempt], total: int, place: int) -> None:
    shares = compute_shares([Schedulable(attempt.weight) for attempt in attempts], total)
    for attempt, share in zip(attempts, shares, strict=True):
        attempt.fair_share = _replaced(attempt.fair_share, place, share)


def _replaced(vector: Vector, place: int, amount: int) -> Vector:
    if vector[place] == amount:
        return vector
    return (*vector[:place], amount, *vector[place + 1 :])
