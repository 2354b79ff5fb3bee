"""What stands between KubeYARN's processes and the API server.

`python proxy.py KUBECONFIG PORT SERVICE SEED`

Everything is passed on as the administrator. `POST /-/storm?status=429&share=0.7&seconds=2`
answers that share of the calls itself (429: all kinds of calls; 409: writes), and
`POST /-/cut?seconds=1` breaks every open watch and refuses new ones for a while. The port SERVICE
leads to the AM service, wherever its EndpointSlice says it is, as kube-proxy has it.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yarl
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[2]))

HOP = {
    "connection",
    "transfer-encoding",
    "keep-alive",
    "content-length",
    "host",
    "content-encoding",
}
WRITES = {"POST", "PUT", "PATCH", "DELETE"}
REASONS = {409: "Conflict", 429: "TooManyRequests"}
SLICE = (
    "/apis/discovery.k8s.io/v1/namespaces/kubeyarn-system/endpointslices/kubeyarn-resourcemanager"
)
LARGEST = 256 * 1024 * 1024


@dataclass
class Storm:
    """What becomes of a share of the calls until a time."""

    status: int = 0
    share: float = 0.0
    until: float = 0.0

    def strikes(self, method: str, chance: float) -> bool:
        if time.monotonic() > self.until or chance >= self.share:
            return False
        return self.status == 429 or method in WRITES


@dataclass
class Proxy:
    server: str
    tls: ssl.SSLContext
    service: int
    seed: int
    storm: Storm = field(default_factory=Storm)
    no_watch_until: float = 0.0
    watches: set[asyncio.Task[None]] = field(default_factory=set)
    struck: dict[int, int] = field(default_factory=dict)
    endpoint: tuple[str, int] | None = None

    def application(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/-/storm", self.start_storm)
        app.router.add_post("/-/cut", self.cut)
        app.router.add_get("/-/struck", self.tell)
        app.router.add_route("*", "/{path:.*}", self.pass_on)
        app.cleanup_ctx.append(self.session_of)
        app.cleanup_ctx.append(self.service_of)
        self.chance = random.Random(self.seed)
        return app

    async def session_of(self, _: web.Application):
        connector = aiohttp.TCPConnector(ssl=self.tls, limit=0)
        timeout = aiohttp.ClientTimeout(total=None, connect=5)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False
        ) as self.session:
            yield

    async def service_of(self, _: web.Application):
        listening = await asyncio.start_server(self.forward, "127.0.0.1", self.service)
        looking = asyncio.create_task(self.look())
        yield
        looking.cancel()
        listening.close()

    async def look(self) -> None:
        """Where the AM service is now."""
        while True:
            try:
                async with self.session.get(self.server + SLICE) as answer:
                    if answer.status == 200:
                        found = json.loads(await answer.read())
                        port = found["ports"][0]["port"]
                        self.endpoint = found["endpoints"][0]["addresses"][0], port
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                pass
            await asyncio.sleep(0.5)

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.endpoint is not None:
                back = await asyncio.wait_for(asyncio.open_connection(*self.endpoint), 3)
                await asyncio.gather(pump(reader, back[1]), pump(back[0], writer))
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()

    async def start_storm(self, request: web.Request) -> web.Response:
        said = request.query
        until = time.monotonic() + float(said["seconds"])
        self.storm = Storm(int(said["status"]), float(said["share"]), until)
        return web.Response(text="ok")

    async def cut(self, request: web.Request) -> web.Response:
        self.no_watch_until = time.monotonic() + float(request.query["seconds"])
        cut = len(self.watches)
        for watch in list(self.watches):
            watch.cancel()
        return web.Response(text=str(cut))

    async def tell(self, _: web.Request) -> web.Response:
        return web.json_response(self.struck)

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        watching = request.query.get("watch", "0") in ("1", "true")
        if self.storm.strikes(request.method, self.chance.random()):
            return self.refusal(self.storm.status)
        if watching and time.monotonic() < self.no_watch_until:
            return self.refusal(503)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP}
        # The administrator's certificate speaks for everybody.
        headers.pop("Authorization", None)
        body = await request.read()
        try:
            async with self.session.request(
                request.method,
                yarl.URL(self.server + request.raw_path, encoded=True),
                headers=headers,
                data=body or None,
            ) as answer:
                return await self.answered(request, answer, watching=watching)
        except (aiohttp.ClientError, TimeoutError, OSError):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    async def answered(
        self, request: web.Request, answer: aiohttp.ClientResponse, *, watching: bool
    ) -> web.StreamResponse:
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in HOP}
        if "Content-Encoding" in answer.headers:
            headers["Content-Encoding"] = answer.headers["Content-Encoding"]
        if not watching:
            return web.Response(status=answer.status, headers=headers, body=await answer.read())
        out = web.StreamResponse(status=answer.status, headers=headers)
        await out.prepare(request)
        copying = asyncio.create_task(copy(answer, out))
        self.watches.add(copying)
        try:
            await asyncio.wait({copying})
        finally:
            self.watches.discard(copying)
            copying.cancel()
        if request.transport is not None:
            # Broken off in the middle, as a connection is.
            request.transport.abort()
        return out

    def refusal(self, status: int) -> web.Response:
        self.struck[status] = self.struck.get(status, 0) + 1
        said = {
            "apiVersion": "v1",
            "kind": "Status",
            "status": "Failure",
            "reason": REASONS.get(status, "ServiceUnavailable"),
            "message": f"the proxy answers {status}",
            "code": status,
        }
        headers = {"Retry-After": "1"} if status == 429 else {}
        body = json.dumps(said).encode()
        return web.Response(
            status=status, headers=headers, body=body, content_type="application/json"
        )


async def copy(answer: aiohttp.ClientResponse, out: web.StreamResponse) -> None:
    async for chunk in answer.content.iter_any():
        await out.write(chunk)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()


def main() -> None:
    from e2e.crd.server import Server

    server = Server(Path(sys.argv[1]))
    proxy = Proxy(
        f"https://{server.address.netloc}", server.context, int(sys.argv[3]), int(sys.argv[4])
    )
    app = proxy.application()
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)


if __name__ == "__main__":
    main()
