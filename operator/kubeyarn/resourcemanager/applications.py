"""The ApplicationsManager: moves every application on, one look at a time.

`look` reads what is cached of one application, lets the pure rules say what follows, writes the
status, and does what the new state calls for. Every step can be cut off anywhere and done again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import AlreadyExists, Conflict, NotFound, Refused
from kubeyarn.cluster.events import WARNING, EventRecorder
from kubeyarn.cluster.resources import APPLICATIONS, PODS, REQUESTS, SECRETS
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.lifecycle import failed_nodes
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.master import CompletedContainer, MasterSession, RejectedAsk
from kubeyarn.lifecycle.progress import Ending, advance
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.resourcemanager import (
    asking,
    completed,
    evicting,
    keeping,
    leaving,
    lifetimes,
    limits,
    observing,
    orphans,
    pods,
    records,
    requests,
    resizing,
    statuses,
    telling,
    unmanaged,
    unused,
    usage,
)
from kubeyarn.resourcemanager.cache import Cache, Key
from kubeyarn.resourcemanager.isolation import Executors
from kubeyarn.resourcemanager.nodes import Nodes
from kubeyarn.resourcemanager.observing import Seen
from kubeyarn.resourcemanager.pods import Launch, Owner, Placed
from kubeyarn.resourcemanager.requests import Doom, RequestView
from kubeyarn.resourcemanager.settings import Settings
from kubeyarn.resourcemanager.signalling import Signaller
from kubeyarn.resourcemanager.site import Site
from kubeyarn.resourcemanager.user_ids import UserIdsFile

_log = logging.getLogger(__name__)

Object = dict[str, Any]

_STOPPED = {
    ExitStatus.ABORTED: "Container released by the application.",
    ExitStatus.KILLED_BY_APPMASTER: "Stopped by the ApplicationMaster.",
}

_STATUS_EVERY_S = 1.0
_LOOK_AGAIN_S = 10.0


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
        self.sessions: dict[Key, MasterSession] = {}
        self.sizes = asking.Sizes()
        self.settings = settings
        self.am_service = settings.am_address
        self._client = client
        self._events = events
        self._clock_ms = clock_ms
        self._started_ms = clock_ms()
        self._last_number = 0
        self._endings: dict[ContainerId, Ending] = {}
        self._stopped: dict[ContainerId, Ending] = {}
        self._status_at: dict[Key, float] = {}
        self._unused = unused.Unused(settings.launch_expiry_s)
        self._signaller = Signaller(client, clock_ms, self._stopped)
        self.queue: WorkQueue[Key] = WorkQueue(self.look)

    # What happens outside arrives here.

    def application_changed(self, what: str, item: Object) -> None:
        """A YarnApplication was seen."""
        key = self.cache.put_application(item, deleted=what == "DELETED")
        if key not in self.cache.applications:
            self.sessions.pop(key, None)
            self._status_at.pop(key, None)
            self._forget_endings(item)
        self.queue.add(key)

    def _forget_endings(self, application: Object) -> None:
        """Its requests go with it, so that nobody will record how their containers ended."""
        record = records.read(application)
        for known in (self._endings, self._stopped) if record is not None else ():
            for container in [c for c in known if record and c.attempt.application == record.id]:
                del known[container]

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
        await keeping.delete(self._client, completed.not_kept(found, most, now_ms))

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
        views = [requests.view(r, record.id) for r in self.cache.requests(key)]
        self.cache.keep_gone(key, {c for v in views for c in v.grants if c not in v.completed})
        seen = self._seen(key, application, record, views)
        found = observing.facts(seen, record, self.settings, now_ms)
        lives = lifetimes.in_force(application, record, self.cache.queues, now_ms)
        seen = replace(seen, lifetime=lives)
        old = lifetimes.outlived(record, lives.seconds, now_ms)
        after = advance(record, replace(found, outlived=old), now_ms)
        await self._write(key, seen, before, after, views)
        await self._act(key, seen.application, after, views)

    async def _leave_orphans(self, key: Key) -> None:
        requests_left, pods_left = self.cache.requests(key), self.cache.pods(key).values()
        for name, status in list(orphans.statuses(requests_left, pods_left)):
            await self._patch_request(key, name, status)

    def session(self, key: Key, record: ApplicationRecord) -> MasterSession:
        """The AM's session of the current attempt."""
        attempt = record.attempt.id if record.attempt else AttemptId(record.id, 1)
        session = self.sessions.get(key)
        if session is None or session.attempt != attempt:
            # Its silence counts from now: what it said to a process before this one is not known.
            session = MasterSession(attempt, last_heard_ms=self._clock_ms())
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
            leaving.as_seen(self.nodes, self.cache.pods(key)).get(container) if container else None
        )
        ending = (self._stopped.get(pod.container) or pod.ending) if pod and pod.ending else None
        if pod is None and container is not None:
            ending = self._ending(key, container) or observing.am_ending(request, container)
            if ending is None and request is not None and container in request.launched:
                ending = Ending(ExitStatus.ABORTED, "The ApplicationMaster's pod was deleted.")
        ending = observing.preempted(request, container, ending)
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
        said = telling.conditions(seen, after, self.settings.am_max_attempts)
        changes = statuses.changes(seen, after, views, said, self._clock_ms())
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
        await self._patch_application(key, {"status": changes}, sub="status")
        statuses.announce(self._events, seen.application, before, after)

    async def _patch_application(self, key: Key, body: Object, sub: str = "") -> None:
        try:
            written = await self._client.patch(APPLICATIONS, key[1], body, key[0], sub)
        except NotFound:
            return
        self.cache.put_application(written)

    # Doing what follows.

    async def _act(
        self, key: Key, application: Object, record: ApplicationRecord, views: list[RequestView]
    ) -> None:
        if not record.ended and record.state is not ApplicationState.FINISHING:
            await self._ensure_am_request(key, application, record, views)
        if observing.unmanaged(application) and not record.ended and record.attempt is not None:
            await self._ensure_token(key, application, record)
        session = self.session(key, record)
        if record.state is ApplicationState.RUNNING:
            await asking.write(self._client, self.cache, key, application, session, self.sizes)
            await asking.write_updates(self._client, self.cache, key, views, session)
        for view in views:
            await self._serve(key, application, record, view)
        if not self.nodes.all_well:
            await self._leave_nodes(key, record)
        await self._sweep(key, application, record)
        if not record.ended:
            pods_now = self.cache.pods(key)
            said = await self._signaller.serve(application, record, views, pods_now)
            if said is not None:
                await self._patch_application(key, {"status": {"signals": said}}, sub="status")

    async def _ensure_am_request(
        self, key: Key, application: Object, record: ApplicationRecord, views: list[RequestView]
    ) -> None:
        number = record.attempt.id.number if record.attempt else 1
        name = names.am_request_name(key[1], number)
        if any(view.name == name for view in views):
            return
        nodes = limits.nodes(self.cache)
        threshold = self.settings.am_node_exclusion_threshold
        excluded = failed_nodes.excluded(record.attempts, nodes, threshold)
        body = asking.am_request(application, record, number, excluded)
        try:
            created = await self._client.create(REQUESTS, body, key[0])
        except AlreadyExists:
            return
        self.cache.put_request(created)
        self.queue.add(key)

    async def _ensure_token(self, key: Key, application: Object, record: ApplicationRecord) -> None:
        """Hand an unmanaged AM its token, once.

        A Secret whose token was not noted before a crash is worth nothing and goes with the
        application.
        """
        if ((application.get("status") or {}).get("unmanagedAM") or {}).get("tokenDigest"):
            return
        token = unmanaged.made(*key)
        body = unmanaged.secret(owner(application, record), token, self.am_service)
        made = await self._client.create(SECRETS, body, key[0])
        said = {"secret": made["metadata"]["name"], "tokenDigest": token.digest}
        await self._patch_application(key, {"status": {"unmanagedAM": said}}, sub="status")
        self.queue.add(key)

    async def _serve(
        self,
        key: Key,
        application: Object,
        record: ApplicationRecord,
        view: RequestView,
    ) -> None:
        """One request: launch what is granted, record what has ended."""
        session = self.session(key, record)
        doom = fate(application, record, view)
        told = view.role == names.ROLE_ASK and (doom is None or doom.spares_running)
        plan = requests.plan(
            view,
            leaving.as_seen(self.nodes, self.cache.pods(key)),
            lambda container: self._ending(key, container, view),
            doom,
            confirmed=(lambda c: c in session.confirmed) if told else (lambda _: True),
        )
        now_ms = self._clock_ms()
        plan.status |= usage.after(
            view, plan.ended, lambda container: self.cache.held_s(key, container, now_ms)
        )
        if plan.status:
            await self._patch_request(key, view.name, plan.status)
            for ended in plan.ended:
                self._recorded(key, ended)
        if told:
            self._tell(session, view, plan)
            self._expire_unused(key, view, [container for container, _ in plan.unlaunched])
        if plan.changes or plan.refused:
            updated = await resizing.carry_out(self._client, self.cache, key, view, plan, session)
            if updated:
                await self._patch_request(key, view.name, {"updated": updated})
        if doom is not None and view.role != names.ROLE_AM:
            self._stopped |= dict.fromkeys(plan.doomed, doom.ending)
        if doom is None and view.role != names.ROLE_ASK:
            await self._launch_all(key, application, record, view, plan.unlaunched)
        for pod, why in plan.evict:
            await evicting.tell(self._client, self._events, pod, why)
        for pod in [*plan.delete, *(pod for pod, _ in plan.evict)]:
            await self._delete_pod(pod.namespace, pod.name, pod.uid)

    def _expire_unused(self, key: Key, view: RequestView, waiting: list[ContainerId]) -> None:
        """What its AM does not launch is given back, and the AM is told."""
        now_ms = self._clock_ms()
        for container in self._unused.expired((key[0], view.name), waiting, now_ms):
            self._endings.setdefault(container, unused.EXPIRED)
            self.queue.add(key)

    def _tell(self, session: MasterSession, view: RequestView, plan: requests.RequestPlan) -> None:
        refused = observing.condition(view, "Accepted")
        if view.attempt == session.attempt.number and refused and refused["status"] == "False":
            why = str(refused.get("message") or "")
            session.rejected(RejectedAsk(view.key, str(refused["reason"]), why))
        if view.attempt == session.attempt.number:
            for container, node in view.grants.items():
                session.granted(asking.granted(view, container, node, self.sizes))
        resizing.told(view, session, self.sizes)
        for ended in (*view.completed.values(), *plan.ended):
            session.completed(ended)

    async def _launch_all(
        self,
        key: Key,
        application: Object,
        record: ApplicationRecord,
        view: RequestView,
        containers: list[tuple[ContainerId, str]],
    ) -> None:
        master = view.role == names.ROLE_AM
        spec = application["spec"].get("applicationMaster") or {} if master else view.container
        if spec is None:
            return
        launch = Launch.of(spec)
        if not launch.image and not master:
            launch = replace(launch, image=am_image(application))
        placed = [placed_by(view, container, view.role) for container, _ in containers]
        await asyncio.gather(*(self.launch(key, application, record, p, launch) for p in placed))

    async def launch(
        self,
        key: Key,
        application: Object,
        record: ApplicationRecord,
        placed: Placed,
        launch: Launch,
    ) -> str:
        """Make the pod of a granted container, unless it is there; returns the pod's name.

        What the API server refuses for good ends the container with INVALID and the server's words.
        """
        most = observing.retry_rule(application, self.settings).max_attempts
        made_for = replace(owner(application, record), max_attempts=most)
        name = names.pod_name(key[1], placed.container)
        master = application["spec"].get("applicationMaster") or {}
        launch = replace(launch, executor=launch.executor or master.get("executor") or "")
        try:
            pod = pods.make_pod(made_for, placed, launch, self.site())
            created = await self._client.create(PODS, pod, key[0])
        except AlreadyExists:
            return name
        except (Refused, SpecError) as error:
            message = f"pod {name} was refused: {error}"
            self._endings[placed.container] = Ending(ExitStatus.INVALID, message)
            self._events.record(application, WARNING, "LaunchRefused", "Launch", message)
            self.queue.add(key)
            return name
        self.cache.put_pod(created)
        self.queue.add(key)
        return name

    def site(self) -> Site:
        """What this cluster gives to containers."""
        settings = self.settings
        executors = Executors(settings.executors, settings.trusted_images, self._user_ids.ids())
        return Site(self.am_service, settings.localizer_image, executors)

    async def stop(self, key: Key, container: ContainerId, status: ExitStatus) -> bool:
        """End a container on behalf of its AM; False when it has no pod and needed none deleted."""
        pod = self.cache.pods(key).get(container)
        if pod is None:
            self._endings[container] = Ending(status, _STOPPED[status])
            self.queue.add(key)
            return False
        if pod.ending is None:
            self._stopped[container] = Ending(status, _STOPPED[status])
            await self._delete_pod(pod.namespace, pod.name, pod.uid)
        return True

    async def _leave_nodes(self, key: Key, record: ApplicationRecord) -> None:
        """End what runs on drained nodes, and remove what is left of containers on lost ones."""
        views = [requests.view(r, record.id) for r in self.cache.requests(key)]
        unrecorded = {c for v in views for c in v.grants if c not in v.completed}
        for found in leaving.leaving(self.nodes, self.cache.pods(key), unrecorded):
            pod = found.pod
            if found.ending is not None:
                self._stopped[pod.container] = found.ending
            at_once = found.ending is None
            await self._delete_pod(pod.namespace, pod.name, pod.uid, at_once=at_once)

    def _ending(
        self, key: Key, container: ContainerId, view: RequestView | None = None
    ) -> Ending | None:
        """What is known of an ending besides the pod's own word; of one of *view* by its node."""
        known = self._stopped.get(container) or self.cache.gone(key, container)
        known = known or self._endings.get(container)
        if known is not None or view is None or container in self.cache.pods(key):
            return known
        return leaving.without_pod(self.nodes, view, container)

    def _recorded(self, key: Key, ended: CompletedContainer) -> None:
        self.cache.forget_gone(key, ended.id)
        self._endings.pop(ended.id, None)
        self._stopped.pop(ended.id, None)

    async def _patch_request(self, key: Key, name: str, status: Object) -> None:
        try:
            written = await self._client.patch(
                REQUESTS, name, {"status": status}, key[0], sub="status"
            )
        except NotFound:
            return
        self.cache.put_request(written)
        self.queue.add(key)

    async def _sweep(self, key: Key, application: Object, record: ApplicationRecord) -> None:
        """Delete pods that are over for long enough, and those that nobody looks after any more.

        These are of an earlier object of the name, or of a request that was deleted while they ran.
        """
        now_ms = self._clock_ms()
        said = application["spec"].get("deleteDelaySeconds")
        delay_s = self.settings.finished_pod_retention_s if said is None else int(said)
        for pod in list(self.cache.pods(key).values()):
            stray = pod.container.attempt.application != record.id
            stray |= record.ended and pod.ending is None
            old = now_ms - pod.finished_ms >= delay_s * 1000
            over = pod.ending is not None and pod.finished_ms and old
            if not pod.deleting and (stray or over):
                await self._delete_pod(pod.namespace, pod.name, pod.uid)

    async def _delete_pod(
        self, namespace: str, name: str, uid: str, *, at_once: bool = False
    ) -> None:
        how: Object = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": uid},
            **({"gracePeriodSeconds": 0} if at_once else {}),
        }
        try:
            await self._client.delete(PODS, name, namespace, how)
        except (NotFound, Conflict):
            # Gone, or another pod has its name now.
            return


