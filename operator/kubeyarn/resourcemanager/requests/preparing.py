"""What an attempt needs before its ApplicationMaster speaks: its request, or a token."""

from __future__ import annotations

from collections.abc import Iterable

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import AlreadyExists
from kubeyarn.cluster.resources import REQUESTS, SECRETS
from kubeyarn.crd.object import Key, Object
from kubeyarn.lifecycle import failed_nodes
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager import limits, patching
from kubeyarn.resourcemanager.amservice import am_token
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.pods import owning
from kubeyarn.resourcemanager.requests import request_builder
from kubeyarn.resourcemanager.requests.request_view import RequestView


async def ask_for_master(
    client: KubeClient,
    cache: Cache,
    key: Key,
    application: Object,
    record: ApplicationRecord,
    views: Iterable[RequestView],
    threshold: float | None,
) -> bool:
    """Ask for the current attempt's AM; whether that was new.

    *threshold* is the share of nodes above which failed ones are not excluded any more; None: they
    never are.
    """
    number = record.attempt.id.number if record.attempt else 1
    name = names.am_request_name(key[1], number)
    if any(view.name == name for view in views):
        return False
    excluded = failed_nodes.excluded(record.attempts, limits.nodes(cache), threshold)
    body = request_builder.am_request(application, record, number, excluded)
    try:
        cache.put_request(await client.create(REQUESTS, body, key[0]))
    except AlreadyExists:
        return False
    return True


async def hand_token(
    client: KubeClient,
    cache: Cache,
    key: Key,
    application: Object,
    record: ApplicationRecord,
    am_service: str,
) -> bool:
    """Hand an unmanaged AM its token, once; whether that was now.

    A Secret whose token was not noted before a crash is worth nothing and goes with the
    application.
    """
    if ((application.get("status") or {}).get("unmanagedAM") or {}).get("tokenDigest"):
        return False
    token = am_token.made(*key)
    body = am_token.secret(owning.owner(application, record), token, am_service)
    made = await client.create(SECRETS, body, key[0])
    said = {"secret": made["metadata"]["name"], "tokenDigest": token.digest}
    await patching.application(client, cache, key, {"unmanagedAM": said})
    return True
