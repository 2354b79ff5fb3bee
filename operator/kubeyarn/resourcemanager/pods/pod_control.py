"""Writes of containers' pods (Kubernetes: controller.PodControlInterface).

Each call can be made again. A pod's name follows from its container, so that making it twice finds
it there, for as long as it is; that a container gets no second pod after the first is gone is for
`ContainerManager` to see. What is deleted is the pod whose uid was seen: by the time the call
arrives, another pod may have its name.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Collection, Iterable, Mapping

from kubeyarn.cluster import names, pod_template
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    NotFound,
    NotLeading,
    Refused,
)
from kubeyarn.cluster.events import NORMAL, WARNING, EventRecorder
from kubeyarn.cluster.pod_requests import pod_requests
from kubeyarn.cluster.resources import APPLICATIONS, PODS
from kubeyarn.crd import quantities, times
from kubeyarn.crd.container_request import ExecutionType
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.model.errors import SpecError, Unavailable
from kubeyarn.resourcemanager import name_taken
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.name_taken import Whose
from kubeyarn.resourcemanager.pods.pod_state import PodState

_log = logging.getLogger(__name__)

# Kubernetes' condition of a pod that is ended by somebody else.
DISRUPTION_TARGET = "DisruptionTarget"
PREEMPTED = "PreemptedByQueue"
# A pod that is taken back waits no longer to be told why.
_TELL_WITHIN_S = 5.0


class PodTooLarge(SpecError):
    """A pod that the API server made larger than its container's grant."""


class PodGone(Unavailable):
    """A pod of the name that is wanted was there, and went before it could be looked at."""


