"""A ResourceManager on a stage: objects in memory, and a test that plays all other parts."""

from __future__ import annotations

import copy
from typing import Any

from kubeyarn.cluster import names
from kubeyarn.cluster.errors import AlreadyExists, Conflict, NotFound
from kubeyarn.cluster.resources import APPLICATIONS, PODS, REQUESTS, Kind
from kubeyarn.crd import ranges
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.amservice.authentication import PodIdentity
from kubeyarn.resourcemanager.amservice.service import ApplicationMasterService
from kubeyarn.resourcemanager.applications import records
from kubeyarn.resourcemanager.applications.manager import ApplicationsManager
from kubeyarn.resourcemanager.settings import Settings
from unit.resourcemanager.objects import a_condition, an_application, application_of

KEY = ("team-a", "wordcount")


class Stage:
    """One application. The ResourceManager is the real one; `client` and `events` are the stage."""

    def __init__(self, settings: Settings | None = None, **spec: Any) -> None:
        self.settings = settings or Settings()
        self.now_ms = 1_763_900_000_000
        self.objects: dict[tuple[str, str], Object] = {}
        self.events: list[str] = []
        self.graceful = False
        self._version = 100
        self.epoch = -1
        self._put(APPLICATIONS, an_application(KEY[1], **spec))
        self.restart()

    def restart(self) -> None:
        """Another ResourceManager process takes over; what was in memory is lost."""
        self.epoch += 1
        self.manager = ApplicationsManager(
            self,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            self.settings,
            self.epoch,
            lambda: self.now_ms,
        )
        self.manager.am_service = "http://rm"
        self.masters = ApplicationMasterService(
            self.manager.cache,
            self.manager.nodes,
            self.manager.sessions,
            self.manager.containers,
            self.manager.queue.add,
        )
        seen = {
            APPLICATIONS.kind: self.manager.cache.put_application,
            REQUESTS.kind: self.manager.cache.put_request,
            PODS.kind: self.manager.cache.put_pod,
        }
        for (kind, _), item in sorted(self.objects.items()):
            seen[kind](copy.deepcopy(item))

    # What the ResourceManager calls.

    def record(self, about: Object, level: str, reason: str, action: str, note: str) -> None:
        self.events.append(f"{reason}: {note}")

    async def create(
        self, kind: Kind, body: Object, namespace: str, *, attempts: int = 6
    ) -> Object:
        if (kind.kind, body["metadata"]["name"]) in self.objects:
            raise AlreadyExists(409, "AlreadyExists", "there is one")
        made = copy.deepcopy(body)
        made["metadata"] |= {
            "uid": f"{body['metadata']['name']}-uid",
            "generation": 1,
            "creationTimestamp": records.timestamp(self.now_ms),
        }
        return self._put(kind, made)

    async def get(self, kind: Kind, name: str, namespace: str) -> Object:
        return copy.deepcopy(self._get(kind, name))

    async def patch(
        self, kind: Kind, name: str, body: Object, namespace: str, sub: str = ""
    ) -> Object:
        found = copy.deepcopy(self._get(kind, name))
        said = (body.get("metadata") or {}).get("resourceVersion")
        if said not in (None, found["metadata"]["resourceVersion"]):
            raise Conflict(409, "Conflict", "the object has been modified")
        for part, words in body.items():
            merged = {**(found.get(part) or {}), **copy.deepcopy(words)}
            found[part] = {k: v for k, v in merged.items() if v is not None}
        return self._put(kind, found)

    async def patch_entries(
        self, kind: Kind, name: str, body: Object, namespace: str, sub: str = ""
    ) -> Object:
        found = copy.deepcopy(self._get(kind, name))
        told = copy.deepcopy(body["status"]["conditions"])
        conditions = (found.get("status") or {}).get("conditions") or []
        found["status"] = {**(found.get("status") or {}), "conditions": [*conditions, *told]}
        return self._put(kind, found)

    async def delete(self, kind: Kind, name: str, namespace: str, options: Object) -> None:
        gone = self._get(kind, name)
        if self.graceful:
            gone["metadata"]["deletionTimestamp"] = records.timestamp(self.now_ms)
            self.manager.cache.put_pod(self._put(kind, gone))
            return
        self._version += 1
        del self.objects[kind.kind, name]
        self.manager.cache.put_pod(gone, deleted=True)

    def _get(self, kind: Kind, name: str) -> Object:
        if (kind.kind, name) not in self.objects:
            raise NotFound(404, "NotFound", f"no {kind.kind} {name}")
        return self.objects[kind.kind, name]

    def _put(self, kind: Kind, item: Object) -> Object:
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self.objects[kind.kind, item["metadata"]["name"]] = item
        return copy.deepcopy(item)

    # What the test plays.

    async def settle(self) -> None:
        """Have the ResourceManager look until that changes nothing."""
        before = -1
        while before != self._version:
            before = self._version
            self.now_ms += 2000
            await self.manager.reconcile(KEY)

    def grant(self, request: str, attempt: int, numbers: str) -> None:
        """The scheduler grants containers of a request."""
        found = copy.deepcopy(self._get(REQUESTS, request))
        status = found.setdefault("status", {})
        grants = {"attempt": attempt, "epoch": 0, "node": "n1", "containers": numbers}
        status["grants"] = [*(status.get("grants") or ()), grants]
        count = sum(len(list(ranges.expand(g["containers"]))) for g in status["grants"])
        others = [c for c in status.get("conditions") or () if c["type"] != "Accepted"]
        status |= {
            "granted": count,
            "queue": "root.a",
            "conditions": [*others, a_condition("Accepted", "True", "Accepted")],
        }
        self.manager.cache.put_request(self._put(REQUESTS, found))

    def count(self, request: str, *updates: Object) -> None:
        """The scheduler counts containers as they are to be."""
        found = copy.deepcopy(self._get(REQUESTS, request))
        found["status"]["updates"] = copy.deepcopy(list(updates))
        self.manager.cache.put_request(self._put(REQUESTS, found))

    def preempt(self, request: str, container: str, *, now: bool = True) -> None:
        """The policy takes a container back, now or in a while."""
        found = copy.deepcopy(self._get(REQUESTS, request))
        said = {"id": container, "kill": now, "message": "root.b needs the room"}
        found["status"]["preempting"] = [said]
        self.manager.cache.put_request(self._put(REQUESTS, found))

    def drop_completed(self, request: str) -> None:
        """The scheduler takes what has ended out of the grants."""
        found = copy.deepcopy(self._get(REQUESTS, request))
        ended = {entry["id"] for entry in found["status"].get("completed") or ()}
        app = self.application().id
        kept = []
        for entry in found["status"]["grants"]:
            numbers = [
                n
                for n in ranges.expand(entry["containers"])
                if f"container_{app.cluster_timestamp}_{app.number:04d}"
                f"_{entry['attempt']:02d}_{n:06d}" not in ended
            ]
            if numbers:
                kept.append({**entry, "containers": ranges.compact(numbers)})
        found["status"]["grants"] = kept
        self.manager.cache.put_request(self._put(REQUESTS, found))

    def pod(self, name: str, phase: str, exit_code: int | None = None) -> None:
        """The kubelet says what becomes of a pod."""
        found = copy.deepcopy(self._get(PODS, name))
        found["spec"]["nodeName"] = "n1"
        found["status"] = {"phase": phase}
        if exit_code is not None:
            ended = {"terminated": {"exitCode": exit_code}}
            found["status"]["containerStatuses"] = [{"name": "main", "state": ended}]
        self.manager.cache.put_pod(self._put(PODS, found))

    def pods(self) -> list[str]:
        return sorted(name for kind, name in self.objects if kind == PODS.kind)

    def requests(self) -> list[str]:
        return sorted(name for kind, name in self.objects if kind == REQUESTS.kind)

    def completed(self, request: str) -> dict[str, int]:
        """Containers (attempt_number) that a request says have ended, with exit statuses."""
        status = self.objects[REQUESTS.kind, request].get("status") or {}
        return {entry["id"][-9:]: entry["exitStatus"] for entry in status.get("completed") or ()}

    def status(self) -> Object:
        found = self.objects[APPLICATIONS.kind, KEY[1]]
        status: Object = found.get("status") or {}
        return status

    def application(self) -> ApplicationRecord:
        found = records.read(application_of(self.objects[APPLICATIONS.kind, KEY[1]]))
        assert found is not None
        return found

    def attempts(self) -> list[tuple[int, str]]:
        return [(a["number"], a["state"]) for a in self.status()["attempts"]]

    async def launch_am(self, attempt: int) -> str:
        """The AM of an attempt is granted, and its pod runs; returns the pod's name."""
        await self.settle()
        self.grant(f"wordcount-am-{attempt}", attempt, "1")
        await self.settle()
        pod = f"wordcount-{attempt:02d}-000001"
        self.pod(pod, "Running")
        await self.settle()
        return pod

    def identity(self, pod: str) -> PodIdentity:
        return PodIdentity(KEY[0], pod, f"{pod}-uid")

    async def register(self, pod: str) -> wire.Registered:
        caller = self.masters.caller(self.identity(pod))
        answer = self.masters.register(caller, wire.Register(), self.now_ms)
        await self.settle()
        return answer

    async def allocate(self, pod: str, response_id: int, *asks: wire.Ask) -> wire.Allocated:
        caller = self.masters.caller(self.identity(pod))
        message = wire.Allocate(response_id=response_id, asks=list(asks))
        answer = self.masters.allocate(caller, message, self.now_ms)
        await self.settle()
        return answer

    async def run(self, pod: str, *containers: str) -> None:
        """The AM launches containers."""
        caller = self.masters.caller(self.identity(pod))
        launch = [wire.LaunchContainer(container_id=c, command=["work"]) for c in containers]
        answer = await self.masters.containers(caller, wire.Containers(launch=launch))
        assert not answer.errors, answer.errors
        await self.settle()


def pod_of(container: str) -> str:
    """The name of a container's pod."""
    return names.pod_name(KEY[1], ContainerId.parse(container))
