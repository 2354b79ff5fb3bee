"""Pods that are removed: stopped, swept away, or left on nodes that are gone."""

from __future__ import annotations

from collections.abc import Iterator

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import Conflict, NotFound
from kubeyarn.cluster.resources import PODS
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.pods.pod_state import PodFacts


async def remove(client: KubeClient, pod: PodFacts, *, at_once: bool = False) -> None:
    """Delete a pod, and no other that has its name by now."""
    how: Object = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "preconditions": {"uid": pod.uid},
        **({"gracePeriodSeconds": 0} if at_once else {}),
    }
    try:
        await client.delete(PODS, pod.name, pod.namespace, how)
    except (NotFound, Conflict):
        # Gone, or another pod has its name now.
        return


def unwanted(
    application: Object,
    record: ApplicationRecord,
    pods: list[PodFacts],
    retention_s: int,
    now_ms: int,
) -> Iterator[PodFacts]:
    """Pods that are over for long enough, and those that nobody looks after any more.

    These are of an earlier object of the name, or of a request that was deleted while they ran.
    """
    said = application["spec"].get("deleteDelaySeconds")
    delay_s = retention_s if said is None else int(said)
    for pod in pods:
        stray = pod.container.attempt.application != record.id
        stray |= record.ended and pod.ending is None
        old = now_ms - pod.finished_ms >= delay_s * 1000
        over = pod.ending is not None and pod.finished_ms and old
        if not pod.deleting and (stray or over):
            yield pod
