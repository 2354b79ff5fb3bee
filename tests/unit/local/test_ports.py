"""Ports that nobody else takes between the choice and the use."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kubeyarn.local import locking, ports
from kubeyarn.local.errors import LocalClusterError

CLAIM = """
import sys
from kubeyarn.local import ports
sys.stdin.readline()
print(*(ports.claim() for _ in range(int(sys.argv[1]))), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[int, int, int]:
    """Three free ports, the only ones there are to choose from, and claimed by nobody else."""
    start = random.randrange(ports._LOWEST, ports.ephemeral()[0] - 1000)
    first = next(port for port in range(start, start + 1000) if _are_free(port))
    monkeypatch.setattr(ports, "_NAME", f"port-of-a-test-{os.getpid()}-{first}")
    everything_else = tmp_path / "range"
    everything_else.write_text(f"{first + 3}\t65535\n")
    monkeypatch.setattr(ports, "_RANGE", everything_else)
    monkeypatch.setattr(ports, "_LOWEST", first)
    monkeypatch.setattr(ports, "_held", {})
    return first, first + 1, first + 2


def _are_free(first: int) -> bool:
    return all(ports._is_free(first + i) for i in range(3))


def claims(name: int) -> bool:
    """Whether some process holds a port."""
    held = locking.hold(f"{ports._NAME}-{name}")
    if held is not None:
        held.close()
    return held is None


def test_a_port_is_one_that_the_kernel_never_hands_out() -> None:
    first, last = ports.ephemeral()
    chosen = [ports.claim() for _ in range(20)]

    assert len(set(chosen)) == 20
    assert not [port for port in chosen if first <= port <= last]
    for port in chosen:
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_every_port_is_given_once_and_then_it_is_said_that_none_is_left(
    offered: tuple[int, int, int],
) -> None:
    assert {ports.claim() for _ in range(3)} == set(offered)

    with pytest.raises(LocalClusterError, match=r"no port is free.*the 3 others are taken"):
        ports.claim()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.99.0.2", "", "::1"])
def test_a_port_that_a_stranger_listens_on_is_passed_over(
    offered: tuple[int, int, int], address: str
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, offered[1]), family=family):
        assert {ports.claim(), ports.claim()} == {offered[0], offered[2]}
        with pytest.raises(LocalClusterError):
            ports.claim()


def test_what_an_ended_listener_left_does_not_take_a_port(offered: tuple[int, int, int]) -> None:
    with socket.create_server(("127.0.0.1", offered[0])) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        # The server says goodbye first, so its port is the one that waits (TIME_WAIT).
        accepted.close()
        client.close()

    assert {ports.claim() for _ in range(3)} == set(offered)


def test_a_port_is_free_again_when_the_process_that_had_it_has_ended() -> None:
    process = _start(1)
    assert process.stdin is not None
    port = int(_say(process))
    assert claims(port)

    process.kill()
    process.communicate()
    assert not claims(port)


def test_two_processes_that_choose_at_once_never_choose_the_same() -> None:
    racers = [_start(400) for _ in range(2)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    try:
        chosen = [racer.stdout.readline().split() for racer in racers if racer.stdout]
    finally:
        for racer in racers:
            racer.communicate("end\n")

    assert [len(set(each)) for each in chosen] == [400, 400]
    assert not set(chosen[0]) & set(chosen[1])


def _start(count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CLAIM, str(count)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def _say(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    return process.stdout.readline()
