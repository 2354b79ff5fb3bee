"""Thread dumps of containers, beside the reconciliation that asks for them.

A dump runs the shell of the container's own image, which may hang, say anything and never end. So
it keeps nobody waiting: a reconciliation asks for it, and finds its outcome later. Few dumps run at
a time, of one application one, and of one application so many a minute; the others wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import ApiError
from kubeyarn.cluster.executing import execute
from kubeyarn.crd.object import Key
from kubeyarn.model.errors import Unavailable
from kubeyarn.resourcemanager.pods.pod_state import PodState

_log = logging.getLogger(__name__)

# To the first process of a container; a JVM writes its threads to standard output. Every shell has
# a kill of its own, the program is often missing.
DUMP = ("sh", "-c", "kill -3 1")
MOST_A_MINUTE = 12
_AT_ONCE = 4
_MINUTE_MS = 60_000


class ThreadDumps:
    """Dumps that run, and how those that have run went; *look* has an application reconciled."""

    def __init__(
        self, client: KubeClient, clock_ms: Callable[[], int], look: Callable[[Key], None]
    ) -> None:
        self._client = client
        self._clock_ms = clock_ms
        self._look = look
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._running: dict[Key, tuple[object, asyncio.Task[None]]] = {}
        self._outcomes: dict[Key, dict[object, str]] = {}
        self._began: dict[Key, deque[int]] = {}

    def outcome(self, key: Key, signal: object, pod: PodState) -> str | None:
        """Why a dump of *pod* could not be had, "": it was; None: it is not known yet.

        *signal* names the dump within the application *key*. An outcome is told once.
        """
        known = self._outcomes.get(key, {}).pop(signal, None)
        if known is None and key not in self._running and self._may_begin(key):
            task = asyncio.create_task(self._dump(key, signal, pod))
            self._running[key] = signal, task
        return known

    def forget(self, key: Key) -> None:
        """The application *key* is gone."""
        self._outcomes.pop(key, None)
        self._began.pop(key, None)

    def _may_begin(self, key: Key) -> bool:
        began, now_ms = self._began.setdefault(key, deque()), self._clock_ms()
        while began and began[0] <= now_ms - _MINUTE_MS:
            began.popleft()
        if len(began) >= MOST_A_MINUTE:
            return False
        began.append(now_ms)
        return True

    async def _dump(self, key: Key, signal: object, pod: PodState) -> None:
        refused = ""
        try:
            async with self._at_once:
                await execute(self._client, pod.namespace, pod.name, pod.main, DUMP)
        except (ApiError, Unavailable) as error:
            refused = str(error)
            _log.warning("%s/%s: no thread dump: %s", pod.namespace, pod.name, error)
        except Exception as error:  # noqa: BLE001 - what a container says is nobody's to trust
            refused = f"{type(error).__name__}: {error}"
            _log.exception("%s/%s: no thread dump", pod.namespace, pod.name)
        finally:
            del self._running[key]
        self._outcomes.setdefault(key, {})[signal] = refused
        self._look(key)
