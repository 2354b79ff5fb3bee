from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubeyarn.local import processes
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.processes import Component, Components, Process


def component(name: str = "sleeper", program: str = "import time; time.sleep(60)") -> Component:
    return Component(
        name=name,
        version="v1",
        arguments=(sys.executable, "-c", program),
        environment=(("GREETING", "hello"),),
        process=None,
    )


@pytest.fixture
def components(tmp_path: Path) -> Iterator[Components]:
    made = Components(tmp_path)
    yield made
    processes.end(made.marked(), 0)


def test_a_started_component_is_recorded_with_pid_and_start_time(components: Components) -> None:
    running = components.start(component()).process

    assert running is not None
    assert components.get("sleeper").process == running
    assert running.alive
    assert running.started == processes.started(running.pid)


def test_a_reused_pid_is_not_taken_for_the_component() -> None:
    stranger = Process(os.getpid(), 1)

    assert not stranger.alive
    stranger.signal(signal.SIGKILL)
    processes.end([stranger], 0)
    # Being here to say so is the test.
    assert processes.started(os.getpid()) is not None


def test_a_component_leads_its_own_session_and_keeps_its_environment(
    components: Components, tmp_path: Path
) -> None:
    program = "import os, time; print(os.environ['GREETING'], flush=True); time.sleep(60)"
    running = components.start(component(program=program)).process
    assert running is not None

    deadline = time.monotonic() + 5
    while components.log_tail("sleeper") == "" and time.monotonic() < deadline:
        time.sleep(0.02)

    assert components.log_tail("sleeper") == "hello"
    assert os.getsid(running.pid) == running.pid


def test_a_component_can_be_started_again_from_its_record(components: Components) -> None:
    first = components.start(component()).process
    assert first is not None
    processes.end([first], 0)

    second = components.start(components.get("sleeper")).process

    assert second is not None
    assert second.alive
    assert second != first


def test_ending_kills_what_does_not_listen_when_patience_is_over(components: Components) -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        " print('deaf', flush=True); time.sleep(60)"
    )
    running = components.start(component(program=program)).process
    assert running is not None
    while components.log_tail("sleeper") != "deaf":
        time.sleep(0.02)

    processes.end([running], 0.2)

    assert not running.alive


def test_children_of_a_killed_component_are_found_by_their_mark(components: Components) -> None:
    program = "import subprocess; subprocess.run(['sleep', '60'])"
    running = components.start(component(program=program)).process
    assert running is not None
    deadline = time.monotonic() + 5
    while len(components.marked()) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    while running.alive:
        time.sleep(0.02)

    [child] = components.marked()
    processes.end([child], 0)

    assert components.marked() == []


def test_the_mark_of_another_cluster_is_not_ours(tmp_path: Path) -> None:
    other = Components(tmp_path / "cluster-2")
    other.start(component())

    assert Components(tmp_path / "cluster").marked() == []

    processes.end(other.marked(), 0)


def test_an_unknown_component_is_an_error_that_names_the_known_ones(
    components: Components,
) -> None:
    components.start(component("etcd"))

    with pytest.raises(LocalClusterError, match="no component etc here; there are: etcd"):
        components.get("etc")


def test_a_dead_child_that_nobody_waited_for_is_not_alive() -> None:
    child = subprocess.Popen(["sleep", "60"])
    process = Process(child.pid, processes.started(child.pid) or 0)
    child.kill()
    deadline = time.monotonic() + 5
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.02)

    assert not process.alive
    child.returncode = 0
