"""A deleted queue stays while something uses it, by a finalizer (as Kubernetes protects claims).

Who uses it is looked up when the queue changes and every two seconds while it is deleted, because
an application that ends, and the scheduler that takes the queue out of force, tell nobody here.
"""

from __future__ import annotations

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import Conflict, NotFound
from kubeyarn.cluster.events import WARNING, EventRecorder
from kubeyarn.cluster.resources import QUEUES
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.application import TERMINAL
from kubeyarn.resourcemanager.cache import Cache

_ASK_AGAIN_S = 2.0


class QueueProtection:
    """Keeps a finalizer on every queue and takes it off when it is empty and not in force."""

    def __init__(self, client: KubeClient, cache: Cache, events: EventRecorder) -> None:
        self._client = client
        self._cache = cache
        self._events = events
        self.queue: WorkQueue[str] = WorkQueue(self.look, failed=self._failed)

    def queue_changed(self, what: str, item: Object) -> None:
        """A YarnQueue was seen."""
        self._cache.put_queue(item, deleted=what == "DELETED")
        if what != "DELETED":
            self.queue.add(item["metadata"]["name"])

    def _failed(self, name: str, error: Exception) -> None:
        """A queue cannot be looked at: it is tried again, and told why until then."""
        queue = self._cache.raw_queues.get(name)
        if queue is not None:
            note = f"{type(error).__name__}: {error}; tried again"
            self._events.record(queue, WARNING, "ReconcileFailed", "Reconcile", note)

    async def look(self, name: str) -> None:
        """Add the finalizer to a living queue; remove it from a deleted one that is empty."""
        queue = self._cache.raw_queues.get(name)
        if queue is None:
            return
        present = queue["metadata"].get("finalizers") or []
        if "deletionTimestamp" not in queue["metadata"]:
            if names.QUEUE_FINALIZER not in present:
                await self._finalizers(queue, [*present, names.QUEUE_FINALIZER])
            return
        users = self.users(name)
        if users:
            note = f"{name} is deleted but still used, it goes when they end: {_few(users)}"
            self._events.record(queue, WARNING, "QueueInUse", "Delete", note)
            self.queue.add(name, after_s=_ASK_AGAIN_S)
        elif (queue.get("status") or {}).get("inForce") is not None:
            # The scheduler takes it out of force first, if the others add up without it.
            self.queue.add(name, after_s=_ASK_AGAIN_S)
        elif names.QUEUE_FINALIZER in present:
            await self._finalizers(queue, [f for f in present if f != names.QUEUE_FINALIZER])

    def users(self, name: str) -> list[str]:
        """The users of a queue: applications that have not ended, and child queues."""
        # Raw ones: a child that cannot be decoded is there all the same.
        children = [q for q in self._cache.raw_queues if q.startswith(name + ".")]
        holders = [f"queue {child}" for child in sorted(children)]
        for (namespace, app), application in sorted(self._cache.applications.items()):
            status = application.status
            # Also those in auto-created queues below it, which are no objects.
            inside = f"{status.queue}.".startswith(f"{name}.")
            if inside and status.state not in TERMINAL:
                holders.append(f"application {namespace}/{app}")
        return holders

    async def _finalizers(self, queue: Object, wanted: list[str]) -> None:
        meta = queue["metadata"]
        # A list is replaced whole by a merge patch. With the version that was seen, a finalizer
        # that somebody else has added meanwhile is not lost.
        body = {"metadata": {"finalizers": wanted, "resourceVersion": meta["resourceVersion"]}}
        try:
            self._cache.put_queue(await self._client.patch(QUEUES, meta["name"], body))
        except (NotFound, Conflict):
            # The watch brings what is true now, and with it another look.
            self.queue.add(meta["name"], after_s=0.2)


def _few(users: list[str]) -> str:
    shown = ", ".join(users[:5])
    return shown if len(users) <= 5 else f"{shown} and {len(users) - 5} more"
