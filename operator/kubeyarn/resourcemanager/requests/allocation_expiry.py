"""Containers that were granted and that their ApplicationMaster does not launch in time."""

from __future__ import annotations

from collections.abc import Callable, Collection

from kubeyarn.crd.object import Key
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.model.ids import ContainerId

EXPIRED = ContainerExit(ExitStatus.ABORTED, "Container expired since it was unused.")


class ContainerAllocationExpirer:
    """Since when the granted containers of each request wait to be launched.

    They are given back after *expiry_s* seconds (Hadoop: ContainerAllocationExpirer,
    `yarn.resourcemanager.rm.container-allocation.expiry-interval-ms`). A ResourceManager that
    begins anew gives them their whole time again, because it does not know when they were granted.
    """

    def __init__(self, expiry_s: int, clock_ms: Callable[[], int]) -> None:
        self._expiry_ms = expiry_s * 1000
        self._clock_ms = clock_ms
        self._since: dict[Key, dict[ContainerId, int]] = {}

    def expired(self, request: Key, waiting: Collection[ContainerId]) -> list[ContainerId]:
        """Which containers *waiting* to be launched have waited for too long.

        What is not among them any more has been launched, or is gone, and is forgotten.
        """
        now_ms = self._clock_ms()
        before = self._since.pop(request, {})
        if not waiting:
            return []
        since = {container: before.get(container, now_ms) for container in waiting}
        self._since[request] = since
        return [c for c, first_ms in since.items() if now_ms - first_ms > self._expiry_ms]
