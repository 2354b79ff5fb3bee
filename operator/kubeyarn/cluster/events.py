"""Posts Kubernetes events about our objects in the background.

The same note about the same object is posted at most every five minutes, and at most a thousand
wait: an event helps a person, so no decision may wait for one or fail with it.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from datetime import UTC, datetime

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError
from kubeyarn.cluster.resources import EVENTS
from kubeyarn.crd import times
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import Unavailable

_log = logging.getLogger(__name__)

NORMAL = "Normal"
WARNING = "Warning"

_REPEAT_AFTER_S = 300.0
_LONGEST_QUEUE = 1000


class EventRecorder:
    """Posts what is recorded, one event after the other."""

    def __init__(self, client: KubeClient, component: str, instance: str) -> None:
        self._client = client
        self._component = component
        self._instance = instance
        self._queue: asyncio.Queue[Object] = asyncio.Queue(_LONGEST_QUEUE)
        self._posted_at: dict[tuple[str, str, str], float] = {}

    def record(self, about: Object, level: str, reason: str, action: str, note: str) -> None:
        """Have *note* posted about an object, which has apiVersion, kind and metadata."""
        meta = about["metadata"]
        key = (str(meta.get("uid")), reason, note)
        now = time.monotonic()
        if now - self._posted_at.get(key, float("-inf")) < _REPEAT_AFTER_S:
            return
        if len(self._posted_at) > 10_000:
            self._posted_at = {
                k: t for k, t in self._posted_at.items() if now - t < _REPEAT_AFTER_S
            }
        self._posted_at[key] = now
        try:
            self._queue.put_nowait(self._event(about, level, reason, action, note))
        except asyncio.QueueFull:
            _log.warning("event dropped, too many wait: %s %s", reason, note)

    async def run(self) -> None:
        """Post what was recorded, until cancelled."""
        while True:
            event = await self._queue.get()
            try:
                await self._client.create(EVENTS, event, event["metadata"]["namespace"], attempts=2)
            except (ApiError, Unavailable) as error:
                _log.warning("event %s not posted: %s", event["reason"], error)

    def _event(self, about: Object, level: str, reason: str, action: str, note: str) -> Object:
        meta = about["metadata"]
        namespace = meta.get("namespace") or "default"
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {
                "name": f"{meta['name'][:200]}.{uuid.uuid4().hex[:16]}",
                "namespace": namespace,
            },
            "eventTime": times.micro_timestamp(datetime.now(UTC)),
            "reportingController": f"kubeyarn.io/{self._component}",
            "reportingInstance": self._instance[:128],
            "action": action,
            "reason": reason,
            "type": level,
            "note": note[:1024],
            "regarding": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "name": meta["name"],
                "namespace": meta.get("namespace"),
                "uid": meta.get("uid"),
            },
        }
