"""A small API server in this process: objects, watches, and trouble on demand.

It knows no schemas; it keeps what clients rely on: uids, resource versions, generations, conflicts,
the status subresource, merge patches, paging, watches with bookmarks and 410, finalizers, and the
removal of what an object owns. `trouble` makes requests fail, `break_watches` drops connections,
`compact` forgets the past.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.credentials import bearer
from kubeyarn.cluster.resources import APPLICATIONS, NODES, PODS, QUEUES, REQUESTS, Kind
from kubeyarn.crd.object import Object
from waiting import until

KINDS = (
    QUEUES,
    APPLICATIONS,
    REQUESTS,
    PODS,
    NODES,
    Kind("", "v1", "namespaces", "Namespace", False),
    Kind(
        "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False
    ),
)

_COLLECTED_S = 0.05
Key = tuple[str, str, str]


@dataclass
class Trouble:
    """What becomes of the next *times* requests that *matches*."""

    times: int
    status: int
    matches: Callable[[str, str], bool]
    drop: bool = False
    after: bool = False
    delay_s: float = 0.0
    body: bytes | None = None


@dataclass
class Place:
    """What a path names."""

    group: str
    namespace: str
    plural: str
    name: str = ""
    sub: str = ""


@dataclass(eq=False)
class Watcher:
    """One open watch."""

    place: Place
    selector: str
    events: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)


class FakeApi:
    """An API server; use it with `async with`. With *tls* it speaks HTTPS."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.objects: dict[Key, Object] = {}
        self.tokens: dict[str, Object] = {}
        # Whoever (a user or a group) may do what (a verb) with which object.
        self.rights: set[tuple[str, str, str]] = set()
        self.requests: list[tuple[str, str]] = []
        self.writes: list[tuple[str, str, Object]] = []
        self.expired_as_event = True
        # What discovery tells of; everything else is served all the same.
        self.kinds = list(KINDS)
        # What the Authorization header must be; "" lets everyone in.
        self.authorization = ""
        # The client certificate that is asked for: True for any, or its PEM.
        self.certificate: bool | str = False
        self.executed: list[tuple[str, ...]] = []
        self.commands_fail = ""
        self._version = 1000
        self._oldest = 0
        self._uids = itertools.count(1)
        self._history: list[tuple[int, str, Key, Object]] = []
        self._watchers: list[Watcher] = []
        self._trouble: list[Trouble] = []
        self._server: TestServer | None = None
        self._clients: list[KubeClient] = []

    async def __aenter__(self) -> FakeApi:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._server = TestServer(app)
        await self._server.start_server(shutdown_timeout=0.2, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.close()
        self.break_watches()
        if self._server is not None:
            await self._server.close()

    # What tests do.

    @property
    def connection(self) -> Connection:
        """How to reach it."""
        return Connection(self.url, bearer("a-token"))

    @property
    def url(self) -> str:
        """Its address."""
        assert self._server is not None
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._server.port}"

    def client(self) -> KubeClient:
        """A client of it, closed at the end."""
        client = KubeClient(self.connection, "test")
        self._clients.append(client)
        return client

    def put(self, plural: str, item: Object) -> Object:
        """Create or replace an object, its status too, as some other client."""
        meta = item["metadata"]
        key = (plural, meta.get("namespace") or "", meta["name"])
        item = copy.deepcopy(item)
        before = self.objects.get(key)
        if before is None:
            self._birth(item)
        else:
            item["metadata"] = {**before["metadata"], **meta}
        self._store(key, item, "MODIFIED" if before else "ADDED")
        return copy.deepcopy(self.objects[key])

    def get(self, plural: str, name: str, namespace: str = "") -> Object | None:
        """An object as it is now."""
        found = self.objects.get((plural, namespace, name))
        return copy.deepcopy(found) if found else None

    def remove(self, plural: str, name: str, namespace: str = "") -> None:
        """Delete an object, with what it owns, whatever its finalizers say."""
        self._remove((plural, namespace, name))

    def trouble(
        self,
        times: int = 1,
        status: int = 500,
        *,
        method: str = "",
        path: str = "",
        drop: bool = False,
        after: bool = False,
        delay_s: float = 0.0,
        body: bytes | None = None,
    ) -> None:
        """Have the next requests fail: with *status*, or the connection dropped.

        *after*: only when the request has been carried out. *body* is what they answer in place of
        Kubernetes' Status. *path* is a part of the path, "?watch" included for a watch.
        """

        def matches(asked: str, where: str) -> bool:
            return (not method or asked == method) and path in where

        self._trouble.append(Trouble(times, status, matches, drop, after, delay_s, body))

    def break_watches(self) -> list[Watcher]:
        """Drop all open watches; returns which."""
        broken = list(self._watchers)
        for watcher in broken:
            watcher.events.put_nowait(None)
        return broken

    @asynccontextmanager
    async def unwatched(self) -> AsyncIterator[None]:
        """For a while nobody can watch, and nobody can go on from where a watch ended."""
        held = Trouble(10**9, 503, lambda _, where: where.endswith("?watch"))
        self._trouble.insert(0, held)
        broken = self.break_watches()
        await until(lambda: not self.are_open(broken))
        try:
            yield
            self.compact()
        finally:
            held.times = 0

    def are_open(self, watches: list[Watcher]) -> bool:
        """Whether one of *watches* has not ended."""
        return any(watch in self._watchers for watch in watches)

    def bookmark(self) -> None:
        """Tell all watchers how far they are."""
        version = {"metadata": {"resourceVersion": str(self._version)}}
        for watcher in self._watchers:
            watcher.events.put_nowait(_event("BOOKMARK", version))

    def say(self, line: bytes) -> None:
        """Send *line* to all watchers as it is."""
        for watcher in self._watchers:
            watcher.events.put_nowait(line)

    def calm(self) -> None:
        """No more trouble."""
        self._trouble.clear()

    @property
    def troubles(self) -> int:
        """How much trouble there still is to come."""
        return sum(trouble.times for trouble in self._trouble)

    def compact(self) -> None:
        """Forget the past: watches from before are expired."""
        self._oldest = self._version
        self._history.clear()

    @property
    def watching(self) -> int:
        """How many watches are open."""
        return len(self._watchers)

    # The server.

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        if not self._knows(request):
            return _No(401, "Unauthorized", "Unauthorized").response()
        trouble = self._next_trouble(request)
        if trouble is not None and not trouble.after:
            return await self._fail(request, trouble)
        if (found := self._discovery(request.path)) is not None:
            return web.json_response(found)
        place = _place(request.path)
        answer: web.StreamResponse
        if request.method == "GET" and request.query.get("watch"):
            return await self._watch(request, place)
        if place.sub == "exec":
            return await self._exec(request, place)
        try:
            body = json.loads(await request.read() or b"null")
            answer = web.json_response(self._answer(request, place, body))
        except _No as no:
            answer = no.response()
        if trouble is not None:
            return await self._fail(request, trouble)
        return answer

    def _knows(self, request: web.Request) -> bool:
        if self.authorization not in ("", request.headers.get("Authorization")):
            return False
        if not self.certificate:
            return True
        connection = request.transport and request.transport.get_extra_info("ssl_object")
        shown = connection and connection.getpeercert(binary_form=True)
        return bool(shown) and self.certificate in (True, ssl.DER_cert_to_PEM_cert(shown))

    def _discovery(self, path: str) -> Object | None:
        """What the API server says of the kinds that it serves; None for any other path."""
        groups: dict[str, list[Kind]] = {}
        for kind in self.kinds:
            groups.setdefault(kind.group, []).append(kind)
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            versions = {group: {"version": kinds[0].version} for group, kinds in groups.items()}
            found = [
                {"name": group, "versions": [version], "preferredVersion": version}
                for group, version in versions.items()
                if group
            ]
            return {"kind": "APIGroupList", "groups": found}
        for kinds in groups.values():
            if path == Kind(kinds[0].group, kinds[0].version, "", "", False).path().rstrip("/"):
                return {"kind": "APIResourceList", "resources": [_resource(k) for k in kinds]}
        return None

    async def _exec(self, request: web.Request, place: Place) -> web.StreamResponse:
        # The API server passes the request on to the kubelet, whose endpoint has no media type.
        if request.headers.get("Accept", "*/*") != "*/*":
            raise web.HTTPNotAcceptable
        """Run a command in a pod: noted, and answered as `commands_fail` says."""
        channels = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await channels.prepare(request)
        self.executed.append(
            (place.name, request.query["container"], *request.query.getall("command"))
        )
        status: Object = {"status": "Success"}
        if self.commands_fail:
            await channels.send_bytes(b"\x02" + self.commands_fail.encode())
            status = {"status": "Failure", "message": "command terminated with exit code 1"}
        await channels.send_bytes(b"\x03" + json.dumps(status).encode())
        await channels.close()
        return channels

    def _next_trouble(self, request: web.Request) -> Trouble | None:
        where = request.path + ("?watch" if request.query.get("watch") else "")
        for trouble in self._trouble:
            if trouble.times > 0 and trouble.matches(request.method, where):
                trouble.times -= 1
                return trouble
        return None

    async def _fail(self, request: web.Request, trouble: Trouble) -> web.StreamResponse:
        await asyncio.sleep(trouble.delay_s)
        if trouble.drop:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if trouble.body is not None:
            return web.Response(status=trouble.status, body=trouble.body)
        return _No(trouble.status, "Trouble", f"trouble on demand: {trouble.status}").response()

    def _answer(self, request: web.Request, place: Place, body: Any) -> Object:
        if request.method == "GET":
            return self._get(place, request)
        if request.method == "POST":
            return self._post(place, body)
        if request.method == "PUT":
            return self._put(place, body)
        if request.method == "PATCH":
            return self._patch(place, body)
        return self._delete(place, body or {})

    def _get(self, place: Place, request: web.Request) -> Object:
        if place.name:
            return self._found(place)
        selector = request.query.get("labelSelector", "")
        keys = [
            key
            for key, item in sorted(self.objects.items())
            if _covers(place, key) and _selected(item, selector)
        ]
        start = int(request.query.get("continue") or 0)
        limit = int(request.query.get("limit") or 10**9)
        meta = {"resourceVersion": str(self._version)}
        if start + limit < len(keys):
            meta["continue"] = str(start + limit)
        return {"items": [self.objects[k] for k in keys[start : start + limit]], "metadata": meta}

    def _post(self, place: Place, body: Object) -> Object:
        if place.plural == "tokenreviews":
            return {**body, "status": self.tokens.get(body["spec"]["token"], {})}
        if place.plural == "subjectaccessreviews":
            return {**body, "status": {"allowed": self._may(body["spec"])}}
        if place.sub == "binding":
            return self._bind(place, body)
        meta = body["metadata"]
        if "name" not in meta:
            meta["name"] = f"{meta['generateName']}{next(self._uids):05d}"
        name = meta["name"]
        key = (place.plural, place.namespace, name)
        if key in self.objects:
            raise _No(409, "AlreadyExists", f'{place.plural} "{name}" already exists')
        item = copy.deepcopy(body)
        if place.namespace:
            item["metadata"]["namespace"] = place.namespace
        if place.group == "kubeyarn.io":
            item.pop("status", None)
        self._birth(item)
        self.writes.append(("POST", f"{place.plural}/{name}", body))
        created = self._store(key, item, "ADDED")
        if self._is_orphan(item):
            asyncio.get_running_loop().call_later(_COLLECTED_S, self._collect, key, item)
        return created

    def _is_orphan(self, item: Object) -> bool:
        """Whether it belongs to an application that is gone (Kubernetes: an absent owner)."""
        owners = item["metadata"].get("ownerReferences") or ()
        uids = {owner["uid"] for owner in owners if owner.get("kind") == "YarnApplication"}
        there = {found["metadata"]["uid"] for found in self.objects.values()}
        return bool(uids) and not uids & there

    def _collect(self, key: Key, item: Object) -> None:
        """As the garbage collector, unless another object has the name by now."""
        found = self.objects.get(key)
        if found is not None and found["metadata"]["uid"] == item["metadata"]["uid"]:
            self._remove(key)

    def _may(self, spec: Object) -> bool:
        about = spec["resourceAttributes"]
        subjects = (spec["user"], *(spec.get("groups") or ()))
        return any((one, about["verb"], about["name"]) in self.rights for one in subjects)

    def _bind(self, place: Place, body: Object) -> Object:
        pod = self._found(place)
        if pod["spec"].get("nodeName"):
            raise _No(409, "Conflict", f"pod {place.name} is already assigned to a node")
        pod["spec"]["nodeName"] = body["target"]["name"]
        self._store(_key(place), pod, "MODIFIED")
        return {"kind": "Status", "status": "Success"}

    def _resize(self, place: Place, body: Object) -> Object:
        """A strategic merge patch of a pod's containers' resources, and of nothing else."""
        pod = copy.deepcopy(self._found(place))
        containers = {c["name"]: c for c in pod["spec"]["containers"]}
        for change in body["spec"]["containers"]:
            if set(change) != {"name", "resources"} or change["name"] not in containers:
                raise _No(422, "Invalid", f"pod {place.name}: only resources may be changed")
            old = containers[change["name"]].get("resources") or {}
            containers[change["name"]]["resources"] = _merged(old, change["resources"])
        pod["metadata"]["generation"] = pod["metadata"].get("generation", 1) + 1
        self.writes.append(("PATCH", f"{place.plural}/{place.name}/resize", body))
        return self._store(_key(place), pod, "MODIFIED")

    def _put(self, place: Place, body: Object) -> Object:
        before = self._found(place)
        self._check_version(before, body)
        item = copy.deepcopy(body)
        item["metadata"] = {**before["metadata"], **body["metadata"]}
        self.writes.append(("PUT", f"{place.plural}/{place.name}", body))
        return self._store(_key(place), item, "MODIFIED")

    def _patch(self, place: Place, body: Object) -> Object:
        before = self._found(place)
        self._check_version(before, body)
        if place.sub == "resize":
            return self._resize(place, body)
        after = _merged(
            before, {k: v for k, v in body.items() if (k == "status") == bool(place.sub)}
        )
        self.writes.append(("PATCH", f"{place.plural}/{place.name}", body))
        if after == before:
            return before
        if after.get("spec") != before.get("spec"):
            after["metadata"]["generation"] += 1
        if "deletionTimestamp" in after["metadata"] and not after["metadata"].get("finalizers"):
            self._remove(_key(place))
            return after
        return self._store(_key(place), after, "MODIFIED")

    def _delete(self, place: Place, options: Object) -> Object:
        item = self._found(place)
        uid = (options.get("preconditions") or {}).get("uid")
        if uid is not None and uid != item["metadata"]["uid"]:
            raise _No(409, "Conflict", f"the UID in the precondition ({uid}) does not match")
        self.writes.append(("DELETE", f"{place.plural}/{place.name}", options))
        if item["metadata"].get("finalizers"):
            item["metadata"].setdefault("deletionTimestamp", _now())
            return self._store(_key(place), item, "MODIFIED")
        self._remove(_key(place))
        return {"kind": "Status", "status": "Success"}

    def _check_version(self, before: Object, body: Object) -> None:
        said = (body.get("metadata") or {}).get("resourceVersion")
        if said is not None and said != before["metadata"]["resourceVersion"]:
            raise _No(409, "Conflict", "the object has been modified; please apply your changes")

    def _found(self, place: Place) -> Object:
        found = self.objects.get(_key(place))
        if found is None:
            raise _No(404, "NotFound", f'{place.plural} "{place.name}" not found')
        return copy.deepcopy(found)

    def _birth(self, item: Object) -> None:
        meta = item["metadata"]
        meta.setdefault("uid", f"uid-{next(self._uids)}")
        meta.setdefault("creationTimestamp", _now())
        meta.setdefault("generation", 1)

    def _store(self, key: Key, item: Object, what: str) -> Object:
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self.objects[key] = item
        self._tell(what, key, item)
        return item

    def _remove(self, key: Key) -> None:
        item = self.objects.pop(key, None)
        if item is None:
            return
        self._version += 1
        item = copy.deepcopy(item)
        item["metadata"]["resourceVersion"] = str(self._version)
        self._tell("DELETED", key, item)
        uid = item["metadata"]["uid"]
        for other, owned in list(self.objects.items()):
            if any(o["uid"] == uid for o in owned["metadata"].get("ownerReferences") or ()):
                self._remove(other)

    def _tell(self, what: str, key: Key, item: Object) -> None:
        said = copy.deepcopy(item)
        self._history.append((self._version, what, key, said))
        for watcher in self._watchers:
            if _covers(watcher.place, key) and _selected(said, watcher.selector):
                watcher.events.put_nowait(_event(what, said))

    async def _watch(self, request: web.Request, place: Place) -> web.StreamResponse:
        limit = request.query.get("timeoutSeconds") or "0"
        if not limit.isdecimal():
            return _No(400, "BadRequest", f'parsing "{limit}": invalid syntax').response()
        since = int(request.query.get("resourceVersion") or 0)
        if since < self._oldest and not self.expired_as_event:
            return _No(410, "Expired", "too old resource version").response()
        stream = web.StreamResponse(headers={"Content-Type": "application/json"})
        await stream.prepare(request)
        watcher = Watcher(place, request.query.get("labelSelector", ""))
        if since < self._oldest:
            watcher.events.put_nowait(_event("ERROR", _No(410, "Expired", "too old").status()))
        for version, what, key, item in self._history:
            if version > since and _covers(place, key) and _selected(item, watcher.selector):
                watcher.events.put_nowait(_event(what, item))
        self._watchers.append(watcher)
        try:
            while (line := await watcher.events.get()) is not None:
                await stream.write(line)
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            pass
        finally:
            with suppress(ValueError):
                self._watchers.remove(watcher)
        return stream