def fate(application: Object, record: ApplicationRecord, view: RequestView) -> Doom | None:
    """What ends the containers of a request before they end themselves; None: nothing does."""
    if record.ended or record.state is ApplicationState.KILLING:
        return requests.APPLICATION_OVER
    current = record.attempt.id.number if record.attempt else 1
    former = 0 < view.attempt < current
    if record.state is ApplicationState.FINISHING:
        # The AM that has unregistered may still clean up; its containers may not.
        lives = view.role == names.ROLE_AM and not former
        return None if lives else requests.APPLICATION_OVER
    if not former:
        return None
    keeping = view.role == names.ROLE_ASK and application["spec"].get(
        "keepContainersAcrossAttempts"
    )
    return requests.ATTEMPT_OVER_KEEPING if keeping else requests.ATTEMPT_OVER


def placed_by(view: RequestView, container: ContainerId, role: str) -> Placed:
    """One of a request's containers, as its pod is made."""
    return Placed(
        container,
        view.grants[container],
        view.size_of(container),
        view.name,
        role,
        opportunistic=view.runs_opportunistic(container),
    )


def owner(application: Object, record: ApplicationRecord) -> Owner:
    """The application as its pods name it."""
    meta = application["metadata"]
    return Owner(
        meta["name"],
        meta["namespace"],
        meta["uid"],
        record.user,
        record.queue,
        submitted_ms=record.start_ms,
    )


def am_image(application: Object) -> str:
    """The image of the application's AM, which its containers have unless they say another."""
    master = application["spec"].get("applicationMaster") or {}
    containers = ((master.get("template") or {}).get("spec") or {}).get("containers") or [{}]
    return str(master.get("image") or containers[0].get("image") or "")
