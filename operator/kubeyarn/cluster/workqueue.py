"""Keys that need another look: each is worked on by one task at a time, failures later again.

Theory of operation. A key is in one of four states: unknown, waiting for its turn or being worked
on (`_tasks`), being worked on and added meanwhile (`_again`, so it is worked on once more), or
waiting for a later time (a timer of the event loop, which adds it). Adding is a level, not an edge:
however often a key is added before its turn, it is worked on once, and never twice at once. So the
work reads what is true now and need not be told what changed (client-go: `workqueue`).

Failures of one key wait ever longer, up to half a minute, and forget that when it succeeds: one
object's trouble must not take the API server's time from the others. That a write was not begun
because this process does not lead now is nobody's failure. It is tried again at a steady pace, or
every object would come late, by up to that half minute, after the Lease is renewed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from kubeyarn.cluster.errors import NotLeading
from kubeyarn.model.errors import KubeYarnError, Unavailable

_log = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)

_FIRST_RETRY_S = 0.2
_LONGEST_RETRY_S = 30.0
_WHILE_NOT_LEADING_S = 0.5
_AT_ONCE = 32


class WorkQueue(Generic[Key]):
    """Calls *work* for every key that was added, never twice at once for the same key.

    What is added while its key is being worked on is worked on again. *settle_s* is how long a key
    rests before work starts, so that a burst of events costs one look. Work starts with `start`:
    whoever looks before everything was listed takes what is not there yet for gone. *failed* is
    called with a key and what its work raised, but for what is no fault of its object.
    """

    def __init__(
        self,
        work: Callable[[Key], Awaitable[None]],
        settle_s: float = 0.01,
        failed: Callable[[Key, Exception], None] = lambda _key, _error: None,
    ) -> None:
        self._failed = failed
        self._started = asyncio.Event()
        self._work = work
        self._settle_s = settle_s
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._again: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._closed = False

    def start(self) -> None:
        """Begin with what was added so far."""
        self._started.set()

    def add(self, key: Key, after_s: float = 0.0) -> None:
        """Have *key* looked at, now or *after_s* seconds later."""
        if self._closed:
            return
        if after_s > 0:
            asyncio.get_running_loop().call_later(after_s, self.add, key)
        elif key in self._tasks:
            self._again.add(key)
        else:
            self._tasks[key] = asyncio.create_task(self._run(key))

    async def close(self) -> None:
        """Stop all work; what is added from now on is not looked at."""
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, key: Key) -> None:
        try:
            await self._started.wait()
            while True:
                # First the rest and then the look: what comes within it is seen by the same look.
                await asyncio.sleep(self._settle_s)
                self._again.discard(key)
                async with self._at_once:
                    await self._look(key)
                if key not in self._again:
                    return
        finally:
            self._tasks.pop(key, None)
            self._again.discard(key)

    async def _look(self, key: Key) -> None:
        try:
            await self._work(key)
            self._failures.pop(key, None)
        except NotLeading as error:
            _log.info("%s: %s; tried again", key, error)
            self.add(key, after_s=_WHILE_NOT_LEADING_S)
        except Unavailable as error:
            _log.warning("%s: %s; tried again", key, error)
            self._retry(key)
        except KubeYarnError as error:
            _log.warning("%s: %s: %s; tried again", key, type(error).__name__, error)
            self._retry(key)
            self._failed(key, error)
        except Exception as error:  # noqa: BLE001 - others must go on
            # One object's trouble must not stop the others'.
            _log.exception("%s: a bug; tried again", key)
            self._retry(key)
            self._failed(key, error)

    def _retry(self, key: Key) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        # The exponent is bounded, too: a key may fail for days.
        pause = min(_FIRST_RETRY_S * 2 ** min(failures - 1, 10), _LONGEST_RETRY_S)
        asyncio.get_running_loop().call_later(pause, self.add, key)
