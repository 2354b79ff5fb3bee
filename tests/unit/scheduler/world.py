"""A cluster in a few words: its objects, a scheduler that watches, and what others do."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from kubeyarn.cluster import names
from kubeyarn.crd import quantities, ranges
from kubeyarn.crd.container_request import ExecutionType
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.resources import ResourceTypes, Vector, subtract
from kubeyarn.scheduler.access_review import Allows
from kubeyarn.scheduler.allocation_loop import AllocationLoop
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.extender.bind_check import BindCheck, BindRefused
from kubeyarn.scheduler.queue_tree import InForce
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.request_state import Allocation, RequestState
from kubeyarn.scheduler.scheduler_state import MakeScheduler, SchedulerState
from kubeyarn.scheduler.settings import Settings
from kubeyarn.scheduler.status.requests import RequestWriter, unreadable_status
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from kubeyarn.schedulers.fair.scheduler import FairScheduler

NAMESPACE = "team-a"
GIB = 2**30
TYPES = ResourceTypes()
_UIDS = itertools.count(1)
_SCHEDULERS = {SchedulerKind.CAPACITY: CapacityScheduler, SchedulerKind.FAIR: FairScheduler}
SMALL = {"cpu": "1", "memory": "1Gi"}
CREATED = "2025-11-23T12:13:20Z"


def a_queue(path: str, **spec: Any) -> Object:
    return _object(path, spec=spec, namespace=None)


def a_node(name: str, *, cpu: int = 8, memory: str = "16Gi", **more: Any) -> Object:
    node = _object(name, spec=more.get("spec") or {}, namespace=None)
    node["metadata"]["labels"] = more.get("labels") or {}
    node["status"] = {
        "allocatable": {"cpu": str(cpu), "memory": memory, **(more.get("also") or {})},
        "conditions": [{"type": "Ready", "status": more.get("ready", "True")}],
    }
    return node


def an_application(name: str, number: int, *, queue: str = "root.a", **spec: Any) -> Object:
    app = _object(name, spec={"queue": queue, "user": "alice", **spec})
    app["spec"].setdefault("applicationMaster", {"image": "x"})
    app["status"] = {
        "applicationId": f"application_1763850000000_{number:04d}",
        "state": "SUBMITTED",
    }
    return app


def a_request(name: str, application: str, **spec: Any) -> Object:
    return _object(name, spec={"application": application, "count": 1, "priority": 1, **spec})


def _object(name: str, *, spec: Object, namespace: str | None = NAMESPACE) -> Object:
    metadata = {
        "name": name,
        "uid": f"{name}-{next(_UIDS)}",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": CREATED,
    }
    if namespace:
        metadata["namespace"] = namespace
    return {"metadata": metadata, "spec": spec}


class Live:
    """A scheduler process without its connections: what it has seen, and what it decided."""

    def __init__(
        self,
        make_scheduler: MakeScheduler,
        settings: Settings | None = None,
        may_submit: Allows = lambda _, __: None,
        now_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self.cache = SchedulerCache()
        self.state = SchedulerState(make_scheduler)
        self.containers = ContainerAccounts(self.cache, self.state)
        self.loop = AllocationLoop(
            self.cache, self.state, self.containers, may_submit, settings or Settings(), now_ms
        )

    def see(self, kind: str, what: str, item: Object) -> None:
        """A watch event."""
        getattr(self.loop, f"{kind}_seen")(what, copy.deepcopy(item))

    @property
    def scheduler(self) -> Any:
        return self.state.scheduler

    @property
    def opportunistic(self) -> Any:
        return self.state.opportunistic

    @property
    def in_force(self) -> InForce:
        return self.state.in_force

    @property
    def types(self) -> ResourceTypes:
        return self.state.types

    @property
    def queues(self) -> Mapping[str, UncheckedQueue]:
        return self.cache.queues.objects

    @property
    def requests(self) -> Mapping[tuple[str, str], RequestState]:
        return self.cache.requests.states

    def allocation(self, container: ContainerId) -> Allocation | None:
        return self.cache.requests.allocation(container)

    def bound(self, path: str, partition: str = "") -> Vector:
        return self.containers.bound.of_queue(path, partition, self.types.zero())

    def maximum(self, path: str, partition: str = "") -> Vector | None:
        return self.state.scheduler.effective_maximum(path, partition)


class World:
    """The API server's objects by kind and name; a scheduler sees what changes at once."""

    def __init__(
        self,
        *objects: tuple[str, Object],
        settings: Settings | None = None,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
        make_scheduler: Callable[[SchedulerKind, ResourceTypes, int], Any] | None = None,
    ) -> None:
        self.objects: dict[str, dict[str, Object]] = {
            kind: {} for kind in ("queue", "node", "application", "request", "pod")
        }
        self.version = 100
        self.epoch = -1
        self.settings = settings or Settings()
        self.now_ms = now_ms
        self.make_scheduler = make_scheduler or (
            lambda kind, types, epoch: _SCHEDULERS[kind](types, epoch=epoch)
        )
        self.may_submit: Allows = lambda _, __: None
        for kind, item in objects:
            self.objects[kind][item["metadata"]["name"]] = item
        self.restart()

    # The scheduler.

    def restart(self) -> None:
        """Another scheduler process takes over; what was not written is lost."""
        self.epoch += 1
        self.live = self.fresh(self.epoch)
        self.writer = RequestWriter(None, self.live.cache, self.live.state, lambda: True)  # type: ignore[arg-type]
        self.dirty: set[tuple[str, str]] = set()
        for kind, items in self.objects.items():
            for item in items.values():
                self.live.see(kind, "ADDED", item)
        self.live.cache.requests.on_change(self.dirty.add)
        self.loop.rebuild(0)
        self.dirty |= set(self.live.requests)
        self.dirty |= {k for kind, k in self.live.cache.errors.known() if kind is Watched.REQUEST}

    def fresh(self, epoch: int) -> Live:
        """A scheduler that has seen nothing yet."""
        return Live(
            lambda kind, types: self.make_scheduler(kind, types, epoch),
            self.settings,
            lambda key, review: self.may_submit(key, review),
            self.now_ms,
        )

    @property
    def loop(self) -> AllocationLoop:
        return self.live.loop

    def rebuilt(self) -> Live:
        """What a new process would know, from the same objects in another order."""
        live = self.fresh(self.epoch + 1)
        for kind in reversed(self.objects):
            for item in reversed(self.objects[kind].values()):
                live.see(kind, "ADDED", item)
        live.loop.rebuild(0)
        return live

    def cycle(self, *, write: bool = True) -> None:
        """Decide, and have it written."""
        self.loop.cycle()
        if write:
            self.write()

    def turn(self) -> None:
        """Decide, and do all that the loop does once in a while, as at its first turn."""
        self.loop.turn(lambda: None)
        self.write()

    def write(self) -> None:
        """Write what changed about requests, as the RequestWriter does."""
        for key in sorted(self.dirty):
            state = self.live.requests.get(key)
            current = self.objects["request"].get(key[1])
            if current is None:
                continue
            if state is None:
                error = self.live.cache.errors.get(Watched.REQUEST, key)
                body = unreadable_status(error)
                if body:
                    self.patch("request", key[1], status=body)
                continue
            if state.deleted:
                continue
            if state.uid != current["metadata"]["uid"]:
                continue
            body, limits = self.writer.to_write(state)
            if body:
                state.limits_written(limits)
                self.patch("request", key[1], status=body)
        self.dirty.clear()

    # What others do.

    def put(self, kind: str, item: Object) -> Object:
        """Create or replace an object."""
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        name = item["metadata"]["name"]
        what = "MODIFIED" if name in self.objects[kind] else "ADDED"
        self.objects[kind][name] = item
        self.live.see(kind, what, item)
        return item

    def patch(self, kind: str, name: str, **parts: Mapping[str, Any]) -> Object:
        """Merge into an object's spec, status or metadata."""
        item = copy.deepcopy(self.objects[kind][name])
        for part, words in parts.items():
            item.setdefault(part, {}).update(copy.deepcopy(dict(words)))
        return self.put(kind, item)

    def remove(self, kind: str, name: str, *, unwatched: bool = False) -> None:
        """Delete an object; *unwatched*: only its metadata are told, as after a relist."""
        item = self.objects[kind].pop(name, None)
        if item is not None:
            told = {"metadata": item["metadata"]} if unwatched else item
            self.live.see(kind, "DELETED", told)

    def submit(self, name: str, number: int, *, am: Object | None = None, **spec: Any) -> None:
        """An application and its AM's request, as the ResourceManager makes it."""
        app = an_application(name, number, **spec)
        if am:
            app["spec"]["applicationMaster"]["resources"] = am
        self.put("application", app)
        resources = am or {"cpu": "1", "memory": "1536Mi"}
        request = a_request(
            f"{name}-am-1", name, role="ApplicationMaster", priority=0, resources=resources
        )
        request["metadata"]["ownerReferences"] = [
            {"kind": "YarnApplication", "name": name, "uid": app["metadata"]["uid"]}
        ]
        self.put("request", request)

    def granted(self, name: str) -> dict[ContainerId, str]:
        """The grants that a request's status lists, by container."""
        request = self.objects["request"][name]
        app = self.objects["application"].get(request["spec"]["application"])
        text = ((app or {}).get("status") or {}).get("applicationId", "application_1_0001")
        return {
            ContainerId(
                AttemptId(ApplicationId.parse(text), entry["attempt"]), entry["epoch"], number
            ): entry["node"]
            for entry in (request.get("status") or {}).get("grants") or ()
            for number in ranges.expand(entry["containers"])
        }

    def launch(
        self, container: ContainerId, node: str, *, bound: bool = True, watched: bool = True
    ) -> Object:
        """The ResourceManager makes a pod, and kube-scheduler binds it."""
        state = self.live.cache.requests.of_container(container)
        number = container.attempt.application.number
        application = state.application[1] if state else f"gone{number}"
        name = names.pod_name(application, container)
        size = quantities_of(self.live, state)
        main = {"name": "main", "resources": {"requests": size}}
        pod = _object(name, spec={"schedulerName": "kubeyarn", "containers": [main]})
        owner = self.objects["application"].get(application)
        if owner is not None:
            uid = owner["metadata"]["uid"]
            reference = {"kind": "YarnApplication", "name": application, "uid": uid}
            pod["metadata"]["ownerReferences"] = [{**reference, "controller": True}]
        pod["metadata"]["annotations"] = {
            names.CONTAINER_ID: str(container),
            names.APPLICATION: state.application[1] if state else "",
            names.QUEUE: state.queue if state else "",
            names.USER: "alice",
        }
        held = self.live.allocation(container)
        spare = held is not None and held.opportunistic
        pod["metadata"]["labels"] = {names.EXECUTION_TYPE: ExecutionType.of(spare)}
        pod["status"] = {"phase": "Pending"}
        if bound:
            pod["spec"]["nodeName"] = node
        if not watched:
            self.objects["pod"][name] = pod
            return pod
        return self.put("pod", pod)

    def end(self, pod: str, phase: str = "Succeeded") -> None:
        """A pod's process ends."""
        self.patch("pod", pod, status={"phase": phase})

    def complete(self, request: str, *containers: ContainerId) -> None:
        """The ResourceManager records how containers ended."""
        status = self.objects["request"][request].get("status") or {}
        entries = [
            *(status.get("completed") or ()),
            *({"id": str(c), "exitStatus": 0} for c in containers),
        ]
        self.patch("request", request, status={"completed": entries})

    # What the scheduler holds.

    def status(self, path: str) -> Any:
        return next(s for s in self.live.scheduler.queue_status() if s.path == path)

    def free(self) -> dict[str, Vector]:
        """What is left of each node that the scheduler knows."""
        return {node.name: node.available for node in self.live.scheduler.node_reports()}

    def held(self) -> list[str]:
        return [str(c.id) for c in self.live.scheduler.containers()]

    @property
    def bind_check(self) -> BindCheck:
        return BindCheck(self.live.cache, self.live.state, self.live.containers)


