"""Why containers are terminated, and how those ended whose pods cannot say it themselves.

A pod tells how its process exited. It does not tell that its ApplicationMaster released it, that it
was never launched, or that its node is lost. `ContainerExits` remembers such exits from the moment
this process causes or sees them until they stand in the request's status:

* `stop` - the pod is being deleted; the container ends, with this exit, once the pod has ended.
* `note` - the container has no pod; it has ended already.
* the cache remembers the last words of pods that were deleted while we watched.

`recorded` clears what is remembered of one container, `forget` that of a deleted application. A new
process remembers nothing: what was not recorded by then is `ABORTED`, as for any pod that goes
while nobody watches.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.cluster import names
from kubeyarn.crd.object import Key
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.nodes import decommission
from kubeyarn.resourcemanager.nodes.decommission import Pods
from kubeyarn.resourcemanager.nodes.tracker import NodeTracker
from kubeyarn.resourcemanager.requests.request_view import RequestView, UnreadRequest


@dataclass(frozen=True, slots=True)
class TerminationReason:
    """Why containers that have not ended are ended, and whether those that run are spared."""

    ending: ContainerExit
    spares_running: bool = False


APPLICATION_OVER = TerminationReason(
    ContainerExit(ExitStatus.KILLED_AFTER_APP_COMPLETION, "The application has ended.")
)
_ATTEMPT_OVER = ContainerExit(
    ExitStatus.KILLED_BY_RESOURCEMANAGER, "The attempt that asked for it has ended."
)
ATTEMPT_OVER = TerminationReason(_ATTEMPT_OVER)
ATTEMPT_OVER_KEEPING = TerminationReason(_ATTEMPT_OVER, spares_running=True)

BY_APPLICATION_MASTER = {
    ExitStatus.ABORTED: ContainerExit(ExitStatus.ABORTED, "Container released by the application."),
    ExitStatus.KILLED_BY_APPMASTER: ContainerExit(
        ExitStatus.KILLED_BY_APPMASTER, "Stopped by the ApplicationMaster."
    ),
}
"""How containers end that their ApplicationMaster releases or stops."""


def termination_reason(
    application: YarnApplication, record: ApplicationRecord, view: RequestView | UnreadRequest
) -> TerminationReason | None:
    """Why the containers of a request are ended; None: they are not. Pure.

    Source: Hadoop RMAppImpl (containers of an ended application), RMAppAttemptImpl and
    keepContainersAcrossApplicationAttempts (those of an ended attempt).
    """
    if record.ended or record.state is ApplicationState.KILLING:
        return APPLICATION_OVER
    current = record.attempt.id.number if record.attempt else 1
    # Attempt 0 stands for requests that were written by hand: they are of the application.
    former = 0 < view.attempt < current
    if record.state is ApplicationState.FINISHING:
        # The AM that has unregistered may still clean up; its containers may not.
        is_the_am = view.role == names.ROLE_AM and not former
        return None if is_the_am else APPLICATION_OVER
    if not former:
        return None
    keeps = application.spec.keep_containers_across_attempts
    return ATTEMPT_OVER_KEEPING if keeps and view.role == names.ROLE_ASK else ATTEMPT_OVER


class ContainerExits:
    """Exits that pods do not tell, until they are recorded in the status of their requests."""

    def __init__(self, cache: Cache, nodes: NodeTracker) -> None:
        self._cache = cache
        self._nodes = nodes
        self._without_pod: dict[ContainerId, ContainerExit] = {}
        self._stopping: dict[ContainerId, ContainerExit] = {}

    def stop(self, container: ContainerId, ending: ContainerExit) -> None:
        """A container's pod is being deleted: it ends so once the pod has ended."""
        self._stopping[container] = ending

    def note(self, container: ContainerId, ending: ContainerExit) -> None:
        """A container ended that has no pod."""
        self._without_pod[container] = ending

    def note_unless_known(self, container: ContainerId, ending: ContainerExit) -> None:
        """A container ended that has no pod; an exit that was noted before counts."""
        self._without_pod.setdefault(container, ending)

    def stopped_as(self, container: ContainerId) -> ContainerExit | None:
        """How a container ends whose pod we are deleting; None: we are not."""
        return self._stopping.get(container)

    def of(
        self, key: Key, container: ContainerId, view: RequestView | None = None
    ) -> ContainerExit | None:
        """How a container of the application *key* ended beyond its pod's own word, if known.

        With its request's *view* also if its node is lost and it has no pod.
        """
        known = self._stopping.get(container) or self._cache.gone(key, container)
        known = known or self._without_pod.get(container)
        if known is not None or view is None or container in self._cache.pods(key):
            return known
        # What no ApplicationMaster was told of has not ended: it is granted elsewhere.
        told = view.role == names.ROLE_ASK
        return self._nodes.ending(view.grants.get(container, "")) if told else None

    def pods(self, key: Key) -> Pods:
        """An application's pods; those on lost nodes are over, whatever they last said."""
        return decommission.as_seen(self._nodes, self._cache.pods(key))

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
