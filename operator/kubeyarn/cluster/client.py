"""A small asynchronous client of the Kubernetes API: plain dicts in and out.

The official client's models cost more CPU than all the rest of a scheduler (measured; see
docs/decisions), so hot paths speak JSON directly. Calls in flight are bounded, connections kept,
and requests that are safe to repeat are repeated on 429, 5xx and broken connections.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.errors import NotLeading, error_of
from kubeyarn.cluster.resources import Kind
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

_ATTEMPTS = 6
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 3.0
_LONGEST_CALL_S = 30.0


class KubeClient:
    """Reads and writes objects of one API server.

    Every call raises a subclass of `cluster.errors.ApiError` for an answer that says no, and
    `Unavailable` when there was no usable answer after all retries. *may_write_s* tells for how
    many seconds more this process may write: no write begins after that or is waited for longer.
    """

    def __init__(
        self,
        connection: Connection,
        user_agent: str,
        in_flight: int = 48,
        may_write_s: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._connection = connection
        self._may_write_s = may_write_s
        self._in_flight = asyncio.Semaphore(in_flight)
        self._timeout = aiohttp.ClientTimeout(total=_LONGEST_CALL_S, connect=5)
        self._session = connection.session(user_agent)

    @property
    def connection(self) -> Connection:
        """Where this client talks to."""
        return self._connection

    def writing_s(self) -> float:
        """For how long a write that begins now may take.

        Raises:
            NotLeading: none may begin, because this process may not lead any more.
        """
        left_s = self._may_write_s()
        if left_s <= 0:
            raise NotLeading("this process does not lead now")
        return left_s

    async def close(self) -> None:
        """Drop all connections."""
        await self._session.close()

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object:
        """One object."""
        return await self._json("GET", kind.path(namespace, name))

    async def list_page(
        self, kind: Kind, parameters: Mapping[str, str], namespace: str | None = None
    ) -> Object:
        """One page of a collection, with its `metadata`."""
        return await self._json("GET", kind.path(namespace), params=parameters)

    async def list_all(
        self, kind: Kind, namespace: str | None = None, **parameters: str
    ) -> list[Object]:
        """A whole collection, read in pages of 500."""
        items: list[Object] = []
        query = {"limit": "500", **parameters}
        while True:
            page = await self.list_page(kind, query, namespace)
            items += page.get("items") or []
            token = page["metadata"].get("continue")
            if not token:
                return items
            query["continue"] = token

    async def create(
        self, kind: Kind, body: Object, namespace: str | None = None, *, attempts: int = _ATTEMPTS
    ) -> Object:
        """Create an object; repeated only while the server did not take it.

        A create whose answer was lost may answer `AlreadyExists`: names are deterministic, so
        callers treat that as done.
        """
        return await self._json("POST", kind.path(namespace), body=body, attempts=attempts)

    async def create_sub(
        self, kind: Kind, name: str, sub: str, body: Object, namespace: str | None = None
    ) -> Object:
        """Create a subresource, such as a pod's binding."""
        return await self._json("POST", kind.path(namespace, name, sub), body=body)

    async def replace(
        self, kind: Kind, name: str, body: Object, namespace: str | None = None
    ) -> Object:
        """Replace an object; its resourceVersion guards against a lost update."""
        # Not repeated: if the first try was taken and its answer lost, the second would be refused
        # as a conflict with itself, and its caller could not tell.
        return await self._json("PUT", kind.path(namespace, name), body=body, attempts=1)

    async def patch(
        self, kind: Kind, name: str, body: Object, namespace: str | None = None, sub: str = ""
    ) -> Object:
        """Merge-patch an object or its subresource (RFC 7386: null removes, lists are replaced)."""
        path, headers = kind.path(namespace, name, sub), {"Content-Type": MERGE_PATCH}
        return await self._json("PATCH", path, body=body, headers=headers)

    async def patch_entries(
        self, kind: Kind, name: str, body: Object, namespace: str | None = None, sub: str = ""
    ) -> Object:
        """Patch one of Kubernetes' own kinds; lists merge by their keys (strategic merge patch)."""
        path, headers = kind.path(namespace, name, sub), {"Content-Type": STRATEGIC_PATCH}
        return await self._json("PATCH", path, body=body, headers=headers)

    async def delete(
        self, kind: Kind, name: str, namespace: str | None = None, body: Object | None = None
    ) -> None:
        """Delete an object; *body* are DeleteOptions (preconditions, grace period)."""
        await self._json("DELETE", kind.path(namespace, name), body=body)

    @asynccontextmanager
    async def watch(
        self, kind: Kind, parameters: Mapping[str, str], quiet_s: float
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """An open watch; silence for *quiet_s* seconds breaks it with a TimeoutError."""
        timeout = aiohttp.ClientTimeout(total=None, connect=5, sock_read=quiet_s)
        url = self._connection.server + kind.path()
        query = {"watch": "1", "allowWatchBookmarks": "true", **parameters}
        tls = await self._connection.tls()
        async with self._session.get(url, params=query, timeout=timeout, ssl=tls) as answer:
            if answer.status != 200:
                raise _error(answer.status, await answer.read())
            yield answer.content

    async def _json(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Object | None = None,
        headers: Mapping[str, str] | None = None,
        attempts: int = _ATTEMPTS,
    ) -> Object:
        """One call, tried again with growing pauses while the API server is out of reach."""
        data = msgspec.json.encode(body) if body is not None else None
        pause = _FIRST_PAUSE_S
        for attempt in range(1, attempts + 1):
            try:
                return await self._once(method, path, params, data, headers)
            except Unavailable as error:
                if attempt == attempts:
                    raise type(error)(f"{method} {path}: {error}") from error
            # Spread out, so that all who lost the server do not come back at one moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        raise Unavailable(f"{method} {path}: not tried")

    async def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        data: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Object:
        everything = {"Content-Type": "application/json", **(headers or {})}
        tls = await self._connection.tls()
        url = self._connection.server + path
        try:
            async with (
                self._in_flight,
                self._session.request(
                    method,
                    url,
                    params=params,
                    data=data,
                    headers=everything,
                    timeout=self._allowed(method),
                    ssl=tls,
                ) as answer,
            ):
                payload = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unavailable(f"no answer: {error or type(error).__name__}") from error
        # A short-lived certificate may run out between two calls; the next try brings the new one.
        if status == 401 and tls is not await self._connection.tls():
            raise Unavailable("the client certificate was refused and has been renewed")
        if status >= 300:
            raise _error(status, payload)
        return _decode(payload) if payload else {}

    def _allowed(self, method: str) -> aiohttp.ClientTimeout:
        """How long a call may take that begins now.

        Raises:
            NotLeading: it would write, and this process may not.
        """
        # A write that is under way when the lease runs out could land after another has begun to
        # lead; so none is given more time than is left.
        left_s = math.inf if method == "GET" else self.writing_s()
        if left_s >= _LONGEST_CALL_S:
            return self._timeout
        return aiohttp.ClientTimeout(total=left_s, connect=5)


def _error(status: int, payload: bytes) -> Exception:
    try:
        answer = _decode(payload)
    except Unavailable:
        answer = {}
    reason = str(answer.get("reason", ""))
    message = str(answer.get("message", "")) or payload[:200].decode(errors="replace")
    return error_of(status, reason, message)


def _decode(payload: bytes) -> Object:
    try:
        decoded = msgspec.json.decode(payload)
    except msgspec.DecodeError as error:
        raise Unavailable(f"the answer is not JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise Unavailable("the answer is not a JSON object")
    return decoded
