"""The extender's HTTP door: the verbs filter, bind and preempt, as kube-scheduler calls them.

Source: Kubernetes scheduler extender, k8s.io/kube-scheduler/extender/v1, whose JSON has Go's
capital names. `bind_check.BindCheck` decides; this door reads, answers, and posts the binding.

A binding is counted before it is posted, so that two pods of one grant, or two containers for the
last of a queue, cannot both pass. Three things can come of the post: it came about or was there
already (the count stays), it was refused (the count goes back), or nobody knows, because the
connection broke. Then it counts until the pod itself says where it is, asked once a second, unless
kube-scheduler asks for the same binding again before.

What a pod makes the door raise costs that pod alone: it is answered as an error, which says nothing
against a node, so that kube-scheduler tries again; and the pod's request is told.
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
from kubeyarn.crd.object import Key, Object
from kubeyarn.model.errors import KubeYarnError, SpecError, Unavailable
from kubeyarn.model.ids import ContainerId
from kubeyarn.scheduler import facts
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.extender.bind_check import BindCheck, BindRefused
from kubeyarn.scheduler.facts import PodUse
from kubeyarn.scheduler.reconcile_errors import Watched, internal_error

_log = logging.getLogger(__name__)


LARGEST_BODY = 64 * 1024 * 1024
_DOUBT_S = 1.0


class ExtenderArgs(msgspec.Struct, rename="pascal"):
    """What `filter` is asked; the nodes' names and the pod are enough."""

    pod: Object
    node_names: list[str] | None = None


class ExtenderPreemptionArgs(msgspec.Struct, rename="pascal"):
    """What `preempt` is asked; the pod is enough."""

    pod: Object


class ExtenderBindingArgs(msgspec.Struct):
    """What `bind` is asked."""

    pod_name: str = msgspec.field(name="PodName")
    pod_namespace: str = msgspec.field(name="PodNamespace")
    pod_uid: str = msgspec.field(name="PodUID")
    node: str = msgspec.field(name="Node")


class Malformed(KubeYarnError):
    """A pod that lacks what every pod of an API server has."""


