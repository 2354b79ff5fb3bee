"""How long ended applications and their pods are kept.

An application's object is its history: its attempts and how each ended are in its status. It goes
when more have ended than the cluster keeps, the first ones first, or after a time of its own. The
pods of ended containers stay for their logs.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, Conflict, NotFound
from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import Unavailable
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.applications import records
from kubeyarn.resourcemanager.pods.pod_state import PodState

# A second is the shortest time that still waits for the kubelet's word that the process is gone.
# With none the pod would go at once, its room be given to others, and its process might run on.
OVERDUE_GRACE_S = 1
_CLOCKS_DIFFER_S = 10

_log = logging.getLogger(__name__)


def expired_applications(
    applications: Iterable[YarnApplication], most: int, now_ms: int
) -> list[YarnApplication]:
    """The ended applications to delete, first ended first; *most* negative keeps any number. Pure.

    Source: Hadoop RMAppManager.checkAppNumCompletedLimit,
    `yarn.resourcemanager.max-completed-applications`; Kubernetes Job's `ttlSecondsAfterFinished`.
    """
    ended = sorted(
        (
            (record.finish_ms, record.id, application)
            for application in applications
            if not application.metadata.deletion_timestamp
            and (record := records.read(application)) is not None
            and _is_over(record)
        ),
        key=lambda entry: entry[:2],
    )
    too_many = max(0, len(ended) - most) if most >= 0 else 0
    return [
        application
        for place, (finish_ms, _, application) in enumerate(ended)
        if place < too_many or _outlived(application, finish_ms, now_ms)
    ]


def _is_over(record: ApplicationRecord) -> bool:
    return record.ended and record.finish_ms > 0


def _outlived(application: YarnApplication, finish_ms: int, now_ms: int) -> bool:
    ttl_s = application.spec.ttl_seconds_after_finished
    return ttl_s is not None and now_ms - finish_ms >= ttl_s * 1000


async def delete_applications(client: KubeClient, applications: Iterable[YarnApplication]) -> None:
    """Delete *applications*; Kubernetes removes their requests and pods with them."""
    for application in applications:
        meta = application.metadata
        how: Object = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            # By the time the call arrives another application may have its name.
            "preconditions": {"uid": meta.uid},
            "propagationPolicy": "Background",
        }
        _log.info("deleting %s/%s, which has ended", meta.namespace, meta.name)
        try:
            await client.delete(APPLICATIONS, meta.name, meta.namespace, how)
        except (NotFound, Conflict):
            # Gone, or another application has its name now.
            continue
        except (ApiError, Unavailable) as error:
            _log.warning("%s/%s: %s", meta.namespace, meta.name, error)


def orphans(pods: Iterable[PodState], retention_s: int, now_ms: int) -> Iterator[PodState]:
    """The pods to delete of an application that is gone: those that run, and old ones. Pure.

    Kubernetes deletes pods with their application. It does not if they were left on purpose
    (`kubectl delete --cascade=orphan`), or if somebody took the owner off them.
    """
    for pod in pods:
        old = pod.ending is not None and now_ms - pod.finished_ms >= retention_s * 1000
        if not pod.deleting and (pod.ending is None or old):
            yield pod


def overdue_pods(pods: Iterable[PodState], most_s: int, now_ms: int) -> Iterator[PodState]:
    """The pods that were told to end so long ago that they have to be gone. Pure.

    *most_s* is the longest time to stop. Whoever deletes a pod may give it any time; deleting it
    again can only make that shorter (Kubernetes: rest.BeforeDelete).
    """
    for pod in pods:
        # The API server's clock set the time; ours may be a few seconds ahead.
        late_ms = now_ms - pod.told_to_end_ms - (most_s + _CLOCKS_DIFFER_S) * 1000
        cut = pod.deleted_ms - pod.told_to_end_ms <= OVERDUE_GRACE_S * 1000
        if pod.deleting and pod.ending is None and late_ms > 0 and not cut:
            yield pod


def expired_pods(
    application: YarnApplication,
    record: ApplicationRecord,
    pods: list[PodState],
    unrecorded: Collection[ContainerId],
    retention_s: int,
    now_ms: int,
) -> Iterator[PodState]:
    """The pods of an application to delete: over for long enough, or strays. Pure.

    Those of *unrecorded* containers stay: how they ended stands nowhere else, and without it a
    ResourceManager that begins anew would start them a second time.

    They are kept for *retention_s* seconds unless the application says otherwise (Hadoop:
    `yarn.nodemanager.delete.debug-delay-sec`). Strays are of an earlier object of the same name, or
    what runs of an application that has ended or is being killed, of whichever request.
    """
    own_delay = application.spec.delete_delay_seconds
    delay_s = retention_s if own_delay is None else own_delay
    ends = record.ended or record.state is ApplicationState.KILLING
    for pod in pods:
        stray = pod.container.attempt.application != record.id
        stray |= ends and pod.ending is None
        old = now_ms - pod.finished_ms >= delay_s * 1000
        over = pod.ending is not None and pod.finished_ms and old
        if not pod.deleting and (stray or (over and pod.container not in unrecorded)):
            yield pod
