"""Which task runs in which container, what is left, and who may try again. Pure.

A task that ends badly is put back to be asked for again, up to a limit (Hadoop:
mapreduce.map.maxattempts, 4). A container that the cluster took away (lost node, preemption,
disk, RM) says nothing about the task and does not count against that limit, as in MapReduce.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass

# Hadoop: ContainerExitStatus ABORTED, DISKS_FAILED, PREEMPTED, KILLED_BY_APPMASTER,
# KILLED_BY_RESOURCEMANAGER, KILLED_BY_CONTAINER_SCHEDULER.
TAKEN_AWAY = frozenset({-100, -101, -102, -105, -106, -108})


class TaskOutcome(enum.Enum):
    """What the end of a container means for its task."""

    UNKNOWN = "the container ran no task"
    DONE = "the task is done"
    AGAIN = "the task waits for another container"
    GIVEN_UP = "the task ended badly too often"


@dataclass(frozen=True, slots=True)
class Retry:
    """Who may try again.

    *failures* is how often a task may end badly before it is given up, *taken_away* how often
    its container may be taken away. With *codes* only these exit codes are tried again (Hadoop:
    ContainerRetryPolicy RETRY_ON_SPECIFIC_ERROR_CODES).
    """

    failures: int = 4
    taken_away: int = 100
    codes: Collection[int] | None = None


@dataclass(slots=True)
class _Tally:
    failures: int = 0
    taken_away: int = 0
    last: str = ""


class TaskBook:
    """The tasks of one phase; ids are the caller's."""

    def __init__(self, task_ids: Iterable[str], retry: Retry | None = None) -> None:
        self._retry = retry or Retry()
        self._waiting = deque(task_ids)
        self._tallies = {task_id: _Tally() for task_id in self._waiting}
        self._running: dict[str, str] = {}
        self.done: dict[str, str] = {}
        self.given_up: dict[str, str] = {}

    @property
    def total(self) -> int:
        """How many tasks there are."""
        return len(self._tallies)

    @property
    def waiting(self) -> int:
        """How many tasks wait for a container."""
        return len(self._waiting)

    @property
    def running(self) -> dict[str, str]:
        """The tasks that run, by container id."""
        return dict(self._running)

    @property
    def finished(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._waiting and not self._running

    @property
    def retries(self) -> int:
        """How many containers ended without their task being done."""
        return sum(t.failures + t.taken_away for t in self._tallies.values())

    def assign(self, container_id: str) -> str | None:
        """Give the next waiting task to *container_id*; None if no task waits."""
        if not self._waiting:
            return None
        task_id = self._waiting.popleft()
        self._running[container_id] = task_id
        return task_id

    def task_of(self, container_id: str) -> str | None:
        """The task that *container_id* runs."""
        return self._running.get(container_id)

    def ended(self, container_id: str, exit_status: int, diagnostics: str = "") -> TaskOutcome:
        """Take the end of a container; a second one for the same container is UNKNOWN."""
        task_id = self._running.pop(container_id, None)
        if task_id is None:
            return TaskOutcome.UNKNOWN
        if exit_status == 0:
            self.done[task_id] = container_id
            return TaskOutcome.DONE
        tally = self._tallies[task_id]
        tally.last = f"{container_id} ended with {exit_status}: {diagnostics}".rstrip(": ")
        if self._may_run_again(tally, exit_status):
            # At the end: a task that fails again and again does not keep the others from their
            # first try.
            self._waiting.append(task_id)
            return TaskOutcome.AGAIN
        self.given_up[task_id] = tally.last
        return TaskOutcome.GIVEN_UP

    def _may_run_again(self, tally: _Tally, exit_status: int) -> bool:
        if exit_status in TAKEN_AWAY:
            tally.taken_away += 1
            return tally.taken_away <= self._retry.taken_away
        tally.failures += 1
        codes = self._retry.codes
        return tally.failures < self._retry.failures and (codes is None or exit_status in codes)
