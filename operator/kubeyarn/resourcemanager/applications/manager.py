"""The ApplicationsManager: moves every application on, one reconciliation at a time.

Everything that happens outside (an application, request, pod or node that changed, an
ApplicationMaster's call, time that passed) does no more than put an application's key into the
queue. `reconcile` then looks at everything that is known of that application and brings it as far
as that allows:

1. Read: the record in its status, its requests, its pods, its AM's session (`take_snapshot`).
2. Decide: `observe` makes the facts, `lifecycle.progress.advance` walks the state machines.
3. Write the status, if it is another. It comes before the deeds that follow from it: a new process
   finds the state that they belong to.
4. Act: ask for the AM's container, write the AM's asks, reconcile each request
   (`RequestReconciler`), end what is on lost nodes, delete what is old, send signals.

It is a level, not an edge: it can be cut off between any two steps and done again, and doing it
twice does nothing new. The queue never runs one key twice at a time, so nothing here needs a lock.
The next reconciliation may come before the watch event of a write of this one; that is why the
answers of writes go into the cache at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import Conflict, NotFound
from kubeyarn.cluster.events import WARNING, EventRecorder
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.crd.decoding import ObjectUnreadable
from kubeyarn.crd.object import Key, Object, key_of
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.am_session import AMSession
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import advance
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import KubeYarnError, Unavailable
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.resourcemanager.applications import (
    application_status,
    conditions,
    lifetime,
    observed_state,
    records,
    retention,
    unmanaged_am,
)
from kubeyarn.resourcemanager.applications.observed_state import ApplicationSnapshot
from kubeyarn.resourcemanager.applications.signals import Signaller
from kubeyarn.resourcemanager.applications.steps import ReconcileSteps
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.nodes import decommission
from kubeyarn.resourcemanager.nodes.tracker import NodeTracker
from kubeyarn.resourcemanager.pods.isolation import Executors
from kubeyarn.resourcemanager.pods.pod_builder import (
    ClusterDefaults,
    ContainerLaunchContext,
)
from kubeyarn.resourcemanager.pods.pod_control import PodControl
from kubeyarn.resourcemanager.pods.user_ids import UserIdsFile
from kubeyarn.resourcemanager.requests import request_plan, request_view
from kubeyarn.resourcemanager.requests.reconciler import RequestReconciler
from kubeyarn.resourcemanager.requests.request_control import RECONCILED, RequestControl
from kubeyarn.resourcemanager.requests.request_view import RequestView
from kubeyarn.resourcemanager.requests.termination import BY_APPLICATION_MASTER, ContainerExits
from kubeyarn.resourcemanager.settings import Settings

_log = logging.getLogger(__name__)

INVALID_REQUEST = "InvalidRequest"
BUG = "InternalError"

# A status that changes with every heartbeat (progress, counts) is written at most this often.
_STATUS_EVERY_S = 1.0


def _clock_ms() -> int:
    return int(time.time() * 1000)


class ApplicationsManager:
    """Owns YarnApplication.status, its part of ContainerRequest.status, and containers' pods."""

    def __init__(
        self,
        client: KubeClient,
        events: EventRecorder,
        settings: Settings,
        clock_ms: Callable[[], int] = _clock_ms,
    ) -> None:
        self.settings = settings
        self.am_service = settings.am_address
        self.cache = Cache(self._unreadable)
        self.nodes = NodeTracker(settings.node_expiry_s, settings.decommission_timeout_s, clock_ms)
        self.queue: WorkQueue[Key] = WorkQueue(self.reconcile)
        self._client = client
        self._events = events
        self._clock_ms = clock_ms
        self._started_ms = clock_ms()
        self._last_number = 0
        self._status_at: dict[Key, float] = {}
        self._sessions: dict[Key, AMSession] = {}
        self._user_ids = UserIdsFile(settings.user_ids_file)
        self._exits = ContainerExits(self.cache, self.nodes)
        self._pods = PodControl(client, events, self.cache)
        self._requests = RequestControl(client, self.cache)
        self._signaller = Signaller(client, self._pods, self._exits, clock_ms)
        self._reconciler = RequestReconciler(
            self.cache,
            self._requests,
            self._pods,
            self._exits,
            settings,
            self._cluster_defaults,
            clock_ms,
            self.queue.add,
        )

    # What happens outside arrives here.

    def application_changed(self, what: str, item: Object) -> None:
        """A YarnApplication was seen."""
        before = self.cache.applications.get(key_of(item))
        key = self.cache.put_application(item, deleted=what == "DELETED")
        if key not in self.cache.applications:
            self._sessions.pop(key, None)
            self._status_at.pop(key, None)
            record = records.read(before) if before is not None else None
            if record is not None:
                self._exits.forget(record.id)
        self.queue.add(key)

    def _unreadable(self, item: Object, error: ObjectUnreadable) -> None:
        """An object cannot be decoded: its last readable version stays in force."""
        _log.warning("%s", error)
        self._events.record(item, WARNING, "Unreadable", "Reconcile", str(error))

    def request_changed(self, what: str, item: Object) -> None:
        """A ContainerRequest was seen."""
        key = self.cache.put_request(item, deleted=what == "DELETED")
        if key is not None:
            self.queue.add(key)

    def pod_changed(self, what: str, item: Object) -> None:
        """A pod was seen."""
        key = self.cache.put_pod(item, deleted=what == "DELETED")
        if key is not None:
            self.queue.add(key)

    def node_changed(self, what: str, item: Object) -> None:
        """A node was seen."""
        cordoned = bool((item.get("spec") or {}).get("unschedulable"))
        if self.nodes.see(what, item, self.cache.busy_nodes() if cordoned else ()):
            self.reconcile_all()

    def reconcile_all(self) -> None:
        """Look at every application that there is: time alone may have changed something."""
        self.nodes.look(self.cache.busy_nodes() if self.nodes.need_busy else ())
        for key in self.cache.applications:
            self.queue.add(key)

    async def delete_expired(self) -> None:
        """Delete ended applications that are not kept any longer."""
        most, now_ms = self.settings.max_completed_applications, self._clock_ms()
        found = list(self.cache.applications.values())
        expired = retention.expired_applications(found, most, now_ms)
        await retention.delete_applications(self._client, expired)

    # One application.

    async def reconcile(self, key: Key) -> None:
        """Bring one application as far as what is seen of it allows."""
        application = self.cache.applications.get(key)
        if application is None:
            await self._leave_orphans(key)
            self.cache.forget(key)
            return
        # 1. Read: one moment of everything that is known, so that all below decides on the same.
        now_ms = self._clock_ms()
        before = records.read(application)
        record = before or self._new_record(application)
        views, unread = request_view.views(self.cache.requests(key), record.id)
        # A deleted pod's last words are needed until they stand in the status of its request.
        self.cache.keep_gone(key, _unrecorded(views))
        snapshot = observed_state.take_snapshot(
            key,
            self.cache.raw_application(key),
            application,
            record,
            views,
            self._exits,
            self.session(key, record),
            lifetime.in_force(application, record, self.cache.queues, now_ms),
        )
        # 2. Decide: pure, and the same for the same facts.
        observed = observed_state.observe(snapshot, record, self.settings, now_ms)
        after = advance(record, observed, now_ms)
        # 3. Write, before anything is done that follows from the new state.
        await self._write(key, snapshot, before, after, views)
        # 4. Act. What goes wrong with one request is told on it, and the others go on.
        steps = ReconcileSteps(key)
        await self._act(key, application, after, views, steps)
        for request in unread:
            reason = BUG if request.bug else INVALID_REQUEST
            await self._tell(key, request.name, reason, request.why, steps)
        steps.finish()

    def _new_record(self, application: YarnApplication) -> ApplicationRecord:
        # Unique without asking anybody: no two processes start in the same millisecond and lead.
        self._last_number += 1
        return ApplicationRecord(
            id=ApplicationId(self._started_ms, self._last_number),
            user=application.spec.user or "nobody",
            start_ms=self._clock_ms(),
        )

    async def _leave_orphans(self, key: Key) -> None:
        """Requests written by hand outlive their application; say how many of their pods run."""
        requests = [request.decoded for request in self.cache.requests(key)]
        pods = self.cache.pods(key).values()
        for name, status in list(request_plan.orphaned_statuses(requests, pods)):
            if await self._requests.patch_status(key, name, status):
                self.queue.add(key)

    def session(self, key: Key, record: ApplicationRecord) -> AMSession:
        """The AM's session of the current attempt."""
        attempt = record.attempt.id if record.attempt else AttemptId(record.id, 1)
        session = self._sessions.get(key)
        if session is None or session.attempt != attempt:
            # Its silence counts from now: what it said to a process before this one is not known.
            session = AMSession(attempt, last_heard_ms=self._clock_ms())
            self._sessions[key] = session
        return session

    # Writing what is known.

    async def _write(
        self,
        key: Key,
        snapshot: ApplicationSnapshot,
        before: ApplicationRecord | None,
        after: ApplicationRecord,
        views: list[RequestView],
    ) -> None:
        """Write what has changed in the status: at once if a state did, else after a while."""
        wanted = conditions.conditions(snapshot, after, self.settings.am_max_attempts)
        changes = application_status.changes(snapshot, after, views, wanted, self._clock_ms())
        if not changes:
            return
        urgent = (
            before is None or after.state is not before.state or after.attempts != before.attempts
        )
        since = time.monotonic() - self._status_at.get(key, float("-inf"))
        if not urgent and since < _STATUS_EVERY_S:
            self.queue.add(key, after_s=_STATUS_EVERY_S - since)
            return
        self._status_at[key] = time.monotonic()
        await application_status.write(self._client, self.cache, key, changes)
        application_status.announce(self._events, snapshot.raw, before, after)

    # Doing what follows.

    async def _act(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        views: list[RequestView],
        steps: ReconcileSteps,
    ) -> None:
        await self._prepare_attempt(key, application, record, views)
        # The record may have moved to another attempt, whose AM has a session of its own.
        session = self.session(key, record)
        # An AM that has not registered, or has unregistered, asks for nothing.
        if record.state is ApplicationState.RUNNING:
            await self._requests.write_asks(key, application, session)
            await self._requests.write_updates(key, views, session)
        for view in views:
            with steps.step(f"request {view.name}") as step:
                await self._reconciler.reconcile(key, application, record, view, session)
            reason, why = _wrong(view, step.error)
            if why or view.condition(RECONCILED) is not None:
                await self._tell(key, view.name, reason, why, steps)
        if not self.nodes.all_well:
            await self._end_on_leaving_nodes(key, record)
        await self._delete_expired_pods(key, application, record)
        # After the requests: a signal's container may just have got its pod.
        if not record.ended:
            pods = self.cache.pods(key)
            signals = await self._signaller.serve(application, record, views, pods)
            if signals is not None:
                await application_status.write(self._client, self.cache, key, {"signals": signals})

    async def _tell(
        self, key: Key, request: str, reason: str, why: str, steps: ReconcileSteps
    ) -> None:
        """Say on a request what keeps it from being acted on; "": nothing does."""
        with steps.step(f"condition of request {request}"):
            told = await self._requests.tell(key, request, reason, why, self._clock_ms())
            if told is not None and why:
                self._events.record(told, WARNING, reason, "Reconcile", why)

    async def _prepare_attempt(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        views: list[RequestView],
    ) -> None:
        """What an attempt needs before its AM speaks: a container of its own, or a token."""
        done = False
        # Also before there is an attempt: what the scheduler accepts or refuses is this request.
        if not record.ended and record.state is not ApplicationState.FINISHING:
            threshold = self.settings.am_node_exclusion_threshold
            done = await self._requests.create_am_request(
                key, application, record, views, threshold
            )
        unmanaged = application.spec.unmanaged_am
        if unmanaged and not record.ended and record.attempt is not None:
            token = await unmanaged_am.hand_token(self._client, key, application, self.am_service)
            if token is not None:
                await application_status.write(
                    self._client, self.cache, key, {"unmanagedAM": token}
                )
                done = True
        if done:
            self.queue.add(key)

    def _cluster_defaults(self) -> ClusterDefaults:
        """What this cluster gives to containers.

        Raises:
            SpecError: the users' UIDs cannot be read.
        """
        settings = self.settings
        executors = Executors(settings.executors, settings.trusted_images, self._user_ids.ids())
        return ClusterDefaults(self.am_service, settings.localizer_image, executors)

    async def _end_on_leaving_nodes(self, key: Key, record: ApplicationRecord) -> None:
        """End what runs on drained nodes, and remove what is left of containers on lost ones."""
        # The requests have just been reconciled: what was recorded then stands in them by now.
        views, _ = request_view.views(self.cache.requests(key), record.id)
        unrecorded = _unrecorded(views)
        pods = self.cache.pods(key)
        for pod, ending in decommission.pods_to_remove(self.nodes, pods, unrecorded):
            if ending is None:
                # Nobody is there to end it in order.
                await self._pods.delete(pod, grace_s=0)
            else:
                self._exits.stop(pod.container, ending)
                await self._pods.delete(pod)

    async def _delete_expired_pods(
        self, key: Key, application: YarnApplication, record: ApplicationRecord
    ) -> None:
        pods = list(self.cache.pods(key).values())
        kept_s = self.settings.finished_pod_retention_s
        for pod in retention.expired_pods(application, record, pods, kept_s, self._clock_ms()):
            await self._pods.delete(pod)

    # What ApplicationMasters want done at once.

    async def launch(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        view: RequestView,
        container: ContainerId,
        context: ContainerLaunchContext,
    ) -> str:
        """Make the pod of a container that was granted to an AM; returns the pod's name."""
        launch = self._reconciler.launch
        return await launch(key, application, record, view, container, context)

    async def stop(self, key: Key, container: ContainerId, status: ExitStatus) -> None:
        """End a container on behalf of its AM."""
        pod = self.cache.pods(key).get(container)
        ending = BY_APPLICATION_MASTER[status]
        if pod is None:
            # Nothing will report its end, so it has ended now.
            self._exits.note(container, ending)
            self.queue.add(key)
        elif pod.ending is None:
            self._exits.stop(container, ending)
            await self._pods.delete(pod)


def _wrong(view: RequestView, error: Exception | None) -> tuple[str, str]:
    """What keeps a request from being acted on, (reason, sentence); ("", "") if nothing does."""
    if error is None or isinstance(error, Unavailable | Conflict | NotFound):
        # Those are the world's, and are tried again.
        return (INVALID_REQUEST, view.mistake) if view.mistake else ("", "")
    if isinstance(error, KubeYarnError):
        return INVALID_REQUEST, str(error)
    return BUG, f"{type(error).__name__}: {error}; tried again, see the ResourceManager's log"


def _unrecorded(views: list[RequestView]) -> set[ContainerId]:
    """The granted containers whose exits do not stand in their requests."""
    return {c for view in views for c in view.grants if c not in view.completed}
