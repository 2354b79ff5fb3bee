"""Objects as the tests apply them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kubeyarn.local import image

Json = dict[str, Any]

VERSION = "kubeyarn.io/v1alpha1"
SMALL = {"cpu": "100m", "memory": "128Mi"}
WORDCOUNT = ["python", "-m", "kubeyarn.examples.wordcount"]
# Sleeps, and ends at once when it is asked to.
SLEEP = ["sh", "-c", "trap 'exit 143' TERM; sleep 3600 & wait"]
IDLE = ["python", "-m", "kubeyarn.examples.idle"]


def queue(path: str, **spec: Any) -> Json:
    return {"apiVersion": VERSION, "kind": "YarnQueue", "metadata": {"name": path}, "spec": spec}


def root(**cluster: Any) -> Json:
    """The root queue, with containers small enough for a machine of two cores."""
    sizes = {"minimumAllocation": SMALL, "incrementAllocation": SMALL}
    return queue("root", cluster={**sizes, **cluster})


def application(
    name: str,
    queue: str,
    command: list[str],
    *,
    resources: Mapping[str, str] = SMALL,
    am_image: str = image.KUBEYARN,
    **spec: Any,
) -> Json:
    master = {"image": am_image, "resources": dict(resources), "command": command}
    return {
        "apiVersion": VERSION,
        "kind": "YarnApplication",
        "metadata": {"name": name},
        "spec": {"queue": queue, "applicationMaster": master, **spec},
    }


def idle(name: str, queue: str, *, seconds: int = 600, **spec: Any) -> Json:
    """An application whose ApplicationMaster registers and stays."""
    return application(name, queue, [*IDLE, f"--seconds={seconds}"], **spec)


def word_count(
    name: str, queue: str, *, maps: int = 6, delay: int = 6, map_cpu: str = "100m"
) -> Json:
    sizes = [f"--map-cpu={map_cpu}", "--map-memory=192Mi"]
    sizes += ["--reduce-cpu=100m", "--reduce-memory=192Mi"]
    command = [*WORDCOUNT, f"--maps={maps}", "--reduces=2", f"--map-delay={delay}", *sizes]
    return application(name, queue, command, resources={"cpu": "100m", "memory": "256Mi"})


def request(
    name: str,
    application: str,
    count: int,
    *,
    resources: Mapping[str, str] = SMALL,
    command: list[str] | None = None,
    **spec: Any,
) -> Json:
    """A ContainerRequest that says how its containers are launched."""
    container: Json = {"image": image.KUBEYARN, "command": command or SLEEP}
    wanted = {"application": application, "count": count, "resources": dict(resources)}
    return {
        "apiVersion": VERSION,
        "kind": "ContainerRequest",
        "metadata": {"name": name},
        "spec": {**wanted, "container": container, **spec},
    }


def condition(found: Mapping[str, Any], kind: str) -> Json:
    """A condition of an object; empty when it has none of that type."""
    conditions = (found.get("status") or {}).get("conditions") or []
    return next((dict(c) for c in conditions if c["type"] == kind), {})


def state(found: Mapping[str, Any]) -> str:
    return str((found.get("status") or {}).get("state") or "")


def as_json(found: Json) -> str:
    return json.dumps(found)
