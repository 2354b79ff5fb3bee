"""A process that works while it holds a lease: probes, client, lease and an orderly end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import kubeyarn
from kubeyarn.cluster import probes
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.lease import Lease
from kubeyarn.model.errors import KubeYarnError

_log = logging.getLogger(__name__)

Work = Callable[[KubeClient, Lease, int], Awaitable[None]]


@dataclass(slots=True)
class Leader:
    """One process of a component, of which at most one works at a time.

    *waits_for* is what it still waits for, as /readyz says it; "" when it is ready.
    """

    component: str
    connection: Connection
    namespace: str
    identity: str
    health_port: int
    lease_duration_s: int
    waits_for: str = field(default="the lease", init=False)

    async def run(self, work: Work) -> None:
        """Wait for the lease, then do *work* with the client, the lease and its epoch."""
        client = KubeClient(self.connection, f"{self.component}/{kubeyarn.__version__}")
        health = await probes.serve(
            probes.application(lambda: self.waits_for), "", self.health_port
        )
        lease = Lease(client, self.namespace, self.component, self.identity, self.lease_duration_s)
        try:
            epoch = await lease.acquire()
            _log.info("%s leads with epoch %d", self.component, epoch)
            await work(client, lease, epoch)
        finally:
            self.waits_for = "the end"
            await lease.release()
            await health.cleanup()
            await client.close()


class Stopped(KubeYarnError):
    """A part that should never end has ended, so the process has to start anew."""


async def until_one_ends(tasks: Iterable[asyncio.Task[None]], asked_by: str = "") -> None:
    """Wait until a part that should never end has ended; its exception goes on.

    The one named *asked_by* ends without an exception because the process was asked to end.

    Raises:
        Stopped: another one ended without an exception, as the Lease does when it is lost.
    """
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    ended = sorted(task.get_name() for task in done)
    if ended != [asked_by]:
        raise Stopped(f"stopping: {', '.join(ended)} has ended")


async def cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """End *tasks* and wait until they have."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
