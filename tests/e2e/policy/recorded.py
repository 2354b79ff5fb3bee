"""Recorded stories of Apache Hadoop told through objects of a live cluster.

A story's configuration becomes YarnQueues, its nodes fake nodes, its applications YarnApplications
and its asks ContainerRequests. In a recording nothing is scheduled between two `settle` steps, so
the scheduler is away while the asks of such a stretch are written, and finds them all at once.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from e2e.live.patience import until
from e2e.policy.world import World, condition, holds_room
from kubeyarn.convert.conversion import convert
from kubeyarn.crd.quantities import cpu, memory
from kubeyarn.hadoop.capacity_scheduler_xml import read_capacity_scheduler
from kubeyarn.hadoop.fair_yarn_site_xml import read_fair_scheduler
from kubeyarn.hadoop.properties import Configuration
from kubeyarn.hadoop.resource_types import resource_types
from kubeyarn.local import fakenodes
from kubeyarn.simulate.scenario import DEFAULTS, Scenario, read_scenario

Json = dict[str, Any]

STORIES = Path(__file__).parents[2] / "conformance"
MIB = 2**20
QUIET_S = 1.5


class Story:
    """One recorded story, and the cluster it is told in."""

    def __init__(self, world: World, name: str) -> None:
        kind = name.partition("-")[0]
        path = STORIES / kind / "scenarios" / f"{name}.yaml"
        self.world = world
        self.scenario: Scenario = read_scenario(yaml.safe_load(path.read_text()))
        recorded = json.loads(path.with_name(f"{name}.golden.json").read_text())
        self.recorded = {seen["name"]: seen for seen in recorded["observations"]}
        self.nodes: list[str] = []
        self._kept: list[tuple[str, str, Json]] = []
        self._requests: dict[tuple[str, int], str] = {}

    def tell(self) -> None:
        """Do all steps; each observation must come to be what Hadoop's was."""
        for node in self.scenario.nodes:
            self.add_nodes(node)
        queues = self.queues()
        self.world.put(*queues)
        self.world.in_force(*(queue["metadata"]["name"] for queue in queues))
        for step in self.scenario.steps:
            getattr(self, f"_{step.action}")(step.arguments)

    def queues(self) -> list[Json]:
        """The configuration as YarnQueues."""
        values = {**DEFAULTS, **self.scenario.config}
        types = resource_types(Configuration(values))
        if self.scenario.scheduler == "fair":
            allocations = self.scenario.allocations or "<allocations/>"
            config = read_fair_scheduler(values, allocations, types)
        else:
            config, _ = read_capacity_scheduler(values, self.scenario.partitions)
        # Who may submit is the API server's to know, and no part of these stories.
        converted = convert(replace(config, check_access=False), self.scenario.groups)
        assert not converted.notes, [str(note) for note in converted.notes]
        return converted.objects

    # Nodes.

    def add_nodes(self, data: Json) -> None:
        """Fake nodes of a size; a count of them is numbered from 0."""
        count = data.get("count")
        names = [data["name"]] if count is None else [f"{data['name']}-{i}" for i in range(count)]
        for name in names:
            self._add_node(name, data)

    def _add_node(self, name: str, data: Json) -> None:
        size = {"memory": f"{data['memory']}Mi", "cpu": str(data["vcores"]), "pods": "110"}
        node: Json = json.loads(json.dumps(fakenodes.node(0)))
        node["metadata"]["name"] = node["metadata"]["labels"]["kubernetes.io/hostname"] = name
        for label in data.get("labels", ()):
            node["metadata"]["labels"]["kubeyarn.io/partition"] = label
        node["status"] |= {"capacity": size, "allocatable": size}
        self.world.call("POST", "/api/v1/nodes", node)
        self.nodes.append(name)
        until(f"node {name} is ready", lambda: self.world.get(f"/api/v1/nodes/{name}"), _is_ready)

    def remove_nodes(self) -> None:
        for name in self.nodes:
            self.world.call("DELETE", f"/api/v1/nodes/{name}")

    # Steps.

    def _submit(self, step: Json) -> None:
        am = step.get("am", {})
        spec: Json = {"user": step["user"], "queue": step.get("queue", "default")}
        if "priority" in step:
            spec["priority"] = step["priority"]
        if "label" in step:
            spec["partition"] = step["label"]
        size = {"memory": f"{am.get('memory', 1024)}Mi", "cpu": str(am.get("vcores", 1))}
        self.world.submit(step["app"], spec.pop("queue"), am=size, **spec)
        until(
            f"{step['app']} is accepted or refused",
            lambda: self.world.application(step["app"]),
            lambda app: (app.get("status") or {}).get("state") in ("ACCEPTED", "RUNNING", "FAILED"),
        )

    def _request(self, step: Json) -> None:
        """A count of YARN's replaces what is outstanding; a ContainerRequest's is all of it."""
        key = (step["app"], step.get("priority", 1))
        size = {"memory": f"{step['memory']}Mi", "cpu": str(step.get("vcores", 1))}
        spec: Json = {"count": step["count"], "resources": size, "priority": key[1]}
        if "label" in step:
            spec["partition"] = step["label"]
        self._kept.append((*key, spec))

    def _settle(self, _: Json) -> None:
        self._wait_quiet()
        if self._kept:
            with self._scheduler_away():
                for app, priority, spec in self._kept:
                    self._ask(app, priority, spec)
            self._kept.clear()
            self._wait_quiet()

    def _ask(self, app: str, priority: int, spec: Json) -> None:
        name = self._requests.get((app, priority))
        if name is None:
            name = self._requests[app, priority] = f"{app}-{priority}"
            self.world.ask(name, app, spec.pop("count"), **spec)
            return
        granted = (self.world.request(name).get("status") or {}).get("granted", 0)
        self.world.change_request(name, count=granted + spec["count"])

    def _kill(self, step: Json) -> None:
        self.world.change(step["app"], desiredState="Killed")
        self.world.until_state(step["app"], "KILLED")

    def _move(self, step: Json) -> None:
        self.world.change(step["app"], queue=step["queue"])

    def _setPriority(self, step: Json) -> None:  # noqa: N802 - the step's name
        self.world.change(step["app"], priority=step["priority"])

    def _addNode(self, step: Json) -> None:  # noqa: N802 - the step's name
        self.add_nodes(step)

    def _observe(self, step: Json) -> None:
        recorded = self.recorded[step["name"]]
        until(
            f"{self.scenario.name}: {step['name']} is as Hadoop recorded it",
            lambda: differences(recorded, self.seen(recorded)),
            lambda found: not found,
            seconds=20,
        )

    # Looking.

    def seen(self, recorded: Json) -> Json:
        """What the cluster shows, in the recording's words, for what was recorded."""
        queues = self._queues_now()
        pods = [pod for pod in self.world.pods() if holds_room(pod)]
        return {
            "queues": {path: queues.get(path, {}) for path in recorded["queues"]},
            "users": {
                path: {user["name"]: _user(user) for user in queues.get(path, {}).get("users", ())}
                for path in recorded["users"]
            },
            "nodes": _by_node(pods, recorded["nodes"]),
            "containers": Counter(
                pod["metadata"]["labels"]["kubeyarn.io/application"] for pod in pods
            ),
        }

    def _queues_now(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for path, queue in self.world.queues().items():
            status = queue.get("status") or {}
            found[path] = _shown(status)
            for made in status.get("madeQueues", ()):
                found[made["name"]] = _shown(made)
        return found

    def _wait_quiet(self) -> None:
        """Wait until for a while nothing was granted or bound, and every grant is bound."""
        before: object = None
        since = time.monotonic()
        deadline = since + 60
        while time.monotonic() < deadline:
            granted, bound = self._activity()
            if (granted, bound) != before:
                before, since = (granted, bound), time.monotonic()
            elif granted == bound and time.monotonic() - since > QUIET_S:
                return
            time.sleep(0.2)
        raise AssertionError(f"no rest within 60 s: granted, bound = {before}")

    def _activity(self) -> tuple[int, int]:
        requests = self.world.requests()
        granted = sum((one.get("status") or {}).get("granted", 0) for one in requests)
        return granted, len(self.world.pods())

    @contextmanager
    def _scheduler_away(self) -> Iterator[None]:
        """End the scheduler, and start it again with all that was written meanwhile."""
        self.world.hosted.kill("scheduler")
        yield
        self.world.hosted.start("scheduler")
        self.world.hosted.wait_ready("scheduler")


def differences(recorded: Json, seen: Json) -> list[str]:
    """Where a cluster's numbers are not those of a recording."""
    found = []
    for path, queue in recorded["queues"].items():
        for field in ("usedMemory", "usedVcores", "containers", *_SHARES):
            shown = seen["queues"][path].get(field, queue.get(field))
            # A third of a cluster is not a whole number of MiB, and Hadoop rounds to one.
            within = 1 if field in _SHARES else 0
            if field in queue and abs(shown - queue[field]) > within:
                found.append(f"{path} {field}: {shown}, recorded {queue[field]}")
    for path, users in recorded["users"].items():
        for name, user in users.items():
            used = seen["users"][path].get(name, {}).get("usedMemory", 0)
            if used != user["usedMemory"]:
                found.append(f"{path} {name}: {used} MiB, recorded {user['usedMemory']}")
    for node, use in recorded["nodes"].items():
        shown = seen["nodes"][node]
        found += [
            f"{node} {field}: {shown[field]}, recorded {use[field]}"
            for field in ("usedMemory", "usedVcores", "containers")
            if shown[field] != use[field]
        ]
    for app, told in recorded["apps"].items():
        if seen["containers"][app] != told["containers"]:
            found.append(f"{app}: {seen['containers'][app]}, recorded {told['containers']}")
    return found


_SHARES = (
    "effectiveMinMemory",
    "effectiveMaxMemory",
    "steadyFairShareMemory",
    "fairShareMemory",
)


def _shown(status: Json) -> Json:
    """A queue's status, or a made queue's, in the recording's words."""
    used = status.get("used", {})
    shown: Json = {
        "usedMemory": _mib(used.get("memory", 0)),
        "usedVcores": _cores(used.get("cpu", 0)),
        "containers": status.get("containers", 0),
        "users": status.get("users", ()),
    }
    effective, fair = status.get("effective", {}), status.get("fairShare", {})
    for field, amounts in (
        ("effectiveMinMemory", effective.get("minimum", {})),
        ("effectiveMaxMemory", effective.get("maximum", {})),
        ("steadyFairShareMemory", fair.get("steady", {})),
        ("fairShareMemory", fair.get("instantaneous", {})),
    ):
        if "memory" in amounts:
            shown[field] = _mib(amounts["memory"])
    return shown


def _user(user: Json) -> Json:
    return {"usedMemory": _mib(user.get("used", {}).get("memory", 0))}


def _by_node(pods: list[Json], names: Json) -> dict[str, Json]:
    found: dict[str, Json] = {
        name: {"usedMemory": 0, "usedVcores": 0, "containers": 0} for name in names
    }
    for pod in pods:
        use = found[pod["spec"]["nodeName"]]
        asked = pod["spec"]["containers"][0]["resources"]["requests"]
        use["usedMemory"] += _mib(asked["memory"])
        use["usedVcores"] += _cores(asked["cpu"])
        use["containers"] += 1
    return found


def _mib(value: object) -> int:
    return memory(value, "memory") // MIB


def _cores(value: object) -> int:
    return cpu(value, "cpu") // 1000


def _is_ready(node: Json) -> bool:
    return condition(node.get("status") or {}, "Ready").get("status") == "True"
