"""A process that works while it holds a lease: probes, client, lease and an orderly end.

Theory of operation. A process is ready when it could take over, and leads when it may decide now;
those are two probes, because a rollout waits for the first and callers are sent by the second.
It never stops leading and starts again as something else: a leader whose Lease another has taken
ends, and its next life begins with empty caches. So nothing that it knew outlives its epoch.

Parts of a process never end by themselves. When one does, that is a bug or a lost Lease, and the
process ends with it, to be started anew: half a process would be worse than none.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import NoReturn

import kubeyarn
from kubeyarn.cluster import probes
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.lease import NEVER, Lease
from kubeyarn.model.errors import KubeYarnError

_log = logging.getLogger(__name__)

LEASE = "the lease"

Work = Callable[[KubeClient, Lease, int], Awaitable[None]]


@dataclass(slots=True)
class Leader:
    """One process of a component, of which at most one works at a time.

    *waits_for* is what it still waits for before it leads, "" when it does; a process that has seen
    another one lead stands by, and is ready. *on_standby* is called when that is so;
    *highest_epoch* is for a Lease that was deleted.
    """

    component: str
    connection: Connection
    namespace: str
    identity: str
    health_port: int
    lease_duration_s: int
    highest_epoch: Callable[[KubeClient], Awaitable[int]] | None = None
    on_standby: Callable[[KubeClient], Awaitable[None]] | None = None
    waits_for: str = field(default=LEASE, init=False)
    _lease: Lease | None = field(default=None, init=False)
    _follows: bool = field(default=False, init=False)

    async def run(self, work: Work) -> None:
        """Wait for the lease, then do *work* with the client, the lease and its epoch."""
        agent = f"{self.component}/{kubeyarn.__version__}"
        # A client of its own: renewals wait for no other calls, and need no lease.
        leasing = KubeClient(self.connection, agent, in_flight=4)
        lease = self._lease = Lease(
            leasing,
            self.namespace,
            self.component,
            self.identity,
            self.lease_duration_s,
            lambda: self._highest_epoch(leasing),
        )
        client = KubeClient(self.connection, agent, may_write_s=lease.left_s)
        health = await probes.serve(
            probes.application(self._unready, lambda: self.stands_by), "", self.health_port
        )
        try:
            epoch = await lease.acquire(lambda: self._stand_by(leasing))
            _log.info("%s leads with epoch %d", self.component, epoch)
            self.waits_for = "the first list of everything"
            await work(client, lease, epoch)
        finally:
            # First of all: whoever asks from now on hears that this process does not lead.
            self.waits_for = "the end"
            await lease.release()
            await health.cleanup()
            await client.close()
            await leasing.close()

    @property
    def leads(self) -> bool:
        """Whether this process decides now."""
        return self.waits_for == "" and self._lease is not None and self._lease.held

    @property
    def stands_by(self) -> str:
        """Why this process does not lead now; "" when it does."""
        if self.waits_for:
            return self.waits_for
        return "" if self.leads else "its lease, which it could not renew"

    async def _stand_by(self, client: KubeClient) -> None:
        """Another leads: this process is ready to follow it."""
        if self.on_standby is not None:
            await self.on_standby(client)
        self._follows = True

    def _unready(self) -> str:
        return "" if self.waits_for == LEASE and self._follows else self.waits_for

    async def _highest_epoch(self, client: KubeClient) -> int:
        return NEVER if self.highest_epoch is None else await self.highest_epoch(client)


class Stopped(KubeYarnError):
    """A part that should never end has ended, so the process has to start anew."""


class Signals:
    """SIGINT and SIGTERM: *asked* is set when the process is asked to end."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def take(self) -> None:
        """Have them set *asked*, whoever took them before."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.asked.set)


async def until_one_ends(tasks: Iterable[asyncio.Task[None]]) -> NoReturn:
    """Wait until a part that should never end has ended; its exception goes on.

    Raises:
        Stopped: it ended without an exception, as the Lease does when it is lost.
    """
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    ended = sorted(task.get_name() for task in done)
    raise Stopped(f"stopping: {', '.join(ended)} has ended")


async def until_set(events: Iterable[asyncio.Event], tasks: Collection[asyncio.Task[None]]) -> None:
    """Wait until all *events* are set, or until one of *tasks* has ended.

    A Lease that is lost before everything was listed ends the process, too. Otherwise it would wait
    for ever, neither leading nor ready to follow.

    Raises:
        Stopped: a task ended without an exception; an exception of one goes on.
    """
    waiting = asyncio.create_task(_all_set(events))
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        await cancel([waiting])
        await until_one_ends(tasks)


async def _all_set(events: Iterable[asyncio.Event]) -> None:
    for event in events:
        await event.wait()


async def cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """End *tasks* and wait until they have."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
