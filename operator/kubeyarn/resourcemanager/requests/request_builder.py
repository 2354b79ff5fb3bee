"""ContainerRequests for ApplicationMasters: one for their container, one for each ask. Pure.

A request's count is over its whole life (see `lifecycle.am_session`), and its name follows from
what it is for. So writing one again after a crash finds it there and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kubeyarn.cluster import names
from kubeyarn.cluster.resources import APPLICATIONS, REQUESTS
from kubeyarn.crd import defaults, quantities
from kubeyarn.crd.container_request import ExecutionType
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.am_session import AMSession, RequestTotal, ShapeKey, UpdateContainerRequest
from kubeyarn.model.resources import ResourceList

ALWAYS_SHOWN = ("memory", "cpu")
"""The resources that every container has."""


def am_request(
    application: YarnApplication, attempt: int, excluded: Collection[str] = ()
) -> Object:
    """The ContainerRequest for an attempt's ApplicationMaster.

    Source: Hadoop RMAppAttemptImpl.ScheduleTransition, which asks for one container of priority 0
    (AM_CONTAINER_PRIORITY). *excluded* are nodes on which former attempts failed.
    """
    spec, am = application.spec, application.spec.application_master
    asked: Object = {
        "role": "ApplicationMaster",
        "priority": 0,
        # What runs elsewhere needs no container; the request still asks the queue to take it.
        "count": 0 if spec.unmanaged_am else 1,
        "resources": dict(am.resources if am is not None else defaults.AM_RESOURCES),
    }
    partition = spec.partition
    if partition:
        asked["partition"] = partition
    if excluded:
        asked["excludeNodes"] = sorted(excluded)
    name = names.am_request_name(application.metadata.name, attempt)
    return _request(application, name, names.ROLE_AM, attempt, asked)


def ask_request(application: YarnApplication, session: AMSession, total: RequestTotal) -> Object:
    """The ContainerRequest that says one ask of the ApplicationMaster of *session*."""
    ask, attempt = total.ask, session.attempt.number
    asked: Object = {
        "priority": ask.key.priority,
        "allocationRequestId": ask.key.allocation_request_id,
        "count": total.count,
        "resources": container_size(ask.size),
    }
    if ask.opportunistic:
        asked["executionType"] = "Opportunistic"
    if ask.constraint is not None:
        asked["placementConstraint"] = ask.constraint.text
    if ask.tags:
        asked["allocationTags"] = list(ask.tags)
    if ask.partition:
        asked["partition"] = ask.partition
    locality = ask.locality
    if locality.nodes or locality.racks or not locality.relax:
        asked["locality"] = {
            "nodes": [name for name, _ in locality.nodes],
            "racks": [name for name, _ in locality.racks],
            "relax": locality.relax,
        }
    if session.excluded:
        asked["excludeNodes"] = sorted(session.excluded)
    name = _ask_name(application.metadata.name, attempt, ask.key)
    request = _request(application, name, names.ROLE_ASK, attempt, asked)
    request["metadata"]["labels"][names.SHAPE] = ask.key.shape
    return request


def _ask_name(application: str, attempt: int, key: ShapeKey) -> str:
    """The name of the ContainerRequest that says one of an ApplicationMaster's asks."""
    allocation = f"-r{key.allocation_request_id}" if key.allocation_request_id >= 0 else ""
    return f"{application[:180]}-{attempt}-p{key.priority}{allocation}-{key.shape}"


def requested_update(update: UpdateContainerRequest) -> Object:
    """An entry of `spec.updates`; what it does not say of a container stays as it is."""
    if update.opportunistic is None:
        return {"id": str(update.id), "resources": shown(update.size)}
    execution_type = ExecutionType.of(update.opportunistic)
    return {"id": str(update.id), "executionType": execution_type}


def container_size(size: ResourceList) -> dict[str, str]:
    """A container's size as quantities: memory and CPU always, others if it has some of them."""
    known = {name: size.amount(name) for name in ALWAYS_SHOWN}
    return shown(known | {name: amount for name, amount in size.items() if amount})


def shown(amounts: Mapping[str, int]) -> dict[str, str]:
    """Amounts in base units as quantities, CPU first."""
    order = sorted(amounts, key=lambda name: (name != "cpu", name != "memory", name))
    return {name: quantities.show(name, amounts[name]) for name in order}


def _request(
    application: YarnApplication, name: str, role: str, attempt: int, asked: Object
) -> Object:
    meta = application.metadata
    return {
        "apiVersion": REQUESTS.api_version,
        "kind": REQUESTS.kind,
        "metadata": {
            "name": name,
            "namespace": meta.namespace,
            "labels": {
                names.APPLICATION: meta.name[: names.LONGEST_LABEL].rstrip("-."),
                names.ATTEMPT: str(attempt),
                names.ROLE: role,
                "app.kubernetes.io/managed-by": "kubeyarn",
            },
            "ownerReferences": [APPLICATIONS.owner_reference(meta.name, meta.uid)],
        },
        "spec": {"application": meta.name, **asked},
    }
