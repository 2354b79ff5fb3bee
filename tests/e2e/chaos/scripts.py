"""Applications whose ApplicationMasters act by a script, spoken by this process.

Each has a fake pod of its own; who speaks for it dies with the pod, and somebody speaks for the
next attempt. What was done is remembered here, as an ApplicationMaster's own store would.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from e2e.chaos.record import Record
from e2e.crd.server import Server
from kubeyarn.am import ApplicationMaster
from kubeyarn.am.errors import AmError
from kubeyarn.am.retry_policy import RetryPolicy
from kubeyarn.am.settings import Settings
from kubeyarn.am.state import Allocated, Completed
from kubeyarn.am.transport import HttpTransport
from kubeyarn.am.wire import Launch

Json = dict[str, Any]

OURS = "/apis/kubeyarn.io/v1alpha1"
MERGE = "application/merge-patch+json"
ONE = {"cpu": "1", "memory": "1Gi"}
SMALL = {"cpu": "250m", "memory": "256Mi"}
FINAL = ("FINISHED", "FAILED", "KILLED")
ANYWHERE = {"spec": {"tolerations": [{"operator": "Exists"}]}}


class Exits(Exception):
    """The ApplicationMaster's process ends with this code without a word."""


@dataclass
class Cluster:
    """What scripts need: the API server, its record, and where the AM service is."""

    server: Server
    record: Record
    namespace: str
    service: str
    directory: Path
    # Connections are kept: the API server has better things to do than handshakes.
    session: aiohttp.ClientSession | None = None
    applications: dict[str, Json] = field(default_factory=dict)
    looks: int = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Make calls possible, and look at the applications once a second."""
        connector = aiohttp.TCPConnector(ssl=self.server.context, limit=8)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=15)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as self.session:
            looking = asyncio.create_task(self._look())
            try:
                yield
            finally:
                looking.cancel()

    async def _look(self) -> None:
        while True:
            status, found = await self.call("GET", self.of("yarnapplications"))
            if status == 200:
                self.applications = {a["metadata"]["name"]: a for a in found["items"]}
                self.looks += 1
            await asyncio.sleep(1)

    async def call(
        self, method: str, path: str, body: Json | None = None, kind: str = ""
    ) -> tuple[int, Json]:
        """A user's call, repeated until the API server answers: HTTP status and body."""
        while True:
            assert self.session is not None
            url = f"https://{self.server.address.netloc}{path}"
            headers = {"Content-Type": kind or "application/json"}
            data = None if body is None else json.dumps(body)
            try:
                async with self.session.request(method, url, data=data, headers=headers) as answer:
                    if answer.status < 500 and answer.status != 429:
                        return answer.status, await answer.json()
            except (OSError, TimeoutError, aiohttp.ClientError, ValueError):
                pass
            await asyncio.sleep(1)

    def of(self, plural: str, name: str = "", group: str = OURS) -> str:
        tail = f"/{name}" if name else ""
        return f"{group}/namespaces/{self.namespace}/{plural}{tail}"


