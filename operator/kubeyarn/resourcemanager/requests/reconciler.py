"""One request at a time: what is granted is launched, what has ended is recorded."""

from __future__ import annotations

from collections.abc import Callable

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.events import EventRecorder
from kubeyarn.crd.object import Key, Object
from kubeyarn.lifecycle.am_session import AMSession, RejectedAsk
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager import patching
from kubeyarn.resourcemanager.applications import observed_state
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.nodes import decommission
from kubeyarn.resourcemanager.nodes.tracker import Nodes
from kubeyarn.resourcemanager.pods import deletion, disruption
from kubeyarn.resourcemanager.pods.launcher import Launcher
from kubeyarn.resourcemanager.requests import (
    allocation_expiry,
    container_update,
    request_builder,
    request_view,
    termination,
    usage,
)
from kubeyarn.resourcemanager.requests.allocation_expiry import Unused
from kubeyarn.resourcemanager.requests.endings import Endings
from kubeyarn.resourcemanager.requests.request_view import RequestPlan, RequestView


class RequestServer:
    """Carries out what follows for a request; *look* has its application looked at again."""

    def __init__(
        self,
        client: KubeClient,
        events: EventRecorder,
        cache: Cache,
        nodes: Nodes,
        endings: Endings,
        launcher: Launcher,
        not_launched: Unused,
        clock_ms: Callable[[], int],
        look: Callable[[Key], None],
    ) -> None:
        self._client = client
        self._events = events
        self._cache = cache
        self._nodes = nodes
        self._endings = endings
        self._launcher = launcher
        self._unused = not_launched
        self._clock_ms = clock_ms
        self._look = look

    async def serve(
        self,
        key: Key,
        application: Object,
        record: ApplicationRecord,
        view: RequestView,
        session: AMSession,
    ) -> None:
        """Launch what is granted, change what is to be otherwise, record what has ended."""
        doom = termination.fate(application, record, view)
        told = view.role == names.ROLE_ASK and (doom is None or doom.spares_running)
        plan = request_view.plan(
            view,
            decommission.as_seen(self._nodes, self._cache.pods(key)),
            lambda container: self._endings.of(key, container, view),
            doom,
            confirmed=(lambda c: c in session.confirmed) if told else (lambda _: True),
        )
        now_ms = self._clock_ms()
        plan.status |= usage.after(
            view, plan.ended, lambda container: self._cache.held_s(key, container, now_ms)
        )
        if plan.status:
            await self._patch(key, view, plan.status)
            for ended in plan.ended:
                self._endings.recorded(key, ended.id)
        waiting = [container for container, _ in plan.unlaunched]
        if told:
            self._tell(session, view, plan)
            self._expire_unused(key, view, waiting)
        await self._change(key, view, plan, session)
        if doom is not None and view.role != names.ROLE_AM:
            self._endings.stopped.update(dict.fromkeys(plan.doomed, doom.ending))
        if doom is None and view.role != names.ROLE_ASK:
            await self._launcher.launch_all(key, application, record, view, waiting)
        for pod, why in plan.evict:
            await disruption.tell(self._client, self._events, pod, why)
        for pod in [*plan.delete, *(pod for pod, _ in plan.evict)]:
            await deletion.remove(self._client, pod)

    async def _change(
        self, key: Key, view: RequestView, plan: RequestPlan, session: AMSession
    ) -> None:
        if plan.changes or plan.refused:
            updated = await container_update.carry_out(
                self._client, self._cache, key, view, plan, session
            )
            if updated:
                await self._patch(key, view, {"updated": updated})

    async def _patch(self, key: Key, view: RequestView, status: Object) -> None:
        if await patching.request(self._client, self._cache, key, view.name, status):
            self._look(key)

    def _expire_unused(self, key: Key, view: RequestView, waiting: list[ContainerId]) -> None:
        """What its AM does not launch is given back, and the AM is told."""
        now_ms = self._clock_ms()
        for container in self._unused.expired((key[0], view.name), waiting, now_ms):
            self._endings.note_unless_known(container, allocation_expiry.EXPIRED)
            self._look(key)

    def _tell(self, session: AMSession, view: RequestView, plan: RequestPlan) -> None:
        refused = observed_state.condition(view, "Accepted")
        if view.attempt == session.attempt.number and refused and refused["status"] == "False":
            why = str(refused.get("message") or "")
            session.rejected(RejectedAsk(view.key, str(refused["reason"]), why))
        if view.attempt == session.attempt.number:
            for container, node in view.grants.items():
                session.granted(request_builder.granted(view, container, node))
        container_update.told(view, session)
        for ended in (*view.completed.values(), *plan.ended):
            session.completed(ended)
