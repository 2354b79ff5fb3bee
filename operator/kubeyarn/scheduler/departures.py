"""Whether somebody leaves a node, so that a pod which lacks room there may get it by waiting.

kube-scheduler refuses a pod for want of room although its container was granted, when what was
there before is not gone yet, or when it has not heard of it: lazy preemption kills in the cycle
that grants the room, and both watch the API server, each at its own pace. Where nobody leaves the
node and nobody did of late, somebody unknown has taken the room: waiting does not bring it back.
"""

from __future__ import annotations

from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.facts import PodUse

# kube-scheduler tries a pod that it refused again when it hears of the room: at once, or after the
# pod's own backoff, which begins with a second and doubles.
HEARD_WITHIN_MS = 5_000


class Departures:
    """Who leaves which node, and when somebody last did."""

    def __init__(self, cache: SchedulerCache) -> None:
        self._pods = cache.pods
        self._requests = cache.requests
        self._left_ms: dict[str, int] = {}

    def see(self, before: PodUse | None, now: PodUse, now_ms: int, *, deleted: bool) -> None:
        """A pod changed: it may have left its node, or take less of it."""
        # Of a pod that was over before nothing was counted any more, here or there.
        if before is None or not before.node or before.over:
            return
        if deleted or now.over or before.requests != now.requests:
            self._left_ms[before.node] = now_ms

    def nodes(self, now_ms: int) -> set[str]:
        """The nodes where room may come by waiting."""
        # Looked up when a pod lacks room, which is rare, so that nothing is kept up to date for it.
        since = now_ms - HEARD_WITHIN_MS
        self._left_ms = {node: at for node, at in self._left_ms.items() if at > since}
        return (
            self._left_ms.keys() | self._pods.nodes_being_left() | self._requests.nodes_to_leave()
        )
