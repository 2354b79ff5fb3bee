"""The one list of reasons why something waits or was refused.

Used as condition and event reasons, metric labels, and in `simulate --trace`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

_MOST_NAMES = 5


class Reason(StrEnum):
    """Why something waits or was refused."""

    QUEUE_MAXIMUM = "QueueMaximum"
    PARENT_MAXIMUM = "ParentMaximum"
    USER_LIMIT = "UserLimit"
    AM_LIMIT = "AMLimit"
    USER_AM_LIMIT = "UserAMLimit"
    APPLICATION_LIMIT = "ApplicationLimit"
    PARALLEL_LIMIT = "ParallelLimit"
    QUEUE_STOPPED = "QueueStopped"
    QUEUE_NOT_FOUND = "QueueNotFound"
    QUEUE_NOT_LEAF = "QueueNotLeaf"
    QUEUE_AMBIGUOUS = "QueueAmbiguous"
    ACCESS_DENIED = "AccessDenied"
    PLACEMENT_REJECTED = "PlacementRejected"
    PARTITION_ACCESS = "PartitionAccess"
    NO_NODE_FITS = "NoNodeFits"
    NODES_BUSY = "NodesBusy"
    NODES_EXCLUDED = "NodesExcluded"
    RESERVED = "Reserved"
    LOCALITY_DELAY = "LocalityDelay"
    GANG_INCOMPLETE = "GangIncomplete"
    BEHIND_IN_QUEUE = "BehindInQueue"
    BELOW_IN_FAIR_SHARE = "BelowInFairShare"
    MAXIMUM_ALLOCATION = "MaximumAllocation"
    PLACEMENT_CONSTRAINT = "PlacementConstraint"
    INVALID_REQUEST = "InvalidRequest"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stops an ask or an application now.

    *place* is its place in line among those of the same queue (1 is next), 0 where there is none.
    """

    reason: Reason
    message: str
    place: int = 0


def listed(names: Collection[str]) -> str:
    """Names in order for a message; of many the first five, and how many more there are."""
    shown = sorted(names)[:_MOST_NAMES]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
