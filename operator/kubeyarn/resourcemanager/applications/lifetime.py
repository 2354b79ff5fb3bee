"""How long an application may run, and why it is killed when it has run for so long. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.crd.yarn_queue import LifetimeSpec, YarnQueue
from kubeyarn.lifecycle.lifetime import allowed_lifetime
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.applications.records import timestamp
from kubeyarn.resourcemanager.queue_templates import template_words


@dataclass(frozen=True, slots=True)
class LifetimeInForce:
    """The lifetime that an application has, in seconds, and why it is not what its spec says."""

    seconds: int
    refused: str = ""


def in_force(
    application: YarnApplication,
    record: ApplicationRecord,
    queues: Mapping[str, YarnQueue],
    now_ms: int,
) -> LifetimeInForce:
    """The lifetime of an application, which begins with its submission.

    A change that would have ended it already is refused (Hadoop:
    ClientRMService.updateApplicationTimeouts). *queues* are the queues by path.
    """
    wanted = lifetime(application, record.queue, queues)
    known = application.status.lifetime
    end_ms = record.start_ms + wanted * 1000
    if known is None or wanted in (0, known.seconds) or now_ms < end_ms:
        return LifetimeInForce(wanted)
    why = (
        f"spec.lifetimeSeconds: found {wanted}, which were over at {timestamp(end_ms)}, "
        "allowed: a lifetime that ends in the future, or 0"
    )
    return LifetimeInForce(known.seconds, why)


def status(record: ApplicationRecord, seconds: int) -> Object:
    """What the application's status says of its lifetime."""
    entry: Object = {"seconds": seconds}
    end = timestamp(record.start_ms + seconds * 1000)
    return {**entry, "expiryTime": end} if seconds and end else entry


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


def lifetime(application: YarnApplication, queue: str, queues: Mapping[str, YarnQueue]) -> int:
    """The lifetime in seconds that the application and the nearest queue give; 0: none."""
    queue_lifetime = _of_queue(queue, queues, leaf=True)
    return allowed_lifetime(
        application.spec.lifetime_seconds,
        queue_lifetime.default_seconds,
        queue_lifetime.maximum_seconds,
    )


def _of_queue(path: str, queues: Mapping[str, YarnQueue], *, leaf: bool) -> LifetimeSpec:
    """The lifetimes of a queue; what it does not say, the queue above says.

    A YarnQueue says both or none, because the API server fills in the other. A template may say one
    of them.
    """
    if not path:
        return LifetimeSpec()
    queue = queues.get(path)
    if queue is not None and queue.spec.lifetime is not None:
        return queue.spec.lifetime
    above = _of_queue(path.rpartition(".")[0], queues, leaf=False)
    said = tuple(template_words(queues, path, "lifetime", leaf=leaf))
    return LifetimeSpec(
        default_seconds=_said(said, "defaultSeconds", above.default_seconds),
        maximum_seconds=_said(said, "maximumSeconds", above.maximum_seconds),
    )


def _said(templates: Sequence[Mapping[str, Any]], name: str, otherwise: int) -> int:
    found = (template.get(name) for template in templates)
    return next((seconds for seconds in found if isinstance(seconds, int)), otherwise)
