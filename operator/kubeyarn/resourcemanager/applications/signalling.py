"""Sends signals to containers, and keeps what became of each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError, Conflict, NotFound
from kubeyarn.cluster.executing import execute
from kubeyarn.cluster.resources import PODS
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.progress import Ending
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import Unavailable
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.applications import records, signals
from kubeyarn.resourcemanager.applications.signals import Command, Due
from kubeyarn.resourcemanager.pods.pod_state import PodFacts
from kubeyarn.resourcemanager.requests.request_view import RequestView

_log = logging.getLogger(__name__)


class Signaller:
    """Acts on `spec.signals`. *stopped* takes how a container ends that is told to."""

    def __init__(
        self, client: KubeClient, clock_ms: Callable[[], int], stopped: dict[ContainerId, Ending]
    ) -> None:
        self._client = client
        self._clock_ms = clock_ms
        self._stopped = stopped

    async def serve(
        self,
        application: Object,
        record: ApplicationRecord,
        views: list[RequestView],
        pods: Mapping[ContainerId, PodFacts],
    ) -> list[Object] | None:
        """Send what is due; the new `status.signals`, or None when nothing changed.

        A crash before that is written sends again: at least once, as YARN at most once.
        """
        known = (application.get("status") or {}).get("signals") or []
        entries = list(signals.answered(application).values())
        for due in signals.due(application, record, views, pods):
            if due.pod is None and not due.refused:
                continue
            refused = due.refused or await self._send(due)
            at = records.timestamp(self._clock_ms()) or ""
            entries.append(signals.entry(due.signal, at, refused))
        return entries if entries != known else None

    async def _send(self, due: Due) -> str:
        """Send one signal; why it could not be, or ""."""
        if due.pod is None or due.id is None:
            return "it does not run"
        if due.signal.command is Command.THREAD_DUMP:
            return await self._dump(due.pod)
        self._stopped[due.id] = signals.ENDINGS[due.signal.command]
        options: Object = {"preconditions": {"uid": due.pod.uid}}
        if due.signal.command is Command.FORCEFUL:
            options["gracePeriodSeconds"] = signals.FORCEFUL_GRACE_S
        body = {**options, "kind": "DeleteOptions", "apiVersion": "v1"}
        try:
            await self._client.delete(PODS, due.pod.name, due.pod.namespace, body)
        except (NotFound, Conflict):
            return "it has ended"
        return ""

    async def _dump(self, pod: PodFacts) -> str:
        where = self._client.connection
        try:
            await execute(where, pod.namespace, pod.name, pod.main, signals.DUMP)
        except (ApiError, Unavailable) as error:
            _log.warning("%s/%s: no thread dump: %s", pod.namespace, pod.name, error)
            return str(error)
        return ""
