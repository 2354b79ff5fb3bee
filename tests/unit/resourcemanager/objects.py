"""Raw Kubernetes objects as the API server would say them."""

from __future__ import annotations

from typing import Any

from kubeyarn.cluster import names
from kubeyarn.crd.container_request import ContainerRequest
from kubeyarn.crd.decoding import DecodedObject
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.resourcemanager.cache import Cache

APP = ApplicationId(1763850000000, 7)
ATTEMPT = AttemptId(APP, 1)
NOW_MS = 1_763_900_000_000
CREATED = "2025-11-23T12:13:20Z"  # NOW_MS


def container(number: int, epoch: int = 0) -> ContainerId:
    return ContainerId(ATTEMPT, epoch, number)


def an_application(name: str = "wordcount", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kubeyarn.io/v1alpha1",
        "kind": "YarnApplication",
        "metadata": {
            "name": name,
            "namespace": "team-a",
            "uid": "app-uid",
            "generation": 1,
            "resourceVersion": "10",
        },
        "spec": {"user": "alice", "applicationMaster": {"image": "words:1"}, **spec},
    }


def application_of(raw: dict[str, Any]) -> YarnApplication:
    """An application as the cache decodes it; what is null the API server would not keep."""
    raw = {"metadata": {"name": "wordcount"}, "spec": {}, **raw}
    return YarnApplication.read({**raw, "status": _kept(raw.get("status") or {})})


def _kept(said: Any) -> Any:
    return {name: value for name, value in said.items() if value is not None}


def request_of(raw: dict[str, Any]) -> DecodedObject[ContainerRequest]:
    """A request as the cache decodes it."""
    return DecodedObject.read(ContainerRequest, raw)


def a_condition(
    kind: str, status: str, reason: str = "Because", message: str = "of this"
) -> dict[str, Any]:
    """A condition as another process has written it."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": CREATED,
    }


def a_request(
    name: str = "maps", *, labels: Any = None, status: Any = None, version: int = 10, **spec: Any
) -> dict[str, Any]:
    # As the ResourceManager makes one for an ApplicationMaster: its label and its spec agree.
    master = (labels or {}).get(names.ROLE) == names.ROLE_AM
    role = {"role": "ApplicationMaster"} if master else {}
    return {
        "apiVersion": "kubeyarn.io/v1alpha1",
        "kind": "ContainerRequest",
        "metadata": {
            "name": name,
            "namespace": "team-a",
            "uid": f"{name}-uid",
            "generation": 1,
            "resourceVersion": str(version),
            "labels": labels or {},
        },
        "spec": {"application": "wordcount", "count": 1, **role, **spec},
        "status": status or {},
    }


def a_pod(
    of: ContainerId,
    *,
    name: str = "",
    phase: str = "Pending",
    main: Any = None,
    uid: str = "",
    version: int = 10,
    role: str = names.ROLE_TASK,
    request: str = "maps",
    **metadata: Any,
) -> dict[str, Any]:
    """A container's pod; *main* is the state of its main container."""
    name = name or names.pod_name("wordcount", of)
    statuses = [{"name": "main", "state": main}] if main else []
    return {
        "metadata": {
            "name": name,
            "namespace": "team-a",
            "uid": uid or f"{name}-uid",
            "resourceVersion": str(version),
            "creationTimestamp": CREATED,
            "labels": {names.ROLE: role, "app.kubernetes.io/managed-by": "kubeyarn"},
            "annotations": {
                names.APPLICATION: "wordcount",
                names.CONTAINER_ID: str(of),
                names.REQUEST: request,
            },
            **metadata,
        },
        "spec": {"containers": [{"name": "main"}], "nodeName": "n1"},
        "status": {"phase": phase, "containerStatuses": statuses},
    }


def exited(code: int, **said: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, **said}}


def cache_of(**queues: Any) -> Cache:
    """A cache with YarnQueues; `root_a` is the queue `root.a`."""
    cache = Cache()
    for name, said in queues.items():
        path = name.replace("_", ".")
        meta = {"name": path, "uid": path, "resourceVersion": "1"}
        cache.put_queue({"metadata": meta, **said})
    return cache


def queue_status(used: Any, maximum: Any, **more: Any) -> dict[str, Any]:
    """A YarnQueue's status, as the scheduler writes it."""
    return {"status": {"used": used, "effective": {"maximum": maximum}, **more}}
