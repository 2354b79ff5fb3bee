"""In which order a leaf queue serves its applications.

Hadoop: the leaf `ordering-policy` (FifoOrderingPolicy, FairOrderingPolicy,
FifoOrderingPolicyForPendingApps). A key that is smaller is served first.
"""

from __future__ import annotations

import math

ApplicationKey = tuple[float, ...]


def fifo_key(priority: int, order: int, number: int) -> ApplicationKey:
    """Higher priority first, then who was submitted first."""
    return (-priority, order, number)


def fair_key(
    used: int, demand: int, order: int, number: int, *, size_based_weight: bool
) -> ApplicationKey:
    """Less memory in use first; with *size_based_weight* relative to log2 of the demand.

    *demand* is memory used and pending. Of equals, who was submitted first.
    """
    magnitude = float(used)
    if size_based_weight and used:
        magnitude /= math.log1p(demand) / math.log(2)
    return (magnitude, order, 0 if demand else 1, number)