class PodControl:
    """Creates, changes and deletes pods of containers.

    None has more than *most_stop_s* seconds to stop, whatever its spec says.
    """

    def __init__(
        self,
        client: KubeClient,
        events: EventRecorder,
        cache: Cache,
        most_stop_s: int,
    ) -> None:
        self._most_stop_s = most_stop_s
        self._client = client
        self._events = events
        self._cache = cache

    async def create(self, pod: Object) -> bool:
        """Create *pod*; False when it is there already.

        It is asked for once. If an answer is lost the pod may have come and gone by the next time,
        so whoever asks again has to look first at what has become of its container.

        The pod that came about is compared with the one that was sent, which is as large as its
        grant: a LimitRange, a runtime class or a webhook of the cluster may have made it larger.

        Raises:
            Refused: the API server does not take it, and will not if it is asked again.
            Unavailable: nobody knows whether there is one now.
            PodGone: there was one of its name until a moment ago.
            PodTooLarge: it came out larger than it was granted, and is deleted.
            NameTaken: a pod of others has its name.
        """
        try:
            created = await self._client.create(PODS, pod, pod["metadata"]["namespace"], attempts=1)
        except AlreadyExists:
            await self._see_existing(pod)
            return False
        larger = _larger(created, pod)
        if larger:
            await self._discard(created)
            raise PodTooLarge(larger)
        self._cache.put_pod(created)
        return True

    async def _see_existing(self, pod: Object) -> None:
        """Look at the pod that has the name of *pod* already, or is about to leave it.

        Raises:
            PodGone: it has left it.
            NameTaken: a pod of others has its name.
        """
        meta = pod["metadata"]
        try:
            existing = await self._client.get(PODS, meta["name"], meta["namespace"])
        except NotFound:
            raise PodGone(f"pod {meta['name']}: there was one until a moment ago") from None
        if name_taken.whose_pod(existing, pod) is Whose.ANOTHERS:
            raise name_taken.refusal(existing)
        # What is of a former application of the name is being deleted; its end is an event.
        self._cache.put_pod(existing)

    async def _discard(self, pod: Object) -> None:
        meta = pod["metadata"]
        options: Object = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": meta["uid"]},
        }
        try:
            await self._client.delete(PODS, meta["name"], meta["namespace"], options)
        except (NotFound, Conflict):
            return

    def tell_refused(self, application: YarnApplication, reason: str, message: str) -> None:
        """Post an event that a container of *application* cannot be launched."""
        meta = application.metadata
        about: Object = {
            "apiVersion": APPLICATIONS.api_version,
            "kind": APPLICATIONS.kind,
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
        }
        self._events.record(about, WARNING, reason, "Launch", message)

    def tell_orphaned(self, pod: PodState) -> None:
        """Post an event that a pod is deleted because its application is gone."""
        meta = {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid}
        about: Object = {"apiVersion": PODS.api_version, "kind": PODS.kind, "metadata": meta}
        note = f"{pod.container}: YarnApplication {pod.application} does not exist any more"
        _log.warning("pod %s/%s is deleted: %s", pod.namespace, pod.name, note)
        self._events.record(about, WARNING, "ApplicationGone", "Delete", note)

    async def delete(self, pod: PodState, *, grace_s: int | None = None) -> bool:
        """Delete a pod, within *grace_s* seconds if it is given; whether it was there."""
        options: Object = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": pod.uid},
        }
        # A pod that somebody changed, or that an older version made, may say more than is allowed
        # now.
        if grace_s is None and pod.grace_s > self._most_stop_s:
            grace_s = self._most_stop_s
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        try:
            await self._client.delete(PODS, pod.name, pod.namespace, options)
        except (NotFound, Conflict):
            # Gone, or another pod has its name now.
            return False
        return True

    async def delete_all(self, pods: Collection[PodState], *, grace_s: int | None = None) -> None:
        """Delete pods, all at once: one that cannot be deleted does not keep the others.

        The client bounds the calls in flight.

        Raises:
            ApiError: some could not be deleted; so may Unavailable.
        """
        await _all(self.delete(pod, grace_s=grace_s) for pod in pods)

    async def evict_all(self, pods: Collection[tuple[PodState, str]]) -> None:
        """Take back pods for the policy, each with why, all at once.

        Raises:
            ApiError: some could not be deleted; so may Unavailable.
        """
        await _all(self._evict(pod, why) for pod, why in pods)

    async def _evict(self, pod: PodState, why: str) -> None:
        # Before it is deleted: a pod keeps its conditions until it is gone.
        await self.mark_disrupted(pod, why)
        await self.delete(pod)

    async def mark_disrupted(self, pod: PodState, why: str) -> None:
        """Write to a pod why the policy takes it back, as kube-scheduler does, and post an event.

        A pod that cannot be told is taken back nevertheless.
        """
        meta = {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid}
        about: Object = {"apiVersion": PODS.api_version, "kind": PODS.kind, "metadata": meta}
        self._events.record(about, NORMAL, PREEMPTED, "Preempt", f"{pod.container}: {why}")
        condition = {
            "type": DISRUPTION_TARGET,
            "status": "True",
            "reason": PREEMPTED,
            "message": why,
            "lastTransitionTime": times.timestamp(int(time.time() * 1000)),
        }
        body: Object = {"metadata": {"uid": pod.uid}, "status": {"conditions": [condition]}}
        try:
            async with asyncio.timeout(_TELL_WITHIN_S):
                await self._client.patch_entries(PODS, pod.name, body, pod.namespace, sub="status")
        except NotLeading:
            raise
        except (ApiError, Unavailable, TimeoutError) as error:
            _log.warning("pod %s/%s was not told why: %s", pod.namespace, pod.name, error)

    async def resize(self, pod: PodState, size: Mapping[str, int]) -> None:
        """Give a running pod another size, through its `resize` subresource.

        Raises:
            Refused: the API server does not take it, or sidecars leave the main container nothing.
        """
        # What runs beside the main container keeps what it has.
        beside = pod.beside or {}
        share = {name: amount - beside.get(name, 0) for name, amount in size.items()}
        for name, left in share.items():
            if left < 0 or (left == 0 and beside.get(name)):
                taken, whole = (quantities.show(name, v[name]) for v in (beside, size))
                raise Refused(
                    422,
                    "Invalid",
                    f"found {name} {whole} for the whole pod, of which its sidecars take {taken}; "
                    "allowed: more than that",
                )
        resources = pod_template.resources({}, share)
        body = {"spec": {"containers": [{"name": pod.main, "resources": resources}]}}
        try:
            await self._client.patch_entries(PODS, pod.name, body, pod.namespace, sub="resize")
        except NotFound:
            return

    async def label(self, pod: PodState, *, opportunistic: bool) -> None:
        """Write on a pod whether it is opportunistic; nothing else of the pod depends on that.

        Raises:
            Refused: the API server does not take it.
        """
        execution_type = ExecutionType.of(opportunistic)
        body = {"metadata": {"labels": {names.EXECUTION_TYPE: execution_type}}}
        try:
            await self._client.patch(PODS, pod.name, body, pod.namespace)
        except NotFound:
            return


async def _all(calls: Iterable[Awaitable[object]]) -> None:
    """Wait for all calls, then raise what went wrong first; that we do not lead says it best."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    for error in sorted(errors, key=lambda error: not isinstance(error, NotLeading)):
        raise error


def _larger(created: Object, sent: Object) -> str:
    """How a pod came out larger than it was sent; "" if it did not."""
    granted = pod_requests(sent)
    for name, amount in pod_requests(created, skip_unreadable=True).items():
        if amount > granted.get(name, 0):
            return (
                f"with what the cluster adds to it (LimitRange, runtime class, webhook): "
                f"{pod_template.surplus(name, amount, granted)}; say in the template what is added"
            )
    if "resources" in sent["spec"] and "resources" not in created["spec"]:
        return (
            "template.spec: found a sidecar without a memory limit, which this cluster cannot hold "
            "to the grant (its feature PodLevelResources is off); allowed: sidecars whose "
            "resources.limits.memory is their request"
        )
    return ""
