"""Exit statuses that no process gave (Hadoop: ContainerExitStatus)."""

from __future__ import annotations

from collections.abc import Mapping
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

_S = ExitStatus

MEANINGS: Mapping[ExitStatus, str] = {
    _S.SUCCESS: "its process exited with 0",
    _S.INVALID: "it never ran: the API server refused its pod, or its ApplicationMaster was given "
    "up or failed by its user",
    _S.ABORTED: "released, never used, its pod deleted or evicted, or its node lost",
    _S.DISKS_FAILED: "evicted because its node's disks were full",
    _S.PREEMPTED: "taken back for another queue, user or application",
    _S.KILLED_EXCEEDED_VMEM: "never here: Kubernetes does not limit virtual memory",
    _S.KILLED_EXCEEDED_PMEM: "it used more memory than it asked for (OOMKilled)",
    _S.KILLED_BY_APPMASTER: "stopped by its ApplicationMaster",
    _S.KILLED_BY_RESOURCEMANAGER: "its attempt had ended, or the application was killed before it "
    "began",
    _S.KILLED_AFTER_APP_COMPLETION: "its application had ended",
    _S.KILLED_BY_CONTAINER_SCHEDULER: "an opportunistic container that gave way to a guaranteed "
    "one",
    _S.KILLED_FOR_EXCESS_LOGS: "it wrote more to its disk, logs among it, than it may",
}
"""What each status means here; other numbers are the process's own exit code."""
