"""Writes of an application's objects, whose answers are known at once."""

from __future__ import annotations

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import NotFound
from kubeyarn.cluster.resources import APPLICATIONS, REQUESTS
from kubeyarn.crd.object import Key, Object
from kubeyarn.resourcemanager.cache import Cache


async def application(client: KubeClient, cache: Cache, key: Key, status: Object) -> None:
    """Write a part of a YarnApplication's status, if it is there."""
    body = {"status": status}
    try:
        cache.put_application(await client.patch(APPLICATIONS, key[1], body, key[0], "status"))
    except NotFound:
        return


async def request(client: KubeClient, cache: Cache, key: Key, name: str, status: Object) -> bool:
    """Write a part of a ContainerRequest's status; whether it is there."""
    try:
        written = await client.patch(REQUESTS, name, {"status": status}, key[0], sub="status")
    except NotFound:
        return False
    cache.put_request(written)
    return True
