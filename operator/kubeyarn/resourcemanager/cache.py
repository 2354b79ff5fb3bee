"""What the API server last said of our objects, by application.

Answers to our own writes and watch events both land here; the newer resourceVersion wins, so a late
event never brings an old status back, and a late answer never brings back what was deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd.object import Key, Object, key_of
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.pods import pod_state
from kubeyarn.resourcemanager.pods.pod_state import PodState

_MOST_DEAD = 20_000


class Cache:
    """Applications, their requests and pods, and queues."""

    def __init__(self) -> None:
        self.applications: dict[Key, Object] = {}
        self.queues: dict[str, Object] = {}
        self._requests: dict[Key, Object] = {}
        self._requests_of: dict[Key, set[Key]] = defaultdict(set)
        self._pods: dict[Key, PodState] = {}
        self._pods_of: dict[Key, dict[ContainerId, PodState]] = defaultdict(dict)
        self._gone: dict[Key, dict[ContainerId, PodState]] = defaultdict(dict)
        self._dead: dict[str, None] = {}

    def put_application(self, item: Object, *, deleted: bool = False) -> Key:
        """Take an application as seen; returns its key."""
        key = key_of(item)
        if deleted:
            self._bury(item)
            if _same(item, self.applications.get(key)):
                del self.applications[key]
        elif self._newer(item, self.applications.get(key)):
            self.applications[key] = item
        return key

    def put_queue(self, item: Object, *, deleted: bool = False) -> None:
        """Take a queue as seen."""
        name = item["metadata"]["name"]
        if deleted:
            self._bury(item)
            if _same(item, self.queues.get(name)):
                del self.queues[name]
        elif self._newer(item, self.queues.get(name)):
            self.queues[name] = item

    def put_request(self, item: Object, *, deleted: bool = False) -> Key | None:
        """Take a request as seen; returns its application's key."""
        key = key_of(item)
        before = self._requests.get(key)
        if deleted:
            self._bury(item)
            found = before or item
            owner = (key[0], (found.get("spec") or {}).get("application") or "")
            if _same(item, before):
                del self._requests[key]
                self._requests_of[owner].discard(key)
            return owner if owner[1] else None
        if not self._newer(item, before):
            return None
        self._requests[key] = item
        owner = (key[0], item["spec"]["application"])
        self._requests_of[owner].add(key)
        return owner

    def put_pod(self, item: Object, *, deleted: bool = False) -> Key | None:
        """Take a pod as seen; returns its application's key, None when it is not ours."""
        facts = pod_state.read(item)
        if facts is None:
            return None
        owner = (facts.namespace, facts.application)
        key = (facts.namespace, facts.name)
        known = self._pods.get(key)
        if known is not None and known.uid != facts.uid:
            known = None
        if deleted:
            self._bury(item)
            self._pop_pod(owner, facts, known)
        elif facts.uid not in self._dead and (known is None or facts.version >= known.version):
            self._pods[key] = facts
            self._pods_of[owner][facts.container] = facts
        return owner

    def _pop_pod(self, owner: Key, facts: PodState, known: PodState | None) -> None:
        """A pod is gone; how it ended is known by its last words or by what was seen before."""
        if known is not None:
            del self._pods[(facts.namespace, facts.name)]
        pods = self._pods_of[owner]
        if pods.get(facts.container, facts).uid == facts.uid:
            pods.pop(facts.container, None)
            before = known or facts
            last = replace(
                facts,
                ending=facts.ending or before.ending or pod_state.TAKEN_AWAY,
                created_ms=facts.created_ms or before.created_ms,
                finished_ms=facts.finished_ms or before.finished_ms,
                deleted_ms=facts.deleted_ms or before.deleted_ms,
            )
            self._gone[owner].setdefault(facts.container, last)

    def requests(self, application: Key) -> list[Object]:
        """An application's requests, by name, without those of an earlier one of its name."""
        found = [self._requests[key] for key in sorted(self._requests_of.get(application, ()))]
        return [request for request in found if not self._of_another(request, application)]

    def request(self, key: Key) -> Object | None:
        """One request, if it is of the application that has its owner's name now."""
        found = self._requests.get(key)
        if found is None or self._of_another(found, (key[0], found["spec"]["application"])):
            return None
        return found

    def pods(self, application: Key) -> dict[ContainerId, PodState]:
        """An application's pods, by container."""
        return self._pods_of.get(application) or {}

    def busy_nodes(self) -> set[str]:
        """The nodes on which containers have not ended."""
        return {pod.node for pod in self._pods.values() if pod.ending is None}

    def pod(self, key: Key) -> PodState | None:
        """One pod of ours."""
        return self._pods.get(key)

    def gone(self, application: Key, container: ContainerId) -> ContainerExit | None:
        """How a container ended whose pod was deleted while we watched."""
        last = self._gone.get(application, {}).get(container)
        return last.ending if last is not None else None

    def held_s(self, application: Key, container: ContainerId, now_ms: int) -> int:
        """For how many seconds a container has had its room; 0 where no pod of it was seen."""
        pod = self.pods(application).get(container)
        pod = pod or self._gone.get(application, {}).get(container)
        return pod.held_s(now_ms) if pod is not None else 0

    def keep_gone(self, application: Key, wanted: Collection[ContainerId]) -> None:
        """Forget how containers ended but *wanted*: their ending is recorded."""
        gone = self._gone.get(application)
        for container in [c for c in gone or () if c not in wanted]:
            self._gone[application].pop(container)

    def forget(self, application: Key) -> None:
        """Drop what was remembered of an application that is gone; what is there yet stays."""
        self._gone.pop(application, None)
        for found in (self._requests_of, self._pods_of):
            if not found.get(application):
                found.pop(application, None)

    def forget_gone(self, application: Key, container: ContainerId) -> None:
        """A deleted pod's ending is recorded and need not be remembered."""
        self._gone.get(application, {}).pop(container, None)

    def _of_another(self, request: Object, application: Key) -> bool:
        """Whether *request* was made for an earlier application of the same name."""
        found = self.applications.get(application)
        owners = request["metadata"].get("ownerReferences") or ()
        uids = [owner["uid"] for owner in owners if owner.get("kind") == APPLICATIONS.kind]
        return found is not None and bool(uids) and found["metadata"]["uid"] not in uids

    def _bury(self, item: Object) -> None:
        self._dead[item["metadata"]["uid"]] = None
        if len(self._dead) > _MOST_DEAD:
            del self._dead[next(iter(self._dead))]

    def _newer(self, item: Object, before: Object | None) -> bool:
        """Whether *item* lives and is not older than what we have of the same object."""
        if item["metadata"]["uid"] in self._dead:
            return False
        if before is None or before["metadata"]["uid"] != item["metadata"]["uid"]:
            return True
        return _version(item) >= _version(before)


def _same(item: Object, other: Object | None) -> bool:
    """Whether both are one object, and not only of one name."""
    return other is not None and item["metadata"]["uid"] == other["metadata"]["uid"]


def _version(item: Object) -> int:
    # Comparable as numbers, as Kubernetes guarantees since 1.35.
    return int(item["metadata"].get("resourceVersion") or 0)
