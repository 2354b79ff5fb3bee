"""How long an application may run, and what is said when it has run for so long. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.policy.lifetime import allowed_lifetime

Object = dict[str, Any]


def outlived(
    application: Object, record: ApplicationRecord, queues: Mapping[str, Object], now_ms: int
) -> str:
    """Why an application is killed for its age; "" while it may go on.

    Its time begins with its submission (Hadoop: RMAppLifetimeMonitor). *queues* are the YarnQueue
    objects by path.
    """
    seconds = lifetime(application, record.queue, queues)
    if seconds <= 0 or now_ms < record.start_ms + seconds * 1000:
        return ""
    return (
        "Application is killed by ResourceManager as it has exceeded its lifetime of "
        f"{seconds} seconds."
    )


def lifetime(application: Object, queue: str, queues: Mapping[str, Object]) -> int:
    """The lifetime in seconds, by the application's word and the nearest queue's; 0: none."""
    said = _of_queue(queue, queues)
    return allowed_lifetime(
        int(application["spec"].get("lifetimeSeconds") or 0),
        int(said.get("defaultSeconds") or 0),
        int(said.get("maximumSeconds") or 0),
    )


def _of_queue(path: str, queues: Mapping[str, Object]) -> Object:
    """What a queue says of lifetimes, or the nearest above it that says anything."""
    while path:
        said: Object | None = ((queues.get(path) or {}).get("spec") or {}).get("lifetime")
        if said is not None:
            return said
        path = path.rpartition(".")[0]
    return {}
