"""A whole KubeYARN in this process: an API server, both processes, and kubelets as tests want."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import aiohttp

from fakeapi import FakeApi
from kubeyarn.cluster import names
from kubeyarn.crd.object import Object
from kubeyarn.resourcemanager.process import ResourceManager
from kubeyarn.resourcemanager.settings import Settings as ManagerSettings
from kubeyarn.scheduler.process import Scheduler
from kubeyarn.scheduler.settings import Settings as SchedulerSettings
from waiting import until

NAMESPACE = "team-a"
GROUP = {"apiVersion": "kubeyarn.io/v1alpha1"}


class Cluster:
    """Use it with `async with`; ports are those of the extender, the AM service and two probes."""

    def __init__(self, ports: list[int]) -> None:
        self.api = FakeApi()
        self.extender_port, self.am_port, self.scheduler_port, self.manager_port = ports
        # What a pod's process does: None runs on, a number is its exit code.
        self.behaviour: Callable[[Object], int | None] = lambda _: None
        self.refused: list[str] = []
        self._stack = AsyncExitStack()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Cluster:
        await self._stack.enter_async_context(self.api)
        self.http = await self._stack.enter_async_context(aiohttp.ClientSession())
        self.start_scheduler()
        self.start_manager()
        self._tasks["kubelets"] = asyncio.create_task(self._run_kubelets())
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._tasks):
            await self.kill(name)
        await self._stack.aclose()

    # The processes.

    def start_scheduler(self) -> None:
        """Start the scheduler; one of the same name takes over at once."""
        settings = SchedulerSettings(
            extender_port=self.extender_port,
            health_port=self.scheduler_port,
            queue_status_every_s=0.05,
            why_every_s=0.05,
            am_limits_every_s=0.05,
        )
        self._start("scheduler", Scheduler(self.api.connection, settings).run())

    def start_manager(self) -> None:
        """Start the ResourceManager."""
        settings = ManagerSettings(
            am_port=self.am_port,
            health_port=self.manager_port,
            am_address=f"http://127.0.0.1:{self.am_port}",
        )
        self._start("manager", ResourceManager(self.api.connection, settings).run())

    def _start(self, name: str, process: Any) -> None:
        self._tasks[name] = asyncio.create_task(process)

    async def kill(self, name: str) -> None:
        """End a process; what it would have released stays as it is for another of its name."""
        task = self._tasks.pop(name)
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task

    async def ready(self) -> None:
        """Wait until both processes are."""
        for port in (self.scheduler_port, self.manager_port):
            await self.until(lambda port=port: self._is_ready(port))

    async def _is_ready(self, port: int) -> bool:
        try:
            async with self.http.get(f"http://127.0.0.1:{port}/leading") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def until(self, holds: Callable[[], Any], within_s: float = 30.0) -> None:
        """Wait until something holds."""
        await until(holds, within_s)

    async def until_quiet(self, for_s: float) -> None:
        """Wait until nothing but Leases has been written for so long."""
        seen, since = -1, time.monotonic()

        def quiet() -> bool:
            nonlocal seen, since
            written = len(self.written())
            if written != seen:
                seen, since = written, time.monotonic()
            return time.monotonic() - since >= for_s

        await self.until(quiet)

    def written(self) -> list[tuple[str, str, Object]]:
        """Everything that was written, but Leases."""
        return [write for write in self.api.writes if not write[1].startswith("leases/")]

    # kube-scheduler and kubelets.

    async def _run_kubelets(self) -> None:
        while True:
            for (plural, namespace, name), pod in list(self.api.objects.items()):
                if plural == "pods" and (namespace, name) and pod is not None:
                    await self._advance(pod)
            await asyncio.sleep(0.01)

    async def _advance(self, pod: Object) -> None:
        name, phase = pod["metadata"]["name"], (pod.get("status") or {}).get("phase", "Pending")
        if phase == "Pending" and not pod["spec"].get("nodeName"):
            await self._bind(pod)
        elif phase == "Pending":
            self._set_phase(name, "Running", {"running": {}})
        elif phase == "Running" and (code := self.behaviour(pod)) is not None:
            done = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}
            self._set_phase(name, "Failed" if code else "Succeeded", done)

    def _set_phase(self, name: str, phase: str, state: Object) -> None:
        pod = self.api.get("pods", name, NAMESPACE)
        if pod is None:
            return
        main = pod["spec"]["containers"][0]["name"]
        statuses = [{"name": main, "state": state}]
        self.api.put("pods", {**pod, "status": {"phase": phase, "containerStatuses": statuses}})

    async def _bind(self, pod: Object) -> None:
        terms = pod["spec"]["affinity"]["nodeAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]["nodeSelectorTerms"]
        body = {
            "PodName": pod["metadata"]["name"],
            "PodNamespace": NAMESPACE,
            "PodUID": pod["metadata"]["uid"],
            "Node": terms[0]["matchFields"][0]["values"][0],
        }
        with suppress(aiohttp.ClientError):
            url = f"http://127.0.0.1:{self.extender_port}/scheduler/bind"
            async with self.http.post(url, json=body) as answer:
                said = (await answer.json())["Error"]
                if said:
                    self.refused.append(said)

    # Users.

    def queue(self, path: str, **spec: Any) -> None:
        """Apply a YarnQueue."""
        self.api.put(
            "yarnqueues", {**GROUP, "kind": "YarnQueue", "metadata": {"name": path}, "spec": spec}
        )

    def node(self, name: str, cpu: int = 8, memory: str = "16Gi", **more: str) -> None:
        """A ready node."""
        ready = [{"type": "Ready", "status": "True"}]
        amounts = {"cpu": str(cpu), "memory": memory, **more}
        self.api.put(
            "nodes",
            {"metadata": {"name": name}, "status": {"allocatable": amounts, "conditions": ready}},
        )

    def submit(self, name: str = "words", **spec: Any) -> None:
        """Apply a YarnApplication."""
        words = {"queue": "root.a", "user": "alice", "applicationMaster": {"image": "words:1"}}
        self.api.put(
            "yarnapplications",
            {
                **GROUP,
                "kind": "YarnApplication",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {**words, **spec},
            },
        )

    def change(self, name: str = "words", **spec: Any) -> None:
        """Change fields of a YarnApplication's spec."""
        found = self.api.get("yarnapplications", name, NAMESPACE)
        assert found is not None
        meta = {
            "metadata": {**found["metadata"], "generation": found["metadata"]["generation"] + 1}
        }
        self.api.put("yarnapplications", {**found, **meta, "spec": {**found["spec"], **spec}})

    def application(self, name: str = "words") -> Object:
        """A YarnApplication's status."""
        found = self.api.get("yarnapplications", name, NAMESPACE) or {}
        return found.get("status") or {}

    def condition(self, plural: str, name: str, kind: str, namespace: str = "") -> Object:
        """A condition of an object."""
        found = self.api.get(plural, name, namespace) or {}
        conditions = (found.get("status") or {}).get("conditions") or ()
        return next((c for c in conditions if c["type"] == kind), {})

    def pods(self, role: str = "", *, phase: str = "") -> list[Object]:
        """Pods by name."""
        return [
            pod
            for (plural, _, _), pod in sorted(self.api.objects.items())
            if plural == "pods"
            and role in ("", pod["metadata"]["labels"][names.ROLE])
            and phase in ("", (pod.get("status") or {}).get("phase"))
        ]

    def master(self, name: str = "words") -> Master:
        """The ApplicationMaster that runs in an application's pod."""
        pod = next(
            pod
            for pod in self.pods(names.ROLE_AM, phase="Running")
            if pod["metadata"]["annotations"][names.APPLICATION] == name
        )
        return Master(self, self.token(pod))

    def token(self, pod: Object, namespace: str = NAMESPACE) -> str:
        """The projected token of a pod."""
        meta = pod["metadata"]
        token = f"token-of-{meta['uid']}"
        prefix = "authentication.kubernetes.io"
        self.api.tokens[token] = {
            "authenticated": True,
            "audiences": [names.AM_AUDIENCE],
            "user": {
                "username": f"system:serviceaccount:{namespace}:default",
                "extra": {f"{prefix}/pod-name": [meta["name"]], f"{prefix}/pod-uid": [meta["uid"]]},
            },
        }
        return token


