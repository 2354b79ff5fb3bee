"""How long an application may run, and what is said when it has run for so long. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.lifetime import allowed_lifetime
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.applications.records import timestamp


@dataclass(frozen=True, slots=True)
class LifetimeInForce:
    """The lifetime that an application has, in seconds, and why it is not what its spec says."""

    seconds: int
    refused: str = ""


def in_force(
    application: Object, record: ApplicationRecord, queues: Mapping[str, Object], now_ms: int
) -> LifetimeInForce:
    """The lifetime of an application, which begins with its submission.

    A change that would have ended it already is refused (Hadoop:
    ClientRMService.updateApplicationTimeouts). *queues* are the YarnQueue objects by path.
    """
    wanted = lifetime(application, record.queue, queues)
    known = (application.get("status") or {}).get("lifetime")
    end_ms = record.start_ms + wanted * 1000
    if known is None or wanted in (0, known.get("seconds")) or now_ms < end_ms:
        return LifetimeInForce(wanted)
    why = (
        f"spec.lifetimeSeconds: found {wanted}, which were over at {timestamp(end_ms)}, "
        "allowed: a lifetime that ends in the future, or 0"
    )
    return LifetimeInForce(int(known.get("seconds") or 0), why)


def status(record: ApplicationRecord, seconds: int) -> Object:
    """What the application's status says of its lifetime."""
    said: Object = {"seconds": seconds}
    end = timestamp(record.start_ms + seconds * 1000)
    return {**said, "expiryTime": end} if seconds and end else said


def outlived(record: ApplicationRecord, seconds: int, now_ms: int) -> str:
    """Why an application is killed for its age; "" while it may go on.

    Source: Hadoop RMAppLifetimeMonitor.
    """
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
