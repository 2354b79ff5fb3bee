"""How fast the Capacity Scheduler decides, in processor time of one core: pure Python.

`pytest tests/bench/policy -s` prints the figures; `kubeyarn bench policy` measures more shapes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from kubeyarn.cli.bench_measuring import Measured, measure
from kubeyarn.simulate.capacity_shape import CapacityShape

# A machine that does other things, too, makes three times as many.
GRANTS_PER_SECOND = 30_000
# How much longer a grant may take on 5,000 nodes than on 200, and among 1,000 queues than among 10.
FLAT = 1.3
IDLE_MS = 1
PENDING_MB = 300


def best(shape: CapacityShape, runs: int = 3) -> Measured:
    found = [measure(shape, 500) for _ in range(runs)]
    return max(found, key=lambda one: one.grants_per_second)


def test_grants_come_fast_enough_and_idle_cycles_cost_nothing() -> None:
    found = best(CapacityShape())

    print(f"\n{found}")
    assert found.grants == found.wanted == 100_000
    assert found.grants_per_second >= GRANTS_PER_SECOND
    assert found.idle_cycle_ms < IDLE_MS


def test_the_time_of_a_grant_hardly_grows_with_nodes_and_queues() -> None:
    small = best(CapacityShape(nodes=200, applications=60)).grants_per_second
    wide = best(CapacityShape(nodes=5000, applications=100)).grants_per_second
    few = best(CapacityShape(queues=10, parents=2, applications=1000, containers=50))
    many = best(CapacityShape(queues=1000, applications=1000, containers=50))
    flat, deep = few.grants_per_second, many.grants_per_second

    print(f"\n200 nodes {small:,.0f}/s, 5,000 nodes {wide:,.0f}/s")
    print(f"10 queues {flat:,.0f}/s, 1,000 queues {deep:,.0f}/s, of 1,000 applications each")
    assert small / wide < FLAT
    assert flat / deep < FLAT


def test_a_hundred_thousand_pending_containers_in_a_thousand_requests_take_little_memory() -> None:
    """In a process of its own, before anything is granted; and when all of it is."""
    command = "bench policy --apps 1000 --containers 100 --no-others --json"
    run = [str(Path(sys.executable).with_name("kubeyarn")), *command.split()]
    found = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)

    print(f"\n{found['pending_rss_mb']} MB with all pending, {found['peak_rss_mb']} MB with grants")
    assert found["wanted"] == found["grants"] == 100_000
    assert found["pending_rss_mb"] < PENDING_MB
    assert found["peak_rss_mb"] < PENDING_MB
