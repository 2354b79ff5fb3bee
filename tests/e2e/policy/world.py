"""The cluster as these tests drive it and look at it: plain calls to its API server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from e2e.crd.server import Answer, Server
from e2e.live.patience import until
from e2e.policy.hosted import Hosted
from e2e.policy.watching import Watched

Json = dict[str, Any]

OURS = "/apis/kubeyarn.io/v1alpha1"
MERGE = "application/merge-patch+json"
ONE = {"cpu": "1", "memory": "1Gi"}
# Fake nodes run what nobody else wants.
TASK = {"image": "fake", "template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}


class World:
    """One namespace of the cluster and the whole queue tree."""

    def __init__(self, server: Server, hosted: Hosted, namespace: str) -> None:
        self.server = server
        self.hosted = hosted
        self.namespace = namespace

    # Plain objects.

    def call(self, method: str, path: str, body: Json | None = None, kind: str = "") -> Answer:
        answer = self.server.call(method, path, body, kind=kind)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.message}"
        return answer

    def get(self, path: str) -> Json:
        return self.call("GET", path).body

    # Queues.

    def put(self, *tree: Json) -> None:
        """Create queues, or replace what they say."""
        for queue in tree:
            path = f"{OURS}/yarnqueues"
            if self.server.call("POST", path, queue).status != 201:
                self.say(queue["metadata"]["name"], **queue["spec"])

    def say(self, path: str, **spec: Any) -> None:
        """A merge patch of a queue's spec."""
        self.call("PATCH", f"{OURS}/yarnqueues/{path}", {"spec": spec}, MERGE)

    def queue(self, path: str) -> Json:
        return self.get(f"{OURS}/yarnqueues/{path}")

    def queues(self) -> dict[str, Json]:
        return {q["metadata"]["name"]: q for q in self.get(f"{OURS}/yarnqueues")["items"]}

    def in_force(self, *paths: str) -> None:
        """Wait until what these queues say is in force."""

        def so(found: dict[str, Json]) -> bool:
            return all(path in found and _in_force(found[path]) for path in paths)

        until(f"queues {paths} are in force", self.queues, so, seconds=30)

    def until_queue(
        self, path: str, what: str, true: Callable[[Json], Any], seconds: float = 20
    ) -> Json:
        """Wait until a queue's status is *true*."""
        seen = until(
            f"{path}: {what}",
            lambda: self.queue(path),
            lambda q: true(q.get("status") or {}),
            seconds=seconds,
        )
        status: Json = seen["status"]
        return status

    # Applications and requests.

    def submit(self, name: str, queue: str, **spec: Any) -> None:
        """An application whose ApplicationMaster is a fake pod that runs for ever."""
        master = {"resources": spec.pop("am", ONE), **TASK}
        self._create("YarnApplication", name, {"queue": queue, "applicationMaster": master, **spec})

    def ask(self, name: str, application: str, count: int, **spec: Any) -> None:
        """Containers that run for ever, or as long as *annotations* say."""
        container = json.loads(json.dumps(TASK))
        annotations = spec.pop("annotations", None)
        if annotations:
            container["template"]["metadata"] = {"annotations": annotations}
        wanted = {"application": application, "count": count, "resources": ONE, **spec}
        self._create("ContainerRequest", name, {"container": container, **wanted})

    def run(self, name: str, queue: str, count: int, **spec: Any) -> None:
        """An application and one request of the same name."""
        of_request = {k: spec.pop(k) for k in ("annotations", "locality", "resources") if k in spec}
        self.submit(name, queue, **spec)
        self.ask(name, name, count, **of_request)

    def change(self, name: str, **spec: Any) -> None:
        """A merge patch of an application's spec."""
        self.call("PATCH", f"{self._of('yarnapplications')}/{name}", {"spec": spec}, MERGE)

    def change_request(self, name: str, **spec: Any) -> None:
        """A merge patch of a request's spec."""
        self.call("PATCH", f"{self._of('containerrequests')}/{name}", {"spec": spec}, MERGE)

    def application(self, name: str) -> Json:
        return self.get(f"{self._of('yarnapplications')}/{name}")

    def request(self, name: str) -> Json:
        return self.get(f"{self._of('containerrequests')}/{name}")

    def requests(self) -> list[Json]:
        """Every request, those of ApplicationMasters included."""
        return self._all("containerrequests")

    def master_request(self, name: str) -> Json:
        """The request that asks for an application's ApplicationMaster."""
        return self.request(f"{name}-am-1")

    def until_state(self, name: str, *states: str, seconds: float = 20) -> Json:
        return until(
            f"application {name} is {states}",
            lambda: self.application(name),
            lambda found: (found.get("status") or {}).get("state") in states,
            seconds=seconds,
        )

    def until_request(
        self, name: str, what: str, true: Callable[[Json], Any], seconds: float = 20
    ) -> Json:
        """Wait until a request is there and its status is *true*."""
        path = f"{self._of('containerrequests')}/{name}"

        def look() -> Json:
            answer = self.server.call("GET", path)
            return answer.body if answer.status == 200 else {}

        seen = until(
            f"request {name}: {what}",
            look,
            lambda found: true(found.get("status") or {}),
            seconds=seconds,
        )
        status: Json = seen["status"]
        return status

    def until_granted(self, name: str, count: int, seconds: float = 20) -> Json:
        return self.until_request(
            name, f"{count} granted", lambda s: s.get("granted", 0) == count, seconds
        )

    def until_waits(self, name: str, reason: str, seconds: float = 20) -> str:
        """Wait until a request waits for *reason*; gives back the message."""
        status = self.until_request(
            name,
            f"waits for {reason}",
            lambda s: condition(s, "Satisfied").get("reason") == reason,
            seconds,
        )
        return str(condition(status, "Satisfied")["message"])

    # Pods.

    def pods(self, application: str = "") -> list[Json]:
        """Living pods that are bound to a node."""
        query = f"?labelSelector=kubeyarn.io/application={application}" if application else ""
        found = self.get(self._of("pods", "/api/v1") + query)["items"]
        return [pod for pod in found if holds_room(pod)]

    def running(self, application: str) -> int:
        """Containers of an application on nodes now, its ApplicationMaster's included."""
        return len(self.pods(application))

    def until_running(self, application: str, count: int, seconds: float = 30) -> list[Json]:
        return until(
            f"{count} pods of {application} are on nodes",
            lambda: self.pods(application),
            lambda pods: len(pods) == count,
            seconds=seconds,
        )

    def stays(self, what: str, look: Callable[[], Any], wanted: Any, seconds: float = 3) -> None:
        """Look for *seconds* whether something is and stays so."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert look() == wanted, what
            time.sleep(0.3)

    def delete_pod(self, pod: Json) -> None:
        name = pod["metadata"]["name"]
        self.call("DELETE", f"{self._of('pods', '/api/v1')}/{name}?gracePeriodSeconds=0")

    def watch_pods(self) -> Watched:
        """Every change of this namespace's pods from now on."""
        return Watched(self.server, self._of("pods", "/api/v1"))

    def events(self, reason: str) -> list[Json]:
        """What was said of this namespace's objects for *reason*."""
        found = self.get(self._of("events", "/apis/events.k8s.io/v1"))["items"]
        return [event for event in found if event.get("reason") == reason]

    # Nodes.

    def cordon(self, name: str, *, closed: bool = True) -> None:
        """Let a node take nothing new, or take it again."""
        self.call("PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": closed}}, MERGE)

    @contextmanager
    def node_of_its_own(self, name: str, *, partition: str = "", **has: str) -> Iterator[None]:
        """One more node, which is ready, for as long as the context lasts."""
        amounts = {"pods": "110", **has}
        labels = {"kubernetes.io/hostname": name}
        if partition:
            labels["kubeyarn.io/partition"] = partition
        meta = {"name": name, "labels": labels}
        self.call("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": meta})
        ready = {"type": "Ready", "status": "True", "reason": "Test", "message": ""}
        status = {"capacity": amounts, "allocatable": amounts, "conditions": [ready]}
        try:
            self.call("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, MERGE)
            yield
        finally:
            self.call("DELETE", f"/api/v1/nodes/{name}")

    # The end.

    def empty(self) -> None:
        """Remove everything of the namespace."""
        for plural in ("containerrequests", "yarnapplications"):
            self.call("DELETE", self._of(plural))
        self.call("DELETE", self._of("pods", "/api/v1") + "?gracePeriodSeconds=0")
        until(
            "the namespace is empty",
            lambda: [*self._all("yarnapplications"), *self._all("pods", "/api/v1")],
            lambda found: not found,
            seconds=30,
        )

    def no_queues(self) -> None:
        """Remove the whole tree."""
        self.call("DELETE", f"{OURS}/yarnqueues")
        until("the queues are gone", self.queues, lambda found: not found, seconds=30)

    def _all(self, plural: str, group: str = OURS) -> list[Json]:
        items: list[Json] = self.get(self._of(plural, group))["items"]
        return items

    def _of(self, plural: str, group: str = OURS) -> str:
        return f"{group}/namespaces/{self.namespace}/{plural}"

    def _create(self, kind: str, name: str, spec: Json) -> None:
        found = {"apiVersion": "kubeyarn.io/v1alpha1", "kind": kind, "metadata": {"name": name}}
        self.call("POST", self._of(f"{kind.lower()}s"), {**found, "spec": spec})


def queue(path: str, **spec: Any) -> Json:
    """A YarnQueue as a user writes it."""
    found = {"apiVersion": "kubeyarn.io/v1alpha1", "kind": "YarnQueue", "metadata": {"name": path}}
    return {**found, "spec": spec}


def root(**cluster: Any) -> Json:
    return queue("root", cluster=cluster)


def condition(status: Mapping[str, Any], kind: str) -> Json:
    """A condition in a status; empty when nothing is said of it."""
    return next((dict(c) for c in status.get("conditions") or () if c["type"] == kind), {})


def holds_room(pod: Json) -> bool:
    """Whether a pod takes room on a node."""
    over = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return bool(pod["spec"].get("nodeName")) and not over


def node_of(pod: Json) -> str:
    return str(pod["spec"]["nodeName"])


def role_of(pod: Json) -> str:
    return str(pod["metadata"]["labels"]["kubeyarn.io/role"])


def _in_force(found: Json) -> bool:
    status = found.get("status") or {}
    accepted = condition(status, "Accepted")
    current = accepted.get("observedGeneration") == found["metadata"]["generation"]
    return current and accepted.get("status") == "True"
