"""How fast we decide, and Apache Hadoop 3.4.3 on the same machine at the same time.

`pytest tests/bench/hadoop -s` prints the figures. HADOOP_BENCH_RUNS says medians of how many.
Both are counted in processor time of one thread: our only one, and Java's busiest one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from statistics import median

import pytest

from bench.hadoop import ours
from bench.hadoop.peer import Hadoop, Measured, Request, hadoop

RUNS = int(os.environ.get("HADOOP_BENCH_RUNS", "3"))
SHAPE = {
    "nodes": 2000,
    "slots": 64,
    "queues": 100,
    "parents": 10,
    "applications": 500,
    "containers": 200,
    "users": 10,
}
WANTED = 100_000
ONE_AT_A_TIME = [("capacity", "fair"), ("fair", "fair"), ("fair", "drf")]
"""The scheduler, and the policy of queues, which the Capacity Scheduler has none of."""

OTHER_MODES = [
    ("capacity", "multiple", "fair"),
    ("capacity", "asynchronous", "fair"),
    ("fair", "multiple", "fair"),
    ("fair", "multiple", "drf"),
]

# A run of a busy machine takes Java half a minute, most of it before and after what is measured.
pytestmark = pytest.mark.timeout(1800)


@dataclass(frozen=True, slots=True)
class Compared:
    """Grants a second of both, in the order of the runs, and the last run of Hadoop."""

    ours: list[float]
    theirs: list[float]
    last: Measured

    @property
    def ratio(self) -> float:
        return median(self.ours) / median(self.theirs)


@pytest.mark.parametrize(("scheduler", "policy"), ONE_AT_A_TIME)
def test_we_grant_no_slower_than_hadoop_one_at_a_time_and_as_much_to_each_queue(
    scheduler: str, policy: str
) -> None:
    request = Request(scheduler, "one", policy, **SHAPE)

    found = compared(request)
    half, whole = ours.granted(request)

    assert found.last.granted == whole
    assert found.last.halfway == half
    assert found.ratio >= 1


@pytest.mark.parametrize(("scheduler", "mode", "policy"), OTHER_MODES)
def test_we_grant_as_much_as_hadoop_many_at_a_time(scheduler: str, mode: str, policy: str) -> None:
    request = Request(scheduler, mode, policy, **SHAPE)

    found = compared(request)
    _, whole = ours.granted(request)

    assert found.last.granted == whole


def compared(request: Request) -> Compared:
    """Measure both by turns, so that what else the machine does slows both alike."""
    mine, theirs = [], []
    with hadoop() as java:
        # Java compiles while it runs: what it does before is not measured.
        last = java.run(request)
        for _ in range(RUNS):
            mine.append(our_speed(request))
            last = their_run(java, request)
            theirs.append(last.grants_per_second)
    found = Compared(mine, theirs, last)
    report(request, found)
    return found


def our_speed(request: Request) -> float:
    found = ours.measured(request)
    assert found["grants"] == WANTED
    return found["grants_per_second"]


def their_run(java: Hadoop, request: Request) -> Measured:
    found = java.run(request)
    assert found.grants == WANTED
    return found


def report(request: Request, found: Compared) -> None:
    last = found.last
    policy = f" {request.policy}" if request.scheduler == "fair" else ""
    print(
        f"\n{request.scheduler}{policy}, Hadoop {request.mode}: "
        f"ours {spread(found.ours)} a second, Hadoop's {spread(found.theirs)}, "
        f"ratio {found.ratio:.2f}; Hadoop's last run by the clock "
        f"{last.grants / last.wall_seconds:,.0f} a second, "
        f"{last.process_seconds:.1f} s of all its threads"
    )


def spread(speeds: list[float]) -> str:
    return f"{median(speeds):,.0f} ({min(speeds):,.0f} to {max(speeds):,.0f})"
