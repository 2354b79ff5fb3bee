"""A ResourceManager for tests: the AM service's contract, containers as local processes.

What a real one keeps in the API server survives `restart` (`requests`, `containers`, `finished`);
what it keeps in memory does not (`registered`, the response ids, who was told what).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from kubeyarn.local.ports import claim

APPLICATION = "application_1763850000000_0001"
ATTEMPT = "appattempt_1763850000000_0001_000001"

Key = tuple[int, int]


@dataclass
class Request:
    """A ContainerRequest: count is a level, delivered + outstanding."""

    shape: dict
    count: int = 0
    granted: int = 0


@dataclass
class FakeContainer:
    id: str
    key: Key
    resources: dict
    launch: dict | None = None
    process: asyncio.subprocess.Process | None = None
    exit_status: int | None = None
    diagnostics: str = ""
    confirmed: bool = False
    log: str = ""
    says: int | None = None  # the exit status it is reported with, whatever it was

    def to_wire(self) -> dict:
        return {
            "containerId": self.id,
            "node": "n1",
            "priority": self.key[0],
            "allocationRequestId": self.key[1],
            "resources": self.resources,
        }


@dataclass
class FakeResourceManager:
    token_file: Path
    slots: int = 4
    token: str = "first-token"
    requests: dict[Key, Request] = field(default_factory=dict)
    containers: dict[str, FakeContainer] = field(default_factory=dict)
    finished: dict | None = None
    finish_calls: int = 0
    finish_after: int = 2
    calls: list[tuple[str, dict]] = field(default_factory=list)
    progress: list[float] = field(default_factory=list)
    restarts: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    on_launch: Callable[[FakeContainer], Coroutine[None, None, None]] | None = None
    _registered: bool = False
    _answers: int = 0
    _last_answer: dict | None = None
    _undelivered: list[str] = field(default_factory=list)
    _delivered: dict[Key, int] = field(default_factory=dict)
    _told: list[str] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    _waiters: set[asyncio.Task] = field(default_factory=set)
    # It comes back on the same port, so nobody else may take it meanwhile.
    port: int = field(default_factory=claim)

    async def __aenter__(self) -> FakeResourceManager:
        self.set_token(self.token)
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        for container in self.containers.values():
            self._signal(container, signal.SIGKILL)
        if self._waiters:
            await asyncio.gather(*self._waiters)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def env(self) -> dict[str, str]:
        return {
            "KUBEYARN_RM": self.url,
            "KUBEYARN_TOKEN_FILE": str(self.token_file),
            "POD_IP": "127.0.0.1",
        }

    def set_token(self, token: str) -> None:
        self.token = token
        self.token_file.write_text(token)

    async def start(self) -> None:
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_post("/am/v1/{verb}", self._serve)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self, down_s: float = 0.3) -> None:
        """Lose everything that is kept in memory; the scheduler goes on meanwhile."""
        await self.stop()
        self.restarts += 1
        self._registered = False
        self._last_answer = None
        self._undelivered, self._told = [], []
        self._grant()
        await asyncio.sleep(down_s)
        await self.start()

    def forget_registration(self) -> None:
        self._registered = False
        self._last_answer = None

    def running(self, word: str = "") -> list[FakeContainer]:
        return [
            c
            for c in self.containers.values()
            if c.process is not None
            and c.exit_status is None
            and word in " ".join(c.launch["command"])
        ]

    def kill(self, container: FakeContainer, number: int = signal.SIGKILL) -> None:
        self._signal(container, number)

    def lose(self, container: FakeContainer, exit_status: int = -100) -> None:
        """The node is lost, or the container preempted."""
        self._complete(container, exit_status, "Container released on a *lost* node")
        self._signal(container, signal.SIGKILL)

    def _signal(self, container: FakeContainer, number: int) -> None:
        if container.process is not None and container.process.returncode is None:
            os.killpg(container.process.pid, number)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        verb = request.match_info["verb"]
        fault = self._fault(verb)
        if fault == "503":
            return _error(503, "Unavailable", "caches are not filled yet")
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _error(401, "Unauthorized", "TokenReview: not authenticated")
        body = await request.json()
        self.calls.append((verb, body))
        answer = await getattr(self, f"_{verb}")(body)
        if fault == "lost answer":
            request.transport.close()
        if fault == "nonsense":
            return web.Response(text="<html>hello</html>")
        return answer

    def _fault(self, verb: str) -> str:
        for index, (where, what) in enumerate(self.faults):
            if where == verb:
                del self.faults[index]
                return what
        return ""

    async def _register(self, body: dict) -> web.Response:
        if self.finished is not None:
            return _error(409, "AttemptEnded", "the attempt has ended")
        if self._registered:
            return _error(409, "AlreadyRegistered", "registered already")
        self._registered, self._answers = True, 0
        live = [c for c in self.containers.values() if c.exit_status is None]
        # Everything ever granted counts as delivered: what is live is in this answer.
        self._delivered = {key: request.granted for key, request in self.requests.items()}
        self._undelivered = []
        return web.json_response(
            {
                "applicationId": APPLICATION,
                "attemptId": ATTEMPT,
                "queue": "root.engineering.etl",
                "minimumAllocation": {"cpu": "1", "memory": "1Gi"},
                "maximumAllocation": {"cpu": "4", "memory": "8Gi"},
                "resourceTypes": ["memory", "cpu"],
                "containersFromPreviousAttempts": [],
                "containers": [c.to_wire() for c in live],
                "responseId": 0,
            }
        )

    async def _allocate(self, body: dict) -> web.Response:
        if self.finished is not None:
            return _error(409, "AttemptEnded", "the attempt has ended")
        if not self._registered:
            return _error(409, "ApplicationMasterNotRegistered", "register first")
        if body["responseId"] == self._answers - 1:
            return web.json_response(self._last_answer)
        if body["responseId"] != self._answers:
            self.violations.append(f"responseId {body['responseId']}, expected {self._answers}")
            return _error(409, "InvalidResponseId", f"expected {self._answers}")
        for container_id in self._told:
            self.containers[container_id].confirmed = True
        self.progress.append(body["progress"])
        for ask in body["asks"]:
            if ask["resources"].get("memory") == "999Gi":
                return _error(400, "InvalidRequest", "found 999Gi, allowed 8Gi", "asks[0]")
            key = (ask["priority"], ask["allocationRequestId"])
            request = self.requests.setdefault(key, Request(ask))
            request.shape = ask
            request.count = self._delivered.get(key, 0) + ask["count"]
        for container_id in body["releases"]:
            container = self.containers.get(container_id)
            if container is not None and container.exit_status is None:
                self._complete(container, -100, "released by the ApplicationMaster")
                self._signal(container, signal.SIGKILL)
        self._grant()
        delivered = [self.containers[i] for i in self._undelivered]
        for container in delivered:
            self._delivered[container.key] = self._delivered.get(container.key, 0) + 1
        self._undelivered = []
        ended = [c for c in self.containers.values() if c.exit_status is not None]
        told = [c for c in ended if not c.confirmed and c.id not in self._undelivered]
        self._told = [c.id for c in told]
        self._answers += 1
        self._last_answer = {
            "responseId": self._answers,
            "allocated": [c.to_wire() for c in delivered],
            "completed": [
                {"containerId": c.id, "exitStatus": c.exit_status, "diagnostics": c.diagnostics}
                for c in told
            ],
            "headroom": {"cpu": "4", "memory": "8Gi"},
            "clusterNodes": 1,
            "updatedNodes": [],
            "priority": 0,
            "preemption": {"containers": [], "message": ""},
        }
        return web.json_response(self._last_answer)

    async def _finish(self, body: dict) -> web.Response:
        if self.finished is None and not self._registered:
            return _error(409, "ApplicationMasterNotRegistered", "register first")
        self.finish_calls += 1
        if self.finish_calls >= self.finish_after:
            self.finished = body
        return web.json_response({"isUnregistered": self.finished is not None})

    async def _containers(self, body: dict) -> web.Response:
        if not self._registered:
            return _error(409, "ApplicationMasterNotRegistered", "register first")
        launched, errors = [], []
        for launch in body["launch"]:
            container = self.containers.get(launch["containerId"])
            if container is None or container.exit_status is not None:
                errors.append({"containerId": launch["containerId"], "message": "not granted"})
                continue
            if container.launch is None:
                container.launch = launch
                await self._start_process(container)
            launched.append({"containerId": container.id, "pod": f"pod-{container.id[-6:]}"})
        for container_id in body["stop"]:
            self._signal(self.containers[container_id], signal.SIGTERM)
        known = [self.containers[i] for i in body["status"] if i in self.containers]
        statuses = [self._status(container) for container in known]
        return web.json_response(
            {
                "launched": launched,
                "stopped": body["stop"],
                "statuses": statuses,
                "errors": errors,
            }
        )

    def _status(self, container: FakeContainer) -> dict:
        state = "NEW" if container.process is None else "RUNNING"
        if container.exit_status is not None:
            state = "COMPLETE"
        return {
            "containerId": container.id,
            "state": state,
            "exitStatus": container.exit_status,
        }

    def _grant(self) -> None:
        for key, request in sorted(self.requests.items()):
            while request.granted < request.count and self._used() < self.slots:
                request.granted += 1
                number = len(self.containers) + 2
                container_id = f"container_1763850000000_0001_01_{number:06d}"
                self.containers[container_id] = FakeContainer(
                    container_id, key, request.shape["resources"]
                )
                self._undelivered.append(container_id)

    def _used(self) -> int:
        return sum(c.exit_status is None for c in self.containers.values())

    def _complete(self, container: FakeContainer, exit_status: int, diagnostics: str) -> None:
        if container.exit_status is None:
            container.exit_status = exit_status
            container.diagnostics = diagnostics
            self._grant()

    async def _start_process(self, container: FakeContainer) -> None:
        said = {entry["name"]: entry["value"] for entry in container.launch["env"]}
        env = {**os.environ, "CONTAINER_ID": container.id, "APPLICATION_ID": APPLICATION, **said}
        container.process = await asyncio.create_subprocess_exec(
            *container.launch["command"],
            *container.launch["args"],
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._spawn(self._wait(container))
        if self.on_launch is not None:
            self._spawn(self.on_launch(container))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._waiters.add(task)
        task.add_done_callback(self._waiters.discard)

    async def _wait(self, container: FakeContainer) -> None:
        output, _ = await container.process.communicate()
        container.log = output.decode()
        code = container.process.returncode
        status = 128 - code if code < 0 else code
        says = status if container.says is None else container.says
        self._complete(container, says, container.log[-500:])


def _error(status: int, code: str, message: str, place: str = "") -> web.Response:
    return web.Response(
        status=status,
        text=json.dumps({"error": code, "field": place, "message": message}),
        content_type="application/json",
    )
