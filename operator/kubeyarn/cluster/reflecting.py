"""List and watch: a stream of what is, that survives everything the API server does to it.

Theory of operation. A reflector lists a collection once, then watches it from there. When the watch
breaks it goes on from the last resourceVersion that it heard of; bookmarks keep that fresh where
nothing happens. When it is too old the reflector lists again and tells its handler what changed
meanwhile. To tell deletions, it keeps of each object what a handler needs to know whom they are
about. What it tells is never older than what it told before, and each object is told of alone, so a
handler needs no lock and no order between objects.

Handlers are plain calls: they run in the event loop and must be quick.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import msgspec

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, Gone
from kubeyarn.cluster.resources import Kind
from kubeyarn.crd.object import Object
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
        self._known: dict[str, Object] = {}
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
        items: list[Object] = []
        query = {"limit": "500", **self._parameters}
        while True:
            page = await self._client.list_page(self._kind, query)
            items += page.get("items") or []
            token = page["metadata"].get("continue")
            if not token:
                break
            query["continue"] = token
        # Of the last page: all pages of one list are of the same version.
        self._replace(items)
        self._version = page["metadata"]["resourceVersion"]
        self.synced.set()

    def _replace(self, items: list[Object]) -> None:
        """Tell what a list says that no watch event did: what went, came or changed meanwhile.

        By uid: an object that was deleted and made anew under its name is another one.
        """
        fresh = {_uid(item): item for item in items}
        for uid in [uid for uid in self._known if uid not in fresh]:
            self._handler(DELETED, self._known.pop(uid))
        for uid, item in fresh.items():
            before = self._known.get(uid)
            if before is None or _version(before) != _version(item):
                self._known[uid] = self._stub(item)
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
        uid = _uid(item)
        if what == DELETED:
            self._known.pop(uid, None)
        else:
            self._known[uid] = self._stub(item)
        self._handler(what, item)

    @staticmethod
    def _stub(item: Object) -> Object:
        """What must be kept to tell a deletion that happened while nobody watched."""
        meta = item["metadata"]
        kept = ("name", "namespace", "uid", "resourceVersion", "labels", "annotations")
        return {"metadata": {key: meta[key] for key in kept if key in meta}}


async def _lines(stream: aiohttp.StreamReader) -> Any:
    """Whole lines of *stream*, however long: a line reader would limit them to 64 KiB."""
    rest = b""
    async for chunk in stream.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line


def _uid(item: Object) -> str:
    return str(item["metadata"]["uid"])


def _version(item: Object) -> str:
    return str(item["metadata"].get("resourceVersion"))
