"""kube-scheduler's extender: nothing binds without a grant, and nothing over a queue's maximum.

`Fence` decides, on values; `service` is its HTTP door (Kubernetes: scheduler extender,
k8s.io/kube-scheduler/extender/v1, whose JSON has Go's capital names).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, Conflict, NotFound
from kubeyarn.cluster.resources import PODS
from kubeyarn.crd import quantities
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import KubeYarnError, Unavailable
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector
from kubeyarn.scheduler import usage
from kubeyarn.scheduler.binding import upwards
from kubeyarn.scheduler.ledger import Ledger
from kubeyarn.scheduler.usage import PodUse
from kubeyarn.schedulers.api import NO_MAXIMUM

_log = logging.getLogger(__name__)


LARGEST_BODY = 64 * 1024 * 1024
_DOUBT_S = 1.0


class Filter(msgspec.Struct, rename="pascal"):
    """ExtenderArgs, of which the nodes' names are enough."""

    pod: Object
    node_names: list[str] | None = None


class Preempt(msgspec.Struct, rename="pascal"):
    """ExtenderPreemptionArgs, of which the pod is enough."""

    pod: Object


class Bind(msgspec.Struct):
    """ExtenderBindingArgs."""

    pod_name: str = msgspec.field(name="PodName")
    pod_namespace: str = msgspec.field(name="PodNamespace")
    pod_uid: str = msgspec.field(name="PodUID")
    node: str = msgspec.field(name="Node")


class Refusal(KubeYarnError):
    """A pod that may not be bound, and why."""


class Malformed(KubeYarnError):
    """A pod that lacks what every pod of an API server has."""


