"""The ApplicationMaster's side of its tasks: hands out inputs, takes progress, results, failures.

One HTTP server per ApplicationMaster, guarded by a secret that is made for it and given to its
containers in their environment. Results lie on the ApplicationMaster's local disk. A result
belongs to the container that sent it and counts only after `accept` named that container, so a
task that was started twice leaves one result.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
import secrets
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from kubeyarn.am import task as inside
from kubeyarn.am.errors import InvalidAskError

log = logging.getLogger("kubeyarn.am.tasks")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much tasks may send, in bytes; *outputs* is results per container."""

    report_bytes: int = 64 * 1024
    output_bytes: int = 256 * 1024 * 1024
    total_bytes: int = 16 * 1024 * 1024 * 1024
    outputs: int = 10_000


@dataclass(slots=True)
class Report:
    """What one container has said of its task: *progress* is 0 to 1, *failure* empty if none."""

    progress: float = 0.0
    message: str = ""
    failure: str = ""
    outputs: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Task:
    input: bytes
    containers: dict[str, Report] = field(default_factory=dict)
    accepted: str = ""


class TaskServer:
    """Serves tasks, as an async context manager.

    Args:
        directory: where results are kept; made if missing.
        address: the address that containers reach this process at, for example POD_IP.
        bind: the address to listen on.
        port: the port to listen on, 0 for any free one.
        bounds: how much tasks may send.
    """

    def __init__(
        self,
        directory: Path,
        *,
        address: str = "127.0.0.1",
        bind: str = "0.0.0.0",
        port: int = 0,
        bounds: Bounds | None = None,
    ) -> None:
        self._directory = directory
        self._address = address
        self._bind = bind
        self._port = port
        self._bounds = bounds or Bounds()
        # Made anew in each process: a task of a former attempt cannot report to this one.
        self._secret = secrets.token_urlsafe(32)
        self._tasks: dict[str, _Task] = {}
        self._stored = 0
        self._uploads = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        """Start to listen."""
        self._directory.mkdir(parents=True, exist_ok=True)
        application = web.Application(middlewares=[self._guarded])
        application.add_routes(
            [
                web.get("/", self._status),
                web.get("/task/v1/input/{task}", self._input),
                web.post("/task/v1/progress/{task}", self._progress),
                web.post("/task/v1/failure/{task}", self._failure),
                web.put("/task/v1/output/{task}/{name}", self._put),
                web.get("/task/v1/output/{task}/{name}", self._get),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._bind, self._port)
        await site.start()
        # Port 0 asked the kernel for a free one; containers are told which it was.
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop to listen; results stay on disk."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """Where containers, and people who want to watch, reach it."""
        host = f"[{self._address}]" if ":" in self._address else self._address
        return f"http://{host}:{self._port}"

    def give(self, task_id: str, payload: bytes) -> None:
        """Make a task known, with the input that its container will read.

        Raises:
            InvalidAskError: *task_id* is no name, or is taken.
        """
        if not _NAME.fullmatch(task_id):
            raise InvalidAskError(f"task {task_id!r}: must match {_NAME.pattern}")
        if task_id in self._tasks:
            raise InvalidAskError(f"task {task_id!r} is known already")
        self._tasks[task_id] = _Task(payload)

    def env(self, task_id: str, container_id: str) -> dict[str, str]:
        """The environment that lets *container_id* run *task_id*; it may report from now on."""
        self._tasks[task_id].containers[container_id] = Report()
        return {
            inside.SERVER_VARIABLE: self.url,
            inside.SECRET_VARIABLE: self._secret,
            inside.TASK_VARIABLE: task_id,
        }

    def report(self, task_id: str, container_id: str) -> Report:
        """What *container_id* has said of *task_id*."""
        return self._tasks[task_id].containers.get(container_id, Report())

    def accept(self, task_id: str, container_id: str) -> None:
        """Let the results of *container_id* be the task's; those of its other containers go."""
        task = self._tasks[task_id]
        task.accepted = container_id
        # A task may run twice, when it looked lost or slow. Only one run's results may be used, or
        # those of both could be mixed.
        for other in [c for c in task.containers if c != container_id]:
            self.discard(task_id, other)

    def discard(self, task_id: str, container_id: str) -> None:
        """Hear this container no more and forget what it sent."""
        report = self._tasks[task_id].containers.pop(container_id, None)
        if report is not None and report.outputs:
            self._stored -= sum(report.outputs.values())
            shutil.rmtree(self._directory / task_id / container_id, ignore_errors=True)

    def output(self, task_id: str, name: str) -> Path | None:
        """The file of a result of a task that was accepted, or None."""
        task = self._tasks.get(task_id)
        if task is None or not task.accepted:
            return None
        if name not in task.containers[task.accepted].outputs:
            return None
        return self._directory / task_id / task.accepted / name

    def missing(self, task_id: str, container_id: str, names: tuple[str, ...]) -> list[str]:
        """Which of the results *names* have not come from *container_id*."""
        return [name for name in names if name not in self.report(task_id, container_id).outputs]

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/task/"):
            authorization = request.headers.get("Authorization", "")
            # Compared in constant time: how long a refusal takes tells nothing of the secret.
            if not hmac.compare_digest(authorization.encode(), f"Bearer {self._secret}".encode()):
                raise _refusal(web.HTTPUnauthorized, "the secret is not this application's")
        return await handler(request)

    def _sender(self, request: web.Request) -> tuple[str, str, Report]:
        task_id = request.match_info["task"]
        container_id = request.headers.get(inside.CONTAINER_HEADER, "")
        task = self._tasks.get(task_id)
        if task is None:
            raise _refusal(web.HTTPNotFound, f"task {task_id!r} is not known")
        # Given up, or its place was taken by another run: what it sends now would be that one's.
        if container_id not in task.containers:
            raise _refusal(
                web.HTTPConflict, f"container {container_id!r} does not run task {task_id!r} (now)"
            )
        return task_id, container_id, task.containers[container_id]

    async def _status(self, _request: web.Request) -> web.Response:
        tasks = {
            task_id: {
                "progress": max((r.progress for r in task.containers.values()), default=0.0),
                "container": task.accepted or next(reversed(task.containers), ""),
                "done": bool(task.accepted),
            }
            for task_id, task in self._tasks.items()
        }
        return web.json_response({"tasks": tasks})

    async def _input(self, request: web.Request) -> web.Response:
        task_id, _, _ = self._sender(request)
        return web.Response(
            body=self._tasks[task_id].input, content_type="application/octet-stream"
        )

    async def _progress(self, request: web.Request) -> web.Response:
        _, _, report = self._sender(request)
        body = await self._json(request)
        fraction = body.get("progress")
        if not isinstance(fraction, int | float) or not 0 <= fraction <= 1:
            raise _refusal(
                web.HTTPBadRequest, f"progress: found {fraction!r}, expected a number 0 to 1"
            )
        report.progress = float(fraction)
        report.message = str(body.get("message", ""))
        return web.Response(status=204)

    async def _failure(self, request: web.Request) -> web.Response:
        _, _, report = self._sender(request)
        body = await self._json(request)
        report.failure = str(body.get("message", "")) or "no reason given"
        return web.Response(status=204)

    async def _json(self, request: web.Request) -> Mapping[str, object]:
        limit = self._bounds.report_bytes
        raw = await request.content.read(limit + 1)
        # One byte more than allowed is read, to tell what is too long from what just fits. `read`
        # returns what has arrived so far, and may return less than was asked for.
        while len(raw) <= limit and (more := await request.content.read(limit + 1 - len(raw))):
            raw += more
        if len(raw) > limit:
            raise _refusal(web.HTTPBadRequest, f"longer than {limit} bytes")
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise _refusal(web.HTTPBadRequest, f"no JSON: {error}") from error
        if not isinstance(body, dict):
            raise _refusal(web.HTTPBadRequest, f"found {body!r:.100}, expected a JSON object")
        return body

    async def _put(self, request: web.Request) -> web.Response:
        task_id, container_id, report = self._sender(request)
        name = request.match_info["name"]
        if not _NAME.fullmatch(name):
            raise _refusal(web.HTTPBadRequest, f"result {name!r}: must match {_NAME.pattern}")
        if name not in report.outputs and len(report.outputs) >= self._bounds.outputs:
            raise _refusal(web.HTTPBadRequest, f"more than {self._bounds.outputs} results")
        place = self._directory / task_id / container_id
        place.mkdir(parents=True, exist_ok=True)
        self._uploads += 1
        # Each upload has a file of its own, so that two of one name at a time do not mix; the
        # result appears whole, by one rename, or not at all.
        coming = place / f".{name}.{self._uploads}"
        try:
            size = await self._receive(request, coming)
            # The container may have been given up while it was sending.
            self._sender(request)
            coming.replace(place / name)
        finally:
            coming.unlink(missing_ok=True)
        self._stored += size - report.outputs.get(name, 0)
        report.outputs[name] = size
        return web.Response(status=204)

    async def _receive(self, request: web.Request, coming: Path) -> int:
        size, most = 0, self._bounds.output_bytes
        with coming.open("wb") as file:
            async for chunk in request.content.iter_chunked(256 * 1024):
                size += len(chunk)
                if size > most:
                    raise _too_large(f"a result may have {most} bytes", most, size)
                if self._stored + size > self._bounds.total_bytes:
                    total = self._bounds.total_bytes
                    raise _too_large(f"all results together may have {total} bytes", total, size)
                file.write(chunk)
        return size

    async def _get(self, request: web.Request) -> web.StreamResponse:
        task_id, name = request.match_info["task"], request.match_info["name"]
        path = self.output(task_id, name)
        if path is None:
            raise _refusal(web.HTTPNotFound, f"task {task_id!r} has no result {name!r} (yet)")
        return web.FileResponse(path)


def _refusal(kind: type[web.HTTPException], message: str) -> web.HTTPException:
    return kind(text=json.dumps({"message": message}), content_type="application/json")


def _too_large(message: str, most: int, actual: int) -> web.HTTPException:
    return web.HTTPRequestEntityTooLarge(
        max_size=most, actual_size=actual, text=json.dumps({"message": message})
    )
