"""kopf's handlers: what the ResourceManager does when queues and applications change.

Only low-level event handlers are used: they leave no annotations behind, and the manager looks at
levels anyway. Pods and requests are followed without kopf, for its cost per event.
"""

from __future__ import annotations

from typing import Any

import kopf

from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.resources import APPLICATIONS, QUEUES
from kubeyarn.resourcemanager.applications.manager import ApplicationsManager
from kubeyarn.resourcemanager.queues import QueueKeeper


def registry(
    manager: ApplicationsManager, keeper: QueueKeeper, connection: Connection
) -> kopf.OperatorRegistry:
    """The handlers, bound to this process's manager."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(
            server=connection.server,
            ca_path=connection.ca_file,
            token=connection.token(),
            certificate_path=connection.certificate_file,
            private_key_path=connection.key_file,
        )

    @kopf.on.event(APPLICATIONS.group, APPLICATIONS.version, APPLICATIONS.plural, registry=handlers)
    async def application_seen(event: Any, **_: Any) -> None:
        manager.application_changed(event["type"] or "ADDED", dict(event["object"]))

    @kopf.on.event(QUEUES.group, QUEUES.version, QUEUES.plural, registry=handlers)
    async def queue_seen(event: Any, **_: Any) -> None:
        keeper.queue_changed(event["type"] or "ADDED", dict(event["object"]))

    return handlers


def settings() -> kopf.OperatorSettings:
    """kopf, told to be quiet, to survive silent watches and to post no events of its own."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.watching.server_timeout = 300
    chosen.watching.client_timeout = 330
    chosen.networking.request_timeout = 30
    chosen.peering.standalone = True
    return chosen
