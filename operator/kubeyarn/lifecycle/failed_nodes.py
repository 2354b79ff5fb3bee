"""Nodes where an application's AM failed: a further attempt keeps off them.

Source: Hadoop SimpleBlacklistManager and Apps.shouldCountTowardsNodeBlacklisting.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.records import AttemptRecord

# It ended well, was ended on purpose, its node is known to be bad, or it was too large itself.
_NOT_THE_NODES_FAULT = frozenset(
    {
        ExitStatus.SUCCESS,
        ExitStatus.PREEMPTED,
        ExitStatus.KILLED_BY_RESOURCEMANAGER,
        ExitStatus.KILLED_BY_APPMASTER,
        ExitStatus.KILLED_AFTER_APP_COMPLETION,
        ExitStatus.ABORTED,
        ExitStatus.DISKS_FAILED,
        ExitStatus.KILLED_EXCEEDED_VMEM,
        ExitStatus.KILLED_EXCEEDED_PMEM,
    }
)


def excluded(
    attempts: Sequence[AttemptRecord], nodes: int, threshold: float | None
) -> frozenset[str]:
    """The nodes where the next attempt's AM is not to be granted.

    None of them once they are *threshold* (a fraction) of the cluster's *nodes* or more: then it is
    not the nodes. *threshold* None switches it off.
    """
    if threshold is None:
        return frozenset()
    bad = frozenset(
        attempt.node
        for attempt in attempts
        if attempt.node
        and attempt.exit_status is not None
        and attempt.exit_status not in _NOT_THE_NODES_FAULT
    )
    return bad if len(bad) < threshold * nodes else frozenset()
