"""How those containers ended whose pods cannot say it themselves, and how long they held room.

A pod tells how its process exited. It does not tell that its ApplicationMaster released it, that it
was never launched, or that its node is lost. `ContainerExits` remembers such exits from the moment
this process causes or sees them until they stand in the request's status:

* `stop` - the pod is being deleted; the container ends, with this exit, once the pod has ended.
* `note` - the container has no pod; it has ended already, and no watch will say so.
* the cache remembers the last words of pods that were deleted while we watched.

`recorded` clears what is remembered of one container, `forget` that of a deleted application. A new
process remembers nothing: what was not recorded by then is `ABORTED`, as for any pod that goes
while nobody watches.
"""

from __future__ import annotations

from collections.abc import Callable

from kubeyarn.cluster import names
from kubeyarn.crd.object import Key
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.nodes import decommission
from kubeyarn.resourcemanager.nodes.decommission import Pods
from kubeyarn.resourcemanager.nodes.tracker import NodeTracker
from kubeyarn.resourcemanager.pods.pod_state import PodState
from kubeyarn.resourcemanager.requests.request_view import RequestView


class ContainerExits:
    """Exits that pods do not tell, until they are recorded in the status of their requests.

    *look* has an application reconciled again.
    """

    def __init__(
        self,
        cache: Cache,
        nodes: NodeTracker,
        clock_ms: Callable[[], int],
        look: Callable[[Key], None],
    ) -> None:
        self._cache = cache
        self._nodes = nodes
        self._clock_ms = clock_ms
        self._look = look
        self._without_pod: dict[ContainerId, ContainerExit] = {}
        self._stopping: dict[ContainerId, ContainerExit] = {}

    def stop(self, container: ContainerId, ending: ContainerExit) -> None:
        """A container's pod is being deleted: it ends so once the pod has ended."""
        self._stopping[container] = ending

    def note(self, key: Key, container: ContainerId, ending: ContainerExit) -> None:
        """A container of the application *key* ended that has no pod: nothing else will say so."""
        self._without_pod[container] = ending
        self._look(key)

    def note_unless_known(self, key: Key, container: ContainerId, ending: ContainerExit) -> None:
        """A container ended that has no pod; an exit that was noted before counts."""
        self.note(key, container, self._without_pod.get(container, ending))

    def stopped_as(self, container: ContainerId) -> ContainerExit | None:
        """How a container ends whose pod we are deleting; None: we are not."""
        return self._stopping.get(container)

    def of(
        self, key: Key, container: ContainerId, view: RequestView | None = None
    ) -> ContainerExit | None:
        """How a container of the application *key* ended beyond its pod's own word, if known.

        With its request's *view* also if its node is lost and it has no pod.
        """
        gone = self._cache.gone(key, container)
        # What this process does to a container first: its pod then ends by a signal, which says
        # nothing of why. A pod's own last words come before what was noted of a container without a
        # pod.
        known = self._stopping.get(container) or (gone.ending if gone is not None else None)
        known = known or self._without_pod.get(container)
        if known is not None or view is None or container in self._cache.pods(key):
            return known
        # What no ApplicationMaster was told of has not ended: it is granted elsewhere.
        told = view.role == names.ROLE_ASK
        return self._nodes.ending(view.grants.get(container, "")) if told else None

    def pods(self, key: Key) -> Pods:
        """An application's pods; those on lost nodes are over, whatever they last said."""
        return decommission.as_seen(self._nodes, self._cache.pods(key))

    def pods_by_request(self, key: Key) -> dict[str, list[PodState]]:
        """The same pods by the request that each names as its own."""
        by_request: dict[str, list[PodState]] = {}
        for pod in self.pods(key).values():
            by_request.setdefault(pod.request, []).append(pod)
        return by_request

    def held_s(self, key: Key, container: ContainerId) -> int:
        """For how many seconds a container has held its resources; 0 if its pod was never seen."""
        pod = self._cache.pods(key).get(container) or self._cache.gone(key, container)
        return pod.held_s(self._clock_ms()) if pod is not None else 0

    def recorded(self, key: Key, container: ContainerId) -> None:
        """A container's exit stands in its request's status and need not be remembered."""
        self._cache.forget_gone(key, container)
        self._without_pod.pop(container, None)
        self._stopping.pop(container, None)

    def forget(self, application: ApplicationId) -> None:
        """An application's requests go with it, so that nobody will record their exits."""
        for known in (self._without_pod, self._stopping):
            for container in [c for c in known if c.attempt.application == application]:
                del known[container]
