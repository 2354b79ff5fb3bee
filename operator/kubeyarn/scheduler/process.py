"""The scheduler process: everything wired together, started in order, stopped in reverse."""

from __future__ import annotations

import asyncio
import logging

from kubeyarn.cluster import epochs, probes
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.leading import Leader, cancel, until_one_ends, until_set
from kubeyarn.cluster.lease import Lease
from kubeyarn.cluster.reflecting import Reflector
from kubeyarn.cluster.resources import APPLICATIONS, NODES, PODS, QUEUES, REQUESTS
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.scheduler.access_review import AccessReviewer
from kubeyarn.scheduler.allocation_loop import AllocationLoop
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.extender.bind_check import BindCheck
from kubeyarn.scheduler.extender.server import Extender
from kubeyarn.scheduler.leader.kube_scheduler_gate import KubeSchedulerGate
from kubeyarn.scheduler.scheduler_state import SchedulerState
from kubeyarn.scheduler.settings import Settings
from kubeyarn.scheduler.status.queues import QueueWriter
from kubeyarn.scheduler.status.requests import RequestWriter
from kubeyarn.schedulers.api import ResourceScheduler
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from kubeyarn.schedulers.fair.scheduler import FairScheduler

_log = logging.getLogger(__name__)

_COMPONENT = "kubeyarn-scheduler"


class Scheduler:
    """One scheduler process: waits for the lease, then decides and guards bindings."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._settings = settings
        gate = self._gate = gate_of(settings)
        self._leader = Leader(
            _COMPONENT,
            connection,
            settings.namespace,
            settings.identity,
            settings.health_port,
            settings.lease_duration_s,
            epochs.highest,
            None if gate is None else gate.shut,
        )

    async def run(self) -> None:
        """Run until cancelled or until the lease is lost."""
        await self._leader.run(self._work)

    async def _work(self, client: KubeClient, lease: Lease, epoch: int) -> None:
        settings = self._settings
        cache = SchedulerCache()
        state = SchedulerState(lambda kind, types: make_scheduler(kind, types, epoch))
        containers = ContainerAccounts(cache, state)
        # An answer of the API server has the application looked at again; by then there is a loop.
        access = AccessReviewer(client, lambda key: loop.look_again(key))
        loop = AllocationLoop(cache, state, containers, access.allows, settings)
        requests = RequestWriter(client, cache, state, lambda: lease.held, epoch)
        cache.requests.on_change(requests.queue.add)
        queues = QueueWriter(client, cache, state, settings.queue_status_every_s)
        self._leader.waits_for = "the first list of everything"
        reflectors = [
            Reflector(client, QUEUES, loop.queue_seen),
            Reflector(client, NODES, loop.node_seen),
            Reflector(client, APPLICATIONS, loop.application_seen),
            Reflector(client, REQUESTS, loop.request_seen),
            Reflector(client, PODS, loop.pod_seen),
        ]
        # Whichever ends, ends the process (`until_one_ends`): its successor lists everything anew.
        tasks = [asyncio.create_task(r.run()) for r in reflectors]
        tasks.append(asyncio.create_task(lease.hold(), name="the lease"))
        # Until everything is listed the extender answers 503, and nothing binds.
        check = BindCheck(cache, state, containers)
        extender = Extender(client, cache, containers, check, lambda: self._leader.leads)
        server = await probes.serve(
            extender.application(), settings.extender_host, settings.extender_port
        )
        try:
            await until_set([r.synced for r in reflectors], tasks)
            # Nothing is written before everything is known: a half-known cluster decides wrongly.
            requests.queue.start()
            queues.queue.start()
            access.queue.start()
            tasks.append(asyncio.create_task(loop.run(requests, queues), name="the loop"))
            if self._gate is not None:
                tasks.append(asyncio.create_task(self._gate.keep_open(client), name="the gate"))
            self._leader.waits_for = ""
            _log.info(
                "scheduling %d queues on %d nodes",
                len(cache.queues.objects),
                len(cache.nodes.facts),
            )
            await until_one_ends(tasks)
        finally:
            self._leader.waits_for = "the end"
            await server.cleanup()
            await requests.queue.close()
            await queues.queue.close()
            await access.queue.close()
            await cancel(tasks)


def gate_of(settings: Settings) -> KubeSchedulerGate | None:
    """What decides whether the kube-scheduler beside this process works; None: it always does."""
    if not settings.kube_scheduler_lease:
        return None
    name = settings.kube_scheduler_lease
    return KubeSchedulerGate(settings.namespace, name, settings.identity, settings.pod_uid)


def make_scheduler(kind: SchedulerKind, types: ResourceTypes, epoch: int) -> ResourceScheduler:
    """A fresh scheduler of the *kind* that root names, whose container ids carry *epoch*."""
    if kind is SchedulerKind.FAIR:
        return FairScheduler(types, epoch=epoch)
    return CapacityScheduler(types, epoch=epoch)
