"""Pods that the policy takes back say so, as pods do that kube-scheduler preempts."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError
from kubeyarn.cluster.events import NORMAL, EventRecorder
from kubeyarn.cluster.resources import PODS
from kubeyarn.crd.object import Object
from kubeyarn.resourcemanager.pods.pod_state import PodFacts

_log = logging.getLogger(__name__)

# Kubernetes' condition of a pod that is ended by somebody else.
CONDITION = "DisruptionTarget"
REASON = "PreemptedByQueue"


async def tell(client: KubeClient, events: EventRecorder, pod: PodFacts, why: str) -> None:
    """Write the reason to a pod that is about to be deleted, and post it as an event.

    A pod that cannot be told is taken back nevertheless.
    """
    meta = {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid}
    about: Object = {"apiVersion": PODS.api_version, "kind": PODS.kind, "metadata": meta}
    events.record(about, NORMAL, REASON, "Preempt", f"{pod.container}: {why}")
    body = {"metadata": {"uid": pod.uid}, "status": {"conditions": [_condition(why)]}}
    try:
        await client.patch_entries(PODS, pod.name, body, pod.namespace, sub="status")
    except ApiError as error:
        _log.warning("pod %s/%s was not told why: %s", pod.namespace, pod.name, error)


def _condition(why: str) -> Object:
    return {
        "type": CONDITION,
        "status": "True",
        "reason": REASON,
        "message": why,
        "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
