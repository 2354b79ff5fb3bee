"""Containers that are changed while they run: their size, or whether they are guaranteed.

A pod gets another size through its `resize` subresource (Kubernetes). Whether it is opportunistic
is a label of the pod; nothing else of it depends on that.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import NotFound, Refused
from kubeyarn.cluster.resources import PODS
from kubeyarn.crd.object import Key
from kubeyarn.lifecycle.am_session import AMSession, UpdateContainerError
from kubeyarn.resourcemanager.amservice.update_validation import UPDATE_REFUSED
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.pods import pod_builder
from kubeyarn.resourcemanager.pods.pod_state import PodFacts
from kubeyarn.resourcemanager.requests import request_builder
from kubeyarn.resourcemanager.requests.request_view import (
    Change,
    RequestPlan,
    RequestView,
    updated_status,
)


async def _change(client: KubeClient, view: RequestView, change: Change) -> str:
    """Change a container's pod, if it has one; returns why not, empty when it is so."""
    pod = change.pod
    if pod is None:
        return ""
    try:
        if change.size != view.size_of(change.container):
            await _resize(client, pod, change.size)
        if change.opportunistic != view.runs_opportunistic(change.container):
            await _label(client, pod, opportunistic=change.opportunistic)
    except NotFound:
        return ""
    except Refused as error:
        return str(error)
    return ""


async def _resize(client: KubeClient, pod: PodFacts, size: Mapping[str, int]) -> None:
    body = {
        "spec": {"containers": [{"name": pod.main, "resources": pod_builder.resources({}, size)}]}
    }
    await client.patch_entries(PODS, pod.name, body, pod.namespace, sub="resize")


async def _label(client: KubeClient, pod: PodFacts, *, opportunistic: bool) -> None:
    said = names.OPPORTUNISTIC if opportunistic else names.GUARANTEED
    body = {"metadata": {"labels": {names.EXECUTION_TYPE: said}}}
    await client.patch(PODS, pod.name, body, pod.namespace)


async def carry_out(
    client: KubeClient,
    cache: Cache,
    key: Key,
    view: RequestView,
    plan: RequestPlan,
    session: AMSession,
) -> list[dict[str, object]]:
    """Change the containers that a plan says; returns the request's `updated` if it is another.

    What the API server or the scheduler refuses is not wished any more, and the AM is told.
    """
    done, failed = [], dict(plan.refused)
    for change in plan.changes:
        why = await _change(client, view, change)
        if why:
            failed[change.container] = why
        else:
            done.append(change)
    for container, why in failed.items():
        session.updates.pop(container, None)
        version = view.version_of(container)
        session.update_failed(UpdateContainerError(str(container), UPDATE_REFUSED, version, why))
    if failed:
        await request_builder.withdraw(client, cache, key, view, failed.keys())
    return updated_status(view, done) if done else []


def told(view: RequestView, session: AMSession) -> None:
    """Tell the AM of containers that were changed."""
    for container in view.updated:
        if container in view.grants and container not in view.completed:
            session.updated(request_builder.granted(view, container, view.grants[container]))
