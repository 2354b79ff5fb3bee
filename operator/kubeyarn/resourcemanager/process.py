"""The ResourceManager process: everything wired together, started in order, stopped in reverse."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from kubeyarn.cluster import epochs, names, probes
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.events import EventRecorder
from kubeyarn.cluster.leading import Leader, cancel, until_one_ends, until_set
from kubeyarn.cluster.lease import Lease
from kubeyarn.cluster.reflecting import Handler, Reflector
from kubeyarn.cluster.resources import APPLICATIONS, NODES, PODS, QUEUES, REQUESTS, Kind
from kubeyarn.resourcemanager.amservice import endpoint
from kubeyarn.resourcemanager.amservice.authentication import PodAuthenticator
from kubeyarn.resourcemanager.amservice.http import AmService
from kubeyarn.resourcemanager.amservice.service import ApplicationMasterService
from kubeyarn.resourcemanager.applications.manager import ApplicationsManager
from kubeyarn.resourcemanager.kopf_watch import KopfWatch
from kubeyarn.resourcemanager.queue_protection import QueueProtection
from kubeyarn.resourcemanager.retrying_handler import RetryingHandler
from kubeyarn.resourcemanager.settings import Settings

_log = logging.getLogger(__name__)

_COMPONENT = "kubeyarn-resourcemanager"
_LOOK_AT_ALL_S = 10.0


class ResourceManager:
    """One ResourceManager process: waits for the lease, then reconciles and serves AMs.

    *take_signals* has SIGINT and SIGTERM end this process again, after kopf has taken them.
    """

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        take_signals: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._take_signals = take_signals
        self._leader = Leader(
            _COMPONENT,
            connection,
            settings.namespace,
            settings.identity,
            settings.health_port,
            settings.lease_duration_s,
            epochs.highest_of_resource_manager,
        )

    async def run(self) -> None:
        """Run until cancelled or until the lease is lost."""
        await self._leader.run(self._work)

    async def _work(self, client: KubeClient, lease: Lease, epoch: int) -> None:
        events = EventRecorder(client, "resourcemanager", self._settings.identity)
        manager = ApplicationsManager(client, events, self._settings, epoch)
        manager.am_service = am_address(self._settings)
        protection = QueueProtection(client, manager.cache, events)
        tasks = [asyncio.create_task(lease.hold(), name="the lease")]

        # 1. What there is, before anything is decided: the work queues only collect keys so far.
        # Nodes, requests and pods change far more often, and kopf's cost for each event is high.
        def retrying(kind: Kind, handler: Handler) -> RetryingHandler:
            return RetryingHandler(kind, handler, events)

        connection, signals = self._leader.connection, self._take_signals
        followers: list[KopfWatch | Reflector] = [
            KopfWatch(
                connection,
                APPLICATIONS,
                retrying(APPLICATIONS, manager.application_changed),
                signals,
            ),
            KopfWatch(connection, QUEUES, retrying(QUEUES, protection.queue_changed), signals),
            Reflector(client, NODES, retrying(NODES, manager.node_changed)),
            Reflector(client, REQUESTS, retrying(REQUESTS, manager.request_changed)),
            Reflector(
                client,
                PODS,
                retrying(PODS, manager.pod_changed),
                {"labelSelector": names.MANAGED_PODS},
            ),
        ]
        tasks += [asyncio.create_task(each.run()) for each in followers]
        tasks.append(asyncio.create_task(events.run(), name="events"))
        await until_set([each.synced for each in followers], tasks)
        # 2. Everything is known: reconcile, and answer ApplicationMasters.
        manager.queue.start()
        protection.queue.start()
        tasks.append(asyncio.create_task(_reconcile_all(manager)))
        tasks.append(asyncio.create_task(endpoint.keep(client, self._settings), name="endpoint"))
        # A client of its own: what strangers make it ask takes nothing from the reconciliation.
        reviewing = KubeClient(self._leader.connection, f"{_COMPONENT}-reviews", in_flight=16)
        masters = self._am_service(reviewing, manager)
        service = await probes.serve(masters.application(), "", self._settings.am_port)
        if service.server is not None:
            idle = masters.connections.close_for_ever(service.server)
            tasks.append(asyncio.create_task(idle, name="idle connections"))
        # Ready from now on, and not before: the endpoint sends ApplicationMasters here.
        self._leader.waits_for = ""
        _log.info("serving ApplicationMasters at %s", manager.am_service)
        try:
            await until_one_ends(tasks)
        finally:
            self._leader.waits_for = "the end"
            # First nobody is answered any more, so that nothing is promised that will not be
            # written; then the writes under way end, and the lease goes last.
            await service.cleanup()
            await reviewing.close()
            await manager.queue.close()
            await protection.queue.close()
            await cancel(tasks)

    def _am_service(self, reviewing: KubeClient, manager: ApplicationsManager) -> AmService:
        return AmService(
            ApplicationMasterService(
                manager.cache,
                manager.nodes,
                manager.sessions,
                manager.containers,
                manager.queue.add,
            ),
            PodAuthenticator(reviewing, self._settings.token_audience),
            lambda: self._leader.leads,
        )


async def _reconcile_all(manager: ApplicationsManager) -> None:
    while True:
        try:
            manager.reconcile_all()
            await manager.delete_expired()
        except Exception:  # noqa: BLE001 - the process must go on
            # One application's trouble is not the process's; it is looked at again anyway.
            _log.exception("a bug; tried again")
        await asyncio.sleep(_LOOK_AT_ALL_S)


def am_address(settings: Settings) -> str:
    """What ApplicationMasters call: as set, else our Service's cluster IP, else this process.

    The Service's address needs no DNS and outlives this pod (Kubernetes: service environment).
    """
    if settings.am_address:
        return settings.am_address
    host = os.environ.get("KUBEYARN_RESOURCEMANAGER_SERVICE_HOST")
    port = os.environ.get("KUBEYARN_RESOURCEMANAGER_SERVICE_PORT_AM") or str(settings.am_port)
    # An IPv6 address needs brackets in a URL.
    if host:
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return f"http://{settings.pod_ip}:{settings.am_port}"
