"""What the API server last said of our objects, by application.

Answers to our own writes and watch events both land here; the newer resourceVersion wins, so a late
event never brings an old status back, and a late answer never brings back what was deleted.

Custom resources are decoded here, once, and nobody behind the cache looks into a raw one but to
compare with it what is to be written. One that cannot be decoded is reported, and its last readable
version stays: what it asked for then goes on, and no other object is concerned.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeVar

from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd.container_request import ContainerRequest
from kubeyarn.crd.decoding import DecodedObject, ObjectUnreadable, Resource
from kubeyarn.crd.object import Key, Object, key_of
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.crd.yarn_queue import YarnQueue
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.pods import pod_state
from kubeyarn.resourcemanager.pods.pod_state import PodState

_log = logging.getLogger(__name__)

_MOST_DEAD = 20_000

Kind = TypeVar("Kind", bound=Resource)


@dataclass(frozen=True, slots=True)
class UnreadApplication:
    """The newest version of a YarnApplication, which cannot be decoded, and why."""

    raw: Object
    why: str

    @property
    def generation(self) -> int:
        """Which version of its spec it is."""
        return int(self.raw["metadata"].get("generation") or 0)


def _report(_: Object, error: ObjectUnreadable) -> None:
    _log.warning("passed over: %s", error)


class Cache:
    """Applications, their requests and pods, and queues.

    *unreadable* is called with each object that cannot be decoded.
    """

    def __init__(self, unreadable: Callable[[Object, ObjectUnreadable], None] = _report) -> None:
        self.applications: dict[Key, YarnApplication] = {}
        self.queues: dict[str, YarnQueue] = {}
        self._unreadable = unreadable
        self._raw_applications: dict[Key, Object] = {}
        self._unread_applications: dict[Key, UnreadApplication] = {}
        self.raw_queues: dict[str, Object] = {}
        self._requests: dict[Key, DecodedObject[ContainerRequest]] = {}
        # In order.
        self._requests_of: dict[Key, list[Key]] = defaultdict(list)
        self._pods: dict[Key, PodState] = {}
        self._pods_of: dict[Key, dict[ContainerId, PodState]] = defaultdict(dict)
        self._gone: dict[Key, dict[ContainerId, PodState]] = defaultdict(dict)
        self._dead: dict[str, None] = {}

    def put_application(self, item: Object, *, deleted: bool = False) -> Key:
        """Take an application as seen; returns its key."""
        key = key_of(item)
        if deleted:
            self._bury(item)
            unread = self._unread_applications.get(key)
            if unread is not None and _same(item, unread.raw):
                del self._unread_applications[key]
            if _same(item, self._raw_applications.get(key)):
                del self.applications[key]
                del self._raw_applications[key]
        elif self._newer(item, self._raw_applications.get(key)):
            try:
                decoded = YarnApplication.read(item)
            except ObjectUnreadable as error:
                self._leave_unread(key, item, error)
            else:
                self._unread_applications.pop(key, None)
                self.applications[key] = decoded
                self._raw_applications[key] = item
        return key

    def _leave_unread(self, key: Key, item: Object, error: ObjectUnreadable) -> None:
        self._unreadable(item, error)
        self._unread_applications[key] = UnreadApplication(item, str(error))
        before = self._raw_applications.get(key)
        if before is not None and _same(item, before):
            # What is to be written is compared with the status that it has now.
            self._raw_applications[key] = {**before, "status": item.get("status") or {}}

    def unread_application(self, key: Key) -> UnreadApplication | None:
        """The newest version of an application, where it cannot be decoded."""
        return self._unread_applications.get(key)

    def is_gone(self, key: Key) -> bool:
        """Whether there is no application of that name, not even one that cannot be decoded."""
        return key not in self.applications and key not in self._unread_applications

    def gone_with_pods(self) -> list[Key]:
        """The applications that are gone and whose pods are not."""
        return [key for key, pods in self._pods_of.items() if pods and self.is_gone(key)]

    def raw_application(self, key: Key) -> Object:
        """An application that is here, as it came."""
        return self._raw_applications[key]

    def put_queue(self, item: Object, *, deleted: bool = False) -> None:
        """Take a queue as seen."""
        name = item["metadata"]["name"]
        if deleted:
            self._bury(item)
            if _same(item, self.raw_queues.get(name)):
                self.queues.pop(name, None)
                del self.raw_queues[name]
        elif self._newer(item, self.raw_queues.get(name)):
            queue = self._decode(YarnQueue, item)
            # Also of one that cannot be decoded: its finalizer is still ours to take off.
            self.raw_queues[name] = item
            if queue is not None:
                self.queues[name] = queue.decoded

    def put_request(self, item: Object, *, deleted: bool = False) -> Key | None:
        """Take a request as seen; returns its application's key."""
        key = key_of(item)
        cached = self._requests.get(key)
        before = cached.raw if cached is not None else None
        if deleted:
            self._bury(item)
            # The last event of a deleted object may be a bare one; what was seen before names the
            # owner.
            owner = (key[0], ((before or item).get("spec") or {}).get("application") or "")
            if _same(item, before):
                del self._requests[key]
                _remove(self._requests_of[owner], key)
            return owner if owner[1] else None
        if not self._newer(item, before):
            return None
        request = self._decode(ContainerRequest, item)
        if request is None:
            return None
        self._requests[key] = request
        owner = (key[0], request.decoded.spec.application)
        _insert(self._requests_of[owner], key)
        return owner

    def put_pod(self, item: Object, *, deleted: bool = False) -> Key | None:
        """Take a pod as seen; returns its application's key, None when it is not ours."""
        pod = pod_state.read(item)
        if pod is None:
            return None
        owner = (pod.namespace, pod.application)
        key = (pod.namespace, pod.name)
        known = self._pods.get(key)
        # Another pod of that name: the new one's resourceVersion says nothing of the old one's.
        if known is not None and known.uid != pod.uid:
            known = None
        if deleted:
            self._bury(item)
            self._pop_pod(owner, pod, known)
        elif pod.uid not in self._dead and (known is None or pod.version >= known.version):
            self._pods[key] = pod
            self._pods_of[owner][pod.container] = pod
        return owner

    def _pop_pod(self, owner: Key, pod: PodState, known: PodState | None) -> None:
        """A pod is gone; its last event or what was seen before tells how it ended."""
        if known is not None:
            del self._pods[(pod.namespace, pod.name)]
        pods = self._pods_of[owner]
        # A container's second pod may be here already, and is not gone with its first.
        if pods.get(pod.container, pod).uid == pod.uid:
            pods.pop(pod.container, None)
            before = known or pod
            # The last event of a deleted pod may lack what was seen before, such as its end.
            last = replace(
                pod,
                ending=pod.ending or before.ending or pod_state.TAKEN_AWAY,
                created_ms=pod.created_ms or before.created_ms,
                finished_ms=pod.finished_ms or before.finished_ms,
                deleted_ms=pod.deleted_ms or before.deleted_ms,
            )
            self._gone[owner].setdefault(pod.container, last)

    def requests(self, application: Key) -> list[DecodedObject[ContainerRequest]]:
        """An application's requests, by name, without those of an earlier one of its name."""
        of_the_name = [self._requests[key] for key in self._requests_of.get(application, ())]
        return [request for request in of_the_name if not self._of_another(request, application)]

    def request(self, key: Key) -> DecodedObject[ContainerRequest] | None:
        """One request, if it is of the application that has its owner's name now."""
        request = self._requests.get(key)
        if request is None or self._of_another(request, (key[0], request.decoded.spec.application)):
            return None
        return request

    def raw_request(self, key: Key) -> Object | None:
        """The same as it came."""
        request = self.request(key)
        return None if request is None else request.raw

    def pods(self, application: Key) -> dict[ContainerId, PodState]:
        """An application's pods, by container."""
        return self._pods_of.get(application) or {}

    def busy_nodes(self) -> set[str]:
        """The nodes on which containers have not ended."""
        return {pod.node for pod in self._pods.values() if pod.ending is None}

    def pod(self, key: Key) -> PodState | None:
        """One pod of ours."""
        return self._pods.get(key)

    def gone(self, application: Key, container: ContainerId) -> PodState | None:
        """The last that was seen of a container's pod, if it was deleted while we watched."""
        return self._gone.get(application, {}).get(container)

    def keep_gone(self, application: Key, wanted: Collection[ContainerId]) -> None:
        """Forget the exits of all containers but *wanted*: they are recorded."""
        gone = self._gone.get(application)
        for container in [c for c in gone or () if c not in wanted]:
            self._gone[application].pop(container)

    def forget(self, application: Key) -> None:
        """Drop what was remembered of an application that is gone; objects that are there stay."""
        self._gone.pop(application, None)
        for table in (self._requests_of, self._pods_of):
            if not table.get(application):
                table.pop(application, None)

    def forget_gone(self, application: Key, container: ContainerId) -> None:
        """A deleted pod's ending is recorded and need not be remembered."""
        self._gone.get(application, {}).pop(container, None)

    def _of_another(self, request: DecodedObject[ContainerRequest], application: Key) -> bool:
        """Whether *request* was made for an earlier application of the same name."""
        # Kubernetes deletes what a deleted application owned after some time. Until then an
        # application of the same name must not take its requests for its own.
        current = self.applications.get(application)
        owners = request.decoded.metadata.owner_references
        uids = [owner.uid for owner in owners if owner.kind == APPLICATIONS.kind]
        return current is not None and bool(uids) and current.metadata.uid not in uids

    def _decode(self, kind: type[Kind], item: Object) -> DecodedObject[Kind] | None:
        try:
            return DecodedObject.read(kind, item)
        except ObjectUnreadable as error:
            self._unreadable(item, error)
            return None

    def _bury(self, item: Object) -> None:
        # Late events of a deleted object must not bring it back; twenty thousand cover the delay.
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


def _insert(keys: list[Key], key: Key) -> None:
    at = bisect_left(keys, key)
    if keys[at : at + 1] != [key]:
        keys.insert(at, key)


def _remove(keys: list[Key], key: Key) -> None:
    at = bisect_left(keys, key)
    if keys[at : at + 1] == [key]:
        del keys[at]


def _same(item: Object, other: Object | None) -> bool:
    """Whether both are one object, and not only of one name."""
    return other is not None and item["metadata"]["uid"] == other["metadata"]["uid"]


def _version(item: Object) -> int:
    # Comparable as numbers, as Kubernetes guarantees since 1.35.
    return int(item["metadata"].get("resourceVersion") or 0)
