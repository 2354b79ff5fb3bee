"""Connections to the AM service on which nothing comes for too long.

A connection costs memory and a file descriptor whether or not anything is said on it, and aiohttp
waits for the first request of one, and for the end of its headers, as long as its client likes. So
connections that have no request under way are closed after a while; a client makes another.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web

_LONGEST_IDLE_S = 60.0
_LOOK_EVERY_S = 5.0


class IdleConnections:
    """Notes when each connection was used last, and closes those that are not."""

    def __init__(self) -> None:
        self._under_way: Counter[object] = Counter()
        self._used_at: dict[object, float] = {}

    @web.middleware
    async def note(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """A request has come on a connection, and is answered."""
        connection: object = request.protocol
        self._under_way[connection] += 1
        try:
            return await handler(request)
        finally:
            self._under_way -= Counter({connection: 1})
            self._used_at[connection] = time.monotonic()

    async def close_for_ever(self, server: web.Server) -> None:
        """Close what is idle on *server*, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = time.monotonic()
            # What was not there at the last look is counted from now.
            self._used_at = {c: self._used_at.get(c, now) for c in server.connections}
            for connection in server.connections:
                idle_s = now - self._used_at[connection]
                if not self._under_way[connection] and idle_s > _LONGEST_IDLE_S:
                    connection.force_close()
