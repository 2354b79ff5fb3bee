"""The limits that ApplicationMasters are told: headroom, smallest and largest container.

Both schedulers count headroom and the largest container themselves (`schedulers.api`), and tell
them on the request for the ApplicationMaster. There is no other rule for them here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubeyarn.lifecycle.am_session import ShapeKey
from kubeyarn.resourcemanager import cluster_limits
from kubeyarn.resourcemanager.amservice.callers import Caller
from kubeyarn.resourcemanager.cache import Cache


def headroom(cache: Cache, caller: Caller) -> Mapping[str, int]:
    """How much more the application may get, in base units; empty before the scheduler said.

    It is a few seconds old at most, or of the last change that was worth a write. An AM uses it to
    decide what to give up while it waits; no grant depends on it.

    Source: Hadoop AllocateResponse.getAvailableResources.
    """
    request = caller.am_request(cache)
    return dict(request.headroom.items()) if request is not None else {}


def allocation(cache: Cache, caller: Caller) -> tuple[dict[str, int], dict[str, int]]:
    """The smallest and the largest container that the application may ask for, in base units.

    The largest is what the queues' words allow, and of each resource no more than the scheduler
    tells: some node must have it.

    Source: Hadoop RegisterApplicationMasterResponse.getMaximumResourceCapability.
    """
    low, high = cluster_limits.allocation(cache, caller.record.queue)
    request = caller.am_request(cache)
    told = dict(request.maximum_allocation.items()) if request is not None else {}
    # A maximum that was lowered just now is known here before the scheduler has told its own.
    return low, high | {name: min(amount, high.get(name, amount)) for name, amount in told.items()}


@dataclass(frozen=True, slots=True)
class LargestAsk:
    """How large one container of an ask may be.

    *now* is what nodes and queues allow, *configured* what the queues allow whatever nodes there
    are. An ask that was taken once waits when the nodes that could hold it go: its AM says it again
    with another count, or after the ResourceManager has started anew, and did not change it.
    """

    now: Mapping[str, int]
    configured: Mapping[str, int]
    was_taken: Callable[[ShapeKey], bool]

    def maximum(self, key: ShapeKey, size: Mapping[str, int]) -> Mapping[str, int]:
        """The most that an ask of this *size* may have of each resource."""
        return self.configured if self.is_exceeded_by(size) and self.was_taken(key) else self.now

    def is_exceeded_by(self, size: Mapping[str, int]) -> bool:
        """Whether a *size* is above what is allowed now."""
        return any(amount > self.now.get(name, amount) for name, amount in size.items())


def largest_ask(cache: Cache, caller: Caller) -> LargestAsk:
    """What the calling AM may ask for."""

    @functools.cache
    def asked_before() -> set[ShapeKey]:
        return {view.key for view in caller.asks(cache)}

    def was_taken(key: ShapeKey) -> bool:
        # The requests tell it to a ResourceManager that has started anew.
        return key in caller.session.wanted or key in asked_before()

    _, configured = cluster_limits.allocation(cache, caller.record.queue)
    _, now = allocation(cache, caller)
    return LargestAsk(now, configured, was_taken)
