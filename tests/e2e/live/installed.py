"""KubeYARN as it is installed: driven with kubectl, kubectl yarn and helm."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.live import manifests, processes
from e2e.live.patience import until
from kubeyarn.local import installing
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.installing import NAMESPACE
from kubeyarn.local.lookup import Lookup

Json = dict[str, Any]

ENDED = ("FINISHED", "FAILED", "KILLED")
_RESULT = "WORDCOUNT RESULT "


@dataclass(frozen=True)
class Answer:
    """What an HTTP server answered."""

    status: int
    body: Any


class Live:
    """One cluster with KubeYARN in it."""

    def __init__(self, cluster: LocalCluster) -> None:
        self.cluster = cluster
        self.kubectl = installing.kubectl(cluster)

    # Driving.

    def apply(self, namespace: str, *objects: Json) -> None:
        """`kubectl apply` of objects."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl.run("apply", "-n", namespace, "-f", "-", stdin=json.dumps(listed))

    def remove_queues(self) -> None:
        """Delete all queues and wait until they are gone."""
        self.kubectl.run("delete", "yq", "--all", "--wait=false")
        until("the old queues are gone", self.queues, lambda found: not found, seconds=60)

    def replace_queues(self, *tree: Json) -> None:
        """Put a tree of queues in force in place of the one there was."""
        self.remove_queues()
        self.apply("default", *tree)
        stopped = [q for q in tree if q["spec"].get("state") == "Stopped"]
        self.wait_for_queues(*(q["metadata"]["name"] for q in tree if q not in stopped))

    def patch(self, kind: str, name: str, namespace: str, **spec: Any) -> None:
        """A merge patch of an object's spec."""
        body = json.dumps({"spec": spec})
        self.kubectl.run("patch", kind, name, "-n", namespace, "--type=merge", "-p", body)

    def yarn(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`kubectl yarn ...` through kubectl's own search for plugins."""
        plugins = Path(sys.executable).parent
        variables = {
            **os.environ,
            "PATH": f"{plugins}:{self.cluster.kubectl.parent}:{os.environ['PATH']}",
            "KUBECONFIG": str(self.cluster.kubeconfig_path),
            "KUBECTL": str(self.cluster.kubectl),
        }
        command = [self.cluster.kubectl, "yarn", *arguments]
        return subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, timeout=120
        )

    def helm(self, *arguments: str) -> str:
        """helm's output; an AssertionError with its words when it fails."""
        program = Lookup(lambda _: None).find(["helm"])["helm"]
        done = subprocess.run(
            [program, *arguments, "--kubeconfig", self.cluster.kubeconfig_path],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    # Looking.

    def application(self, namespace: str, name: str) -> Json:
        return self.kubectl.json("yarnapplication", name, "-n", namespace)

    def request(self, namespace: str, name: str) -> Json:
        return self.kubectl.json("containerrequest", name, "-n", namespace)

    def requests(self, namespace: str) -> list[Json]:
        items: list[Json] = self.kubectl.json("containerrequests", "-n", namespace)["items"]
        return items

    def pods(self, namespace: str, application: str = "") -> list[Json]:
        """Pods of a namespace, or only an application's."""
        chosen = ["-l", f"kubeyarn.io/application={application}"] if application else []
        items: list[Json] = self.kubectl.json("pods", "-n", namespace, *chosen)["items"]
        return items

    def queues(self) -> dict[str, Json]:
        return {q["metadata"]["name"]: q for q in self.kubectl.json("yarnqueues")["items"]}

    def events(self, namespace: str, about: str) -> list[Json]:
        """Events about an object, first ones first."""
        items: list[Json] = self.kubectl.json("events.events.k8s.io", "-n", namespace)["items"]
        mine = [e for e in items if (e.get("regarding") or {}).get("name") == about]
        return sorted(mine, key=lambda e: str(e.get("eventTime") or ""))

    def logs(self, namespace: str, pod: str) -> str:
        return self.kubectl.run("logs", "-n", namespace, pod)

    # Waiting.

    def wait_for_state(self, namespace: str, name: str, *states: str, seconds: float = 60) -> Json:
        return until(
            f"application {namespace}/{name} is {' or '.join(states)}",
            lambda: self.application(namespace, name),
            lambda found: manifests.state(found) in states,
            seconds=seconds,
        )

    def wait_for_release(self, namespace: str, name: str, seconds: float = 60) -> Json:
        """Wait until an application holds no container any more."""
        return until(
            f"application {namespace}/{name} holds nothing",
            lambda: self.application(namespace, name),
            lambda found: not (found["status"].get("allocated") or {}).get("containers"),
            seconds=seconds,
        )

    def wait_for_status(
        self, namespace: str, name: str, seconds: float = 60, **status: Any
    ) -> Json:
        """Wait until a ContainerRequest's status has these values."""
        return until(
            f"request {namespace}/{name} has {status}",
            lambda: self.request(namespace, name),
            lambda found: all(
                (found.get("status") or {}).get(key, 0) == value for key, value in status.items()
            ),
            seconds=seconds,
        )

    def wait_for_queues(self, *paths: str, seconds: float = 30) -> dict[str, Json]:
        """Wait until the words of these queues are in force."""
        return until(
            f"queues {', '.join(paths)} are in force",
            self.queues,
            lambda found: all(_in_force(found.get(path)) for path in paths),
            seconds=seconds,
        )

    def word_count_result(self, namespace: str, name: str) -> Json:
        """What the word count printed, less how it was counted."""
        attempts = self.application(namespace, name)["status"]["attempts"]
        return parsed_result(self.logs(namespace, attempts[-1]["pod"]))

    # The AM service.

    def am_service(self) -> tuple[str, int]:
        spec = self.kubectl.json("service", "kubeyarn-resourcemanager", "-n", NAMESPACE)["spec"]
        return str(spec["clusterIP"]), int(spec["ports"][0]["port"])

    def call(
        self,
        path: str,
        body: Json | bytes,
        token: str | None,
        address: tuple[str, int] | None = None,
    ) -> Answer:
        """POST to the AM service; *token* None sends no Authorization at all."""
        host, port = address or self.am_service()
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(host, port, timeout=30)
        try:
            connection.request("POST", path, data, headers)
            answer = connection.getresponse()
            return Answer(answer.status, json.loads(answer.read() or b"null"))
        finally:
            connection.close()

    def token(self, namespace: str, pod: str, audience: str = "kubeyarn-am") -> str:
        """A token as the kubelet projects it into a pod."""
        bound = ("--bound-object-kind", "Pod", "--bound-object-name", pod)
        made = self.kubectl.run(
            *("create", "token", "default", "-n", namespace, "--audience", audience), *bound
        )
        return made.strip()

    # Processes and nodes.

    def kill(self, component: str, program: str) -> None:
        """`kill -9` of the process *program* in the running pod of a component."""
        chosen = f"app.kubernetes.io/component={component}"
        found = self.kubectl.json("pods", "-n", NAMESPACE, "-l", chosen)["items"]
        living = [p for p in found if "deletionTimestamp" not in p["metadata"]]
        assert len(living) == 1, f"pods of {component}: {[p['metadata']['name'] for p in found]}"
        processes.kill_in_pod(living[0]["metadata"]["uid"], program)

    def wait_ready(self, seconds: float = 90) -> None:
        """Wait until both deployments are available with all containers running."""
        for component in ("resourcemanager", "scheduler"):
            until(
                f"{component} is ready again",
                lambda c=component: self.kubectl.json(
                    "pods", "-n", NAMESPACE, "-l", f"app.kubernetes.io/component={c}"
                )["items"],
                lambda pods: len(pods) == 1 and _all_ready(pods[0]),
                seconds=seconds,
            )

    def incarnations(self) -> set[str]:
        """KubeYARN's containers, each by the id that it gets anew whenever it is started."""
        pods = self.kubectl.json("pods", "-n", NAMESPACE)["items"]
        return {s["containerID"] for p in pods for s in p["status"].get("containerStatuses") or []}


def parsed_result(log: str) -> Json:
    """The result line of a word count's log, without what tells how it was counted."""
    lines = [line for line in log.splitlines() if line.startswith(_RESULT)]
    assert lines, f"no result in: {log[-2000:]}"
    found: Json = json.loads(lines[-1].removeprefix(_RESULT))
    del found["run"]
    return found


def container_of(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"]["annotations"]["kubeyarn.io/container-id"])


def is_master(pod: Mapping[str, Any]) -> bool:
    return bool(pod["metadata"]["labels"].get("kubeyarn.io/role") == "am")


def _in_force(queue: Json | None) -> bool:
    if queue is None:
        return False
    ready = manifests.condition(queue, "Ready")
    current = (queue.get("status") or {}).get("observedGeneration")
    return ready.get("status") == "True" and current == queue["metadata"]["generation"]


def _all_ready(pod: Json) -> bool:
    statuses = pod["status"].get("containerStatuses") or []
    return bool(statuses) and all(s["ready"] for s in statuses)
