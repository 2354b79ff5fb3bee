"""How a request's containers ended, kept when the containers themselves are forgotten. Pure.

One entry for each exit status, however many containers there were: ten thousand tasks are a few
lines. Hadoop keeps each container in the timeline; here each has its pod, for as long as pods stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.am_session import CompletedContainer
from kubeyarn.model.ids import ContainerId

MOST = 32
_LONGEST = 256


def after(
    before: Sequence[Mapping[str, Any]],
    ended: Iterable[CompletedContainer],
    nodes: Mapping[ContainerId, str],
) -> list[Object]:
    """The history with containers that *ended* just now, by exit status.

    When there are more than 32 statuses, those that were seen most often stay.
    """
    found = {int(entry["exitStatus"]): dict(entry) for entry in before}
    for container in ended:
        status = int(container.exit_status)
        count = int(found.get(status, {}).get("count") or 0) + 1
        entry: Object = {"exitStatus": status, "count": count, "lastContainer": str(container.id)}
        if container.id in nodes:
            entry["lastNode"] = nodes[container.id]
        if container.diagnostics:
            entry["lastDiagnostics"] = container.diagnostics[:_LONGEST]
        found[status] = entry
    kept = sorted(found.values(), key=lambda entry: (-entry["count"], entry["exitStatus"]))[:MOST]
    return sorted(kept, key=lambda entry: int(entry["exitStatus"]))