class Master:
    """An ApplicationMaster: it speaks to the AM service, by hand."""

    def __init__(self, cluster: Cluster, token: str) -> None:
        self.cluster, self.token, self.response_id = cluster, token, 0
        self.containers: list[Object] = []
        self.completed: list[Object] = []

    async def say(self, call: str, body: Any, **headers: str) -> tuple[int, Object]:
        """One call: HTTP status and answer."""
        data = body if isinstance(body, bytes) else None
        async with self.cluster.http.post(
            f"http://127.0.0.1:{self.cluster.am_port}/am/v1/{call}",
            data=data,
            json=None if data is not None else body,
            headers={"Authorization": f"Bearer {self.token}", **headers},
        ) as answer:
            return answer.status, await answer.json()

    async def register(self) -> Object:
        """Register; counts heartbeats from there."""
        status, answer = await self.say(
            "register", {"host": "10.0.0.7", "trackingUrl": "http://am"}
        )
        assert status == 200, answer
        self.response_id = answer["responseId"]
        return answer

    async def beat(self, *asks: Object, **said: Any) -> Object:
        """A heartbeat; notes what it brings."""
        body = {"responseId": self.response_id, "asks": list(asks), **said}
        status, answer = await self.say("allocate", body)
        assert status == 200, answer
        self.response_id = answer["responseId"]
        self.containers += answer["allocated"]
        self.completed += answer["completed"]
        return answer

    async def beat_until(self, holds: Callable[[], Any]) -> None:
        """Heartbeats until something holds."""

        async def beat_once() -> Any:
            await self.beat()
            return holds()

        await self.cluster.until(beat_once)

    async def launch(self, *containers: Object) -> Object:
        """Launch containers."""
        launch = [{"containerId": c["containerId"], "command": ["true"]} for c in containers]
        status, answer = await self.say("containers", {"launch": launch})
        assert status == 200, answer
        return answer

    async def finish(self, final: str = "SUCCEEDED", **said: Any) -> None:
        """Unregister, until it is taken."""

        async def finished() -> Any:
            status, answer = await self.say("finish", {"finalStatus": final, **said})
            assert status == 200, answer
            return answer["isUnregistered"]

        await self.cluster.until(finished)


def ask(count: int, **more: Any) -> Object:
    """An ask of small containers."""
    return {"priority": 1, "count": count, "resources": {"cpu": "1", "memory": "1Gi"}, **more}
