"""Probes and metrics of a process, over HTTP: /healthz, /readyz, /leading, /metrics."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


def application(ready: Callable[[], str], leading: Callable[[], str]) -> web.Application:
    """The web application of a process's probes.

    *ready* says what it still waits for, *leading* why it does not decide; "" where it does.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        return _answer(ready())

    async def leads(_: web.Request) -> web.Response:
        return _answer(leading())

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/leading", leads)
    app.router.add_get("/metrics", metrics)
    return app


def _answer(waits_for: str) -> web.Response:
    return web.Response(
        text=f"waiting for {waits_for}\n" if waits_for else "ok\n",
        status=503 if waits_for else 200,
    )


async def serve(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve *app* until its runner is cleaned up."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
