"""Which epochs were used, as far as objects tell: what a Lease that was deleted knew."""

from __future__ import annotations

from typing import Any

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.lease import NEVER
from kubeyarn.cluster.resources import PODS, REQUESTS
from kubeyarn.crd.container_request import ContainerRequest, ContainerRequestStatus
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId


async def highest(client: KubeClient) -> int:
    """The highest epoch in any grant, ending or pod; `NEVER` when there is none."""
    found = [NEVER]
    for request in await client.list_all(REQUESTS):
        found += _of_request(ContainerRequest.read(request).status)
    for pod in await client.list_all(PODS, labelSelector=names.MANAGED_PODS):
        annotations = pod["metadata"].get("annotations") or {}
        found += _of_ids([annotations.get(names.CONTAINER_ID)])
    return max(found)


def _of_request(status: ContainerRequestStatus) -> list[int]:
    written = [] if status.epoch is None else [status.epoch]
    granted = [grants.epoch for grants in status.grants]
    launched = [launched.epoch for launched in status.launched]
    ended = _of_ids([completed.id for completed in status.completed])
    return [*written, *granted, *launched, *ended]


def _of_ids(texts: list[Any]) -> list[int]:
    found = []
    for text in texts:
        try:
            found.append(ContainerId.parse(str(text)).epoch)
        except SpecError:
            continue
    return found
