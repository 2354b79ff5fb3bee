"""Pods that get another size while they run, through their `resize` subresource (Kubernetes)."""

from __future__ import annotations

from collections.abc import Mapping

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import NotFound, Refused
from kubeyarn.cluster.resources import PODS
from kubeyarn.lifecycle.master import MasterSession, UpdateError
from kubeyarn.resourcemanager import asking, pods
from kubeyarn.resourcemanager.asking import Sizes
from kubeyarn.resourcemanager.cache import Cache, Key
from kubeyarn.resourcemanager.podfacts import PodFacts
from kubeyarn.resourcemanager.requests import RequestPlan, RequestView, updated_status
from kubeyarn.resourcemanager.updating import UPDATE_REFUSED


async def resize(client: KubeClient, pod: PodFacts, size: Mapping[str, int]) -> str:
    """Give a pod's main container another size; returns why not, empty when it has it."""
    body = {"spec": {"containers": [{"name": pod.main, "resources": pods.resources({}, size)}]}}
    try:
        await client.patch_entries(PODS, pod.name, body, pod.namespace, sub="resize")
    except NotFound:
        return ""
    except Refused as error:
        return str(error)
    return ""


async def carry_out(
    client: KubeClient,
    cache: Cache,
    key: Key,
    view: RequestView,
    plan: RequestPlan,
    session: MasterSession,
) -> list[dict[str, object]]:
    """Change the containers that a plan says; returns the request's `updated` if it is another.

    What the API server or the scheduler refuses is not wished any more, and the AM is told.
    """
    done, failed = {}, dict(plan.refused)
    for container, pod, size in plan.resize:
        why = await resize(client, pod, size) if pod is not None else ""
        if why:
            failed[container] = why
        else:
            done[container] = size
    for container, why in failed.items():
        session.updates.pop(container, None)
        version = view.version_of(container)
        session.update_failed(UpdateError(str(container), UPDATE_REFUSED, version, why))
    if failed:
        await asking.withdraw(client, cache, key, view, failed.keys())
    return updated_status(view, done) if done else []


def told(view: RequestView, session: MasterSession, sizes: Sizes) -> None:
    """Tell the AM of containers that were changed."""
    for container in view.updated:
        if container in view.grants and container not in view.completed:
            session.updated(asking.granted(view, container, view.grants[container], sizes))
