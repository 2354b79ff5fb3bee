"""Writes of ContainerRequests: those for ApplicationMasters, their updates, and our part of status.

The answer of the API server goes into the cache at once. Without that, the next look at the
application, which may come before the watch event, would write the same again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import AlreadyExists, Conflict, NotFound, Refused
from kubeyarn.cluster.resources import REQUESTS
from kubeyarn.crd import conditions, times
from kubeyarn.crd.conditions import NewCondition
from kubeyarn.crd.object import Key, Object
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle import failed_nodes
from kubeyarn.lifecycle.am_session import AMSession, RequestTotal, WrittenAsk
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager import cluster_limits, name_taken
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.name_taken import NAME_TAKEN, NameTaken, Whose
from kubeyarn.resourcemanager.requests import request_builder
from kubeyarn.resourcemanager.requests.request_view import RECONCILED, RequestView

_IN_ONE_TURN = 200


class RequestControl:
    """Creates and patches the ContainerRequests of applications.

    *look* has an application reconciled again. Each status says this process's *epoch*: the API
    server lets none follow a later one.
    """

    def __init__(
        self, client: KubeClient, cache: Cache, look: Callable[[Key], None], epoch: int
    ) -> None:
        self._client = client
        self._cache = cache
        self._look = look
        self._epoch = epoch
        # Of applications whose AM's request cannot be made: the uid, its name, and why.
        self._taken: dict[Key, tuple[str, str, str]] = {}

    def name_taken(self, application: YarnApplication, attempt: int) -> str:
        """What has the name of the request for an attempt's AM; "" where nothing of others does."""
        meta = application.metadata
        name = names.am_request_name(meta.name, attempt)
        uid, taken, why = self._taken.get((meta.namespace, meta.name), ("", "", ""))
        return why if (uid, taken) == (meta.uid, name) else ""

    def forget(self, key: Key) -> None:
        """An application is gone."""
        self._taken.pop(key, None)

    async def create_am_request(
        self,
        key: Key,
        application: YarnApplication,
        record: ApplicationRecord,
        views: Iterable[RequestView],
        threshold: float | None,
    ) -> bool:
        """Ask for the current attempt's AM; whether that was new.

        *threshold* is the share of nodes above which failed ones are not excluded any more; None:
        they never are.
        """
        attempt = record.attempt.id.number if record.attempt else 1
        name = names.am_request_name(key[1], attempt)
        known = next((view for view in views if view.name == name), None)
        if known is not None and known.role == names.ROLE_AM:
            return False
        nodes = cluster_limits.nodes(self._cache)
        excluded = failed_nodes.excluded(record.attempts, nodes, threshold)
        body = request_builder.am_request(application, attempt, excluded)
        try:
            await self._create(key, body)
        except NameTaken as error:
            new = not self.name_taken(application, attempt)
            self._taken[key] = (application.metadata.uid, name, str(error))
            return new
        self._taken.pop(key, None)
        return self._cache.raw_request((key[0], name)) is not None

    async def _create(self, key: Key, body: Object) -> None:
        """Make a request, unless it is there; one of a former application is waited for.

        Raises:
            NameTaken: a request of others has its name.
        """
        try:
            existing = await self._client.create(REQUESTS, body, key[0])
        except AlreadyExists:
            try:
                existing = await self._client.get(REQUESTS, body["metadata"]["name"], key[0])
            except NotFound:
                # It went meanwhile, and its watch event has the application looked at again.
                return
            if name_taken.whose_request(existing, body) is Whose.ANOTHERS:
                raise name_taken.refusal(existing) from None
        self._cache.put_request(existing)

    async def write_asks(self, key: Key, application: YarnApplication, session: AMSession) -> None:
        """Bring the ContainerRequests of an AM's asks up to what it said last."""
        for number, total in enumerate(list(session.wanted.values()), start=1):
            if number % _IN_ONE_TURN == 0:
                # Thousands of asks keep nobody else from the event loop.
                await asyncio.sleep(0)
            if self._is_written(key, session, total):
                continue
            body = request_builder.ask_request(application, session, total)
            name, excluded = body["metadata"]["name"], session.excluded
            try:
                await self._write_ask(key, body, self._cache.raw_request((key[0], name)), session)
            except (Refused, NameTaken) as error:
                # Saying it again cannot help; the AM is told, and may ask otherwise.
                reason = NAME_TAKEN if isinstance(error, NameTaken) else "InvalidRequest"
                session.ask_refused(total, reason, str(error))
            else:
                generation = self._generation((key[0], name))
                session.ask_written(WrittenAsk(total, excluded, name, generation))

    def _is_written(self, key: Key, session: AMSession, total: RequestTotal) -> bool:
        """Whether an ask's request says what it should, and nobody has changed it since."""
        known = session.written.get(total.ask.key)
        return (
            known is not None
            and known.total is total
            and known.excluded == session.excluded
            and known.generation == self._generation((key[0], known.name))
        )

    def _generation(self, request: Key) -> int:
        seen = self._cache.raw_request(request)
        return 0 if seen is None else int(seen["metadata"].get("generation") or 0)

    async def _write_ask(
        self, key: Key, body: Object, current: Object | None, session: AMSession
    ) -> None:
        if current is None:
            if body["spec"]["count"]:
                await self._create(key, body)
            return
        if name_taken.whose_request(current, body) is Whose.ANOTHERS:
            raise name_taken.refusal(current)
        # Only what differs: the API server refuses a change of most fields, and a patch that says
        # the same again would still be a write.
        changes = {k: v for k, v in body["spec"].items() if current["spec"].get(k) != v}
        # A merge patch keeps a field that it does not name, so an empty list has to be said.
        if current["spec"].get("excludeNodes") and not session.excluded:
            changes["excludeNodes"] = []
        if changes:
            await self._patch_spec(key, body["metadata"]["name"], changes)

    async def write_updates(
        self, key: Key, views: Iterable[RequestView], session: AMSession
    ) -> None:
        """Bring what containers are to have up to what the AM said last."""
        for view in views if session.updates else ():
            wanted = {c: update for c, update in session.updates.items() if c in view.grants}
            updates = {c: dict(u) for c, u in view.requested_updates.items() if c in view.grants}
            for container, update in wanted.items():
                updates[container] = request_builder.requested_update(update)
            if wanted and updates != view.requested_updates:
                changes = {"updates": [updates[container] for container in sorted(updates)]}
                await self._patch_spec(key, view.name, changes)

    async def withdraw_updates(
        self, key: Key, view: RequestView, containers: Collection[ContainerId]
    ) -> None:
        """Take back updates of *containers* that were refused."""
        kept = [u for c, u in sorted(view.requested_updates.items()) if c not in containers]
        if len(kept) < len(view.requested_updates):
            await self._patch_spec(key, view.name, {"updates": kept})

    async def patch_status(self, key: Key, name: str, status: Object) -> None:
        """Write a part of a request's status, and look at its application again; if it is there."""
        try:
            written = await self._client.patch(
                REQUESTS, name, self._body(status), key[0], sub="status"
            )
        except NotFound:
            return
        self._cache.put_request(written)
        self._look(key)

    async def count(self, key: Key, name: str, status: Object, version: str) -> bool:
        """Write counts that go on from those of *version*; false where it is not the newest.

        Then the newest is known, and the application looked at again: added to counts that somebody
        has written meanwhile, a container would count twice or not at all.
        """
        body = self._body(status) | {"metadata": {"resourceVersion": version}}
        try:
            written = await self._client.patch(REQUESTS, name, body, key[0], sub="status")
        except Conflict:
            with suppress(NotFound):
                self._cache.put_request(await self._client.get(REQUESTS, name, key[0]))
            self._look(key)
            return False
        except NotFound:
            return True
        self._cache.put_request(written)
        self._look(key)
        return True

    def _body(self, status: Object) -> Object:
        return {"status": {**status, "resourceManagerEpoch": self._epoch}}

    async def tell(self, key: Key, name: str, reason: str, why: str, now_ms: int) -> Object | None:
        """Write the condition Reconciled of a request: False because of *why*, True if it is "".

        Returns the request, if that is new. A request of which nothing was ever wrong has no such
        condition, because that would cost each one a write. The scheduler writes the others of
        the same list, so this is no write but of the list that was seen (Conflict: tried again).
        """
        request = self._cache.raw_request((key[0], name))
        if request is None:
            return None
        before = (request.get("status") or {}).get("conditions") or []
        known = next((c for c in before if c.get("type") == RECONCILED), None)
        if not why and (known is None or known.get("status") == "True"):
            return None
        meta = request["metadata"]
        condition = NewCondition(RECONCILED, not why, reason if why else RECONCILED, why)
        now = times.timestamp(now_ms)
        wanted = conditions.updated(before, [condition], int(meta.get("generation") or 0), now)
        if wanted == before:
            return None
        body = {
            "metadata": {"resourceVersion": meta["resourceVersion"]},
            **self._body({"conditions": wanted}),
        }
        try:
            written = await self._client.patch(REQUESTS, name, body, key[0], sub="status")
        except NotFound:
            return None
        self._cache.put_request(written)
        return written

    async def _patch_spec(self, key: Key, name: str, changes: Object) -> None:
        try:
            written = await self._client.patch(REQUESTS, name, {"spec": changes}, key[0])
        except NotFound:
            return
        self._cache.put_request(written)
