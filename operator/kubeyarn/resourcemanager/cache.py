"""What the API server last said of our objects, by application.

Answers to our own writes and watch events both land here; the newer resourceVersion wins, so a late
event never brings an old status back.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from kubeyarn.lifecycle.progress import Ending
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager import podfacts
from kubeyarn.resourcemanager.podfacts import PodFacts

Object = dict[str, Any]
Key = tuple[str, str]

DELETED = "DELETED"


def key_of(item: Object) -> Key:
    """Namespace and name."""
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


class Cache:
    """Applications, their requests and pods, and queues."""

    def __init__(self) -> None:
        self.applications: dict[Key, Object] = {}
        self.queues: dict[str, Object] = {}
        self._requests: dict[Key, Object] = {}
        self._requests_of: dict[Key, set[Key]] = defaultdict(set)
        self._pods: dict[Key, PodFacts] = {}
        self._pods_of: dict[Key, dict[ContainerId, PodFacts]] = defaultdict(dict)
        self._gone: dict[ContainerId, Ending] = {}

    def put_application(self, item: Object, *, deleted: bool = False) -> Key:
        """Take an application as seen; returns its key."""
        key = key_of(item)
        if deleted:
            self.applications.pop(key, None)
        elif _newer(item, self.applications.get(key)):
            self.applications[key] = item
        return key

    def put_queue(self, item: Object, *, deleted: bool = False) -> None:
        """Take a queue as seen."""
        name = item["metadata"]["name"]
        if deleted:
            self.queues.pop(name, None)
        elif _newer(item, self.queues.get(name)):
            self.queues[name] = item

    def put_request(self, item: Object, *, deleted: bool = False) -> Key | None:
        """Take a request as seen; returns its application's key."""
        key = key_of(item)
        before = self._requests.get(key)
        if deleted:
            found = self._requests.pop(key, None) or item
            owner = (key[0], (found.get("spec") or {}).get("application") or "")
            self._requests_of[owner].discard(key)
            return owner if owner[1] else None
        if not _newer(item, before):
            return None
        self._requests[key] = item
        owner = (key[0], item["spec"]["application"])
        self._requests_of[owner].add(key)
        return owner

    def put_pod(self, item: Object, *, deleted: bool = False) -> Key | None:
        """Take a pod as seen; returns its application's key, None when it is not ours."""
        facts = podfacts.read(item)
        if facts is None:
            return None
        owner = (facts.namespace, facts.application)
        pods = self._pods_of[owner]
        if deleted:
            self._pods.pop((facts.namespace, facts.name), None)
            if pods.get(facts.container, facts).uid == facts.uid:
                pods.pop(facts.container, None)
                self._gone.setdefault(facts.container, podfacts.ending_of_deleted(item))
        else:
            self._pods[(facts.namespace, facts.name)] = facts
            pods[facts.container] = facts
        return owner

    def requests(self, application: Key) -> list[Object]:
        """An application's requests, by name."""
        return [self._requests[key] for key in sorted(self._requests_of.get(application, ()))]

    def request(self, key: Key) -> Object | None:
        """One request."""
        return self._requests.get(key)

    def pods(self, application: Key) -> dict[ContainerId, PodFacts]:
        """An application's pods, by container."""
        return self._pods_of.get(application) or {}

    def pod(self, key: Key) -> PodFacts | None:
        """One pod of ours."""
        return self._pods.get(key)

    def gone(self, container: ContainerId) -> Ending | None:
        """How a container ended whose pod was deleted while we watched."""
        return self._gone.get(container)

    def forget(self, application: Key) -> None:
        """Drop what was remembered of an application that is gone."""
        self._requests_of.pop(application, None)
        for container in self._pods_of.pop(application, {}):
            self._gone.pop(container, None)

    def forget_gone(self, container: ContainerId) -> None:
        """A deleted pod's ending is recorded and need not be remembered."""
        self._gone.pop(container, None)


def _newer(item: Object, before: Object | None) -> bool:
    """Whether *item* is not older than what we have of the same object."""
    if before is None or before["metadata"]["uid"] != item["metadata"]["uid"]:
        return True
    return _version(item) >= _version(before)


def _version(item: Object) -> int:
    # Comparable as numbers, as Kubernetes guarantees since 1.35.
    return int(item["metadata"].get("resourceVersion") or 0)