@dataclass
class Story:
    """One application: what it is submitted with, what its master does, and how it must end."""

    name: str
    queue: str
    tasks: int
    master: Callable[[Story, Cluster, ApplicationMaster], Awaitable[None]]
    ends: tuple[str, str] = ("FINISHED", "SUCCEEDED")
    after: float = 0.0
    spec: Json = field(default_factory=dict)
    seconds: float = 2.0
    done: int = 0
    lost: int = 0
    attempts: int = 0
    deleted: bool = False
    granted: set[str] = field(default_factory=set)
    completed: dict[str, int] = field(default_factory=dict)
    stage: str = "waits"

    async def run(self, cluster: Cluster) -> None:
        await asyncio.sleep(self.after)
        self.stage = "submitted"
        await self._submit(cluster)
        spoken: set[str] = set()
        while True:
            found = await self._next_master(cluster, spoken)
            if found is None:
                return
            self.attempts += 1
            spoken.add(found["metadata"]["uid"])
            await self._speak(cluster, found)

    async def _submit(self, cluster: Cluster) -> None:
        master = {"resources": SMALL, "image": "fake", "template": ANYWHERE}
        spec = {"queue": self.queue, "applicationMaster": master, **self.spec}
        found = {
            "apiVersion": "kubeyarn.io/v1alpha1",
            "kind": "YarnApplication",
            "metadata": {"name": self.name},
            "spec": spec,
        }
        status, answer = await cluster.call("POST", cluster.of("yarnapplications"), found)
        # Taken, or taken by a call whose answer was lost.
        assert status in (201, 409), answer

    async def _next_master(self, cluster: Cluster, spoken: set[str]) -> Json | None:
        before = cluster.looks
        while True:
            for pod in list(cluster.record.now.values()):
                mine = pod["metadata"]["labels"].get("kubeyarn.io/application") == self.name
                master = pod["metadata"]["labels"].get("kubeyarn.io/role") == "am"
                if mine and master and runs(pod) and pod["metadata"]["uid"] not in spoken:
                    return pod
            if cluster.looks >= before + 2:
                found = cluster.applications.get(self.name)
                if found is None:
                    assert self.deleted, f"{self.name} is gone"
                    return None
                if (found.get("status") or {}).get("state") in FINAL:
                    return None
            await asyncio.sleep(0.2)

    async def _speak(self, cluster: Cluster, pod: Json) -> None:
        """Be the process of this pod, until it ends or the pod does."""
        process = asyncio.create_task(self._process(cluster, pod))
        uid = pod["metadata"]["uid"]
        try:
            while not process.done():
                await asyncio.wait({process}, timeout=0.2)
                now = cluster.record.now.get(uid)
                if now is None or not runs(now):
                    return
            await exit_pod(cluster, pod, process.result())
        finally:
            process.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await process

    async def _process(self, cluster: Cluster, pod: Json) -> int:
        with tempfile.NamedTemporaryFile("w", dir=cluster.directory) as token:
            token.write(await token_of(cluster, pod))
            token.flush()
            transport = HttpTransport(cluster.service, Path(token.name))
            retries = RetryPolicy(longest_s=1.0, total_s=120.0)
            settings = Settings(heartbeat_s=1.0, retry_policy=retries)
            try:
                async with ApplicationMaster(transport, settings=settings) as am:
                    self.stage = f"attempt {self.attempts} registered"
                    await self.master(self, cluster, am)
                    self.stage = f"attempt {self.attempts} unregisters"
            except Exits as error:
                return int(error.args[0])
            except AmError as error:
                self.stage = f"attempt {self.attempts}: {type(error).__name__}: {error}"
                return 1
        return 0

    async def work(self, am: ApplicationMaster, until: int) -> None:
        """Have tasks run until so many have succeeded, in this attempt and those before."""
        kept = am.registration.previous
        self._ask(am, until - self.done - len(kept))
        while self.done < until:
            events = await am.next_events()
            fresh = [e.container.id for e in events if isinstance(e, Allocated)]
            self.granted |= set(fresh)
            if fresh:
                await self._launch(am, fresh)
            ended = [e for e in events if isinstance(e, Completed)]
            for event in ended:
                self._count(event)
            self._ask(am, sum(e.exit_status != 0 for e in ended))

    def _ask(self, am: ApplicationMaster, count: int) -> None:
        if count > 0:
            am.ask(count, ONE)

    async def _launch(self, am: ApplicationMaster, containers: list[str]) -> None:
        run = {"metadata": {"annotations": {"kubeyarn.io/fake-run-seconds": str(self.seconds)}}}
        template = {**ANYWHERE, **run}
        await am.launch_all(
            [Launch(c, (), (), {}, "fake", template) for c in containers],
        )

    def _count(self, event: Completed) -> None:
        container = event.container.id
        if container in self.completed:
            # Told to a former attempt, whose master died before it had confirmed it.
            assert self.completed[container] == event.exit_status, container
            return
        self.completed[container] = event.exit_status
        if event.exit_status == 0:
            self.done += 1
        else:
            self.lost += 1


