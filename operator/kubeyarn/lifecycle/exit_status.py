"""Exit statuses that no process gave (Hadoop: ContainerExitStatus)."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Why a container ended when its process's own exit code does not say it."""

    SUCCESS = 0
    INVALID = -1000
    ABORTED = -100
    DISKS_FAILED = -101
    PREEMPTED = -102
    KILLED_EXCEEDED_VMEM = -103
    KILLED_EXCEEDED_PMEM = -104
    KILLED_BY_APPMASTER = -105
    KILLED_BY_RESOURCEMANAGER = -106
    KILLED_AFTER_APP_COMPLETION = -107
    KILLED_BY_CONTAINER_SCHEDULER = -108
    KILLED_FOR_EXCESS_LOGS = -109


# What ended an AM so was not its own fault (RMAppAttemptImpl.shouldCountTowardsMaxAttemptRetry).
NOT_COUNTED = frozenset(
    {
        ExitStatus.PREEMPTED,
        ExitStatus.ABORTED,
        ExitStatus.DISKS_FAILED,
        ExitStatus.KILLED_BY_RESOURCEMANAGER,
    }
)
