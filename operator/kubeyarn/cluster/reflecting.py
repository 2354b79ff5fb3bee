"""List and watch: a stream of what is, that survives everything the API server does to it.

Theory of operation. A reflector lists a collection once, then watches it from there. When the watch
breaks it goes on from the last resourceVersion that it heard of; bookmarks keep that fresh where
nothing happens. When it is too old the reflector lists again and tells its handler what changed
meanwhile. A list is handled page by page, so that no more than a page of it is in memory at a time.
To tell deletions, the reflector keeps of each object what a handler needs to know whom they are
about. What it tells is never older than what it told before, and each object is told of alone, so a
handler needs no lock and no order between objects.

Handlers are plain calls: they run in the event loop and must be quick.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import aiohttp
import msgspec

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, Gone
from kubeyarn.cluster.resources import Kind
from kubeyarn.crd.object import Key, Object, key_of
from kubeyarn.model.errors import Unavailable

_log = logging.getLogger(__name__)

Handler = Callable[[str, Object], None]

ADDED = "ADDED"
MODIFIED = "MODIFIED"
DELETED = "DELETED"

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0

_BROKEN = (
    ApiError,
    Unavailable,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    # A proxy on the way has said something of its own.
    msgspec.DecodeError,
)

_decoder = msgspec.json.Decoder(dict[str, Any])


class Reflector:
    """Follows one collection and calls *handler* with (ADDED | MODIFIED | DELETED, object).

    *synced* is set once the first list was handled completely. Whatever *handler* raises is a bug
    and ends `run`.
    """

    def __init__(
        self,
        client: KubeClient,
        kind: Kind,
        handler: Handler,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self._client = client
        self._kind = kind
        self._handler = handler
        self._parameters = dict(parameters or {})
        self._known: dict[Key, _Known] = {}
        self._version = ""
        self._heard = False
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                # A list only at first and when the version is too old: a broken watch goes on where
                # it was.
                if not self._version:
                    await self._list()
                await self._watch()
            except Gone:
                self._version = ""
            except _BROKEN as error:
                _log.warning("watch of %s broke: %s", self._kind.plural, error or type(error))
            # A server that takes the watch and ends it at once counts as broken; one that has told
            # something does not.
            if self._heard:
                self._heard, pause = False, _FIRST_PAUSE_S
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _list(self) -> None:
        query = {"limit": "500", **self._parameters}
        listed: set[Key] = set()
        while True:
            page = await self._client.list_page(self._kind, query)
            for item in page.get("items") or ():
                listed.add(key_of(item))
                self._see_listed(item)
            token = page["metadata"].get("continue")
            if not token:
                break
            query["continue"] = token
        for key in [key for key in self._known if key not in listed]:
            self._handler(DELETED, self._known.pop(key).item(key))
        # Of the last page: all pages of one list are of the same version.
        self._version = page["metadata"]["resourceVersion"]
        self.synced.set()

    def _see_listed(self, item: Object) -> None:
        """Tell what a list says of an object that no watch event did.

        One that was deleted and made anew under its name is another one.
        """
        key, now = key_of(item), _Known.of(item)
        before = self._known.get(key)
        if before is not None and before.uid != now.uid:
            self._handler(DELETED, before.item(key))
            before = None
        self._known[key] = now
        if before is None or before.version != now.version:
            self._handler(ADDED if before is None else MODIFIED, item)

    async def _watch(self) -> None:
        query = {
            "resourceVersion": self._version,
            # Spread out, as client-go does, so that all watches do not come anew at one moment.
            "timeoutSeconds": str(random.randint(240, 480)),
            **self._parameters,
        }
        # The server sends a bookmark about once a minute, so longer silence is a dead connection.
        async with self._client.watch(self._kind, query, quiet_s=90) as stream:
            async for line in _lines(stream):
                self._handle(_decoder.decode(line))

    def _handle(self, event: dict[str, Any]) -> None:
        what, item = event["type"], event["object"]
        if what == "ERROR":
            raise Gone(int(item.get("code") or 410), "Expired", str(item.get("message")))
        self._version = item["metadata"]["resourceVersion"]
        self._heard = True
        if what == "BOOKMARK":
            return
        key = key_of(item)
        if what == DELETED:
            self._known.pop(key, None)
        else:
            self._known[key] = _Known.of(item)
        self._handler(what, item)


class _Known(NamedTuple):
    """What must be kept of an object to tell a deletion that happened while nobody watched.

    *labels* and *annotations* are those that are ours: there are thousands of pods of others, whose
    annotations may be as long as they like.
    """

    uid: str
    version: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @classmethod
    def of(cls, item: Object) -> _Known:
        meta = item["metadata"]
        labels, annotations = _ours(meta.get("labels")), _ours(meta.get("annotations"))
        return cls(str(meta["uid"]), str(meta.get("resourceVersion")), labels, annotations)

    def item(self, key: Key) -> Object:
        namespace, name = key
        meta: Object = {"name": name, "uid": self.uid, "resourceVersion": self.version}
        if namespace:
            meta["namespace"] = namespace
        if self.labels:
            meta["labels"] = dict(self.labels)
        if self.annotations:
            meta["annotations"] = dict(self.annotations)
        return {"metadata": meta}


_OURS = f"{names.GROUP}/"
_NOTHING: Mapping[str, str] = {}


def _ours(words: Mapping[str, str] | None) -> Mapping[str, str]:
    found = {name: word for name, word in (words or {}).items() if name.startswith(_OURS)}
    return found or _NOTHING


async def _lines(stream: aiohttp.StreamReader) -> Any:
    """Whole lines of *stream*, however long: a line reader would limit them to 64 KiB."""
    rest = b""
    async for chunk in stream.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line
