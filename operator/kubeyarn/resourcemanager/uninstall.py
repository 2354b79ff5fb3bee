"""Before an uninstall: all queues lose their finalizer, so that they can be deleted afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import Conflict, NotFound
from kubeyarn.cluster.resources import QUEUES, Kind
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable

_log = logging.getLogger(__name__)


DEPLOYMENTS = Kind("apps", "v1", "deployments", "Deployment", namespaced=True)
DEPLOYMENT = "kubeyarn-resourcemanager"

_LOOK_EVERY_S = 0.5


async def retire(client: KubeClient, namespace: str, patience_s: float) -> int:
    """End the ResourceManager and take its finalizer off every queue; returns of how many.

    The ResourceManager goes first, because it would hold the queues again at once.

    Raises:
        Unavailable: its pods have not ended within *patience_s* seconds.
    """
    await _end_resourcemanager(client, namespace, patience_s)
    try:
        queues = await client.list_all(QUEUES)
    except NotFound:
        return 0
    held = [q for q in queues if names.QUEUE_FINALIZER in (q["metadata"].get("finalizers") or ())]
    for queue in held:
        with contextlib.suppress(NotFound):
            await _let_go(client, queue)
    _log.info("let go of %d queues", len(held))
    return len(held)


async def _end_resourcemanager(client: KubeClient, namespace: str, patience_s: float) -> None:
    # In the foreground, so that the deployment is there until its last pod is gone.
    how: Object = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Foreground",
    }
    try:
        await client.delete(DEPLOYMENTS, DEPLOYMENT, namespace, how)
        async with asyncio.timeout(patience_s):
            while True:
                await client.get(DEPLOYMENTS, DEPLOYMENT, namespace)
                await asyncio.sleep(_LOOK_EVERY_S)
    except NotFound:
        return
    except TimeoutError:
        raise Unavailable(
            f"deployment {namespace}/{DEPLOYMENT} has not ended within {patience_s:g} s; "
            "see why its pods stay, then uninstall again"
        ) from None


async def _let_go(client: KubeClient, queue: Object) -> None:
    """Take our finalizer off; again when somebody wrote the queue meanwhile."""
    name, meta = queue["metadata"]["name"], queue["metadata"]
    left = [f for f in meta.get("finalizers") or () if f != names.QUEUE_FINALIZER]
    body = {"metadata": {"finalizers": left, "resourceVersion": meta["resourceVersion"]}}
    try:
        await client.patch(QUEUES, name, body)
    except Conflict:
        await _let_go(client, await client.get(QUEUES, name))
