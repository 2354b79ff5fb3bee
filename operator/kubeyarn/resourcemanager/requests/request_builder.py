"""Asks as ContainerRequests: an AM's own container, and what it asks for at the AM service."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import AlreadyExists, NotFound, Refused
from kubeyarn.cluster.resources import REQUESTS
from kubeyarn.crd import quantities
from kubeyarn.crd.object import Key, Object
from kubeyarn.lifecycle.am_session import (
    AMSession,
    GrantedContainer,
    RejectedAsk,
    RequestTotal,
    UpdateContainerRequest,
)
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import ResourceList
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.pods.pod_builder import Owner, owner_reference
from kubeyarn.resourcemanager.requests.request_view import RequestView

SIZE_NAMES = ("memory", "cpu")


def am_request(
    application: Object,
    record: ApplicationRecord,
    attempt: int,
    excluded: Collection[str] = (),
) -> Object:
    """The ContainerRequest for an attempt's ApplicationMaster (Hadoop: priority 0, one)."""
    spec = application["spec"]
    master = spec.get("applicationMaster") or {}
    body = _request(
        application,
        record,
        names.am_request_name(application["metadata"]["name"], attempt),
        names.ROLE_AM,
        attempt,
    )
    body["spec"] |= {
        "role": "ApplicationMaster",
        "priority": 0,
        # What runs elsewhere needs no container; the request still asks the queue to take it.
        "count": 0 if spec.get("unmanagedAM") else 1,
        "resources": master.get("resources") or {"cpu": "1", "memory": "1536Mi"},
    }
    partition = master.get("partition") or spec.get("partition")
    if partition:
        body["spec"]["partition"] = partition
    if excluded:
        body["spec"]["excludeNodes"] = sorted(excluded)
    return body


def ask_request(
    application: Object, record_owner: Owner, session: AMSession, wanted: RequestTotal
) -> Object:
    """The ContainerRequest that says an AM's ask."""
    meta, ask = application["metadata"], wanted.ask
    number = session.attempt.number
    name = names.ask_request_name(meta["name"], number, ask.key)
    labels = {**_labels(meta["name"], names.ROLE_ASK, number), names.SHAPE: ask.key.shape}
    return {
        "apiVersion": REQUESTS.api_version,
        "kind": REQUESTS.kind,
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": labels,
            "ownerReferences": [owner_reference(record_owner)],
        },
        "spec": {"application": meta["name"], **_said(wanted, session)},
    }


def _said(wanted: RequestTotal, session: AMSession) -> Object:
    ask = wanted.ask
    said: Object = {
        "priority": ask.key.priority,
        "allocationRequestId": ask.key.allocation_request_id,
        "count": wanted.count,
        "resources": container_size(ask.size),
    }
    if ask.opportunistic:
        said["executionType"] = "Opportunistic"
    if ask.constraint is not None:
        said["placementConstraint"] = ask.constraint.text
    if ask.tags:
        said["allocationTags"] = list(ask.tags)
    if ask.partition:
        said["partition"] = ask.partition
    locality = ask.locality
    if locality.nodes or locality.racks or not locality.relax:
        said["locality"] = {
            "nodes": [name for name, _ in locality.nodes],
            "racks": [name for name, _ in locality.racks],
            "relax": locality.relax,
        }
    if session.excluded:
        said["excludeNodes"] = sorted(session.excluded)
    return said


async def write(
    client: KubeClient,
    cache: Cache,
    key: Key,
    application: Object,
    session: AMSession,
) -> None:
    """Bring the ContainerRequests of an AM's asks up to what it said last."""
    meta = application["metadata"]
    owner = Owner(meta["name"], meta["namespace"], meta["uid"], "", "")
    for wanted in list(session.wanted.values()):
        body = ask_request(application, owner, session, wanted)
        current = cache.request((key[0], body["metadata"]["name"]))
        try:
            await _write(client, cache, key, body, current, session)
        except Refused as error:
            # Saying it again cannot help; the AM is told, and may ask otherwise.
            session.rejected(RejectedAsk(wanted.ask.key, "InvalidRequest", str(error)))
            del session.wanted[wanted.ask.key]


