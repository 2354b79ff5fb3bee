"""ContainerRequests that outlive their application.

What was written by hand is not deleted with it. Its containers' pods are, and nobody else says any
more how many of them run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd.object import Object
from kubeyarn.resourcemanager.pods.pod_state import PodFacts


def statuses(requests: Iterable[Object], pods: Iterable[PodFacts]) -> Iterator[tuple[str, Object]]:
    """The requests of an application that is gone whose status is not so, with what is; pure."""
    running = [pod.request for pod in pods if pod.running]
    for request in requests:
        name = request["metadata"]["name"]
        known = int((request.get("status") or {}).get("running") or 0)
        if not _goes_with_it(request) and known != running.count(name):
            yield name, {"running": running.count(name)}


def _goes_with_it(request: Object) -> bool:
    """Whether Kubernetes deletes it with its application."""
    owners = request["metadata"].get("ownerReferences") or ()
    return any(owner.get("kind") == APPLICATIONS.kind for owner in owners)
