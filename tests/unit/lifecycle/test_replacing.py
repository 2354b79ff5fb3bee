"""Which containers are asked for again without an AM, row by row."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.replacing import Replacements, after

NONE = Replacements()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (ExitStatus.SUCCESS, NONE),
        (1, Replacements(retried=1)),
        (137, Replacements(retried=1)),
        (ExitStatus.INVALID, Replacements(retried=1)),
        (ExitStatus.ABORTED, Replacements(replaced=1)),
        (ExitStatus.DISKS_FAILED, Replacements(replaced=1)),
        (ExitStatus.PREEMPTED, Replacements(replaced=1)),
        (ExitStatus.KILLED_EXCEEDED_VMEM, Replacements(retried=1)),
        (ExitStatus.KILLED_EXCEEDED_PMEM, Replacements(retried=1)),
        (ExitStatus.KILLED_BY_APPMASTER, Replacements(retried=1)),
        (ExitStatus.KILLED_BY_RESOURCEMANAGER, Replacements(replaced=1)),
        (ExitStatus.KILLED_AFTER_APP_COMPLETION, NONE),
        (ExitStatus.KILLED_BY_CONTAINER_SCHEDULER, Replacements(replaced=1)),
        (ExitStatus.KILLED_FOR_EXCESS_LOGS, Replacements(retried=1)),
    ],
)
def test_every_exit_status_has_its_row(status, expected):
    assert after(NONE, 5, [int(status)]) == expected


def test_the_limit_bounds_failures_over_the_whole_request_and_nothing_else():
    assert after(NONE, 2, [1, 1, 1, -102, 1]) == Replacements(retried=2, replaced=1)
    assert after(Replacements(2, 1), 2, [1, -100]) == Replacements(retried=2, replaced=2)
    assert after(NONE, 0, [1, 0, 1]) == NONE
