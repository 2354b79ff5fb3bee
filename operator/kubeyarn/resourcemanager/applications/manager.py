"""The ApplicationsManager: moves every application on, one look at a time.

`look` reads what is cached of one application, lets the pure rules say what follows, writes the
status, and does what the new state calls for. Every step can be cut off anywhere and done again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.events import EventRecorder
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.crd.object import Key, Object
from kubeyarn.lifecycle.am_session import AMSession
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import Ending, advance
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.resourcemanager import patching
from kubeyarn.resourcemanager.applications import (
    application_status,
    conditions,
    keeping,
    lifetime,
    observed_state,
    records,
    retention,
)
from kubeyarn.resourcemanager.applications.observed_state import Seen
from kubeyarn.resourcemanager.applications.signalling import Signaller
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.nodes import decommission
from kubeyarn.resourcemanager.nodes.tracker import Nodes
from kubeyarn.resourcemanager.pods import deletion
from kubeyarn.resourcemanager.pods.cluster_defaults import Site
from kubeyarn.resourcemanager.pods.isolation import Executors
from kubeyarn.resourcemanager.pods.launcher import Launcher
from kubeyarn.resourcemanager.pods.user_ids import UserIdsFile
from kubeyarn.resourcemanager.requests import (
    endings,
    orphans,
    preparing,
    request_builder,
    request_view,
)
from kubeyarn.resourcemanager.requests.allocation_expiry import Unused
from kubeyarn.resourcemanager.requests.endings import Endings
from kubeyarn.resourcemanager.requests.reconciler import RequestServer
from kubeyarn.resourcemanager.requests.request_view import RequestView
from kubeyarn.resourcemanager.settings import Settings

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
        self.cache = Cache()
        self.nodes = Nodes(settings.node_expiry_s, settings.decommission_timeout_s, clock_ms)
        self._user_ids = UserIdsFile(settings.user_ids_file)
        self.sessions: dict[Key, AMSession] = {}
        self.settings = settings
        self.am_service = settings.am_address
        self._client = client
        self._events = events
        self._clock_ms = clock_ms
        self._started_ms = clock_ms()
        self._last_number = 0
        self._endings = Endings(self.cache, self.nodes)
        self._status_at: dict[Key, float] = {}
        self._signaller = Signaller(client, clock_ms, self._endings.stopped)
        self.queue: WorkQueue[Key] = WorkQueue(self.look)
        self.launcher = Launcher(
            client, events, settings, self.cache, self._endings, self.site, self.queue.add
        )
        self._server = RequestServer(
            client,
            events,
            self.cache,
            self.nodes,
            self._endings,
            self.launcher,
            Unused(settings.launch_expiry_s),
            clock_ms,
            self.queue.add,
        )

    # What happens outside arrives here.

    def application_changed(self, what: str, item: Object) -> None:
        """A YarnApplication was seen."""
        key = self.cache.put_application(item, deleted=what == "DELETED")
        if key not in self.cache.applications:
            self.sessions.pop(key, None)
            self._status_at.pop(key, None)
            record = records.read(item)
            if record is not None:
                self._endings.forget(record.id)
        self.queue.add(key)

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
            self.look_at_all()

    def look_at_all(self) -> None:
        """Look at every application that has not ended: time alone may have changed something."""
        self.nodes.look(self.cache.busy_nodes() if self.nodes.need_busy else ())
        for key in self.cache.applications:
            self.queue.add(key)

    async def delete_old(self) -> None:
        """Delete ended applications that are not kept any longer."""
        most, now_ms = self.settings.max_completed_applications, self._clock_ms()
        found = list(self.cache.applications.values())
        await keeping.delete(self._client, retention.not_kept(found, most, now_ms))

    # One application.

    async def look(self, key: Key) -> None:
        """Bring one application as far as what is seen of it allows."""
        application = self.cache.applications.get(key)
        if application is None:
            await self._leave_orphans(key)
            self.cache.forget(key)
            return
        now_ms = self._clock_ms()
        before = records.read(application)
        record = before or self._new_record(application)
        views = [request_view.view(r, record.id) for r in self.cache.requests(key)]
        self.cache.keep_gone(key, {c for v in views for c in v.grants if c not in v.completed})
        seen = self._seen(key, application, record, views)
        found = observed_state.facts(seen, record, self.settings, now_ms)
        lives = lifetime.in_force(application, record, self.cache.queues, now_ms)
        seen = replace(seen, lifetime=lives)
        old = lifetime.outlived(record, lives.seconds, now_ms)
        after = advance(record, replace(found, outlived=old), now_ms)
        await self._write(key, seen, before, after, views)
        await self._act(key, seen.application, after, views)

    async def _leave_orphans(self, key: Key) -> None:
        requests_left, pods_left = self.cache.requests(key), self.cache.pods(key).values()
        for name, status in list(orphans.statuses(requests_left, pods_left)):
            if await patching.request(self._client, self.cache, key, name, status):
                self.queue.add(key)

    def session(self, key: Key, record: ApplicationRecord) -> AMSession:
        """The AM's session of the current attempt."""
        attempt = record.attempt.id if record.attempt else AttemptId(record.id, 1)
        session = self.sessions.get(key)
        if session is None or session.attempt != attempt:
            # Its silence counts from now: what it said to a process before this one is not known.
            session = AMSession(attempt, last_heard_ms=self._clock_ms())
            self.sessions[key] = session
        return session

    def _new_record(self, application: Object) -> ApplicationRecord:
        self._last_number += 1
        return ApplicationRecord(
            id=ApplicationId(self._started_ms, self._last_number),
            user=application["spec"].get("user") or "nobody",
            start_ms=self._clock_ms(),
        )

    def _seen(
        self, key: Key, application: Object, record: ApplicationRecord, views: list[RequestView]
    ) -> Seen:
        number = record.attempt.id.number if record.attempt else 1
        wanted = names.am_request_name(key[1], number)
        request = next((v for v in views if v.name == wanted), None)
        container = record.attempt.container if record.attempt else None
        if container is None and request is not None:
            container = min((*request.grants, *request.completed), default=None)
        pod = (
            decommission.as_seen(self.nodes, self.cache.pods(key)).get(container)
            if container
            else None
        )
        ending = (
            (self._endings.stopped.get(pod.container) or pod.ending) if pod and pod.ending else None
        )
        if pod is None and container is not None:
            ending = self._endings.of(key, container) or observed_state.am_ending(
                request, container
            )
            if ending is None and request is not None and container in request.launched:
                ending = Ending(ExitStatus.ABORTED, "The ApplicationMaster's pod was deleted.")
        ending = observed_state.preempted(request, container, ending)
        return Seen(application, request, pod, ending, self.session(key, record))

    # Writing what is known.

    async def _write(
        self,
        key: Key,
        seen: Seen,
        before: ApplicationRecord | None,
        after: ApplicationRecord,
        views: list[RequestView],
    ) -> None:
        said = conditions.conditions(seen, after, self.settings.am_max_attempts)
        changes = application_status.changes(seen, after, views, said, self._clock_ms())
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
        await patching.application(self._client, self.cache, key, changes)
        application_status.announce(self._events, seen.application, before, after)

    # Doing what follows.

    async def _act(
        self, key: Key, application: Object, record: ApplicationRecord, views: list[RequestView]
    ) -> None:
        await self._prepare(key, application, record, views)
        session = self.session(key, record)
        if record.state is ApplicationState.RUNNING:
            await request_builder.write(self._client, self.cache, key, application, session)
            await request_builder.write_updates(self._client, self.cache, key, views, session)
        for view in views:
            await self._server.serve(key, application, record, view, session)
        if not self.nodes.all_well:
            await self._leave_nodes(key, record)
        await self._sweep(key, application, record)
        if not record.ended:
            pods_now = self.cache.pods(key)
            said = await self._signaller.serve(application, record, views, pods_now)
            if said is not None:
                await patching.application(self._client, self.cache, key, {"signals": said})

    async def _prepare(
        self, key: Key, application: Object, record: ApplicationRecord, views: list[RequestView]
    ) -> None:
        client, cache, done = self._client, self.cache, False
        if not record.ended and record.state is not ApplicationState.FINISHING:
            threshold = self.settings.am_node_exclusion_threshold
            done = await preparing.ask_for_master(
                client, cache, key, application, record, views, threshold
            )
        if (
            observed_state.unmanaged(application)
            and not record.ended
            and record.attempt is not None
        ):
            done |= await preparing.hand_token(
                client, cache, key, application, record, self.am_service
            )
        if done:
            self.queue.add(key)

    def site(self) -> Site:
        """What this cluster gives to containers."""
        settings = self.settings
        executors = Executors(settings.executors, settings.trusted_images, self._user_ids.ids())
        return Site(self.am_service, settings.localizer_image, executors)

    async def stop(self, key: Key, container: ContainerId, status: ExitStatus) -> bool:
        """End a container on behalf of its AM; False when it has no pod and needed none deleted."""
        pod = self.cache.pods(key).get(container)
        if pod is None:
            self._endings.note(container, endings.BY_MASTER[status])
            self.queue.add(key)
            return False
        if pod.ending is None:
            self._endings.stopped[container] = endings.BY_MASTER[status]
            await deletion.remove(self._client, pod)
        return True

    async def _leave_nodes(self, key: Key, record: ApplicationRecord) -> None:
        """End what runs on drained nodes, and remove what is left of containers on lost ones."""
        views = [request_view.view(r, record.id) for r in self.cache.requests(key)]
        unrecorded = {c for v in views for c in v.grants if c not in v.completed}
        for found in decommission.leaving(self.nodes, self.cache.pods(key), unrecorded):
            pod = found.pod
            if found.ending is not None:
                self._endings.stopped[pod.container] = found.ending
            await deletion.remove(self._client, pod, at_once=found.ending is None)

    async def _sweep(self, key: Key, application: Object, record: ApplicationRecord) -> None:
        found = list(self.cache.pods(key).values())
        most = self.settings.finished_pod_retention_s
        for pod in deletion.unwanted(application, record, found, most, self._clock_ms()):
            await deletion.remove(self._client, pod)