async def _write(
    client: KubeClient,
    cache: Cache,
    key: Key,
    body: Object,
    current: Object | None,
    session: AMSession,
) -> None:
    if current is None:
        if body["spec"]["count"]:
            await _create(client, cache, key, body)
        return
    changes = {k: v for k, v in body["spec"].items() if current["spec"].get(k) != v}
    if current["spec"].get("excludeNodes") and not session.excluded:
        changes["excludeNodes"] = []
    if changes:
        await _patch(client, cache, key, body["metadata"]["name"], changes)


async def write_updates(
    client: KubeClient, cache: Cache, key: Key, views: Iterable[RequestView], session: AMSession
) -> None:
    """Bring what containers are to have up to what the AM said last."""
    for view in views if session.updates else ():
        said = {c: update for c, update in session.updates.items() if c in view.grants}
        wishes = {c: dict(wish) for c, wish in view.wishes.items() if c in view.grants}
        for container, update in said.items():
            wishes[container] = _wish(update)
        if said and wishes != view.wishes:
            await _patch(
                client, cache, key, view.name, {"updates": [wishes[c] for c in sorted(wishes)]}
            )


def _wish(update: UpdateContainerRequest) -> Object:
    """What a container is to be; what is not said stays as it is."""
    if update.opportunistic is None:
        return {"id": str(update.id), "resources": shown(update.size)}
    said = names.OPPORTUNISTIC if update.opportunistic else names.GUARANTEED
    return {"id": str(update.id), "executionType": said}


async def withdraw(
    client: KubeClient,
    cache: Cache,
    key: Key,
    view: RequestView,
    containers: Collection[ContainerId],
) -> None:
    """Take back wishes that cannot be had."""
    left = [wish for c, wish in sorted(view.wishes.items()) if c not in containers]
    if len(left) < len(view.wishes):
        await _patch(client, cache, key, view.name, {"updates": left})


async def _create(client: KubeClient, cache: Cache, key: Key, body: Object) -> None:
    try:
        cache.put_request(await client.create(REQUESTS, body, key[0]))
    except AlreadyExists:
        name = body["metadata"]["name"]
        cache.put_request(await client.get(REQUESTS, name, key[0]))


async def _patch(client: KubeClient, cache: Cache, key: Key, name: str, changes: Object) -> None:
    try:
        cache.put_request(await client.patch(REQUESTS, name, {"spec": changes}, key[0]))
    except NotFound:
        return


def granted(view: RequestView, container: ContainerId, node: str) -> GrantedContainer:
    """A container as its AM is told of it."""
    size, version = view.size_of(container), view.version_of(container)
    opportunistic = view.runs_opportunistic(container)
    return GrantedContainer(container, node, view.key, size, version, opportunistic)


def container_size(size: ResourceList) -> dict[str, str]:
    """A container's size as quantities: memory and CPU always, others if it has some of them."""
    known = {name: size.amount(name) for name in SIZE_NAMES}
    return shown(known | {name: amount for name, amount in size.items() if amount})


def shown(amounts: Mapping[str, int]) -> dict[str, str]:
    """Amounts in base units as quantities, CPU first."""
    order = sorted(amounts, key=lambda name: (name != "cpu", name != "memory", name))
    return {name: quantities.show(name, amounts[name]) for name in order}


def _request(
    application: Object, record: ApplicationRecord, name: str, role: str, attempt: int
) -> Object:
    meta = application["metadata"]
    owner = Owner(meta["name"], meta["namespace"], meta["uid"], record.user, record.queue)
    return {
        "apiVersion": REQUESTS.api_version,
        "kind": REQUESTS.kind,
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": _labels(meta["name"], role, attempt),
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {"application": meta["name"]},
    }


def _labels(application: str, role: str, attempt: int) -> Object:
    return {
        names.APPLICATION: application[: names.LONGEST_LABEL].rstrip("-."),
        names.ATTEMPT: str(attempt),
        names.ROLE: role,
        "app.kubernetes.io/managed-by": "kubeyarn",
    }
