"""How many applications may run at the same time, and which may when one has ended.

Hadoop: CSMaxRunningAppsEnforcer; `max-parallel-apps` of queues, of users in a queue, and of users
in the whole cluster.

Theory of operation: an application is *runnable* when it, counted in, is within the limit of its
user and of every queue above it. That is decided once, when its attempt joins the queue. One that
is not is taken all the same but stays out of sight (`LeafQueue.non_runnable_applications`): it is
not pending, has no user and is not considered for activation. When a runnable one ends or limits
change, non-runnable ones become runnable in the order of their submission. Runnable applications
are counted by user here, by leaf in `LeafQueue.runnable_apps`, by parent in
`ParentQueue.num_runnable_apps`; all three change together, in `track` and `untrack`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.capacity.attempt_lifecycle import join
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.queue_settings import UNLIMITED

if TYPE_CHECKING:
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.queue import Queue


class CSMaxRunningAppsEnforcer:
    """Decides who is runnable, and counts the runnable applications of each user."""

    __slots__ = ("_runnable_of_user",)

    def __init__(self) -> None:
        self._runnable_of_user: dict[str, int] = {}

    def is_runnable(self, app: FiCaSchedulerApp, config: SchedulerConfig) -> bool:
        """Whether one more application of the user and of every queue above may run."""
        return self._user_allows(app, config) and queue_at_limit(app.queue) is None

    def _user_allows(self, app: FiCaSchedulerApp, config: SchedulerConfig) -> bool:
        if self._runnable_of_user.get(app.user, 0) >= user_maximum(app.user, config):
            return False
        # Counted only where there is a limit: few queues have one, and no count of a user in a leaf
        # is kept.
        in_queue = app.queue.settings.maximum_parallel_applications_per_user
        if in_queue == UNLIMITED:
            return True
        own = sum(1 for one in app.queue.runnable_apps.values() if one.user == app.user)
        return own < in_queue

    def track(self, app: FiCaSchedulerApp) -> None:
        """Count a runnable application (Hadoop: trackRunnableApp)."""
        self._runnable_of_user[app.user] = self._runnable_of_user.get(app.user, 0) + 1
        _count_in_parents(app.queue, 1)

    def untrack(self, app: FiCaSchedulerApp) -> None:
        """Count a runnable application no more (Hadoop: untrackApp)."""
        self._runnable_of_user[app.user] -= 1
        if not self._runnable_of_user[app.user]:
            del self._runnable_of_user[app.user]
        _count_in_parents(app.queue, -1)

    def move(self, source: LeafQueue, target: LeafQueue) -> None:
        """A runnable application changed its leaf."""
        _count_in_parents(source, -1)
        _count_in_parents(target, 1)

    def update_on_removal(
        self, removed: FiCaSchedulerApp, config: SchedulerConfig
    ) -> list[FiCaSchedulerApp]:
        """Let others run now that *removed* does not; returns them, the first submitted first.

        Candidates are the non-runnable ones in leaves below the highest queue that was at its
        limit, and the user's own; as many become runnable, at most, as there were such lists
        (Hadoop: updateRunnabilityOnAppRemoval).
        """
        # Asked after *removed* was counted out: a queue at its limit before is one below it now.
        highest = _highest_at_limit(removed.queue)
        lists = [] if highest is None else _non_runnable_lists(highest)
        root = removed.queue.chain[-1]
        if self._user_was_at_limit(removed, config):
            waiting = (one for leaf in root.leaves() for one in leaf.non_runnable_applications)
            lists.append([one for one in waiting if one.user == removed.user])
        return self._make_runnable(lists, len(lists), config)

    def update_on_reload(self, root: Queue, config: SchedulerConfig) -> list[FiCaSchedulerApp]:
        """Let all run who may now that limits changed (Hadoop: updateRunnabilityOnReload)."""
        return self._make_runnable(_non_runnable_lists(root), UNLIMITED, config)

    def _make_runnable(
        self, lists: list[list[FiCaSchedulerApp]], most: int, config: SchedulerConfig
    ) -> list[FiCaSchedulerApp]:
        # An application may stand in several lists; the number of lists, not of applications,
        # bounds how many become runnable.
        unique = {one.app.id: one for non_runnable in lists for one in non_runnable}
        runnable: list[FiCaSchedulerApp] = []
        for app in sorted(unique.values(), key=lambda one: (one.app.order, one.app.id.number)):
            if len(runnable) < most and self.is_runnable(app, config):
                # Counted before the next one is asked for, which it may leave no room.
                app.runnable = True
                self.track(app)
                app.queue.non_runnable_applications.remove(app)
                join(app.queue, app)
                runnable.append(app)
        return runnable

    def _user_was_at_limit(self, removed: FiCaSchedulerApp, config: SchedulerConfig) -> bool:
        if removed.queue.settings.maximum_parallel_applications_per_user != UNLIMITED:
            return True
        running = self._runnable_of_user.get(removed.user, 0)
        return running == user_maximum(removed.user, config) - 1


def user_maximum(user: str, config: SchedulerConfig) -> int:
    """How many applications of a user may run in the cluster."""
    most = config.maximum_parallel_applications_of.get(user)
    if most is None:
        most = config.user_maximum_parallel_applications
    return UNLIMITED if most is None else most


def queue_at_limit(leaf: LeafQueue) -> Queue | None:
    """The lowest queue, from the leaf up, of which no more applications may run."""
    for queue in leaf.path_up():
        if queue.num_runnable_apps >= queue.settings.maximum_parallel_applications:
            return queue
    return None


def _count_in_parents(leaf: LeafQueue, change: int) -> None:
    for parent in leaf.parents():
        parent.count_runnable_app(change)


def _highest_at_limit(leaf: LeafQueue) -> Queue | None:
    """The highest queue that was at its limit until one of its applications was removed."""
    highest: Queue | None = None
    for queue in leaf.path_up():
        if queue.num_runnable_apps == queue.settings.maximum_parallel_applications - 1:
            highest = queue
    return highest


def _non_runnable_lists(queue: Queue) -> list[list[FiCaSchedulerApp]]:
    """The non-runnable applications by leaf, of leaves with no queue at its limit above them."""
    if queue.num_runnable_apps >= queue.settings.maximum_parallel_applications:
        return []
    if queue.leaf:
        return [list(queue.non_runnable_applications)]
    return [apps for child in queue.children for apps in _non_runnable_lists(child)]
