"""Deletes ended applications that are not kept any longer."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, Conflict, NotFound
from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable

_log = logging.getLogger(__name__)


async def delete(client: KubeClient, applications: Iterable[Object]) -> None:
    """Delete *applications*; Kubernetes removes their requests and pods with them."""
    for found in applications:
        meta = found["metadata"]
        how: Object = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": meta["uid"]},
            "propagationPolicy": "Background",
        }
        _log.info("deleting %s/%s, which has ended", meta["namespace"], meta["name"])
        try:
            await client.delete(APPLICATIONS, meta["name"], meta["namespace"], how)
        except (NotFound, Conflict):
            # Gone, or another application has its name now.
            continue
        except (ApiError, Unavailable) as error:
            _log.warning("%s/%s: %s", meta["namespace"], meta["name"], error)
