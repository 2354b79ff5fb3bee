"""Pods: containers of ours that are bound and that end, and foreign pods that take room.

A pod is taken in at once, not in the next cycle: the bind check counts what is bound, and must not
lag behind what it has let through. The rest is a matter of the cycle: the node whose free room
changed, and the application whose container it is, are looked at then.

The races:

- *Binding and release.* A pod that is bound counts from the extender's own call already; the watch
  tells it again, which changes nothing. A pod of a container that is released meanwhile is an
  orphan and is recovered.
- *Two pods of one container.* Only the end of the bound one releases it
  (`ContainerAccounts.pod_ended`).
- *Events missed.* A relist tells deletions by metadata alone; the cache knows what the pod was.
"""

from __future__ import annotations

from kubeyarn.crd.object import Object
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.facts import PodUse, pod_use


class PodReconciler:
    """Takes pods into the cache, and what they mean for containers into the accounts."""

    def __init__(self, cache: SchedulerCache, containers: ContainerAccounts) -> None:
        self._cache = cache
        self._containers = containers

    def see(self, pod: Object, *, deleted: bool) -> tuple[PodUse, str]:
        """Take a pod as seen; returns its facts and the node whose free room it changed, or ""."""
        use, node = self._cache.pods.see(pod_use(pod), deleted=deleted)
        container = use.container
        if container is not None and self._cache.is_another_pod(use):
            # An annotation alone makes no container; it takes room of its node like any other pod.
            if use.node and not deleted and not use.over:
                self._cache.pods.count_as_foreign(use)
                node = use.node
        elif container is not None:
            if use.node and not deleted:
                self._containers.bind(container, use.uid)
                self._containers.count_requests(container, use.uid, use.requests)
            if deleted or use.over:
                self._containers.pod_ended(container, use.uid)
            elif use.node and not self._cache.requests.is_listed(container):
                self._cache.pods.orphan(container)
        return use, node
