"""What an interrupted end-to-end run left goes with `kubeyarn cluster down`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.chaos.crew import Crew
from e2e.policy.hosted import Hosted
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.processes import Process, started


def _hosted(cluster: LocalCluster, logs: Path) -> Any:
    hosted = Hosted(cluster, logs)
    hosted._spawn("sleeper", ["sleep", "60"])
    return hosted._running["sleeper"]


def _struck(cluster: LocalCluster, logs: Path) -> Any:
    crew = Crew(cluster, logs, seed=1)
    crew._start("sleeper", ["sleep", "60"])
    return crew.running["sleeper"]


@pytest.mark.parametrize("start", [_hosted, _struck])
def test_a_process_that_a_test_started_beside_a_cluster_ends_with_it(
    start: Callable[[LocalCluster, Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEYARN_STATE_DIR", str(tmp_path / "state"))
    child = start(LocalCluster("interrupted"), tmp_path)
    process = Process(child.pid, started(child.pid) or 0)
    # The mark is in the environment that the new program gets, so it has to be running.
    while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
        time.sleep(0.01)

    LocalCluster("interrupted").down()

    assert not process.alive
    child.returncode = 0
