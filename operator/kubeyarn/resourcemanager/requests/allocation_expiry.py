"""Containers that were granted and that their AM does not launch.

Their room is given back after a while (Hadoop: ContainerAllocationExpirer,
`yarn.resourcemanager.rm.container-allocation.expiry-interval-ms`). A ResourceManager that begins
anew gives them their whole time again.
"""

from __future__ import annotations

from collections.abc import Collection

from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import Ending
from kubeyarn.model.ids import ContainerId

EXPIRED = Ending(ExitStatus.ABORTED, "Container expired since it was unused.")


class Unused:
    """Since when containers of each request wait to be launched."""

    def __init__(self, expiry_s: int) -> None:
        self._expiry_ms = expiry_s * 1000
        self._since: dict[tuple[str, str], dict[ContainerId, int]] = {}

    def expired(
        self, request: tuple[str, str], waiting: Collection[ContainerId], now_ms: int
    ) -> list[ContainerId]:
        """Those of the containers *waiting* that a request's AM has had for too long."""
        before = self._since.pop(request, {})
        if not waiting:
            return []
        since = {container: before.get(container, now_ms) for container in waiting}
        self._since[request] = since
        return [c for c, first_ms in since.items() if now_ms - first_ms > self._expiry_ms]
