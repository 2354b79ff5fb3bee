"""Applications that come, change and go: submission, attempts, moves, priorities.

Hadoop: CapacityScheduler.addApplication, addApplicationAttempt, doneApplicationAttempt,
moveApplication, updateApplicationPriority. `placement` and `submission` decide
whether an application is taken, `attempt_lifecycle` what its attempt does to the leaf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, ANYWHERE
from kubeyarn.model.errors import Rejected
from kubeyarn.model.ids import AttemptId
from kubeyarn.model.queues import check_path_length
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.capacity import attempt_lifecycle as attempts
from kubeyarn.schedulers.capacity.am_limits import activate_applications
from kubeyarn.schedulers.capacity.auto_created_queues import (
    create_leaf,
)
from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.queue import QueueState
from kubeyarn.schedulers.capacity.placement import is_whole_path, normalize, place
from kubeyarn.schedulers.capacity.queue_manager import (
    drained,
)
from kubeyarn.schedulers.capacity.submission import (
    allowed_priority,
    check_access,
    check_limits,
    check_master_without_queue,
    check_partition,
    make_application,
    scheduler_size,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.applications import Application
    from kubeyarn.model.asks import AskKey, Locality
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.capacity.cluster_state import ClusterState
    from kubeyarn.schedulers.capacity.max_running_apps import CSMaxRunningAppsEnforcer


class CapacityApplicationEvents:
    """Applications in their leaves; an `ApplicationEvents`."""

    def __init__(self, state: ClusterState, running_apps: CSMaxRunningAppsEnforcer) -> None:
        self._state = state
        self._running_apps = running_apps

    def submit(self, application: Application, now_ms: int) -> str:
        """Take an application; returns the leaf's full path it was placed in.

        Raises:
            Rejected: no such queue, not a leaf, stopped, a limit, or access.
        """
        self._state.bring_up_to_date()
        config = self._state.config_in_force()
        # Told twice, as levels are: it is where it is, and placement rules are not asked again.
        known = self._state.apps.get(application.id)
        if known is not None:
            return known.queue.path
        if application.placed in self._state.queues and self._state.queues[application.placed].leaf:
            return self._take_back(application, now_ms)
        if self._state.root_in_force().applications >= config.maximum_applications:
            raise Rejected(
                Reason.APPLICATION_LIMIT,
                f"the cluster already has {self._state.root_in_force().applications} applications "
                f"of at most {config.maximum_applications}",
            )
        placed = place(
            application,
            config.placement_rules,
            self._state.index,
            override=config.placement_override,
        )
        name = placed or application.queue or "default"
        # A queue that is created for it stays when its limits refuse the application, as in Hadoop.
        made = self._make_leaf(application, name, now_ms)
        leaf = self._leaf(application, made or name, placed)
        app = self._application(application, leaf, now_ms, leaf_is_new=made is not None)
        check_limits(leaf, application)
        self._enter(leaf, app)
        return leaf.path

    def _take_back(self, application: Application, now_ms: int) -> str:
        """Take what an earlier scheduler process took; stopped queues drain again."""
        leaf = self._state.index.leaf(application.placed)
        app = self._application(application, leaf, now_ms)
        # The configuration was put in force before any application was known, so that a queue that
        # was draining looked empty and was stopped.
        for queue in leaf.path_up():
            if queue.state is QueueState.STOPPED:
                queue.state = QueueState.DRAINING
        self._enter(leaf, app)
        return leaf.path

    def _make_leaf(self, application: Application, name: str, now_ms: int) -> str | None:
        """The path of the leaf that was made because none has the *name*; None: none was made.

        Hadoop: getOrCreateQueueFromPlacementContext, extractQueuePath.

        Raises:
            Rejected: the application may not use the queues above, or its AM is too large.
        """
        index, config = self._state.index, self._state.config_in_force()
        if index.known(name) or "." not in name or not is_whole_path(name):
            return None
        # The leaf's own name and the path above it are trimmed, nothing between.
        parent, _, leaf = name.rpartition(".")
        path = normalize(f"{parent.strip()}.{leaf.strip()}", index)
        nearest = index.nearest(path or "")
        if path is None or path in self._state.queues or nearest is None:
            return None
        # All checks that need no leaf come before it is made: a refusal leaves nothing behind.
        check_path_length(path)
        check_access(nearest, application, config)
        check_master_without_queue(application, self._state.cluster, config)
        return path if self._create(path, now_ms) else None

    def _leaf(self, application: Application, name: str, placed: str | None) -> LeafQueue:
        """The leaf meant by *name*.

        Raises:
            Rejected: there is none, or it may not be used.
        """
        config = self._state.config_in_force()
        queue = self._state.index.queue(name)
        check_access(queue, application, config)
        leaf = self._state.index.leaf(name)
        if leaf.template_absolute is not None and placed is None:
            raise Rejected(
                Reason.PLACEMENT_REJECTED,
                f"queue {leaf.path} was auto-created and takes only applications that a "
                "placement rule sends there",
            )
        return leaf

    def _create(self, path: str, now_ms: int) -> bool:
        """Create a leaf and the parents it lacks; whether it is there now."""
        if create_leaf(path, self._state.queues, self._state.config_in_force(), now_ms):
            self._state.index.rebuild(self._state.root_in_force())
        return path in self._state.queues

    def _application(
        self, application: Application, leaf: LeafQueue, now_ms: int, *, leaf_is_new: bool = False
    ) -> FiCaSchedulerApp:
        app = make_application(
            application,
            leaf,
            self._state.config_in_force(),
            self._state.types,
            now_ms,
            leaf_is_new=leaf_is_new,
        )
        app.epoch = self._state.epoch
        return app

    def _enter(self, leaf: LeafQueue, app: FiCaSchedulerApp) -> None:
        self._state.apps[app.app.id] = app
        self._state.cluster.tags.add_application(app.app.id, app.app.tags)
        leaf.last_submitted_ms = app.submitted_ms
        self._count(leaf, 1)
        self._begin(app)

    def _count(self, leaf: LeafQueue, change: int) -> None:
        for parent in leaf.parents():
            parent.count_application(change)

    def _begin(self, app: FiCaSchedulerApp) -> None:
        """An attempt joins its leaf and asks for its AM."""
        self._state.dirty.applications_changed()
        app.runnable = self._running_apps.is_runnable(app, self._state.config_in_force())
        if app.runnable:
            self._running_apps.track(app)
        attempts.join(app.queue, app)
        if app.waiting_for_am:
            self._ask_for_master(app)

    def start_attempt(self, application: ApplicationId, number: int, now_ms: int) -> None:
        """A further attempt replaces the one before; it wants an AM, and its numbers begin anew."""
        self.restart_attempts({application: number}, now_ms)

    def restart_attempts(self, numbers: Mapping[ApplicationId, int], now_ms: int) -> None:
        """Several attempts ended at once: all leave before any of their successors joins."""
        self._state.bring_up_to_date()
        apps = [app for one in numbers if (app := self._state.apps.get(one)) is not None]
        ended = [app for app in apps if app.attempt != numbers[app.app.id]]
        # In two loops: Hadoop handles the ends of attempts before the starts, so what one leaves
        # may let another's application start.
        for app in ended:
            self._end_attempt(app)
        for app in ended:
            app.clear_attempt()
            app.attempt = numbers[app.app.id]
            app.attempt_id = AttemptId(app.app.id, app.attempt)
            self._begin(app)

    def _end_attempt(self, app: FiCaSchedulerApp) -> None:
        self._state.dirty.applications_changed()
        attempts.clear(app, self._state.cluster)
        attempts.leave(app.queue, app)
        if app.runnable:
            self._running_apps.untrack(app)
            self._running_apps.update_on_removal(app, self._state.config_in_force())

    def ask_for_master(self, application: ApplicationId, now_ms: int) -> None:
        """The current attempt asks for its AM again: the grant was taken back before it started."""
        app = self._state.app(application)
        if app.app.am_size is None or app.waiting_for_am:
            return
        app.waiting_for_am, app.am_container = True, None
        self._ask_for_master(app)

    def _ask_for_master(self, app: FiCaSchedulerApp) -> None:
        size = scheduler_size(app.am_size, app.queue, self._state.config_in_force())
        self._put_ask(app, AM_KEY, 1, size, app.am_partition, app.master_locality)

    def master_gone(self, application: ApplicationId) -> None:
        """The current attempt's AM was granted and has ended: it is not asked for."""
        app = self._state.app(application)
        if app.waiting_for_am:
            app.waiting_for_am = False
            self._put_ask(app, AM_KEY, 0, app.am_size, app.am_partition, ANYWHERE)

    def locate_master(
        self,
        application: ApplicationId,
        excluded: frozenset[str],
        classes: frozenset[int] | None,
    ) -> None:
        """Where the current attempt's AM is not granted, and on which nodes it may be."""
        app = self._state.app(application)
        had_place = app.has_place_for_master
        app.locate_master(excluded, classes)
        if app.waiting_for_am and AM_KEY in app.asks:
            app.asks[AM_KEY].set_locality(app.master_locality, {})
            self._state.dirty.asks_changed()
        # Others behind it were let in meanwhile; it comes as soon as the limit has room again.
        if app.has_place_for_master and not had_place:
            self._state.bring_up_to_date()
            activate_applications(app.queue)

    def exclude(self, application: ApplicationId, places: frozenset[str]) -> None:
        """Nodes and racks where the current attempt is granted nothing but its AM."""
        self._state.app(application).exclude(places)
        self._state.dirty.asks_changed()

    def finish(self, application: ApplicationId, now_ms: int) -> None:
        """An application ended; everything it holds or asks is given up."""
        self._state.bring_up_to_date()
        app = self._state.apps.pop(application, None)
        if app is None:
            return
        self._state.cluster.tags.remove_application(application)
        self._end_attempt(app)
        # Only now: an attempt that ends leaves its user active until the application does.
        leaf = app.queue
        leaf.users.deactivate(app.user, application)
        self._count(leaf, -1)
        for queue in leaf.path_up():
            drained(queue)

    def move(self, application: ApplicationId, queue: str, now_ms: int) -> str:
        """Move an application with its containers; returns the leaf's full path.

        Raises:
            Rejected: the target does not take it; nothing changed.
        """
        self._state.bring_up_to_date()
        app = self._state.app(application)
        target = self._state.index.leaf(queue)
        if target is app.queue and not self._state.cluster.hadoop_compatible:
            return target.path
        self._still_in_its_queue(app)
        # All checks before the first change: a move that is refused leaves everything as it was.
        for partition in {app.am_partition, *(ask.partition for ask in app.asks.values())}:
            check_partition(
                target, partition, self._state.config_in_force(), f"move of {application}"
            )
        check_limits(target, app.app)
        self._state.dirty.applications_changed()
        attempts.change_queue(app, target)
        if app.runnable and not self._state.cluster.hadoop_compatible:
            # Hadoop leaves the counts of parents as they are, and lowers those of the last one.
            self._running_apps.move(app.queue, target)
        self._count(target, 1)
        self._count(app.queue, -1)
        # Last, since all that moves is taken out of the leaf that the application still names.
        source, app.queue = app.queue, target
        for above in source.path_up():
            drained(above)
        return target.path

    def set_priority(self, application: ApplicationId, priority: int, now_ms: int) -> int:
        """Change an application's priority; returns what is in force after limits.

        Raises:
            Rejected: the user may not have it, or the application is unknown.
        """
        self._state.bring_up_to_date()
        app = self._state.app(application)
        config = self._state.config_in_force()
        priority = allowed_priority(app.app, app.queue, config, priority, check=True)
        if priority == app.priority:
            return priority
        self._still_in_its_queue(app)
        leaf = app.queue
        # Out and in again: it is filed under a key that its priority is part of.
        was_active = leaf.remove(app)
        app.priority = priority
        if was_active:
            leaf.activate(app)
        elif app.runnable or self._state.cluster.hadoop_compatible:
            leaf.add_pending(app)
        self._state.dirty.applications_changed()
        return priority

    def _still_in_its_queue(self, app: FiCaSchedulerApp) -> None:
        if self._state.queues.get(app.queue.path) is not app.queue:
            raise Rejected(
                Reason.INVALID_REQUEST, f"queue {app.queue.path} of {app.app.id} does not exist"
            )

    def _put_ask(
        self,
        app: FiCaSchedulerApp,
        key: AskKey,
        count: int,
        size: Vector,
        partition: str,
        locality: Locality,
    ) -> None:
        """Replace what an application asks for under *key*; a *count* of 0 cancels."""
        self._state.dirty.asks_changed()
        attempts.put_outstanding(app, key, count, size, partition, locality)
