"""The one watch of YarnApplications, and that of YarnQueues: kopf's, made complete.

Theory of operation. kopf lists each kind, watches it from there, and calls an event handler for
each object, one after the other for the same object. What holds here for whoever is called:

- Everything that exists is told before `synced` is set. kopf says when it has started, but not when
  its first list has been handled, so the uids of that list are counted off as they are told.
- Every deletion is told, also one that nobody watched. kopf lists again when its watch has expired,
  or after a failure, and then tells of what is there, not of what is missing. What was known and is
  not in a list is deleted.
- What is told never goes back in time. kopf tells from a queue for each object, so an event of the
  watch before may come after the list that replaced it. Such an event is older than the list, and
  the list has the object as it is, or not at all: it is passed over.

For all three we must see the lists, which kopf shows to nobody. But kopf asks for them through an
HTTP session that its login handler provides, and ours notes what passes (`_note`): there is still
one list and one watch. Nothing is read of kopf's insides.

Whatever ends kopf begins it anew, in this process: kopf ends at any answer that it does not expect
(a 410 or 404 for a watch, an error event, a proxy's web page), and an ApplicationMaster should not
lose its service because of that. Three of kopf's ways need care when it is run beside other work:

- `kopf.operator` ends by cancelling every task of the event loop that began after it, also ours. So
  its tasks are started by `kopf.spawn_tasks`, and ended one by one. That ends all of kopf only with
  one kind for each operator: when one watcher fails kopf forgets others, which would go on telling.
- It takes SIGINT and SIGTERM for itself; `take_signals` takes them back.
- It kills the process ten minutes after it was ended, unless `ultimate_exiting_timeout` is None.

And its watcher may end without a word (its inactivity timeout cancels whatever its task awaits), so
kopf is begun anew, too, when it has not asked about the kind for longer than a watch lasts.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import kopf
import msgspec

from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.leading import cancel
from kubeyarn.cluster.reflecting import ADDED, DELETED, MODIFIED, Handler
from kubeyarn.cluster.resources import Kind
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable

_log = logging.getLogger(__name__)

_USER_AGENT = "kubeyarn-resourcemanager-kopf"
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0

# The API server sends a bookmark about once a minute, so longer silence is a dead connection.
_SILENCE_S = 70.0
# Whole seconds: the API server refuses a fraction.
_WATCH_S = 120
_UNASKED_S = _WATCH_S + 2 * _SILENCE_S
# Until kopf asks about the kind, which it does not if the custom resource is not installed. Longer
# than a request may take: what kopf began before its first watch is not ended with it.
_UNFOUND_S = 45.0


class KopfWatch:
    """Follows one collection by kopf: calls *handler* with (ADDED | MODIFIED | DELETED, object).

    Handlers are plain calls, as a Reflector's: they run in the event loop and must be quick. What
    one raises is logged by kopf and stops nothing else. *take_signals* is called whenever kopf has
    taken the process's signals. `synced` is set once everything that there was has been told.
    """

    def __init__(
        self,
        connection: Connection,
        kind: Kind,
        handler: Handler,
        take_signals: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._collection = _Collection(handler)
        self._take_signals = take_signals
        self._logins = _Pauses()
        self._due = 0.0
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        pauses = _Pauses()
        while True:
            try:
                await self._operate()
                why = "kopf has ended"
            except Exception as error:  # noqa: BLE001 - kopf says by many exceptions that it gave up
                why = str(error) or type(error).__name__
            pause = pauses.next_s()
            _log.warning("watch of %s broke: %s; once more", self._kind.plural, why)
            await asyncio.sleep(pause)

    async def _operate(self) -> None:
        """Run kopf until a part of it ends, which raises what ended it."""
        # Anew for each run: kopf begins from nothing, and what it was late with before is over.
        self._logins, self._due = _Pauses(), 0.0
        self._expect(_UNFOUND_S)
        tasks = list(
            await kopf.spawn_tasks(
                registry=self._registry(), settings=_settings(), clusterwide=True, standalone=True
            )
        )
        # kopf takes the process's signals for itself whenever it starts.
        self._take_signals()
        tasks.append(asyncio.create_task(self._until_unasked(), name="unasked"))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await cancel(tasks)

    def _registry(self) -> kopf.OperatorRegistry:
        """Kopf's handlers; only an event handler, which leaves no annotations on objects."""
        registry, kind = kopf.OperatorRegistry(), self._kind

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.AiohttpSession:
            self._expect(_UNFOUND_S)
            # kopf logs in again after each 401, at once.
            await asyncio.sleep(self._logins.next_s())
            try:
                tls = await self._connection.tls()
            except Unavailable as error:
                raise kopf.TemporaryError(str(error), delay=_LONGEST_PAUSE_S) from error
            # A session of our own: kopf's own login knows no exec plugins and no TLS settings of a
            # kubeconfig, and does not tell which objects a list had.
            session = self._connection.session(_USER_AGENT, tls, (self._note,))
            return kopf.AiohttpSession(server=self._connection.server, aiohttp_session=session)

        @kopf.on.event(kind.group, kind.version, kind.plural, registry=registry)
        async def seen(event: Any, **_: Any) -> None:
            try:
                self._collection.see(event["type"], dict(event["object"]))
            finally:
                self._sync()

        return registry

    async def _note(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Pass kopf's request on; of a list, note what is in it."""
        # A server's own path may be before the collection's.
        if not request.url.path.endswith(self._kind.path()):
            # kopf looks up which kinds there are, and repeats that while it fails.
            self._expect(_UNFOUND_S)
            return await handler(request)
        self._expect(_UNASKED_S)
        response = await handler(request)
        if request.method == "GET" and response.status == 200 and "watch" not in request.url.query:
            try:
                page = _decoder.decode(await response.read())
            except msgspec.MsgspecError as error:
                # kopf lists again after this one.
                raise aiohttp.ClientPayloadError(f"no list but {error}") from error
            self._collection.listed(page, begins="continue" not in request.url.query)
            self._sync()
        return response

    def _expect(self, within_s: float) -> None:
        """Kopf should ask something, or log in, again within so many seconds."""
        self._due = max(self._due, time.monotonic() + within_s)

    def _sync(self) -> None:
        if self._collection.synced:
            self.synced.set()

    async def _until_unasked(self) -> None:
        """Wait until kopf has asked nothing for too long.

        Raises:
            Unavailable: always.
        """
        while (left_s := self._due - time.monotonic()) > 0:  # noqa: ASYNC110 - it is a time
            await asyncio.sleep(left_s)
        raise Unavailable("kopf does not ask for it; is its custom resource installed?")


class _Metadata(msgspec.Struct):
    uid: str


class _Item(msgspec.Struct):
    metadata: _Metadata


class _ListMetadata(msgspec.Struct):
    version: str = msgspec.field(name="resourceVersion")
    more: str | None = msgspec.field(default=None, name="continue")


class _Page(msgspec.Struct):
    metadata: _ListMetadata
    items: list[_Item] | None = None


_decoder = msgspec.json.Decoder(_Page)


class _Collection:
    """One kind: what was told of it, and what its last list promises to tell."""

    def __init__(self, handler: Handler) -> None:
        self.synced = False
        self._handler = handler
        self._known: dict[str, Object] = {}
        self._listed: set[str] = set()
        self._untold: set[str] = set()
        self._listed_version = 0

    def listed(self, page: _Page, *, begins: bool) -> None:
        """A list that kopf asked for has come, or a page of it; *begins*: it is the first page."""
        if begins:
            self._listed = set()
        self._listed |= {item.metadata.uid for item in page.items or ()}
        if page.metadata.more:
            return
        self._listed_version = int(page.metadata.version)
        # Only the first list decides whether everything was told: later ones are repairs of a
        # watch.
        if not self.synced:
            self._untold = self._listed - set(self._known)
            self.synced = not self._untold
        # What was deleted while no watch ran. kopf tells what a list has, and never what it lacks.
        for uid in [uid for uid in self._known if uid not in self._listed]:
            self._handler(DELETED, self._known.pop(uid))

    def see(self, what: str | None, item: Object) -> None:
        """An object is told of; *what* is None for one of a list."""
        uid, version = item["metadata"]["uid"], int(item["metadata"]["resourceVersion"])
        try:
            if what is None:
                # Of a list before the last one there may still be some to come.
                if uid in self._listed:
                    self._see_listed(uid, item)
            # A watch may begin before the list that is newest here, and tell what that list has
            # overtaken.
            elif version > self._listed_version:
                self._see_changed(what, uid, item)
        finally:
            self._untold.discard(uid)
            # An empty set means something only after a whole list.
            self.synced = self.synced or (self._listed_version > 0 and not self._untold)

    def _see_listed(self, uid: str, item: Object) -> None:
        before = self._known.get(uid)
        if before is None or _version(before) < _version(item):
            self._known[uid] = item
            self._handler(MODIFIED if before else ADDED, item)

    def _see_changed(self, what: str, uid: str, item: Object) -> None:
        if what == DELETED:
            self._known.pop(uid, None)
        else:
            self._known[uid] = item
        self._handler(what, item)


def _version(item: Object) -> int:
    # Comparable as numbers, as Kubernetes guarantees since 1.35.
    return int(item["metadata"]["resourceVersion"])


class _Pauses:
    """Ever longer pauses between failures that follow each other closely."""

    def __init__(self) -> None:
        self._pause_s = 0.0
        self._asked_at = float("-inf")

    def next_s(self) -> float:
        """How long to wait now; nothing after a quiet minute."""
        now = time.monotonic()
        if now - self._asked_at > 60:
            self._pause_s = 0.0
        else:
            self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self._asked_at = now + self._pause_s
        return self._pause_s * random.uniform(0.5, 1.0)


class _Backoffs:
    """When kopf repeats a request that failed: soon, then every few seconds, for ever."""

    def __iter__(self) -> Iterator[float]:
        pauses = _Pauses()
        pauses.next_s()
        while True:
            yield pauses.next_s()


def _settings() -> kopf.OperatorSettings:
    """kopf, told to be quiet, to survive silence, and to post no events of its own."""
    standard = kopf.OperatorSettings()
    return replace(
        standard,
        # kopf would post its log lines as events on our users' objects.
        posting=replace(standard.posting, enabled=False),
        # Who leads is decided by our own Lease, and kopf's peering is a custom resource of its own.
        peering=replace(standard.peering, standalone=True),
        process=replace(standard.process, ultimate_exiting_timeout=None),
        # Which kinds there are is looked up once: `_until_unasked` notices when ours is missing.
        scanning=replace(standard.scanning, disabled=True),
        watching=replace(
            standard.watching,
            server_timeout=_WATCH_S,
            client_timeout=_WATCH_S + _SILENCE_S,
            inactivity_timeout=_SILENCE_S,
            chunk_size=500,
        ),
        networking=replace(
            standard.networking,
            request_timeout=30.0,
            connect_timeout=5.0,
            error_backoffs=_Backoffs(),
        ),
    )
