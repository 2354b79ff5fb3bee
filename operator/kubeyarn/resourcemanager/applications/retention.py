"""Which ended applications are not kept (Hadoop: RMAppManager.checkAppNumCompletedLimit). Pure.

An application's object is its history: its attempts and how each ended are in its status. It goes
when more have ended than the cluster keeps, the first ones first, or after a time of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.applications import records


def not_kept(applications: Iterable[Object], most: int, now_ms: int) -> list[Object]:
    """The ended applications to delete, first ended first; *most* negative: as many as there are.

    Source: Hadoop `yarn.resourcemanager.max-completed-applications`; Kubernetes
    `ttlSecondsAfterFinished` of a Job.
    """
    ended = sorted(
        (
            (record.finish_ms, record.id, found)
            for found in applications
            if "deletionTimestamp" not in found["metadata"]
            and (record := records.read(found)) is not None
            and _is_over(record)
        ),
        key=lambda entry: entry[:2],
    )
    too_many = max(0, len(ended) - most) if most >= 0 else 0
    return [
        found
        for place, (finish_ms, _, found) in enumerate(ended)
        if place < too_many or _outlived(found, finish_ms, now_ms)
    ]


def _is_over(record: ApplicationRecord) -> bool:
    return record.ended and record.finish_ms > 0


def _outlived(application: Object, finish_ms: int, now_ms: int) -> bool:
    ttl_s = application["spec"].get("ttlSecondsAfterFinished")
    return ttl_s is not None and now_ms - finish_ms >= int(ttl_s) * 1000
