"""Which epochs were used, as far as objects tell: what a Lease that was deleted knew."""

from __future__ import annotations

from typing import Any

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.lease import NEVER
from kubeyarn.cluster.resources import PODS, REQUESTS
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId


async def highest(client: KubeClient) -> int:
    """The highest epoch in any grant, ending or pod; `NEVER` when there is none."""
    found = [NEVER]
    for request in await client.list_all(REQUESTS):
        found += _of_request(request.get("status") or {})
    for pod in await client.list_all(PODS, labelSelector=names.MANAGED_PODS):
        annotations = pod["metadata"].get("annotations") or {}
        found += _of_ids([annotations.get(names.CONTAINER_ID)])
    return max(found)


def _of_request(status: Object) -> list[int]:
    said = [status] if status.get("epoch") is not None else []
    said += [*(status.get("grants") or ()), *(status.get("launched") or ())]
    ended = [entry.get("id") for entry in status.get("completed") or ()]
    return [int(entry.get("epoch") or 0) for entry in said] + _of_ids(ended)


def _of_ids(texts: list[Any]) -> list[int]:
    found = []
    for text in texts:
        try:
            found.append(ContainerId.parse(str(text)).epoch)
        except SpecError:
            continue
    return found
