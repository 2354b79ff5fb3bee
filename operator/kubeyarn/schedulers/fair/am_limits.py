"""How much of a queue ApplicationMasters may take (`maxAMShare`).

An attempt whose ApplicationMaster does not run yet is passed over at every offer while its queue
has no room for it. Hadoop: FSLeafQueue.computeMaxAMResource, canRunAppAM, FSAppAttempt.
isOverAMShareLimit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import add, fits
from kubeyarn.schedulers.calculator import multiply_and_round_up
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue

_UNLIMITED_AM_SHARE = -1.0


def is_unlimited(max_am_share: float) -> bool:
    """Whether `maxAMShare` is -1."""
    return abs(max_am_share - _UNLIMITED_AM_SHARE) < 0.0001


def max_am_resource(
    max_am_share: float, fair_share: Vector, available: Vector, max_share: Vector
) -> Vector:
    """What a queue's ApplicationMasters may use together.

    Where the fair share of a resource type is 0, what the cluster has available counts instead, as
    far as the queue's maximum goes: otherwise nothing could ever start.
    """
    base = [
        min(available[place], max_share[place]) if amount == 0 else amount
        for place, amount in enumerate(fair_share)
    ]
    return multiply_and_round_up(tuple(base), single(max_am_share))


def am_limit(state: FairClusterState, leaf: FSLeafQueue) -> Vector:
    """What the ApplicationMasters of *leaf* may use together now."""
    return max_am_resource(leaf.max_am_share, leaf.fair_share, state.available, leaf.max_share)


def can_run_am(state: FairClusterState, leaf: FSLeafQueue, size: Vector) -> bool:
    """Whether *leaf* has room for another ApplicationMaster of this size."""
    if is_unlimited(leaf.max_am_share):
        return True
    return fits(add(leaf.am_used, size), am_limit(state, leaf))


def is_over_am_share_limit(state: FairClusterState, attempt: FSAppAttempt) -> bool:
    """Whether an attempt's ApplicationMaster has to wait for the queue's share.

    The first ask in order counts as the ApplicationMaster's, whatever it is.
    """
    if attempt.am_running or attempt.unmanaged:
        return False
    # Nothing is asked for, not even the AM, so there is nothing that could be let through.
    if not attempt.ask_keys:
        return True
    return not can_run_am(state, attempt.queue, attempt.asks[attempt.ask_keys[0]].ask.size)
