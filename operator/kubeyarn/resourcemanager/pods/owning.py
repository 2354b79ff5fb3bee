"""An application as its pods name it, and its containers as their pods are made."""

from __future__ import annotations

from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.pods.pod_builder import Owner, Placed
from kubeyarn.resourcemanager.requests.request_view import RequestView


def owner(application: Object, record: ApplicationRecord) -> Owner:
    """The application as its pods name it."""
    meta = application["metadata"]
    return Owner(
        meta["name"],
        meta["namespace"],
        meta["uid"],
        record.user,
        record.queue,
        submitted_ms=record.start_ms,
    )


def am_image(application: Object) -> str:
    """The image of the application's AM, which its containers have unless they say another."""
    master = application["spec"].get("applicationMaster") or {}
    containers = ((master.get("template") or {}).get("spec") or {}).get("containers") or [{}]
    return str(master.get("image") or containers[0].get("image") or "")


def placed(view: RequestView, container: ContainerId, role: str) -> Placed:
    """One of a request's containers, as its pod is made."""
    return Placed(
        container,
        view.grants[container],
        view.size_of(container),
        view.name,
        role,
        opportunistic=view.runs_opportunistic(container),
    )
