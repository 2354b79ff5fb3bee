"""How many applications of a queue and of a user may run (Hadoop: MaxRunningAppsEnforcer)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubeyarn.model.fair_queues import NEVER_MS, FairClusterConfig
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.objects import Attempt, Queue
from kubeyarn.schedulers.java_collections import JavaHeap


class Runners:
    """Who runs and who waits for a place among the running."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._of_user: dict[str, int] = {}
        self._waiting_of_user: dict[str, list[Attempt]] = {}

    def maximum_of(self, user: str) -> int:
        """How many applications of *user* may run at once."""
        return user_maximum(self._ledger.config, user)

    def running_of(self, user: str) -> int:
        """How many applications of *user* run."""
        return self._of_user.get(user, 0)

    def may_run(self, queue: Queue, attempt: Attempt) -> bool:
        """Whether another one of its user may run in *queue*."""
        user = attempt.application.user
        if self.running_of(user) >= self.maximum_of(user):
            return False
        return all(above.running < above.maximum_running for above in queue.up())

    def add(self, attempt: Attempt, queue: Queue) -> None:
        """Take an attempt into a leaf, running if it may."""
        if self.may_run(queue, attempt):
            self._start(attempt, queue)
        else:
            queue.waiting.append(attempt)
            self._wait(attempt)

    def _wait(self, attempt: Attempt) -> None:
        self._waiting_of_user.setdefault(attempt.application.user, []).append(attempt)

    def _start(self, attempt: Attempt, queue: Queue) -> None:
        attempt.is_runnable = True
        queue.runnable.append(attempt)
        self.count(attempt, queue, 1)

    def count(self, attempt: Attempt, queue: Queue, change: int) -> None:
        """Count an attempt in or out as running."""
        for above in queue.up():
            above.running += change
        user = attempt.application.user
        left = self.running_of(user) + change
        if left:
            self._of_user[user] = left
        else:
            self._of_user.pop(user, None)

    def remove(self, attempt: Attempt, queue: Queue) -> bool:
        """Take an attempt out of its leaf; whether it was running."""
        was_running = attempt.is_runnable
        if was_running:
            queue.runnable.remove(attempt)
            attempt.is_runnable = False
            self.count(attempt, queue, -1)
        else:
            queue.waiting.remove(attempt)
            self.forget(attempt)
        return was_running

    def move(self, attempt: Attempt, old: Queue, target: Queue) -> None:
        """Take an attempt from one leaf to another; one that still waits keeps its place."""
        if attempt.is_runnable:
            self.remove(attempt, old)
            self.add(attempt, target)
            return
        old.waiting.remove(attempt)
        if self.may_run(target, attempt):
            self.forget(attempt)
            self._start(attempt, target)
        else:
            target.waiting.append(attempt)

    def forget(self, attempt: Attempt) -> None:
        """An attempt waits no longer."""
        waiting = self._waiting_of_user.get(attempt.application.user, [])
        if attempt in waiting:
            waiting.remove(attempt)

    def replace_one(self, attempt: Attempt, queue: Queue) -> None:
        """Let others run after *attempt* left *queue*, where it was one of a full house."""
        highest = None
        for above in queue.up():
            if above.running == above.maximum_running - 1:
                highest = above
        lists = list(self._waiting_below(highest)) if highest is not None else []
        user = attempt.application.user
        if self.running_of(user) == self.maximum_of(user) - 1:
            lists.append(list(self._waiting_of_user.get(user, [])))
        self._let_run(lists, len(lists))

    def refill(self) -> None:
        """Let run whoever may, after limits changed."""
        self._let_run(list(self._waiting_below(self._ledger.root)), 2**31 - 1)

    def _waiting_below(self, queue: Queue) -> Iterator[list[Attempt]]:
        if queue.running >= queue.maximum_running:
            return
        if queue.is_leaf:
            yield list(queue.waiting)
        for child in queue.children:
            yield from self._waiting_below(child)

    def _let_run(self, lists: list[list[Attempt]], most: int) -> None:
        started: list[Attempt] = []
        for attempt in by_start(lists):
            if len(started) >= most:
                break
            if not attempt.is_runnable and self.may_run(attempt.queue, attempt):
                self._start(attempt, attempt.queue)
                started.append(attempt)
        for attempt in started:
            attempt.queue.waiting.remove(attempt)
            self.forget(attempt)
            self._ledger.line_up(attempt)
            self._ledger.touch()


def by_start(lists: Sequence[Sequence[Attempt]]) -> Iterator[Attempt]:
    """The members of all lists, whichever list's next one started first going first.

    Hadoop: MultiListStartTimeIterator, whose heap decides among lists that are level.
    """
    heap = JavaHeap[tuple[int, int, int]](lambda one, other: one[0] - other[0])
    for number, members in enumerate(lists):
        heap.add((_start_of(members, 0), number, 0))
    while len(heap) and heap.peek()[0] != NEVER_MS:
        _, number, place = heap.take()
        yield lists[number][place]
        heap.add((_start_of(lists[number], place + 1), number, place + 1))


def _start_of(members: Sequence[Attempt], place: int) -> int:
    return members[place].start_ms if place < len(members) else NEVER_MS


def user_maximum(config: FairClusterConfig, user: str) -> int:
    """How many applications of *user* may run at once by the configuration."""
    for name, most in config.user_maximum:
        if name == user:
            return most
    return config.user_maximum_default