class Fence:
    """Whether a pod of ours may run on a node now."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def granted_node(self, container: ContainerId, uid: str) -> str:
        """The node that *container*'s grant allows its pod.

        Raises:
            Refusal: there is no such grant, or another pod has used it.
        """
        held = self._ledger.held(container)
        if held is None or held.freed:
            raise Refusal(f"{container}: no grant in the ledger; nothing runs without one")
        if held.bound_uid not in ("", uid):
            raise Refusal(f"{container}: its grant is used by another pod")
        return held.node

    def check(self, container: ContainerId, uid: str, node: str) -> None:
        """The last check before a binding.

        Raises:
            Refusal: no grant, another node, its application or attempt has ended, its user is over
                its limit, or a queue would hold more than its maximum.
        """
        allowed = self.granted_node(container, uid)
        if node != allowed:
            raise Refusal(f"{container}: granted on node {allowed}, not on {node}")
        held = self._ledger.held(container)
        if held is not None and held.bound_uid != uid:
            # One that is asked for again is counted already.
            self._check_application(container)
            if held.opportunistic:
                # It counts against no queue and no user.
                return
            self._check_queues(container, self._ledger.partition_of(node))
            self._check_user(container, self._ledger.partition_of(node))

    def _check_application(self, container: ContainerId) -> None:
        state = self._ledger.request_of(container)
        if state is not None and (state.over or state.superseded):
            ended = "application" if state.over else "attempt"
            raise Refusal(f"{container}: its {ended} has ended; what it was granted starts no more")

    def _check_user(self, container: ContainerId, partition: str) -> None:
        state = self._ledger.request_of(container)
        if state is None or self._ledger.in_force.config is None:
            return
        user = self._ledger.user_of(state.application)
        holds = self._ledger.bound_by_user(state.queue, user, partition)
        identity = container.attempt.application
        if self._ledger.engine.user_over_cap(identity, holds, partition):
            raise Refusal(
                f"{container}: user {user} holds {self._shown(holds)} in queue {state.queue}, "
                "which is over its limit there"
            )

    def _check_queues(self, container: ContainerId, partition: str) -> None:
        state, held = self._ledger.request_of(container), self._ledger.held(container)
        size = (held and held.size) or (state and state.size)
        if state is None or not size:
            return
        of_partition = f" of partition {partition}" if partition else ""
        for path in upwards(state.queue):
            limit = self._ledger.limit(path, partition)
            holds = self._ledger.bound(path, partition)
            after = tuple(a + b for a, b in zip(holds, size, strict=True))
            if limit is not None and not _within(after, limit, size):
                raise Refusal(
                    f"{container}: queue {path} would hold {self._shown(after)} of at most "
                    f"{self._shown(limit)}{of_partition}"
                )

    def _shown(self, vector: Vector) -> str:
        amounts = self._ledger.types.mapping(vector)
        return ", ".join(
            f"{k} {quantities.show(k, v)}" for k, v in amounts.items() if 0 < v < NO_MAXIMUM
        )


def _within(after: Vector, limit: Vector, size: Vector) -> bool:
    """Whether no type that is asked for passes its limit."""
    return all(a <= m for a, m, s in zip(after, limit, size, strict=True) if s)


class Extender:
    """The extender's verbs. *ready* is false until the ledger is complete and the lease held."""

    def __init__(
        self, client: KubeClient, ledger: Ledger, fence: Fence, ready: Callable[[], bool]
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._fence = fence
        self._ready = ready
        self._doubts: dict[ContainerId, asyncio.Task[None]] = {}

    def application(self) -> web.Application:
        """The web application of the verbs."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_post("/scheduler/filter", self._verb(Filter, self._filter))
        app.router.add_post("/scheduler/bind", self._verb(Bind, self._bind))
        app.router.add_post("/scheduler/preempt", self._verb(Preempt, self._preempt))
        return app

    def _verb(
        self, kind: type[Any], verb: Callable[[Any], Awaitable[Object]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                asked = msgspec.json.decode(await request.read(), type=kind)
            except (msgspec.DecodeError, RecursionError) as error:
                return _json({"Error": f"the body is no {kind.__name__} arguments: {error}"}, 400)
            if not self._ready():
                return _json({"Error": "the scheduler is starting or does not lead"}, 503)
            try:
                return _json(await verb(asked))
            except Malformed as error:
                return _json({"Error": f"the body is no {kind.__name__} arguments: {error}"}, 400)

        return handle

    async def _filter(self, asked: Filter) -> Object:
        use = _use(asked.pod)
        offered = asked.node_names or []
        if use.container is None:
            why = (
                f"pod {use.namespace}/{use.name} is no container of KubeYARN: it has no "
                f"annotation {names.CONTAINER_ID}"
            )
            return _none(offered, why)
        try:
            node = self._fence.granted_node(use.container, use.uid)
        except Refusal as error:
            return _none(offered, str(error))
        if node not in offered:
            return _none(offered, f"{use.container} is granted on node {node}")
        return {
            "Nodes": None,
            "NodeNames": [node],
            "FailedNodes": {},
            "FailedAndUnresolvableNodes": {},
            "Error": "",
        }

    async def _bind(self, asked: Bind) -> Object:
        try:
            container = await self._container(asked)
            self._fence.check(container, asked.pod_uid, asked.node)
        except (Refusal, ApiError, Unavailable) as error:
            return _bind_refused(asked, error)
        doubt = self._doubts.pop(container, None)
        if doubt is not None:
            # The answer to this call will tell.
            doubt.cancel()
        # Taken before the call: two pods of one grant cannot both pass.
        self._ledger.bind(container, asked.pod_uid)
        try:
            await self._post(asked)
        except ApiError as error:
            self._ledger.unbind(container, asked.pod_uid)
            return _bind_refused(asked, error)
        except Unavailable as error:
            # It may have come about: it counts until the pod says where it is.
            self._doubts[container] = asyncio.create_task(self._resolve(asked, container))
            return _bind_refused(asked, error)
        return {"Error": ""}

    async def _resolve(self, asked: Bind, container: ContainerId) -> None:
        """Ask until the pod says whether a binding of unknown fate came about."""
        try:
            known = False
            while not known:
                await asyncio.sleep(_DOUBT_S)
                known = await self._known(asked, container)
        finally:
            self._doubts.pop(container, None)

    async def _known(self, asked: Bind, container: ContainerId) -> bool:
        try:
            pod = await self._client.get(PODS, asked.pod_name, asked.pod_namespace)
        except NotFound:
            return True
        except (ApiError, Unavailable):
            return False
        mine = pod["metadata"]["uid"] == asked.pod_uid
        if mine and not pod["spec"].get("nodeName"):
            self._ledger.unbind(container, asked.pod_uid)
        return True

    async def _container(self, asked: Bind) -> ContainerId:
        """The container that a pod is; read from the API server when the watch is behind."""
        use = self._ledger.pods.get((asked.pod_namespace, asked.pod_name))
        if use is None or use.uid != asked.pod_uid:
            pod = await self._client.get(PODS, asked.pod_name, asked.pod_namespace)
            use = usage.pod_use(pod)
        if use.container is None or use.uid != asked.pod_uid:
            raise Refusal(f"pod {asked.pod_namespace}/{asked.pod_name} is no container of KubeYARN")
        return use.container

    async def _post(self, asked: Bind) -> None:
        """Post the binding; one that is there already, onto the same node, is done."""
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {
                "name": asked.pod_name,
                "namespace": asked.pod_namespace,
                "uid": asked.pod_uid,
            },
            "target": {"apiVersion": "v1", "kind": "Node", "name": asked.node},
        }
        try:
            await self._client.create_sub(
                PODS, asked.pod_name, "binding", body, asked.pod_namespace
            )
        except Conflict:
            pod = await self._client.get(PODS, asked.pod_name, asked.pod_namespace)
            same = pod["metadata"]["uid"] == asked.pod_uid
            if not same or pod["spec"].get("nodeName") != asked.node:
                raise

    async def _preempt(self, _: Preempt) -> Object:
        """kube-scheduler takes nothing away for a pod of ours: the ledger decides on that."""
        return {"NodeNameToMetaVictims": {}}


def _use(pod: Object) -> PodUse:
    try:
        return usage.pod_use(pod)
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"Pod: {error!r}, needed: metadata, spec and status of a pod") from error


def _bind_refused(asked: Bind, error: Exception) -> Object:
    _log.warning("bind %s/%s: %s", asked.pod_namespace, asked.pod_name, error)
    passes = isinstance(error, Conflict | Unavailable)
    return {"Error": f"{usage.TRY_AGAIN if passes else ''}{error}"}


def _none(offered: list[str], why: str) -> Object:
    """No node will do. One entry tells why: an entry a node would cost milliseconds."""
    return {
        "Nodes": None,
        "NodeNames": [],
        "FailedNodes": {},
        "FailedAndUnresolvableNodes": {offered[0]: why} if offered else {},
        "Error": "",
    }


def _json(body: Object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )
