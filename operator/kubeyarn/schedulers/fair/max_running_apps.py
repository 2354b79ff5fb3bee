"""How many applications of a queue and of a user may run (Hadoop: MaxRunningAppsEnforcer).

Theory of operation. An application that may not run yet is *non-runnable*: it is in its leaf, asks
for its ApplicationMaster, and is not in the order of anybody's children, so no offer finds it.

What holds: a queue's `num_runnable_apps` is the number of runnable attempts below it, and of each
user the number of its runnable attempts. A running application is never made non-runnable: limits
that are lowered let nobody in until enough have left.

When a runnable application leaves, others may start in its place. Each leaf below the highest queue
on its path that was at its limit gives a list of candidates, and its user, if at its limit, gives
one more. Candidates are taken from all lists by start time, where Java's heap decides among equal
ones; a candidate that may not run is passed over. At most as many start as there are lists: that is
Hadoop's bound. Only after a refresh all start that fit (`update_on_reload`).

No caches: the counts are kept as attempts start and leave, and nothing recomputes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kubeyarn.model.fair_queues import NEVER_MS, FairClusterConfig
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue
from kubeyarn.schedulers.fair.ordering import place_attempt
from kubeyarn.schedulers.java_collections import JavaHeap

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.objects.queue import FSQueue

_UNLIMITED = 2**31 - 1


class MaxRunningAppsEnforcer:
    """Decides who is runnable, and counts."""

    def __init__(self, state: FairClusterState) -> None:
        self._state = state
        self._runnable_of_user: dict[str, int] = {}
        self._non_runnable_of_user: dict[str, list[FSAppAttempt]] = {}

    def max_running_apps_of(self, user: str) -> int:
        """How many applications of *user* may run at once."""
        return user_max_running_apps(self._state.config, user)

    def runnable_apps_of(self, user: str) -> int:
        """How many applications of *user* run."""
        return self._runnable_of_user.get(user, 0)

    def can_be_runnable(self, leaf: FSLeafQueue, attempt: FSAppAttempt) -> bool:
        """Whether another application of its user may run in *leaf* (canAppBeRunnable)."""
        user = attempt.application.user
        if self.runnable_apps_of(user) >= self.max_running_apps_of(user):
            return False
        return all(queue.num_runnable_apps < queue.max_running_apps for queue in leaf.path_up())

    def track(self, attempt: FSAppAttempt, leaf: FSLeafQueue) -> None:
        """Take an attempt into a leaf, runnable if it may be."""
        if self.can_be_runnable(leaf, attempt):
            self._make_runnable(attempt, leaf)
        else:
            leaf.non_runnable_apps.append(attempt)
            user = attempt.application.user
            self._non_runnable_of_user.setdefault(user, []).append(attempt)

    def _make_runnable(self, attempt: FSAppAttempt, leaf: FSLeafQueue) -> None:
        attempt.is_runnable = True
        leaf.runnable_apps.append(attempt)
        self._count(attempt, leaf, 1)

    def _count(self, attempt: FSAppAttempt, leaf: FSLeafQueue, change: int) -> None:
        for queue in leaf.path_up():
            queue.num_runnable_apps += change
        user = attempt.application.user
        left = self.runnable_apps_of(user) + change
        if left:
            self._runnable_of_user[user] = left
        else:
            self._runnable_of_user.pop(user, None)

    def untrack(self, attempt: FSAppAttempt, leaf: FSLeafQueue) -> bool:
        """Take an attempt out of its leaf; whether it was runnable."""
        was_runnable = attempt.is_runnable
        if was_runnable:
            leaf.runnable_apps.remove(attempt)
            attempt.is_runnable = False
            self._count(attempt, leaf, -1)
        else:
            leaf.non_runnable_apps.remove(attempt)
            self._forget_non_runnable(attempt)
        return was_runnable

    def move(self, attempt: FSAppAttempt, old: FSLeafQueue, target: FSLeafQueue) -> None:
        """Take an attempt from one leaf to another.

        One that stays non-runnable keeps its place among those of its user.
        """
        # Out of the old leaf before the new one is asked: queues above both count it once.
        if attempt.is_runnable:
            self.untrack(attempt, old)
            self.track(attempt, target)
            return
        old.non_runnable_apps.remove(attempt)
        if self.can_be_runnable(target, attempt):
            self._forget_non_runnable(attempt)
            self._make_runnable(attempt, target)
        else:
            target.non_runnable_apps.append(attempt)

    def _forget_non_runnable(self, attempt: FSAppAttempt) -> None:
        attempts = self._non_runnable_of_user.get(attempt.application.user, [])
        if attempt in attempts:
            attempts.remove(attempt)

    def update_on_removal(self, attempt: FSAppAttempt, leaf: FSLeafQueue) -> None:
        """Let others run after *attempt*, which was runnable, left *leaf*.

        Hadoop: updateRunnabilityOnAppRemoval.
        """
        highest: FSQueue | None = None
        # One less than the maximum now, so it was full before. Below the highest such queue nothing
        # else held its applications back.
        for queue in leaf.path_up():
            if queue.num_runnable_apps == queue.max_running_apps - 1:
                highest = queue
        lists = list(_non_runnable_below(highest)) if highest is not None else []
        user = attempt.application.user
        if self.runnable_apps_of(user) == self.max_running_apps_of(user) - 1:
            lists.append(list(self._non_runnable_of_user.get(user, [])))
        self._make_runnable_by_start_time(lists, len(lists))

    def update_on_reload(self) -> None:
        """Let all run that may, after limits changed (Hadoop: updateRunnabilityOnReload)."""
        self._make_runnable_by_start_time(list(_non_runnable_below(self._state.root)), _UNLIMITED)

    def _make_runnable_by_start_time(self, lists: list[list[FSAppAttempt]], maximum: int) -> None:
        started: list[FSAppAttempt] = []
        for attempt in by_start_time(lists):
            if len(started) >= maximum:
                break
            # An attempt may be in the list of its leaf and in that of its user.
            if not attempt.is_runnable and self.can_be_runnable(attempt.queue, attempt):
                self._make_runnable(attempt, attempt.queue)
                started.append(attempt)
        # The lists are walked above, so those who start are taken out of them only now.
        for attempt in started:
            attempt.queue.non_runnable_apps.remove(attempt)
            self._forget_non_runnable(attempt)
            place_attempt(self._state, attempt)
            self._state.dirty.shares_changed()


def _non_runnable_below(queue: FSQueue) -> Iterator[list[FSAppAttempt]]:
    """The non-runnable attempts of each leaf below *queue* that no limit on the way stops."""
    # Full itself: nobody below it could run.
    if queue.num_runnable_apps >= queue.max_running_apps:
        return
    for child in queue.child_queues:
        yield from _non_runnable_below(child)
    if isinstance(queue, FSLeafQueue):
        yield list(queue.non_runnable_apps)


def by_start_time(lists: Sequence[Sequence[FSAppAttempt]]) -> Iterator[FSAppAttempt]:
    """The attempts of all lists, of the lists' next ones the earliest first.

    Hadoop: MultiListStartTimeIterator, whose heap decides among lists that are level.
    """
    heap = JavaHeap[tuple[int, int, int]](lambda one, other: one[0] - other[0])
    for number, attempts in enumerate(lists):
        heap.add((_start_of(attempts, 0), number, 0))
    while len(heap) and heap.peek()[0] != NEVER_MS:
        _, number, place = heap.take()
        yield lists[number][place]
        heap.add((_start_of(lists[number], place + 1), number, place + 1))


def _start_of(attempts: Sequence[FSAppAttempt], place: int) -> int:
    return attempts[place].start_ms if place < len(attempts) else NEVER_MS


def user_max_running_apps(config: FairClusterConfig, user: str) -> int:
    """How many applications of *user* may run at once by the configuration."""
    for name, maximum in config.user_maximum:
        if name == user:
            return maximum
    return config.user_maximum_default