def quantities_of(live: Live, state: RequestState | None) -> Object:
    """A request's size as its containers' pods say it."""
    if state is None or state.size is None:
        return {}
    return {k: quantities.show(k, v) for k, v in live.types.mapping(state.size).items()}


def foreign(name: str, node: str, *containers: Object, **spec: Any) -> Object:
    """A pod of somebody else."""
    pod = _object(name, spec={"nodeName": node, "containers": list(containers), **spec})
    pod["status"] = {"phase": "Running"}
    return pod


def needs(cpu: str, memory: str, **more: Any) -> Object:
    return {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


def two_queues() -> list[tuple[str, Object]]:
    """root with a (60 %, at most 80 %) and b (40 %, at most all), where users may have it all."""
    free = {"userLimitFactor": 10, "maximumAMShare": "100%"}
    return [
        ("queue", a_queue("root", cluster={"opportunisticContainers": True})),
        ("queue", a_queue("root.a", capacity="60%", maximumCapacity="80%", **free)),
        ("queue", a_queue("root.b", capacity="40%", **free)),
    ]


def charged(live: Live) -> tuple[list[Any], list[Any]]:
    """What a scheduler has come to: containers and queues.

    Room that is reserved is a matter of cycles, and how much room for AMs counts depends on what an
    idle queue held before, as in Hadoop; neither is compared.
    """
    containers = [(c.id, c.node, c.size, c.am) for c in live.scheduler.containers()]
    statuses = [
        (s.path, s.state, s.minimum, s.maximum, subtract(s.used, s.reserved), s.pending)
        for s in live.scheduler.queue_status()
    ]
    return containers, statuses


def asked(world, count, name="maps", app="words", **spec):
    world.put("request", a_request(name, app, count=count, resources=SMALL, **spec))
    world.cycle()
    return world.granted(name)


def request_status(world, name):
    return world.objects["request"][name]["status"]


def condition(world, name, kind):
    found = [c for c in request_status(world, name)["conditions"] if c["type"] == kind]
    return found[0]["status"], found[0]["reason"]


def numbers(grants):
    return sorted(container.number for container in grants)


def started(world, count=3):
    """An application whose AM and *count* containers run."""
    world.submit("words", 1)
    world.cycle()
    grants = {**world.granted("words-am-1"), **asked(world, count)}
    return {c: world.launch(c, node)["metadata"]["name"] for c, node in grants.items()}


def a_grant(world, request="maps"):
    """A granted container and its pod, which is not bound yet."""
    container, node = min(world.granted(request).items())
    return container, node, world.launch(container, node, bound=False)


def refusal(call, *args):
    with pytest.raises(BindRefused) as caught:
        call(*args)
    return str(caught.value)
