"""The ApplicationsManager: moves every application on, one reconciliation at a time.

Everything that happens outside (an application, request, pod or node that changed, an
ApplicationMaster's call, time that passed) does no more than put an application's key into the
queue. `reconcile` then looks at everything that is known of that application and brings it as far
as that allows:

1. Read: the record in its status, its requests, its pods, its AM's session (`take_snapshot`).
2. Decide: `observe` makes the facts, `lifecycle.progress.advance` walks the state machines.
3. Write the status, if it is another. It comes before the deeds that follow from it: a new process
   finds the state that they belong to.
4. Take away: evict what the policy takes back, end what is killed, drained or over, delete what is
   old. Each is done whatever the rest of the application looks like, or its owner could choose to
   keep what other queues are owed.
5. Give: ask for the AM's container, write the AM's asks, reconcile each request
   (`RequestReconciler`), clear lost nodes, send signals.

What one step raises keeps no other step from being done (`ReconcileSteps`). But nothing is given
while the state could not be written; a status that the API server refuses is written without
anybody's words, so that the state is known in any case.

It is a level, not an edge: it can be cut off between any two steps and done again, and doing it
twice does nothing new. The queue never runs one key twice at a time, so nothing here needs a lock.
The next reconciliation may come before the watch event of a write of this one; that is why the
answers of writes go into the cache at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, Conflict, NotFound, Refused
from kubeyarn.cluster.events import WARNING, EventRecorder
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.crd.decoding import ObjectUnreadable
from kubeyarn.crd.object import Key, Object, key_of
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.progress import advance
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import KubeYarnError, Unavailable
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.resourcemanager.applications import (
    application_status,
    conditions,
    lifetime,
    observed_state,
    records,
    retention,
    unmanaged_am,
)
from kubeyarn.resourcemanager.applications.am_sessions import AMSessions
from kubeyarn.resourcemanager.applications.observed_state import ApplicationSnapshot
from kubeyarn.resourcemanager.applications.signals import Signaller
from kubeyarn.resourcemanager.applications.steps import ReconcileSteps
from kubeyarn.resourcemanager.applications.thread_dumps import ThreadDumps
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.name_taken import NAME_TAKEN
from kubeyarn.resourcemanager.nodes import decommission
from kubeyarn.resourcemanager.nodes.tracker import NodeTracker
from kubeyarn.resourcemanager.pods.isolation import Executors
from kubeyarn.resourcemanager.pods.pod_builder import ClusterDefaults
from kubeyarn.resourcemanager.pods.pod_control import PodControl
from kubeyarn.resourcemanager.pods.user_ids import UserIdsFile
from kubeyarn.resourcemanager.requests import request_plan, request_view
from kubeyarn.resourcemanager.requests.allocation_expiry import ContainerAllocationExpirer
from kubeyarn.resourcemanager.requests.container_exits import ContainerExits
from kubeyarn.resourcemanager.requests.container_manager import LAUNCH_REFUSED, ContainerManager
from kubeyarn.resourcemanager.requests.reconciler import RequestReconciler
from kubeyarn.resourcemanager.requests.request_control import RequestControl
from kubeyarn.resourcemanager.requests.request_plan import RequestPlan
from kubeyarn.resourcemanager.requests.request_view import (
    RECONCILED,
    RequestView,
    UnreadRequest,
)
from kubeyarn.resourcemanager.settings import Settings

_log = logging.getLogger(__name__)

INVALID_REQUEST = "InvalidRequest"
BUG = "InternalError"
TOO_MANY_COMPLETED = "TooManyCompleted"
_OVERFULL = (
    f"status.completed: found {request_plan.MOST_COMPLETED} containers that ended, allowed: no "
    "more; those that end now are recorded when the scheduler has dropped others, and the first "
    "ones that the ApplicationMaster has not confirmed are forgotten; it confirms them by its "
    "next heartbeat"
)

_IN_ONE_TURN = 100
# A status that changes with every heartbeat (progress, counts) is written at most this often.
_STATUS_EVERY_S = 1.0
# How long pods without an application are left to Kubernetes' garbage collector.
_ORPHANS_LIVE_S = 30
# One that the API server refused is hardly better a moment later.
_REFUSED_STATUS_EVERY_S = 30.0


def _clock_ms() -> int:
    return int(time.time() * 1000)


class ApplicationsManager:
    """Owns YarnApplication.status, its part of ContainerRequest.status, and containers' pods."""

    def __init__(
        self,
        client: KubeClient,
        events: EventRecorder,
        settings: Settings,
        epoch: int,
        clock_ms: Callable[[], int] = _clock_ms,
    ) -> None:
        self.settings = settings
        self.am_service = settings.am_address
        self.cache = Cache(self._unreadable)
        self.sessions = AMSessions(clock_ms)
        self.nodes = NodeTracker(settings.node_expiry_s, settings.decommission_timeout_s, clock_ms)
        self.queue: WorkQueue[Key] = WorkQueue(self.reconcile, failed=self._failed)
        self._client = client
        self._epoch = epoch
        self._events = events
        self._clock_ms = clock_ms
        self._started_ms = clock_ms()
        self._last_number = 0
        self._status_at: dict[Key, float] = {}
        self._refused: dict[Key, str] = {}
        self._gone_since: dict[Key, int] = {}
        self._user_ids = UserIdsFile(settings.user_ids_file)
        look = self.queue.add
        self._exits = ContainerExits(self.cache, self.nodes, clock_ms, look)
        self._pods = PodControl(client, events, self.cache, settings.max_termination_grace_s)
        self._requests = RequestControl(client, self.cache, look, epoch)
        self.containers = ContainerManager(
            self.cache, self._pods, self._exits, self._cluster_defaults, look
        )
        self._dumps = ThreadDumps(client, clock_ms, look)
        self._signaller = Signaller(self._dumps, self._pods, self._exits, clock_ms)
        self._reconciler = RequestReconciler(
            self._requests,
            self._pods,
            self._exits,
            self.containers,
            ContainerAllocationExpirer(settings.launch_expiry_s, clock_ms),
        )

    # What happens outside arrives here.

    def application_changed(self, what: str, item: Object) -> None:
        """A YarnApplication was seen."""
        # Taken first: the record of a deleted application is in no cache afterwards.
        before = self.cache.applications.get(key_of(item))
        key = self.cache.put_application(item, deleted=what == "DELETED")
        if key not in self.cache.applications:
            self.sessions.forget(key)
            self._status_at.pop(key, None)
            self._refused.pop(key, None)
            self._requests.forget(key)
            record = records.read(before) if before is not None else None
            if record is not None:
                self._exits.forget(record.id)
        self.queue.add(key)

    def _unreadable(self, item: Object, error: ObjectUnreadable) -> None:
        """An object cannot be decoded: its last readable version stays in force."""
        _log.warning("%s", error)
        self._events.record(item, WARNING, "Unreadable", "Reconcile", str(error))

    def _failed(self, key: Key, error: Exception) -> None:
        """An application cannot be reconciled: it is tried again, and told why until then."""
        application = self.cache.applications.get(key)
        if application is not None:
            note = f"{type(error).__name__}: {error}; tried again"
            raw = self.cache.raw_application(key)
            self._events.record(raw, WARNING, "ReconcileFailed", "Reconcile", note)

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
        # Which nodes hold containers is looked up only for a node that leaves: it goes over all
        # pods.
        cordoned = bool((item.get("spec") or {}).get("unschedulable"))
        if self.nodes.see(what, item, self.cache.busy_nodes() if cordoned else ()):
            self.reconcile_all()

    def reconcile_all(self) -> None:
        """Look at every application that there is: time alone may have changed something.

        Also at those that are gone and left pods.
        """
        self.nodes.look(self.cache.busy_nodes() if self.nodes.need_busy else ())
        for key in (*self.cache.applications, *self.cache.gone_with_pods()):
            self.queue.add(key)

    async def delete_expired(self) -> None:
        """Delete ended applications that are not kept any longer."""
        most, now_ms = self.settings.max_completed_applications, self._clock_ms()
        applications = list(self.cache.applications.values())
        expired = retention.expired_applications(applications, most, now_ms)
        await retention.delete_applications(self._client, expired)

    # One application.

    async def reconcile(self, key: Key) -> None:
        """Bring one application as far as what is seen of it allows."""
        application = self.cache.applications.get(key)
        if application is None:
            steps = ReconcileSteps(key)
            with steps.step("pods without application"):
                await self._sweep(key)
            with steps.step("requests without application"):
                await self._leave_orphans(key)
            with steps.step("condition"):
                await self._tell_unread(key)
            self.cache.forget(key)
            self.containers.forget(key)
            self._dumps.forget(key)
            steps.finish()
            return
        self._gone_since.pop(key, None)
        # 1. Read: one moment of everything that is known, so that all below decides on the same.
        now_ms = self._clock_ms()
        before = records.read(application)
        record = before or self._new_record(application)
        views, unread = request_view.views(self.cache.requests(key), record.id)
        # A deleted pod's last words are needed until they stand in the status of its request.
        if not unread:
            self.cache.keep_gone(key, _unrecorded(views))
        steps = ReconcileSteps(key)
        # 2. Decide: pure, and the same for the same facts.
        after = record
        with steps.step("state") as decided:
            snapshot, after = self._decide(key, application, record, views, now_ms)
        if decided.error is not None and observed_state.killed(application):
            # Nothing is known of it but that it has to end.
            after = replace(record, state=ApplicationState.KILLING)
        # 3. Write, before anything is done that follows from the new state.
        with steps.step("status") as written:
            if decided.error is None:
                await self._write(key, snapshot, before, after, views)
        # 4. Take away, whatever else went wrong.
        plans = await self._take_away(key, application, after, views, unread, steps)
        # 5. Give, but not what a new process would not know to belong to the application.
        if decided.error is None and written.error is None:
            await self._give(key, application, after, views, plans, steps)
            self._forget_ended(key, after)
        for request in unread:
            reason = BUG if request.bug else INVALID_REQUEST
            await self._tell(key, request.name, reason, request.why, steps)
        steps.finish()

    def _forget_ended(self, key: Key, record: ApplicationRecord) -> None:
        """Have the AM's session remember nothing of containers that no request lists any more."""
        # As of now: its AM may have registered, and been told of others, since the reading.
        views, unread = request_view.views(self.cache.requests(key), record.id)
        if not unread:
            listed = [c for view in views for c in (*view.grants, *view.completed)]
            self.sessions.of(key, record).keep(listed)

    def _decide(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        views: list[RequestView],
        now_ms: int,
    ) -> tuple[ApplicationSnapshot, ApplicationRecord]:
        """What is seen of an application, and its record after what that lets happen."""
        attempt = record.attempt.id.number if record.attempt else 1
        snapshot = observed_state.take_snapshot(
            key,
            self.cache.raw_application(key),
            application,
            record,
            views,
            self._exits,
            self.sessions.of(key, record),
            lifetime.in_force(application, record, self.cache.queues, now_ms),
            self._requests.name_taken(application, attempt),
        )
        snapshot = replace(snapshot, unread=self.cache.unread_application(key))
        observed = observed_state.observe(snapshot, record, self.settings, now_ms)
        return snapshot, advance(record, observed, now_ms)

    def _new_record(self, application: YarnApplication) -> ApplicationRecord:
        # Unique without asking anybody: no two processes start in the same millisecond and lead.
        self._last_number += 1
        return ApplicationRecord(
            id=ApplicationId(self._started_ms, self._last_number),
            user=application.spec.user or "nobody",
            start_ms=self._clock_ms(),
        )

    async def _sweep(self, key: Key) -> None:
        """End what still runs of an application that is gone; nobody else governs it.

        Not at once: Kubernetes' garbage collector deletes what an application owned.
        """
        pods, now_ms = self.cache.pods(key), self._clock_ms()
        if not pods or not self.cache.is_gone(key):
            self._gone_since.pop(key, None)
            return
        left_ms = self._gone_since.setdefault(key, now_ms) + _ORPHANS_LIVE_S * 1000 - now_ms
        if left_ms > 0:
            self.queue.add(key, after_s=left_ms / 1000)
            return
        kept_s = self.settings.finished_pod_retention_s
        orphans = list(retention.orphans(pods.values(), kept_s, now_ms))
        for pod in orphans:
            self._pods.tell_orphaned(pod)
        await self._pods.delete_all(orphans)
        await self._end_overdue_pods(key)

    async def _tell_unread(self, key: Key) -> None:
        """Say on an application of which no version can be decoded why it is passed over."""
        unread = self.cache.unread_application(key)
        if unread is None:
            return
        condition = conditions.never_read(unread.why)
        status = application_status.unreadable(unread, condition, self._clock_ms())
        if status:
            await application_status.write(self._client, self.cache, key, status, self._epoch)

    async def _leave_orphans(self, key: Key) -> None:
        """Requests written by hand outlive their application; say how many of their pods run."""
        requests = [request.decoded for request in self.cache.requests(key)]
        pods = self.cache.pods(key).values()
        for name, status in list(request_plan.orphaned_statuses(requests, pods)):
            await self._requests.patch_status(key, name, status)

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
        every_s = _REFUSED_STATUS_EVERY_S if key in self._refused else _STATUS_EVERY_S
        # Progress and counts change with every heartbeat of every application; a write each would
        # be most of what the API server is asked to do.
        if not urgent and since < every_s:
            self.queue.add(key, after_s=every_s - since)
            return
        self._status_at[key] = time.monotonic()
        try:
            await application_status.write(self._client, self.cache, key, changes, self._epoch)
            self._refused.pop(key, None)
        except Refused as error:
            self._tell_refused(key, snapshot.raw, str(error))
            if not urgent:
                return
            state = application_status.state_alone(after)
            await application_status.write(self._client, self.cache, key, state, self._epoch)
        application_status.announce(self._events, snapshot.raw, before, after)

    def _tell_refused(self, key: Key, about: Object, why: str) -> None:
        """Say once that the API server does not take a status."""
        if self._refused.get(key) != why:
            self._refused[key] = why
            _log.warning("%s/%s: the status is refused, its state alone is kept: %s", *key, why)
            self._events.record(about, WARNING, "StatusRefused", "Reconcile", why)

    # Doing what follows.

    async def _take_away(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        views: list[RequestView],
        unread: list[UnreadRequest],
        steps: ReconcileSteps,
    ) -> list[tuple[RequestView, RequestPlan]]:
        """Evict, kill, drain and delete; returns what is to be done about each request besides.

        Each is done whatever became of the others: what an application holds is taken back when
        other queues are owed it, also if nothing else can be done about that application.
        """
        session, named_by = self.sessions.of(key, record), self._exits.pods_by_request(key)
        # What nothing was granted of has nothing to take back, nor anything to be told.
        busy = [view for view in views if not view.is_idle or view.name in named_by]
        plans = []
        for number, view in enumerate(busy, start=1):
            if number % _IN_ONE_TURN == 0:
                # Thousands of requests keep nobody else from the event loop.
                await asyncio.sleep(0)
            mine = named_by.get(view.name, ())
            with steps.step(f"request {view.name}: taking back") as step:
                plan = self._reconciler.plan(key, application, record, view, mine, session)
                plans.append((view, plan))
                await self._reconciler.take_away(key, view, plan)
            if step.error is not None and not isinstance(step.error, Unavailable | ApiError):
                await self._tell(key, view.name, *_wrong(view, step.error), steps)
        planned = {view.name for view, _ in plans}
        unplanned = [view for view in busy if view.name not in planned]
        without_plan: list[RequestView | UnreadRequest] = [*unread, *unplanned]
        for request in without_plan:
            with steps.step(f"request {request.name}: taking back"):
                mine = named_by.get(request.name, ())
                await self._reconciler.take_away_unread(application, record, request, mine)
        if not self.nodes.all_well:
            with steps.step("drained nodes"):
                await self._end_on_drained_nodes(key, views)
        with steps.step("pods that do not stop"):
            await self._end_overdue_pods(key)
        with steps.step("pods that are not kept"):
            await self._delete_expired_pods(key, application, record, views, unread)
        return plans

    async def _give(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        views: list[RequestView],
        plans: list[tuple[RequestView, RequestPlan]],
        steps: ReconcileSteps,
    ) -> None:
        """Ask, record, tell and launch."""
        with steps.step("its attempt"):
            await self._prepare_attempt(key, application, record, views)
        # The record may have moved to another attempt, whose AM has a session of its own.
        session = self.sessions.of(key, record)
        # An AM that has not registered, or has unregistered, asks for nothing.
        if record.state is ApplicationState.RUNNING:
            with steps.step("its asks"):
                await self._requests.write_asks(key, application, session)
            with steps.step("its updates"):
                await self._requests.write_updates(key, views, session)
        for number, (view, plan) in enumerate(plans, start=1):
            if number % _IN_ONE_TURN == 0:
                await asyncio.sleep(0)
            with steps.step(f"request {view.name}") as step:
                await self._reconciler.reconcile(key, application, record, view, plan, session)
            reason, why = _wrong(view, step.error)
            if not why and plan.overfull:
                reason, why = TOO_MANY_COMPLETED, _OVERFULL
            if not why:
                reason, why = LAUNCH_REFUSED, self.containers.launch_refused(key, view)
            if why or view.condition(RECONCILED) is not None:
                await self._tell(key, view.name, reason, why, steps)
        if not self.nodes.all_well:
            with steps.step("lost nodes"):
                await self._clear_lost_nodes(key, record)
        # After the requests: a signal's container may just have got its pod.
        if not record.ended:
            with steps.step("signals"):
                await self._serve_signals(key, application, record, views)

    async def _serve_signals(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        views: list[RequestView],
    ) -> None:
        pods = self.cache.pods(key)
        signals = await self._signaller.serve(application, record, views, pods)
        if signals is not None:
            await application_status.write(
                self._client, self.cache, key, {"signals": signals}, self._epoch
            )

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
        attempt = record.attempt.id.number if record.attempt else 1
        # Also before there is an attempt: what the scheduler accepts or refuses is this request.
        if not record.ended and record.state is not ApplicationState.FINISHING:
            threshold = self.settings.am_node_exclusion_threshold
            done = await self._requests.create_am_request(
                key, application, record, views, threshold
            )
            taken = self._requests.name_taken(application, attempt)
            if done and taken:
                raw = self.cache.raw_application(key)
                self._events.record(raw, WARNING, NAME_TAKEN, "Reconcile", taken)
        unmanaged = application.spec.unmanaged_am
        if unmanaged and not record.ended and record.attempt is not None:
            token = await unmanaged_am.hand_token(self._client, key, application, self.am_service)
            if token is not None:
                await application_status.write(
                    self._client, self.cache, key, {"unmanagedAM": token}, self._epoch
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
        return ClusterDefaults(
            am_service=self.am_service,
            localizer_image=settings.localizer_image,
            executors=executors,
            most_stop_s=settings.max_termination_grace_s,
            most_attempts=settings.am_max_attempts,
        )

    async def _end_on_drained_nodes(self, key: Key, views: list[RequestView]) -> None:
        """End what runs on drained nodes, whose kubelets end it in order."""
        pods = self.cache.pods(key)
        leaving = []
        for pod, ending in decommission.pods_to_remove(self.nodes, pods, _unrecorded(views)):
            if ending is not None:
                self._exits.stop(pod.container, ending)
                leaving.append(pod)
        await self._pods.delete_all(leaving)

    async def _clear_lost_nodes(self, key: Key, record: ApplicationRecord) -> None:
        """Remove what is left of containers on lost nodes, once their exits are recorded."""
        # The requests have just been reconciled: what was recorded then stands in them by now.
        views, _ = request_view.views(self.cache.requests(key), record.id)
        pods = self.cache.pods(key)
        removed = decommission.pods_to_remove(self.nodes, pods, _unrecorded(views))
        # Nobody is there to end them in order.
        await self._pods.delete_all([pod for pod, ending in removed if ending is None], grace_s=0)

    async def _end_overdue_pods(self, key: Key) -> None:
        """Cut short what was given longer to stop than the cluster allows, by whomever."""
        most_s, pods = self.settings.max_termination_grace_s, self.cache.pods(key).values()
        overdue = list(retention.overdue_pods(pods, most_s, self._clock_ms()))
        await self._pods.delete_all(overdue, grace_s=retention.OVERDUE_GRACE_S)

    async def _delete_expired_pods(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        views: list[RequestView],
        unread: list[UnreadRequest],
    ) -> None:
        """Delete what is old, once its end stands in its request: a later look records it."""
        pods = list(self.cache.pods(key).values())
        # What has ended of a request that cannot be read is recorded when it can.
        unreadable = {request.name for request in unread}
        unrecorded = _unrecorded(views) | {p.container for p in pods if p.request in unreadable}
        kept_s, now_ms = self.settings.finished_pod_retention_s, self._clock_ms()
        expired = retention.expired_pods(application, record, pods, unrecorded, kept_s, now_ms)
        await self._pods.delete_all(list(expired))


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
