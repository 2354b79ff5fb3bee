"""How many applications may run at the same time.

Hadoop: CSMaxRunningAppsEnforcer; `max-parallel-apps` of queues and users. An application beyond a
limit is taken but parked: it is not even considered for admission.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.capacity.attempt_lifecycle import join
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.queue import Queue
from kubeyarn.schedulers.capacity.queue_settings import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication


class ParallelLimits:
    """Counts runnable applications by user; queues count their own."""

    __slots__ = ("by_user",)

    def __init__(self) -> None:
        self.by_user: dict[str, int] = {}

    def allows(self, app: LedgerApplication, config: SchedulerConfig) -> bool:
        """Whether one more application of the user and of every queue above may run."""
        return self._user_allows(app, config) and _blocking_queue(app.queue) is None

    def _user_allows(self, app: LedgerApplication, config: SchedulerConfig) -> bool:
        most = user_maximum(app.user, config)
        if self.by_user.get(app.user, 0) >= most:
            return False
        own = app.queue.settings.maximum_parallel_per_user
        if own == UNLIMITED:
            return True
        return sum(1 for one in app.queue.runnable_apps.values() if one.user == app.user) < own

    def track(self, app: LedgerApplication) -> None:
        """Count a runnable application."""
        self.by_user[app.user] = self.by_user.get(app.user, 0) + 1
        for queue in app.queue.path_up():
            if isinstance(queue, ParentQueue):
                queue.runnable += 1

    def forget(self, app: LedgerApplication) -> None:
        """Count a runnable application no more."""
        self.by_user[app.user] -= 1
        if not self.by_user[app.user]:
            del self.by_user[app.user]
        for queue in app.queue.path_up():
            if isinstance(queue, ParentQueue):
                queue.runnable -= 1

    def move(self, app: LedgerApplication, *, source: LeafQueue, target: LeafQueue) -> None:
        """A runnable application changed its leaf."""
        for queue in source.path_up():
            if isinstance(queue, ParentQueue):
                queue.runnable -= 1
        for queue in target.path_up():
            if isinstance(queue, ParentQueue):
                queue.runnable += 1

    def promote(self, gone: LedgerApplication, config: SchedulerConfig) -> list[LedgerApplication]:
        """Let parked applications run now that *gone* does not, who came first first.

        Looked at are the leaves below the highest queue that was at its limit, and the user's own;
        at most as many are promoted as there were such lists.
        """
        lists = _lists_below(_highest_at_limit(gone.queue))
        root = _root(gone.queue)
        if self._user_was_at_limit(gone, config):
            lists.append([one for one in _parked_below(root) if one.user == gone.user])
        return self._let_run(lists, len(lists), config)

    def refill(self, root: Queue, config: SchedulerConfig) -> list[LedgerApplication]:
        """Let all run who may now that limits changed (updateRunnabilityOnReload)."""
        return self._let_run(_lists_below(root), UNLIMITED, config)

    def _let_run(
        self, lists: list[list[LedgerApplication]], most: int, config: SchedulerConfig
    ) -> list[LedgerApplication]:
        unique = {one.app.id: one for parked in lists for one in parked}
        promoted: list[LedgerApplication] = []
        for app in sorted(unique.values(), key=lambda one: (one.app.order, one.app.id.number)):
            if len(promoted) < most and self.allows(app, config):
                app.runnable = True
                self.track(app)
                unpark(app)
                promoted.append(app)
        return promoted

    def _user_was_at_limit(self, gone: LedgerApplication, config: SchedulerConfig) -> bool:
        if gone.queue.settings.maximum_parallel_per_user != UNLIMITED:
            return True
        return self.by_user.get(gone.user, 0) == user_maximum(gone.user, config) - 1


def unpark(app: LedgerApplication) -> None:
    """A parked application waits for admission like the others."""
    app.queue.parked.remove(app)
    join(app.queue, app)


def user_maximum(user: str, config: SchedulerConfig) -> int:
    """How many applications of a user may run in the cluster."""
    most = config.maximum_parallel_applications_of.get(user)
    if most is None:
        most = config.user_maximum_parallel_applications
    return UNLIMITED if most is None else most


def runnable_in(queue: Queue) -> int:
    """Runnable applications in or below a queue."""
    if isinstance(queue, LeafQueue):
        return len(queue.runnable_apps)
    return queue.runnable if isinstance(queue, ParentQueue) else 0


def _blocking_queue(leaf: LeafQueue) -> Queue | None:
    for queue in leaf.path_up():
        if runnable_in(queue) >= queue.settings.maximum_parallel:
            return queue
    return None


def _highest_at_limit(leaf: LeafQueue) -> Queue | None:
    """The highest queue that the application's leaving brought below its limit."""
    highest: Queue | None = None
    for queue in leaf.path_up():
        if runnable_in(queue) == queue.settings.maximum_parallel - 1:
            highest = queue
    return highest


def _root(queue: Queue) -> Queue:
    return list(queue.path_up())[-1]


def _parked_below(queue: Queue) -> Iterator[LedgerApplication]:
    if isinstance(queue, LeafQueue):
        yield from queue.parked
    elif isinstance(queue, ParentQueue):
        for child in queue.children:
            yield from _parked_below(child)


def _lists_below(queue: Queue | None) -> list[list[LedgerApplication]]:
    """Who is parked, by leaf; leaves at or below a limit have nobody who could run."""
    if queue is not None and runnable_in(queue) >= queue.settings.maximum_parallel:
        return []
    if isinstance(queue, LeafQueue):
        return [list(queue.parked)]
    if isinstance(queue, ParentQueue):
        return [parked for child in queue.children for parked in _lists_below(child)]
    return []
