"""Finds the highest epoch in use, for when the Lease that counts them was deleted."""

from __future__ import annotations

import logging

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.lease import NEVER
from kubeyarn.cluster.resources import APPLICATIONS, PODS, REQUESTS
from kubeyarn.crd.container_request import ContainerRequest, ContainerRequestStatus
from kubeyarn.crd.decoding import ObjectUnreadable
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId

_log = logging.getLogger(__name__)


async def highest(client: KubeClient) -> int:
    """The highest epoch in any grant, ending or pod; `NEVER` when there is none."""
    epochs = [NEVER]
    for request in await client.list_all(REQUESTS):
        try:
            epochs += _of_request(ContainerRequest.read(request).status)
        except ObjectUnreadable as error:
            # One such object must not keep everyone from leading; its pods say their epochs, too.
            _log.warning("epochs: %s", error)
    for pod in await client.list_all(PODS, labelSelector=names.MANAGED_PODS):
        annotations = pod["metadata"].get("annotations") or {}
        epochs += _of_id(str(annotations.get(names.CONTAINER_ID)))
    return max(epochs)


async def highest_of_resource_manager(client: KubeClient) -> int:
    """The highest epoch that a ResourceManager has written; `NEVER` when there is none."""
    epochs = [NEVER]
    for kind, field in ((APPLICATIONS, "epoch"), (REQUESTS, "resourceManagerEpoch")):
        for item in await client.list_all(kind):
            said = (item.get("status") or {}).get(field)
            epochs += [said] if isinstance(said, int) else []
    return max(epochs)


def _of_request(status: ContainerRequestStatus) -> list[int]:
    epochs = [] if status.epoch is None else [status.epoch]
    epochs += [granted.epoch for granted in status.grants]
    epochs += [launched.epoch for launched in status.launched]
    return epochs + [epoch for entry in status.completed for epoch in _of_id(entry.id)]


def _of_id(text: str) -> list[int]:
    try:
        return [ContainerId.parse(text).epoch]
    except SpecError:
        return []
