"""What is known of how containers end, beyond their pods' own word."""

from __future__ import annotations

from kubeyarn.crd.object import Key
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import Ending
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.nodes import decommission
from kubeyarn.resourcemanager.nodes.tracker import Nodes
from kubeyarn.resourcemanager.requests.request_view import RequestView

BY_MASTER = {
    ExitStatus.ABORTED: Ending(ExitStatus.ABORTED, "Container released by the application."),
    ExitStatus.KILLED_BY_APPMASTER: Ending(
        ExitStatus.KILLED_BY_APPMASTER, "Stopped by the ApplicationMaster."
    ),
}
"""How containers end that their ApplicationMaster gives back or stops."""


class Endings:
    """Endings of this process's own making, until they are recorded.

    *stopped* are containers that are being stopped: they have ended once their pods have.
    """

    def __init__(self, cache: Cache, nodes: Nodes) -> None:
        self._cache = cache
        self._nodes = nodes
        self._without_pod: dict[ContainerId, Ending] = {}
        self.stopped: dict[ContainerId, Ending] = {}

    def note(self, container: ContainerId, ending: Ending) -> None:
        """A container ended that has no pod."""
        self._without_pod[container] = ending

    def note_unless_known(self, container: ContainerId, ending: Ending) -> None:
        """A container ended that has no pod; what was known before counts."""
        self._without_pod.setdefault(container, ending)

    def of(
        self, key: Key, container: ContainerId, view: RequestView | None = None
    ) -> Ending | None:
        """What is known of an ending besides the pod's own word; of one of *view* by its node."""
        known = self.stopped.get(container) or self._cache.gone(key, container)
        known = known or self._without_pod.get(container)
        if known is not None or view is None or container in self._cache.pods(key):
            return known
        return decommission.without_pod(self._nodes, view, container)

    def recorded(self, key: Key, container: ContainerId) -> None:
        """A container's ending stands in its request and need not be remembered."""
        self._cache.forget_gone(key, container)
        self._without_pod.pop(container, None)
        self.stopped.pop(container, None)

    def forget(self, application: ApplicationId) -> None:
        """An application's requests go with it, so that nobody will record how they ended."""
        for known in (self._without_pod, self.stopped):
            for container in [c for c in known if c.attempt.application == application]:
                del known[container]
