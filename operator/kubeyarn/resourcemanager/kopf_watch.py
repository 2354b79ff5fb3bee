"""The one watch of YarnApplications and YarnQueues: kopf's, made complete.

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

- `kopf.operator` cancels every task of the event loop that began after it. So its tasks are started
  by `kopf.spawn_tasks` and ended by name.
- It takes SIGINT and SIGTERM for itself; `take_signals` takes them back.
- It kills the process ten minutes after it was ended, unless `ultimate_exiting_timeout` is None.

And its watcher may end without a word (its inactivity timeout cancels whatever its task awaits), so
a kind that nobody has asked the API server about for longer than a watch lasts begins it anew, too.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
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
_WATCH_S = 120.0
_UNASKED_S = _WATCH_S + 2 * _SILENCE_S
# Until kopf has found a kind, which it does not if its custom resource is not installed.
_UNFOUND_S = 30.0


class KopfWatch:
    """Calls the handler of each kind with (ADDED | MODIFIED | DELETED, object).

    Handlers are plain calls, as a Reflector's: they run in the event loop and must be quick. What
    one raises is logged by kopf and stops nothing else. *take_signals* is called whenever kopf has
    taken the process's signals. `synced` is set once everything that there was has been told.
    """

    def __init__(
        self,
        connection: Connection,
        handlers: Mapping[Kind, Handler],
        take_signals: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._collections = [_Collection(kind, handler) for kind, handler in handlers.items()]
        self._take_signals = take_signals
        self._logins = _Pauses()
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
            _log.warning("the watch of applications and queues broke: %s; once more", why)
            await asyncio.sleep(pause)

    async def _operate(self) -> None:
        """Run kopf until a part of it ends, which raises what ended it."""
        for collection in self._collections:
            collection.expect(_UNFOUND_S)
        tasks = list(
            await kopf.spawn_tasks(
                registry=self._registry(), settings=_settings(), clusterwide=True, standalone=True
            )
        )
        self._take_signals()
        tasks.append(asyncio.create_task(self._until_unasked(), name="unasked"))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await cancel(tasks)

    def _registry(self) -> kopf.OperatorRegistry:
        """Kopf's handlers; only event handlers, which leave no annotations on objects."""
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.AiohttpSession:
            # kopf logs in again after each 401, at once.
            await asyncio.sleep(self._logins.next_s())
            try:
                tls = await self._connection.tls()
            except Unavailable as error:
                raise kopf.TemporaryError(str(error), delay=_LONGEST_PAUSE_S) from error
            session = self._connection.session(_USER_AGENT, tls, (self._note,))
            return kopf.AiohttpSession(server=self._connection.server, aiohttp_session=session)

        for collection in self._collections:
            kind = collection.kind
            kopf.on.event(kind.group, kind.version, kind.plural, registry=registry)(
                self._handler(collection)
            )
        return registry

    def _handler(self, collection: _Collection) -> Any:
        async def seen(event: Any, **_: Any) -> None:
            try:
                collection.see(event["type"], dict(event["object"]))
            finally:
                self._sync()

        return seen

    async def _note(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Pass kopf's request on; of a list, note what is in it."""
        found = next((c for c in self._collections if c.is_at(request.url.path)), None)
        if found is None:
            return await handler(request)
        found.expect(_UNASKED_S)
        response = await handler(request)
        if request.method == "GET" and response.status == 200 and "watch" not in request.url.query:
            try:
                page = _decoder.decode(await response.read())
            except msgspec.MsgspecError as error:
                # kopf lists again after this one.
                raise aiohttp.ClientPayloadError(f"no list but {error}") from error
            found.listed(page, begins="continue" not in request.url.query)
            self._sync()
        return response

    def _sync(self) -> None:
        if all(collection.synced for collection in self._collections):
            self.synced.set()

    async def _until_unasked(self) -> None:
        """Wait until kopf has not asked about a kind for too long, and say which.

        Raises:
            Unavailable: always.
        """
        while True:
            due_s = {c.kind.plural: c.due_s() for c in self._collections}
            plural = min(due_s, key=lambda plural: due_s[plural])
            if due_s[plural] <= 0:
                raise Unavailable(
                    f"kopf does not ask for {plural}; is that custom resource installed?"
                )
            await asyncio.sleep(due_s[plural])


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

    def __init__(self, kind: Kind, handler: Handler) -> None:
        self.kind = kind
        self.synced = False
        self._handler = handler
        self._known: dict[str, Object] = {}
        self._page_uids: set[str] = set()
        self._untold: set[str] = set()
        self._listed_version = 0
        self._due = 0.0

    def expect(self, within_s: float) -> None:
        """Kopf should ask about the kind again within so many seconds."""
        self._due = time.monotonic() + within_s

    def due_s(self) -> float:
        """For how many seconds more it may leave that."""
        return self._due - time.monotonic()

    def is_at(self, path: str) -> bool:
        """Whether a URL's path is the collection's; a server's own path may be before it."""
        return path.endswith(self.kind.path())

    def listed(self, page: _Page, *, begins: bool) -> None:
        """Kopf got a page of a list, and will tell of each object in it."""
        if begins:
            self._page_uids = set()
        self._page_uids |= {item.metadata.uid for item in page.items or ()}
        if page.metadata.more:
            return
        self._listed_version = int(page.metadata.version)
        if not self.synced:
            self._untold = self._page_uids - set(self._known)
            self.synced = not self._untold
        for uid in [uid for uid in self._known if uid not in self._page_uids]:
            self._handler(DELETED, self._known.pop(uid))

    def see(self, what: str | None, item: Object) -> None:
        """Kopf tells of an object; *what* is None for one of a list."""
        uid, version = item["metadata"]["uid"], int(item["metadata"]["resourceVersion"])
        try:
            if what is None:
                self._see_listed(uid, item)
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
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.process.ultimate_exiting_timeout = None
    # Which kinds there are is looked up once: `_until_unasked` notices when one is missing.
    chosen.scanning.disabled = True
    chosen.watching.server_timeout = _WATCH_S
    chosen.watching.client_timeout = _WATCH_S + _SILENCE_S
    chosen.watching.inactivity_timeout = _SILENCE_S
    chosen.watching.chunk_size = 500
    chosen.networking.request_timeout = 30
    chosen.networking.connect_timeout = 5
    chosen.networking.error_backoffs = _Backoffs()
    return chosen