class _No(Exception):
    """A Kubernetes Status that says no."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message

    def status(self) -> Object:
        return {
            "kind": "Status",
            "status": "Failure",
            "code": self.code,
            "reason": self.reason,
            "message": self.message,
        }

    def response(self) -> web.Response:
        return web.json_response(self.status(), status=self.code)


def _resource(kind: Kind) -> Object:
    return {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "kind": kind.kind,
        "namespaced": kind.namespaced,
        "verbs": ["get", "list", "watch", "create", "patch", "delete"],
    }


def _place(path: str) -> Place:
    parts = path.strip("/").split("/")
    group, rest = (parts[1], parts[3:]) if parts[0] == "apis" else ("", parts[2:])
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    return Place(group, namespace, *rest[:3])


def _key(place: Place) -> Key:
    return place.plural, place.namespace, place.name


def _covers(place: Place, key: Key) -> bool:
    return place.plural == key[0] and place.namespace in ("", key[1])


def _selected(item: Object, selector: str) -> bool:
    labels = item["metadata"].get("labels") or {}
    return all(
        labels.get(term.partition("=")[0]) == term.partition("=")[2]
        for term in selector.split(",")
        if term
    )


def _merged(before: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    after = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            after.pop(name, None)
        else:
            after[name] = _merged(after.get(name), value)
    return after


def _event(what: str, item: Object) -> bytes:
    return json.dumps({"type": what, "object": item}).encode() + b"\n"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
