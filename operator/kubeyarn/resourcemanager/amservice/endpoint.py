"""Where the AM service is: the one endpoint of its Service, written by whoever leads.

The Service selects no pods. So a ResourceManager that stands by is ready and gets no calls, and one
that has taken over gets all of them, whatever is known of the pod or node that led before.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, NotFound
from kubeyarn.cluster.resources import ENDPOINT_SLICES, SERVICES
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable
from kubeyarn.resourcemanager.settings import Settings

_log = logging.getLogger(__name__)


NAME = "kubeyarn-resourcemanager"
_LOOK_S = 10.0
_RETRY_S = 0.5


async def keep(client: KubeClient, settings: Settings) -> None:
    """Keep the Service pointing at this process until cancelled; outside a cluster do nothing."""
    # It never returns: a task of the process that ends would end the process.
    if ipaddress.ip_address(settings.pod_ip).is_loopback:
        await asyncio.Event().wait()
    while True:
        try:
            await _publish(client, settings)
            pause = _LOOK_S
        except (ApiError, Unavailable) as error:
            _log.warning("endpoint slice %s: %s", NAME, error)
            pause = _RETRY_S
        await asyncio.sleep(pause)


async def _publish(client: KubeClient, settings: Settings) -> None:
    wanted = slice_of(settings)
    try:
        published = await client.get(ENDPOINT_SLICES, NAME, settings.namespace)
    except NotFound:
        wanted["metadata"]["ownerReferences"] = await _owner(client, settings.namespace)
        await client.create(ENDPOINT_SLICES, wanted, settings.namespace)
        return
    if published["addressType"] != wanted["addressType"]:
        # It cannot be changed; the next look makes it anew.
        await client.delete(ENDPOINT_SLICES, NAME, settings.namespace)
        raise Unavailable("the address is of another family")
    if any(published.get(part) != wanted[part] for part in ("endpoints", "ports")):
        # Replaced with the version that was seen: a process that led before may still be writing.
        fresh = {**published, "endpoints": wanted["endpoints"], "ports": wanted["ports"]}
        await client.replace(ENDPOINT_SLICES, NAME, fresh, settings.namespace)


async def _owner(client: KubeClient, namespace: str) -> list[Object]:
    """The Service, so that the slice goes with it."""
    service = await client.get(SERVICES, NAME, namespace)
    uid = service["metadata"]["uid"]
    return [{"apiVersion": "v1", "kind": "Service", "name": NAME, "uid": uid}]


def slice_of(settings: Settings) -> Object:
    """The EndpointSlice that leads to this process (Kubernetes: discovery.k8s.io/v1). Pure."""
    version = ipaddress.ip_address(settings.pod_ip).version
    return {
        "apiVersion": ENDPOINT_SLICES.api_version,
        "kind": ENDPOINT_SLICES.kind,
        "metadata": {
            "name": NAME,
            "namespace": settings.namespace,
            "labels": {
                "kubernetes.io/service-name": NAME,
                "endpointslice.kubernetes.io/managed-by": "kubeyarn",
                "app.kubernetes.io/part-of": "kubeyarn",
            },
        },
        "addressType": f"IPv{version}",
        "endpoints": [{"addresses": [settings.pod_ip], "conditions": {"ready": True}}],
        "ports": [{"name": "am", "port": settings.am_port, "protocol": "TCP"}],
    }
