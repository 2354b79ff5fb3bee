"""`kubeyarn bench policy` on a small shape."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from kubeyarn.cli.bench import bench

SIZES = {"nodes": 20, "slots": 8, "queues": 10, "parents": 2, "apps": 10, "containers": 12}
SMALL = [word for name, size in SIZES.items() for word in (f"--{name}", str(size))]


@pytest.mark.parametrize("scheduler", ["capacity", "fair"])
def test_everything_is_granted_and_measured(scheduler: str) -> None:
    command = ["policy", "--scheduler", scheduler, *SMALL, "--json", "--runs", "3"]
    found = json.loads(CliRunner().invoke(bench, command).stdout)

    assert found["grants"] == found["wanted"] == 120
    assert found["seconds"] > 0
    assert found["grants_per_second"] > 0
    assert found["peak_rss_mb"] > 0
    assert set(found["cycle_ms"]) == {"p50", "p90", "p99", "most"}


def test_harder_shapes_are_measured_too() -> None:
    out = CliRunner().invoke(bench, ["policy", *SMALL]).stdout

    for name in ("mixed sizes", "five priorities", "reserved nodes", "partitions", "50 users"):
        assert name in out


def test_queues_go_evenly_into_parents() -> None:
    result = CliRunner().invoke(bench, ["policy", "--queues", "10", "--parents", "3"])

    assert result.exit_code == 2
    assert "evenly" in result.output