class Extender:
    """The extender's verbs. *ready* is false until the cache is complete and the lease held."""

    def __init__(
        self,
        client: KubeClient,
        cache: SchedulerCache,
        containers: ContainerAccounts,
        check: BindCheck,
        ready: Callable[[], bool],
    ) -> None:
        self._client = client
        self._pods = cache.pods
        self._requests = cache.requests
        self._errors = cache.errors
        self._containers = containers
        self._check = check
        self._ready = ready
        self._doubts: dict[ContainerId, asyncio.Task[None]] = {}
        # The requests on whose pods a verb failed last.
        self._failed: set[Key] = set()

    def application(self) -> web.Application:
        """The web application of the verbs."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_post("/scheduler/filter", self._verb("Filter", ExtenderArgs, self._filter))
        app.router.add_post("/scheduler/bind", self._verb("Bind", ExtenderBindingArgs, self._bind))
        app.router.add_post(
            "/scheduler/preempt", self._verb("Preempt", ExtenderPreemptionArgs, self._preempt)
        )
        return app

    def _verb(
        self, name: str, kind: type[Any], verb: Callable[[Any], Awaitable[Object]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                asked = msgspec.json.decode(await request.read(), type=kind)
            except (msgspec.DecodeError, RecursionError) as error:
                return _json({"Error": f"the body is no {name} arguments: {error}"}, 400)
            # kube-scheduler fails closed on it, because the extender is not ignorable: the pod is
            # tried again.
            if not self._ready():
                return _json({"Error": "the scheduler is starting or does not lead"}, 503)
            try:
                answer = await verb(asked)
            except Malformed as error:
                return _json({"Error": f"the body is no {name} arguments: {error}"}, 400)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this pod's alone
                _log.exception("%s: a bug; kube-scheduler tries again", name)
                self._tell(asked, name, error)
                return _json({"Error": f"{facts.TRY_AGAIN}a bug: {type(error).__name__}"}, 500)
            self._tell(asked, name, None)
            return _json(answer)

        return handle

    def _tell(self, asked: object, verb: str, error: Exception | None) -> None:
        """Say on a pod's request that a verb failed on the pod, or that it does not any more."""
        work = f"the extender's {verb}"
        # Nearly always: a call that went well looks for nothing.
        if error is None and not self._failed:
            return
        container = self._named_container(asked)
        state = self._requests.of_container(container) if container is not None else None
        if state is None:
            return
        if error is not None:
            self._failed.add(state.key)
            told = internal_error(
                error, f"failed in {work} on a pod; kube-scheduler tries again", 1
            )
            self._errors.tell(Watched.REQUEST, state.key, told, work)
        elif state.key in self._failed:
            self._failed.discard(state.key)
            self._errors.forget(Watched.REQUEST, state.key, work)

    def _named_container(self, asked: object) -> ContainerId | None:
        """The container of the pod that a call is about."""
        if isinstance(asked, ExtenderBindingArgs):
            use = self._pods.get((asked.pod_namespace, asked.pod_name))
            return use.container if use is not None else None
        try:
            return _use(asked.pod).container if isinstance(asked, ExtenderArgs) else None
        except Malformed:
            return None

    async def _filter(self, asked: ExtenderArgs) -> Object:
        use = _use(asked.pod)
        offered = asked.node_names or []
        if use.container is None:
            why = (
                f"pod {use.namespace}/{use.name} is no container of KubeYARN: it has no "
                f"annotation {names.CONTAINER_ID}"
            )
            return _none(offered, why)
        try:
            node = self._check.granted_node(use.container, use.uid)
            self._check.check_pod(use)
        except BindRefused as error:
            return _none(offered, str(error))
        # kube-scheduler has refused the granted node before it asks; its own reason goes to the
        # pod.
        if node not in offered:
            return _none(offered, f"{use.container} is granted on node {node}")
        return {
            "Nodes": None,
            "NodeNames": [node],
            "FailedNodes": {},
            # Nothing more: kube-scheduler takes a node that is in none of the lists for one that
            # will not do.
            "FailedAndUnresolvableNodes": {},
            "Error": "",
        }

    async def _bind(self, asked: ExtenderBindingArgs) -> Object:
        try:
            pod, container = await self._container(asked)
            self._check.check_pod(pod)
            self._check.check(container, asked.pod_uid, asked.node)
        except (BindRefused, ApiError, Unavailable) as error:
            return _bind_refused(asked, error)
        doubt = self._doubts.pop(container, None)
        if doubt is not None:
            # The answer to this call will tell.
            doubt.cancel()
        # Taken before the call: two pods of one grant cannot both pass.
        self._containers.bind(container, asked.pod_uid)
        try:
            await self._post(asked)
        except ApiError as error:
            # The API server has said no, so the pod is where it was.
            self._containers.unbind(container, asked.pod_uid)
            return _bind_refused(asked, error)
        except Exception as error:
            # It may have come about: it counts until the pod says where it is.
            self._doubts[container] = asyncio.create_task(self._resolve(asked, container))
            if not isinstance(error, Unavailable):
                raise
            return _bind_refused(asked, error)
        return {"Error": ""}

    async def _resolve(self, asked: ExtenderBindingArgs, container: ContainerId) -> None:
        """Ask until the pod says whether a binding of unknown fate came about."""
        try:
            known = False
            while not known:
                await asyncio.sleep(_DOUBT_S)
                known = await self._known(asked, container)
        finally:
            self._doubts.pop(container, None)

    async def _known(self, asked: ExtenderBindingArgs, container: ContainerId) -> bool:
        try:
            pod = await self._client.get(PODS, asked.pod_name, asked.pod_namespace)
            mine = pod["metadata"]["uid"] == asked.pod_uid
            if mine and not pod["spec"].get("nodeName"):
                self._containers.unbind(container, asked.pod_uid)
        except NotFound:
            return True
        except (ApiError, Unavailable):
            return False
        except Exception:  # noqa: BLE001 - it counts until it is known
            _log.exception("%s: where its pod is cannot be told; asked again", container)
            return False
        return True

    async def _container(self, asked: ExtenderBindingArgs) -> tuple[PodUse, ContainerId]:
        """A pod and the container that it is; read from the API server when the watch is behind."""
        use = self._pods.get((asked.pod_namespace, asked.pod_name))
        if use is None or use.uid != asked.pod_uid:
            # kube-scheduler's watch may be ahead of ours.
            pod = await self._client.get(PODS, asked.pod_name, asked.pod_namespace)
            use = _use(pod)
        if use.container is None or use.uid != asked.pod_uid:
            raise BindRefused(
                f"pod {asked.pod_namespace}/{asked.pod_name} is no container of KubeYARN"
            )
        return use, use.container

    async def _post(self, asked: ExtenderBindingArgs) -> None:
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

    async def _preempt(self, _: ExtenderPreemptionArgs) -> Object:
        """kube-scheduler takes nothing away for a pod of ours: queues' policy decides on that."""
        return {"NodeNameToMetaVictims": {}}


def _use(pod: Object) -> PodUse:
    try:
        return facts.pod_use(pod)
    except (KeyError, TypeError, AttributeError, SpecError) as error:
        raise Malformed(f"Pod: {error!r}, needed: metadata, spec and status of a pod") from error


def _bind_refused(asked: ExtenderBindingArgs, error: Exception) -> Object:
    _log.warning("bind %s/%s: %s", asked.pod_namespace, asked.pod_name, error)
    # kube-scheduler writes the message into the pod's condition, where it is told from a refusal of
    # the node (`facts`): a binding that passes must not cost the pod its grant.
    passes = isinstance(error, Conflict | Unavailable)
    return {"Error": f"{facts.TRY_AGAIN if passes else ''}{error}"}


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
