"""Calls of a watch's handler, of which none ends the watch.

What one object makes a handler raise would end the process, or be logged by kopf and lost, and a
restarted process would meet the same object again. So it is logged, told by an event on that
object, and tried again, later each time, until it succeeds or something newer is seen of the same
object. Nothing else waits for it.
"""

from __future__ import annotations

import asyncio
import logging

from kubeyarn.cluster.events import WARNING, EventRecorder
from kubeyarn.cluster.reflecting import DELETED, Handler
from kubeyarn.cluster.resources import Kind
from kubeyarn.crd.object import Object

_log = logging.getLogger(__name__)

INTERNAL_ERROR = "InternalError"

_FIRST_RETRY_S = 0.5
_LONGEST_RETRY_S = 60.0


class RetryingHandler:
    """A handler of *kind* that raises nothing, around *handler*."""

    def __init__(self, kind: Kind, handler: Handler, events: EventRecorder) -> None:
        self._kind = kind
        self._handler = handler
        self._events = events
        self._again: dict[str, asyncio.TimerHandle] = {}

    def __call__(self, what: str, item: Object) -> None:
        """An object was seen."""
        waiting = self._again.pop(item["metadata"]["uid"], None)
        if waiting is not None:
            waiting.cancel()
        self._call(what, item, 0)

    def _call(self, what: str, item: Object, failures: int) -> None:
        meta = item["metadata"]
        self._again.pop(meta["uid"], None)
        try:
            self._handler(what, item)
        except Exception as error:  # noqa: BLE001 - the watch must go on
            name = f"{meta.get('namespace') or ''}/{meta['name']}".lstrip("/")
            _log.exception("%s %s: a bug; tried again", self._kind.kind, name)
            if what != DELETED:
                note = f"{type(error).__name__}: {error}; tried again, see the log"
                about = {
                    "apiVersion": self._kind.api_version,
                    "kind": self._kind.kind,
                    "metadata": meta,
                }
                self._events.record(about, WARNING, INTERNAL_ERROR, "Reconcile", note)
            pause = min(_FIRST_RETRY_S * 2 ** min(failures, 10), _LONGEST_RETRY_S)
            loop = asyncio.get_running_loop()
            self._again[meta["uid"]] = loop.call_later(pause, self._call, what, item, failures + 1)