def runs(pod: Json) -> bool:
    """Whether a pod's process runs."""
    living = "deletionTimestamp" not in pod["metadata"]
    return living and (pod.get("status") or {}).get("phase") == "Running"


async def token_of(cluster: Cluster, pod: Json) -> str:
    """A token as the kubelet projects it into the pod."""
    name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
    bound = {"kind": "Pod", "apiVersion": "v1", "name": name, "uid": uid}
    path = cluster.of("serviceaccounts", "default/token", "/api/v1")
    spec = {"audiences": ["kubeyarn-am"], "boundObjectRef": bound}
    status, made = await cluster.call("POST", path, {"spec": spec})
    # A pod that has just gone gets none; whoever speaks for it is about to end.
    return str(made["status"]["token"]) if status == 201 else "none"


async def exit_pod(cluster: Cluster, pod: Json, code: int) -> None:
    """The pod's process exits."""
    ended = {
        "name": pod["spec"]["containers"][0]["name"],
        "image": "fake",
        "imageID": "fake",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": {"exitCode": code}},
    }
    status = {"phase": "Failed" if code else "Succeeded", "containerStatuses": [ended]}
    path = cluster.of("pods", pod["metadata"]["name"], "/api/v1")
    await cluster.call("PATCH", f"{path}/status", {"status": status}, MERGE)


# What masters do.


async def batch(story: Story, _: Cluster, am: ApplicationMaster) -> None:
    await story.work(am, story.tasks)


async def fails_at_half(story: Story, _: Cluster, am: ApplicationMaster) -> None:
    if story.done < story.tasks // 2:
        await story.work(am, story.tasks // 2)
        raise Exits(1)
    await story.work(am, story.tasks)


async def gives_up(story: Story, _: Cluster, am: ApplicationMaster) -> None:
    await story.work(am, story.tasks)
    await am.unregister("FAILED", "as the script says")


async def crashes(story: Story, _: Cluster, am: ApplicationMaster) -> None:
    await story.work(am, story.done + story.tasks // 2)
    raise Exits(3)


async def is_killed(story: Story, cluster: Cluster, am: ApplicationMaster) -> None:
    await story.work(am, story.tasks // 2)
    path = cluster.of("yarnapplications", story.name)
    await cluster.call("PATCH", path, {"spec": {"desiredState": "Killed"}}, MERGE)
    await story.work(am, 10**4)


async def is_deleted(story: Story, cluster: Cluster, am: ApplicationMaster) -> None:
    await story.work(am, story.tasks // 2)
    story.deleted = True
    await cluster.call("DELETE", cluster.of("yarnapplications", story.name))
    await story.work(am, 10**4)


async def asks_by_hand(story: Story, cluster: Cluster, _: ApplicationMaster) -> None:
    """A ContainerRequest says it all; the master only waits until its containers have ended."""
    run = {"metadata": {"annotations": {"kubeyarn.io/fake-run-seconds": str(story.seconds)}}}
    container = {"image": "fake", "template": {**ANYWHERE, **run}}
    spec = {"application": story.name, "count": story.tasks, "resources": ONE}
    found = {
        "apiVersion": "kubeyarn.io/v1alpha1",
        "kind": "ContainerRequest",
        "metadata": {"name": f"{story.name}-tasks"},
        "spec": {**spec, "container": container},
    }
    await cluster.call("POST", cluster.of("containerrequests"), found)
    while True:
        _, seen = await cluster.call("GET", cluster.of("containerrequests", f"{story.name}-tasks"))
        status = seen.get("status") or {}
        succeeded, failed = status.get("succeeded", 0), status.get("failed", 0)
        story.done, story.lost = succeeded, failed
        assert succeeded + failed <= status.get("granted", 0) <= story.tasks, status
        if succeeded + failed == story.tasks:
            return
        await asyncio.sleep(1)
