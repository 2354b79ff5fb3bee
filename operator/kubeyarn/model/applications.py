"""Applications as the scheduler sees them."""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.resources import Vector


@dataclass(frozen=True, slots=True)
class Application:
    """What is known of an application when it is submitted (Hadoop: ApplicationSubmissionContext).

    *queue* is what the user wrote: a full path, a leaf's short name, or "" for `default`;
    placement decides the leaf. *order* and *submitted_ms* fix the order of equals, whatever order
    objects arrive in. *placed* is the leaf where an earlier scheduler placed it: an application
    then is taken back there, whether or not it would be taken today (Hadoop: recovery). *allowed*
    are queues that its user is known to have the right to submit to, besides what the queues say
    themselves. Higher *priority* is served first; None takes the queue's default.
    *am_size* None is an unmanaged AM. *am_classes* are the node classes where the AM may be
    (`Locality.classes`).
    """

    id: ApplicationId
    user: str
    queue: str = ""
    groups: tuple[str, ...] = ()
    name: str = ""
    priority: int | None = None
    am_size: Vector | None = None
    partition: str | None = None
    am_partition: str | None = None
    tags: tuple[str, ...] = ()
    order: int = 0
    submitted_ms: int = 0
    placed: str = ""
    allowed: frozenset[str] = frozenset()
    am_classes: frozenset[int] | None = None
